"""What the study of clusters found, to be read: tables, and claims of the paper."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras_cvaegan.names import CODE_MAPPINGS
from trainers.reports.tables import markdown
from trainers.sweeps.over_seeds import cell

TITLES = {
    "real": "codes of the cluster",
    "untrained": "no mapping, calibrated",
    "imle": "IMLE",
    "imle_raw": "IMLE, not calibrated",
    "gan": "GAN",
    "gan_raw": "GAN, not calibrated",
    "vae": "VAE",
    "vae_raw": "VAE, not calibrated",
    "sefa": "SeFa",
    "sefa_far": "SeFa, 4 times as far",
    "ganspace": "GANSpace",
    "ganspace_far": "GANSpace, 4 times as far",
}
"""What is compared, by name. "real" are random codes that fall into the cluster.

Where more of the pictures have the cluster's attribute than of these, its border is left out.
"""
MEASURES = {
    "attribute": "Attribute accuracy",
    "cluster": "In the cluster",
    "coverage": "Codes covered",
    "ceiling": "… by real codes",
    "spread": "Spread of the codes",
    "diversity": "Diversity",
}
"""Titles of what is measured."""


def table(summary: Mapping[str, Mapping[str, Any]]) -> str:
    """Returns what each way to sample clusters reaches, as Markdown."""
    rows = [
        [TITLES[name], *(cell(figures.get(measure)) for measure in MEASURES)]
        for name, figures in summary.items()
    ]
    return markdown(["", *MEASURES.values()], rows)


def claims(summary: Mapping[str, Any], one_cluster: Mapping[str, Any]) -> list[str]:
    """Returns what the figures say of the paper's claims, a line each.

    Args:
        summary: figures by number of clusters, way to sample them, and measure.
        one_cluster: Fréchet distances of the generator, and of it with all codes as one cluster.
    """
    lines = []
    if "2" in summary:
        shares = {
            name: figures["attribute"]["mean"]
            for name, figures in summary["2"].items()
            if name in (*CODE_MAPPINGS, "sefa", "ganspace")
        }
        ranked = sorted(shares, key=lambda name: -shares[name])
        order = ", ".join(f"{TITLES[name]} {shares[name]:.3f}" for name in ranked)
        first = "confirmed" if ranked[0] == "imle" else "refuted"
        lines.append(f"Claim: IMLE is first in attribute accuracy: {first}: {order}.")
    before, claim = one_cluster["generator"]["mean"], "costs at most 12 % of the Fréchet distance"
    for name in ("imle_raw", "imle"):
        after = one_cluster[name]["mean"]
        within = "confirmed" if after / before <= 1.12 else "refuted"
        lines.append(
            f"Claim: mapping all codes as one cluster {claim} ({TITLES[name]}): {within}: "
            f"{before:.3f} becomes {after:.3f}, {after / before - 1:+.1%}."
        )
    return lines


def page(results: Mapping[str, Any]) -> str:
    """Returns the contents of table.md.

    Args:
        results: contents of cluster_study.json.
    """
    tables = [f"{number} clusters:\n\n{table(each)}" for number, each in results["summary"].items()]
    return "\n\n".join([*tables, "\n".join(results["claims"])])

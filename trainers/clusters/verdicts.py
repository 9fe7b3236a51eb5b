"""What a study of clusters says: tables, and the paper's claims."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trainers.clusters.study import MAPPINGS, TITLES
from trainers.reports.tables import markdown
from trainers.sweeps.over_seeds import cell

MEASURES = {
    "attribute": "Attribute accuracy",
    "cluster": "In the cluster",
    "coverage": "Codes covered",
    "ceiling": "… by real codes",
    "spread": "Spread of the codes",
    "diversity": "Diversity",
}


def table(summary: Mapping[str, Mapping[str, Any]]) -> str:
    """Returns what each way to sample clusters reaches, as Markdown."""
    rows = [
        [TITLES[name], *(cell(figures.get(measure)) for measure in MEASURES)]
        for name, figures in summary.items()
    ]
    return markdown(["", *MEASURES.values()], rows)


def verdicts(summary: Mapping[str, Any], one_cluster: Mapping[str, Any]) -> list[str]:
    """Returns what the figures say of the paper's claims, a line each."""
    lines = []
    ranked = (
        sorted(
            (name for name in summary["2"] if name in (*MAPPINGS, "sefa", "ganspace")),
            key=lambda name: -summary["2"][name]["attribute"]["mean"],
        )
        if "2" in summary
        else []
    )
    if ranked:
        order = ", ".join(
            f"{TITLES[name]} {summary['2'][name]['attribute']['mean']:.3f}" for name in ranked
        )
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

"""What trainings on the half circles showed: the paper's claim, and a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from trainers.points import history
from trainers.points.half_circles import HalfCircles
from trainers.points.settings import HALF_CIRCLES_METHODS as METHODS

OTHER, CLAIMED = METHODS
MEASURES = {
    "spread": "spread along y",
    "spread_error": "|spread − 1|",
    "range": "5 to 95 % range along y",
    "distance_y": "distance along y",
    "distance_x": "distance along x",
}
"""Titles of the measures, by name."""


def verdict(summary: Mapping[str, Mapping[str, Any]]) -> str:
    """Returns one line: whether LR/LI-VAE-GAN comes nearer to the data's spread in the end.

    It is confirmed where its spread is nearer to 1 in all seeds, refuted where it is so in less
    than half of them. Seeds in which a method failed do not count. Distances stand beside, since a
    spread may be right and the points in the wrong place.

    Example:

    >>> def showed(spread):
    ...     measures = {"spread": spread, "spread_error": 1 - spread, "distance_y": 0.25}
    ...     return {"seeds": [0]} | {name: {"by_seed": [[x]]} for name, x in measures.items()}
    >>> print(verdict({"cvae_gan": showed(0.5), "lr_li_vae_gan": showed(0.75)}))
    Claim: along y LR/LI-VAE-GAN is nearer to the spread of the data than CVAE-GAN: confirmed. It is
    so in 1 of 1 seeds. CVAE-GAN: spread 0.50 (data 1), distance 0.250; LR/LI-VAE-GAN: spread 0.75
    (data 1), distance 0.250.
    """
    if len(summary) < len(METHODS):
        return "The paper's claim compares LR/LI-VAE-GAN with CVAE-GAN."
    claim = "Claim: along y LR/LI-VAE-GAN is nearer to the spread of the data than CVAE-GAN"
    ends = list(history.by_common_seed(summary, _ends).values())
    if not ends:
        return f"{claim}: undecided, since in each seed a training failed."
    wins = sum(of[CLAIMED]["spread_error"] < of[OTHER]["spread_error"] for of in ends)
    word = "neither confirmed nor refuted"
    if wins == len(ends):
        word = "confirmed"
    elif 2 * wins < len(ends):
        word = "refuted"
    figures = []
    for method in (OTHER, CLAIMED):
        spread, distance = (
            np.mean([of[method][name] for of in ends]) for name in ("spread", "distance_y")
        )
        figures.append(f"{METHODS[method]}: spread {spread:.2f} (data 1), distance {distance:.3f}")
    return f"{claim}: {word}. It is so in {wins} of {len(ends)} seeds. {'; '.join(figures)}."


def _ends(showed: Mapping[str, Any]) -> list[dict[str, float]]:
    """The last measures of each seed, by name, of what a method showed."""
    names = ("spread", "spread_error", "distance_y")
    return [
        {name: showed[name]["by_seed"][row][-1] for name in names}
        for row in range(len(showed["seeds"]))
    ]


def table(summary: Mapping[str, Mapping[str, Any]], circles: HalfCircles, samples: int) -> str:
    """Returns the measures over the epochs, to be read.

    Args:
        summary: summary of the trainings.
        circles: half circles that they learnt.
        samples: points of each class that were measured.
    """
    epochs = next(iter(summary.values()))["epochs"]
    of_data = circles.measure(circles.fresh(samples, seed=1))
    lines = history.table(summary, METHODS, MEASURES, of_data, epochs, "epoch", digits=3)
    return "\n".join(lines)

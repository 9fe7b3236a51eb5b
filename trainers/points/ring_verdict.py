"""What trainings on the ring showed: figures over seeds, the paper's claim, a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from trainers.points import history
from trainers.points.history import Histories, Summary
from trainers.points.ring import COVERED, Ring, covered_at
from trainers.points.settings import RING_METHODS as METHODS

CLAIMED = "fm_gan"
"""The method that the paper finds to be the first."""


def summarize(histories: Histories) -> Summary:
    """Returns what each method showed, and when each of its seeds covered the ring.

    Args:
        histories: histories of the trainings.
    """
    summary = history.summarize(histories)
    for showed in summary.values():
        of_seeds = showed["coverage"]["by_seed"]
        showed["covered_at"] = [covered_at(showed["steps"], shares) for shares in of_seeds]
    return summary


def verdict(summary: Mapping[str, Mapping[str, Any]]) -> str:
    """Returns one line: whether mean matching is the first to cover the ring, and how often.

    It is confirmed by all seeds, refuted where others are first in more than half of them. Seeds in
    which a method failed do not count.

    Example:

    >>> showed = {"seeds": [0, 1], "covered_at": [8, None]}
    >>> print(verdict({"wgan": showed, "fm_gan": {"seeds": [0, 1], "covered_at": [5, 6]}}))
    Claim: mean matching is the first to cover 90% of the ring: confirmed. Of 2 seeds, first in:
    WGAN 0, mean matching 2; none in 0.
    """
    if CLAIMED not in summary or len(summary) < 2:
        return "The paper's claim compares mean matching with another method."
    by_seed = history.by_common_seed(summary, lambda showed: showed["covered_at"])
    firsts = dict.fromkeys(summary, 0)
    for steps in by_seed.values():
        known = [step for step in steps.values() if step is not None]
        winners = [method for method, step in steps.items() if known and step == min(known)]
        if len(winners) == 1:
            firsts[winners[0]] += 1
    seeds, wins, decided = len(by_seed), firsts[CLAIMED], sum(firsts.values())
    word = "neither confirmed nor refuted"
    if wins == seeds > 0:
        word = "confirmed"
    elif 2 * (decided - wins) > seeds:
        word = "refuted"
    counts = ", ".join(f"{METHODS[name]} {count}" for name, count in firsts.items())
    return (
        f"Claim: mean matching is the first to cover {COVERED:.0%} of the ring: {word}. "
        f"Of {seeds} seeds, first in: {counts}; none in {seeds - decided}."
    )


def table(summary: Mapping[str, Mapping[str, Any]], ring: Ring) -> str:
    """Returns the measures over the iterations, to be read.

    Args:
        summary: summary of the trainings.
        ring: ring that they learnt.
    """
    lines = history.table(
        summary,
        METHODS,
        {
            "coverage": "share of the ring covered",
            "distance": "mean distance to the ring",
            "in_band": "share of points in its band",
        },
        ring.measure(ring.points(100_000, np.random.default_rng(0))),
        next(iter(summary.values()))["steps"],
        "iteration",
    )
    lines.append(f"first iteration with {COVERED:.0%} covered, by seed")
    for method, showed in summary.items():
        found = [step for step in showed["covered_at"] if step is not None]
        cells = ["never" if step is None else f"{step:,}" for step in showed["covered_at"]]
        mean = f" (mean {np.mean(found):,.0f} ± {np.std(found):,.0f})" if found else ""
        lines.append(f"  {METHODS[method]:<28}    {'  '.join(cells)}{mean}")
    return "\n".join(lines)

"""What the figures of a study of augmentation allow to say, and how they are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import stats

from trainers.augmentation.settings import ARMS, MEASURES
from trainers.reports.tables import markdown
from trainers.sweeps.over_seeds import cell

LEVEL = 0.95
"""Probability of the intervals."""


def compare(values: Sequence[float], others: Sequence[float]) -> dict[str, Any]:
    """Returns what figures of the same seeds say of the difference of two arms.

    Args:
        values: figures of one arm, by seed.
        others: figures of the other arm.

    Returns:
        The mean of the difference, the interval in which it lies by Student's t with probability
        `LEVEL` (None of one seed), the number of seeds in which it is above 0, and "gain", "loss"
        or "undecided".

    Example:

    >>> compare([0.5, 0.75], [0.25, 0.5])
    {'mean': 0.25, 'interval': [0.25, 0.25], 'better': 2, 'seeds': 2, 'says': 'gain'}
    >>> compare([0.5], [0.25])
    {'mean': 0.25, 'interval': None, 'better': 1, 'seeds': 1, 'says': 'undecided'}
    """
    differences = np.asarray(values, np.float64) - np.asarray(others, np.float64)
    count, mean = len(differences), float(differences.mean())
    found = {"mean": mean, "interval": None, "better": int(np.sum(differences > 0))}
    says = "undecided"
    if count > 1:
        error = float(differences.std(ddof=1) / np.sqrt(count))
        width = float(stats.t.ppf((1 + LEVEL) / 2, count - 1)) * error
        found["interval"] = [mean - width, mean + width]
        says = "gain" if mean > width else "loss" if mean < -width else says
    return {**found, "seeds": count, "says": says}


def comparisons(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Returns `compare` of each arm with real pictures alone, by measure and number."""
    found = []
    for name, of_measure in summary.items():
        for size, arms in of_measure.items():
            for arm in arms.keys() - {"none"} if "none" in arms else ():
                sides = (arms[arm]["by_seed"], arms["none"]["by_seed"])
                found.append({"measure": name, "size": size, "arm": arm, **compare(*sides)})
    measures, arms = list(MEASURES), list(ARMS)
    return sorted(
        found, key=lambda each: (measures.index(each["measure"]), arms.index(each["arm"]))
    )


def comparison_line(found: Mapping[str, Any]) -> str:
    """Returns what a comparison says, to be read.

    Example:

    >>> about = {"measure": "accuracy", "size": "5", "arm": "new"}
    >>> print(comparison_line({**about, **compare([0.5, 0.75], [0.25, 0.5])}))
    accuracy, 5 a class, new: +0.250, 95 % interval +0.250 to +0.250, better in 2 of 2 seeds: gain
    """
    interval = ""
    if found["interval"] is not None:
        low, high = found["interval"]
        interval = f", {LEVEL:.0%}".replace("%", " %") + f" interval {low:+.3f} to {high:+.3f}"
    return (
        f"{found['measure']}, {found['size']} a class, {found['arm']}: {found['mean']:+.3f}"
        f"{interval}, better in {found['better']} of {found['seeds']} seeds: {found['says']}"
    )


def verdict(found: Sequence[Mapping[str, Any]]) -> str:
    """Returns in a sentence what the numbers allow to say.

    Example:

    >>> verdict([{"says": "gain", "seeds": 3}, {"says": "undecided", "seeds": 3}])
    'Verdict: of 2 comparisons with real pictures alone, 1 shows a gain, 0 a loss, and 1 cannot be
    told from chance with 3 seeds.'
    """
    if not found:
        return "Verdict: none, since there is nothing to compare: --arms=none,existing,new."
    seeds = found[0]["seeds"]
    if seeds == 1:
        return "Verdict: none, since one seed cannot be told from chance: take --seeds=3 or more."
    count = {says: sum(each["says"] == says for each in found) for says in ("gain", "loss")}
    rest = len(found) - sum(count.values())
    shows = "shows" if count["gain"] == 1 else "show"
    return (
        f"Verdict: of {len(found)} comparisons with real pictures alone, {count['gain']} {shows} "
        f"a gain, {count['loss']} a loss, and {rest} cannot be told from chance with {seeds} seeds."
    )


def table(of_measure: Mapping[str, Mapping[str, Any]], title: str) -> str:
    """Returns a measure as Markdown: a row for each number of pictures, a column for each arm."""
    arms = list(next(iter(of_measure.values())))
    rows = [[size, *(cell(of_size[arm]) for arm in arms)] for size, of_size in of_measure.items()]
    return f"{title}, by real pictures a class:\n\n{markdown(['', *arms], rows)}"


def page(results: Mapping[str, Any]) -> str:
    """Returns the contents of table.md."""
    arms = "; ".join(f"{arm}: {ARMS[arm]}" for arm in results["arms"])
    tables = [table(of, MEASURES[name]) for name, of in results["summary"].items()]
    return "\n\n".join(
        [
            *tables,
            "\n".join(f"- {comparison_line(each)}" for each in results["comparisons"]),
            results["verdict"],
            f"{arms}. Mean ± standard deviation over seeds; intervals are of the difference within "
            "a seed, by Student's t, each by itself.",
            *(f"Note: {note}." for note in results["notes"]),
        ]
    )

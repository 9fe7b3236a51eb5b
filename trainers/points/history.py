"""What trainings on points showed: each its measures, together means, deviations and a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

SHOWN = 500
"""Points of each class that are kept to be drawn."""


class Data(Protocol):
    """What points are measured against."""

    def measure(self, points: np.ndarray) -> dict[str, float]:
        """Returns the measures of points `(…, n, 2)` by name."""


class History:
    """What one training showed: measures and points, at several moments.

    Attributes:
        moments: steps or epochs that the training had taken.
        measures: measures at each moment, by name.
        points: points of each moment, `(…, SHOWN, 2)` at most.
    """

    def __init__(self) -> None:
        self.moments: list[int] = []
        self.measures: dict[str, list[float]] = {}
        self.points: list[np.ndarray] = []

    def add(self, moment: int, points: np.ndarray, data: Data) -> None:
        """Measures the points of a model at a moment.

        Args:
            moment: steps or epochs that it has taken.
            points: points that it generates, `(…, n, 2)`.
            data: data that they are measured against.
        """
        self.moments.append(moment)
        for name, value in data.measure(points).items():
            self.measures.setdefault(name, []).append(value)
        self.points.append(points[..., :SHOWN, :])


Histories = dict[str, dict[int, History]]
"""Histories by method and seed, without those of trainings that failed."""
Summary = dict[str, dict[str, Any]]
"""What `summarize` returns."""


def summarize(histories: Histories, units: str = "steps") -> Summary:
    """Returns what each method showed: mean and standard deviation over its seeds.

    "seeds" are those that came to their end: lists by seed are in their order.

    Args:
        histories: histories of the trainings.
        units: key of the moments.
    """
    summary = {}
    for method, by_seed in histories.items():
        if not by_seed:
            continue
        of_seeds = list(by_seed.values())
        summary[method] = {units: of_seeds[0].moments, "seeds": list(by_seed)}
        for name in of_seeds[0].measures:
            values = np.array([history.measures[name] for history in of_seeds])
            summary[method][name] = {
                "mean": values.mean(axis=0).tolist(),
                "std": values.std(axis=0).tolist(),
                "by_seed": values.tolist(),
            }
    return summary


def by_common_seed(
    summary: Mapping[str, Mapping[str, Any]],
    values: Callable[[Mapping[str, Any]], Sequence[Any]],
) -> dict[int, dict[str, Any]]:
    """Returns a value of each method by seed, of the seeds in which no method failed.

    Args:
        summary: summary of the trainings, of `summarize`.
        values: function from what a method showed to a value for each of its seeds.

    Example:

    >>> showed = {"a": {"seeds": [0, 1], "x": [5, 6]}, "b": {"seeds": [1], "x": [7]}}
    >>> by_common_seed(showed, lambda of_method: of_method["x"])
    {1: {'a': 6, 'b': 7}}
    """
    by_method = {
        method: dict(zip(showed["seeds"], values(showed), strict=True))
        for method, showed in summary.items()
    }
    common = set.intersection(*(set(by_seed) for by_seed in by_method.values()))
    return {
        seed: {method: by_seed[seed] for method, by_seed in by_method.items()}
        for seed in sorted(common)
    }


def shown_rows(moments: Sequence[int], count: int = 6) -> list[int]:
    """Returns which measurements stand for all: early ones nearer to each other, and the last.

    Example:

    >>> shown_rows(range(0, 65))
    [2, 4, 8, 16, 32, 64]
    """
    last = len(moments) - 1
    return sorted({max(round(last / 2**power), 1) for power in range(count)})


def table(
    summary: Mapping[str, Mapping[str, Any]],
    titles: Mapping[str, str],
    measures: Mapping[str, str],
    of_data: Mapping[str, float],
    moments: Sequence[int],
    unit: str,
    digits: int = 2,
) -> list[str]:
    """Returns the lines of a table of measures over a training, to be read.

    Args:
        summary: summary of the trainings, of `summarize`.
        titles: titles of the methods, by name.
        measures: titles of the measures, by name.
        of_data: measures of the data themselves, by name.
        moments: moments of the measurements.
        unit: name of what these are counted in.
        digits: digits after the point.
    """
    rows = shown_rows(moments)
    lines = [f"{unit:<30}" + "".join(f"{moments[row]:>16,}" for row in rows)]
    for name, title in measures.items():
        lines.append(f"{title} (data {of_data[name]:.{digits}f})")
        for method, showed in summary.items():
            means, deviations = showed[name]["mean"], showed[name]["std"]
            cells = [f"{means[row]:.{digits}f} ± {deviations[row]:.{digits}f}" for row in rows]
            lines.append(f"  {titles[method]:<28}" + "".join(f"{cell:>16}" for cell in cells))
    return lines

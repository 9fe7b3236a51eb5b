"""Figures of several trainings as means and deviations over their seeds."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from trainers.reports.tables import number


def over_seeds(figures: Sequence[Mapping[str, float | None]]) -> dict[str, Any]:
    """Returns mean, standard deviation and values of each figure over runs.

    Args:
        figures: figures of each run, by name; None, or a missing one, is no value.

    Example:

    >>> over_seeds([{"a": 1.0}, {"a": 3.0, "b": None}])
    {'a': {'mean': 2.0, 'std': 1.0, 'by_seed': [1.0, 3.0]},
     'b': {'mean': None, 'std': None, 'by_seed': [None, None]}}
    """
    result = {}
    for name in dict.fromkeys(name for run in figures for name in run):
        values = [run.get(name) for run in figures]
        known = [value for value in values if value is not None]
        result[name] = {
            "mean": float(np.mean(known)) if known else None,
            "std": float(np.std(known)) if known else None,
            "by_seed": values,
        }
    return result


def cell(figure: Mapping[str, Any] | None) -> str:
    """Returns mean and standard deviation of `over_seeds` to be read; "–" where there is none.

    Example:

    >>> cell({"mean": 0.5, "std": 0.25, "by_seed": [0.25, 0.75]}), cell(None)
    ('0.500 ± 0.250', '–')
    """
    if figure is None or figure["mean"] is None:
        return "–"
    several = sum(value is not None for value in figure["by_seed"]) > 1
    return number(figure["mean"]) + (f" ± {number(figure['std'])}" if several else "")

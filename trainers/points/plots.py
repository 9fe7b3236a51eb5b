"""Draws what trainings on points showed: points over the training, and curves."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trainers.points.history import History, shown_rows

COLORS = ("#7a7a7a", "#e09c1a", "#2c8a4b")
CURVES_HEIGHT = 3.2


@dataclasses.dataclass(frozen=True)
class Curve:
    """A measure that is drawn over the training.

    Args:
        measure: name of the measure.
        title: title of its curves.
        settings: settings of the axes.
        of_data: value of the data themselves, drawn as a line; None for no line.
    """

    measure: str
    title: str
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    of_data: float | None = None


def figure(
    histories: Mapping[str, Sequence[History]],
    scatter: Callable[[Axes, np.ndarray], None],
    curves: Sequence[Curve],
    *,
    unit: str,
    panel: tuple[float, float] = (2.0, 2.0),
) -> Figure:
    """Returns a row of scatter plots for each method, of its first seed, and curves below.

    Args:
        histories: histories of each method's seeds, by title.
        scatter: function that draws the points of one moment, and chooses which part of the plane
            is seen.
        curves: measures below; the legend is in the first.
        unit: name of what moments are counted in.
        panel: width and height of a scatter plot, in inches.
    """
    first = [of_seeds[0] for of_seeds in histories.values()]
    moments = first[0].moments
    columns = shown_rows(moments)
    heights = (panel[1] * len(histories), CURVES_HEIGHT)
    result = Figure(figsize=(panel[0] * len(columns) + 0.5, sum(heights)), layout="constrained")
    above, below = result.subfigures(2, 1, height_ratios=heights)
    panels = above.subplots(len(histories), len(columns), squeeze=False)
    for row, title, history in zip(panels, histories, first, strict=True):
        row[0].set_ylabel(title)
        for axes, column in zip(row, columns, strict=True):
            scatter(axes, history.points[column])
            axes.set(aspect="equal", xticks=[], yticks=[])
            _tell_outside(axes, history.points[column])
    for axes, column in zip(panels[0], columns, strict=True):
        axes.set_title(f"{moments[column]:,}", fontsize=9)
    [row] = below.subplots(1, len(curves), squeeze=False)
    for axes, curve in zip(row, curves, strict=True):
        _draw_curve(axes, histories, curve, unit)
    row[0].legend(fontsize=8)
    return result


def _tell_outside(axes: Axes, points: np.ndarray) -> None:
    """Writes the share of points that are not seen."""
    low, high = zip(axes.get_xlim(), axes.get_ylim(), strict=True)
    outside = np.mean(((points < low) | (points > high)).any(axis=-1))
    if outside >= 0.01:
        axes.text(0.03, 0.03, f"{outside:.0%} outside", fontsize=7, transform=axes.transAxes)


def _draw_curve(
    axes: Axes, histories: Mapping[str, Sequence[History]], curve: Curve, unit: str
) -> None:
    """The mean over the seeds, and their range; of some methods some seeds may have failed."""
    counts = sorted({len(of_seeds) for of_seeds in histories.values()})
    for color, (method, of_seeds) in zip(COLORS, histories.items(), strict=False):
        values = np.array([history.measures[curve.measure] for history in of_seeds])
        moments = of_seeds[0].moments
        axes.plot(moments, values.mean(axis=0), color=color, label=method)
        axes.fill_between(
            moments, values.min(axis=0), values.max(axis=0), color=color, alpha=0.15, linewidth=0
        )
    if curve.of_data is not None:
        axes.axhline(curve.of_data, color="black", linewidth=0.8, linestyle=":", label="data")
    seeds = f"mean and range of {' or '.join(map(str, counts))} seeds"
    axes.set_title(f"{curve.title} ({seeds})", fontsize=9)
    axes.set(**curve.settings)
    axes.set_xlabel(unit, fontsize=8)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)

"""Draws what the toy example showed: points over the iterations, as in Fig. 4, and curves."""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from keras_cvaegan import pictures
from trainers.ring import Ring, Run, shown_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes

REAL, GENERATED = "#3b82c4", "#d33a2c"
COLORS = ("#7a7a7a", "#e09c1a", "#2c8a4b")


def draw(path: str | os.PathLike, data: Ring, runs: Mapping[str, Sequence[Run]]) -> None:
    """Writes `figure` as a PNG file."""
    canvas = FigureCanvasAgg(figure(data, runs))
    canvas.draw()
    pictures.write_png(path, np.asarray(canvas.buffer_rgba())[..., :3])


def figure(data: Ring, runs: Mapping[str, Sequence[Run]]) -> Figure:
    """Returns a row of scatter plots for each method, of its first seed, and curves below.

    Args:
        data: the ring.
        runs: what each method showed, by title and seed.
    """
    first = [of_seeds[0] for of_seeds in runs.values()]
    steps = first[0].steps
    columns = shown_rows(steps)
    heights = (2.0 * len(runs), 3.2)
    result = Figure(figsize=(2.0 * len(columns) + 0.5, sum(heights)), layout="constrained")
    above, below = result.subfigures(2, 1, height_ratios=heights)
    real = data.points(len(first[0].points[0]), np.random.default_rng(0))
    panels = above.subplots(len(runs), len(columns), squeeze=False)
    for row, title, run in zip(panels, runs, first, strict=True):
        row[0].set_ylabel(title)
        for axes, column in zip(row, columns, strict=True):
            _scatter(axes, data, real, run.points[column])
    for axes, column in zip(panels[0], columns, strict=True):
        axes.set_title(f"{steps[column]:,}", fontsize=9)
    coverage, distance = below.subplots(1, 2)
    _curves(coverage, runs, "coverage", "share of the ring covered")
    coverage.set_ylim(-0.02, 1.02)
    coverage.legend(fontsize=8)
    _curves(distance, runs, "distance", "mean distance to the ring")
    distance.set_yscale("log")
    return result


def _scatter(axes: "Axes", data: Ring, real: np.ndarray, points: np.ndarray) -> None:
    reach = 2 * data.radius + data.width
    axes.scatter(*real.T, s=1, color=REAL, linewidths=0)
    axes.scatter(*points.T, s=2, color=GENERATED, linewidths=0)
    axes.set(
        xlim=(data.center - reach, data.center + reach),
        ylim=(data.center - reach, data.center + reach),
        aspect="equal",
        xticks=[],
        yticks=[],
    )
    outside = np.mean((np.abs(points - data.center) > reach).any(axis=1))
    if outside >= 0.01:
        axes.text(0.03, 0.03, f"{outside:.0%} outside", fontsize=7, transform=axes.transAxes)


def _curves(axes: "Axes", runs: Mapping[str, Sequence[Run]], name: str, title: str) -> None:
    """The mean over the seeds, and their range; of some methods some seeds may have failed."""
    counts = sorted({len(of_seeds) for of_seeds in runs.values()})
    for color, (method, of_seeds) in zip(COLORS, runs.items(), strict=False):
        values = np.array([run.measures[name] for run in of_seeds])
        steps = of_seeds[0].steps
        axes.plot(steps, values.mean(axis=0), color=color, label=method)
        axes.fill_between(
            steps, values.min(axis=0), values.max(axis=0), color=color, alpha=0.15, linewidth=0
        )
    axes.set_title(f"{title} (mean and range of {' or '.join(map(str, counts))} seeds)", fontsize=9)
    axes.set_xlabel("iteration", fontsize=8)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)

"""Draws what the half circles showed: points over the epochs, as in Fig. 2, and curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trainers.points import plots
from trainers.points.half_circles import CLASSES, HalfCircles
from trainers.points.history import SHOWN, History

REAL, OF_CLASSES = "#c8c8c8", ("#2c8a4b", "#d33a2c", "#3b6fc4")
CURVES = (
    plots.Curve("spread", "spread along y", of_data=1.0),
    plots.Curve("distance_y", "distance along y", {"yscale": "log"}),
    plots.Curve("distance_x", "distance along x", {"yscale": "log"}),
)
# Beyond the circles' centres, in their radii.
MARGIN = 1.8


def figure(circles: HalfCircles, histories: Mapping[str, Sequence[History]]) -> Figure:
    """Returns a row of scatter plots for each method, of its first seed, and curves below.

    Args:
        circles: half circles that they learnt, drawn in grey.
        histories: histories of each method's seeds, by title.
    """
    real = circles.fresh(SHOWN)
    last = (CLASSES - 1) * circles.interval

    def scatter(axes: Axes, points: np.ndarray) -> None:
        axes.scatter(*real.reshape(-1, 2).T, s=1, color=REAL, linewidths=0)
        for color, of_class in zip(OF_CLASSES, points, strict=True):
            axes.scatter(*of_class.T, s=2, color=color, linewidths=0)
        axes.set(xlim=(-MARGIN, last + MARGIN), ylim=(0.5 - MARGIN, 0.5 + MARGIN))

    return plots.figure(histories, scatter, CURVES, unit="epoch", panel=(2.6, 1.3))

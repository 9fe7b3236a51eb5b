"""Draws what the half circles showed: points over the epochs, as in Fig. 2, and curves."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from trainers.points import plots
from trainers.points.half_circles import CLASSES, HalfCircles
from trainers.points.runs import SHOWN, Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes

REAL, OF_CLASSES = "#c8c8c8", ("#2c8a4b", "#d33a2c", "#3b6fc4")
CURVES = (
    plots.Curve("spread", "spread along y", of_data=1.0),
    plots.Curve("distance_y", "distance along y", {"yscale": "log"}),
    plots.Curve("distance_x", "distance along x", {"yscale": "log"}),
)
# Beyond the circles' centres, in their radii.
MARGIN = 1.8


def figure(data: HalfCircles, runs: Mapping[str, Sequence[Run]]) -> Figure:
    """Returns a row of scatter plots for each method, of its first seed, and curves below.

    Args:
        data: the half circles, drawn in grey.
        runs: what each method showed, by title and seed.
    """
    real = data.fresh(SHOWN)
    last = (CLASSES - 1) * data.interval

    def scatter(axes: "Axes", points: np.ndarray) -> None:
        axes.scatter(*real.reshape(-1, 2).T, s=1, color=REAL, linewidths=0)
        for color, of_class in zip(OF_CLASSES, points, strict=True):
            axes.scatter(*of_class.T, s=2, color=color, linewidths=0)
        axes.set(xlim=(-MARGIN, last + MARGIN), ylim=(0.5 - MARGIN, 0.5 + MARGIN))

    return plots.figure(runs, scatter, CURVES, unit="epoch", panel=(2.6, 1.3))

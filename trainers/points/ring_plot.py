"""Draws what the toy example showed: points over the iterations, as in Fig. 4, and curves."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from trainers.points import plots
from trainers.points.ring import Ring
from trainers.points.runs import SHOWN, Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes

REAL, GENERATED = "#3b82c4", "#d33a2c"
CURVES = (
    plots.Curve("coverage", "share of the ring covered", {"ylim": (-0.02, 1.02)}),
    plots.Curve("distance", "mean distance to the ring", {"yscale": "log"}),
)


def figure(data: Ring, runs: Mapping[str, Sequence[Run]]) -> Figure:
    """Returns a row of scatter plots for each method, of its first seed, and curves below.

    Args:
        data: the ring.
        runs: what each method showed, by title and seed.
    """
    real = data.points(SHOWN, np.random.default_rng(0))
    reach = 2 * data.radius + data.width
    seen = (data.center - reach, data.center + reach)

    def scatter(axes: "Axes", points: np.ndarray) -> None:
        axes.scatter(*real.T, s=1, color=REAL, linewidths=0)
        axes.scatter(*points.T, s=2, color=GENERATED, linewidths=0)
        axes.set(xlim=seen, ylim=seen)

    return plots.figure(runs, scatter, CURVES, unit="iteration")

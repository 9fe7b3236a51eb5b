"""Draws what the toy example showed: points over the iterations, as in Fig. 4, and curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trainers.points import plots
from trainers.points.history import SHOWN, History
from trainers.points.ring import Ring

REAL, GENERATED = "#3b82c4", "#d33a2c"
CURVES = (
    plots.Curve("coverage", "share of the ring covered", {"ylim": (-0.02, 1.02)}),
    plots.Curve("distance", "mean distance to the ring", {"yscale": "log"}),
)


def figure(ring: Ring, histories: Mapping[str, Sequence[History]]) -> Figure:
    """Returns a row of scatter plots for each method, of its first seed, and curves below.

    Args:
        ring: ring that they learnt.
        histories: histories of each method's seeds, by title.
    """
    real = ring.points(SHOWN, np.random.default_rng(0))
    reach = 2 * ring.radius + ring.width
    limits = (ring.center - reach, ring.center + reach)

    def scatter(axes: Axes, points: np.ndarray) -> None:
        axes.scatter(*real.T, s=1, color=REAL, linewidths=0)
        axes.scatter(*points.T, s=2, color=GENERATED, linewidths=0)
        axes.set(xlim=limits, ylim=limits)

    return plots.figure(histories, scatter, CURVES, unit="iteration")

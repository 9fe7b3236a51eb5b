"""Draws what a training logged, as SVG that stands in a page."""

import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure

# Long runs have more lines than a curve has pixels: neighbours are averaged.
MAX_POINTS = 300
COLUMNS = 3
# Stands for the page's own colour of text until the end.
_TEXT, _CURVE = "#010203", "#3b82c4"
_STYLE = {
    "svg.fonttype": "none",  # Text stays text.
    "svg.hashsalt": "curves",
    "font.family": "sans-serif",
    "font.size": 8,
    "text.color": _TEXT,
    "axes.edgecolor": _TEXT,
    "axes.labelcolor": _TEXT,
    "xtick.color": _TEXT,
    "ytick.color": _TEXT,
}


def read_metrics(path: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Returns steps and values of each measure in metrics.jsonl; none without such a file.

    What a killed process left of a line is left out, and lines whose step is no finite number.
    """
    lines = []
    if not path.is_file():
        return {}
    for line in path.read_text("utf-8").splitlines():
        try:
            values = json.loads(line)
            lines.append({name: float(value) for name, value in values.items()})
        except (ValueError, TypeError, AttributeError):
            continue
    lines = [values for values in lines if math.isfinite(values.get("step", math.nan))]
    names = dict.fromkeys(name for values in lines for name in values)
    curves = {}
    for name in names:
        if name not in ("step", "seconds"):
            points = [(values["step"], values[name]) for values in lines if name in values]
            curves[name] = tuple(np.array(points).T)
    return curves


def draw(curves: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> str:
    """Returns an SVG element with a small plot of each curve over the steps.

    Args:
        curves: steps and values by name, one or more.

    Example:

    >>> draw({"loss": (np.array([1, 2]), np.array([0.5, 0.4]))})[:4]
    '<svg'
    """
    rows = -(-len(curves) // COLUMNS)
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(10, 2.1 * rows), layout="constrained")
        for number, (name, (steps, values)) in enumerate(curves.items()):
            axes = figure.add_subplot(rows, COLUMNS, number + 1)
            axes.plot(_thin(steps), _thin(values), color=_CURVE, linewidth=1.2)
            axes.set_title(name.replace("_", " "))
            axes.spines[["top", "right"]].set_visible(False)
        figure.get_layout_engine().set(hspace=0.1)
        file = io.StringIO()
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(file, format="svg", transparent=True, metadata=nothing)
    svg = file.getvalue()
    return svg[svg.index("<svg") :].replace(_TEXT, "currentColor")


def _thin(values: Sequence[float]) -> list[float]:
    parts = np.array_split(values, min(len(values), MAX_POINTS))
    return [float(np.mean(part)) for part in parts]

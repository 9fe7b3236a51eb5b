"""Figures of matplotlib as files."""

import os

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from keras_cvaegan import pictures


def write_figure(path: str | os.PathLike, drawn: Figure) -> None:
    """Writes a figure as a PNG file."""
    canvas = FigureCanvasAgg(drawn)
    canvas.draw()
    pictures.write_png(path, np.asarray(canvas.buffer_rgba())[..., :3])

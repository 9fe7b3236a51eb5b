"""Grids of samples that a training draws now and then: a row a class, the same z down a column."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_cvaegan import pictures
from keras_cvaegan.training.callbacks import Periodic
from keras_cvaegan.training.checkpoints import steps_taken

MAX_ROWS, COLUMNS = 16, 8


class SampleGrid(Periodic):
    """Draws one row a class, with the same z down each column: see `write_samples`.

    Args:
        directory: folder of the pictures.
        every: number of steps.
        painter: whose pictures these are, where it is not the model that is trained.

    Attributes:
        drawn: step and picture of the latest grid, or None.
    """

    def __init__(
        self, directory: str | os.PathLike, every: int, painter: keras.Model | None = None
    ) -> None:
        super().__init__(every)
        self._directory = Path(directory)
        self._painter = painter
        self.drawn: tuple[int, np.ndarray] | None = None

    def act(self, step: int, logs: Mapping[str, Any]) -> None:
        painter = self.model if self._painter is None else self._painter
        self.drawn = step, write_samples(painter, self._directory)


def write_samples(model: keras.Model, directory: str | os.PathLike) -> np.ndarray:
    """Writes `step_000500.png` (after 500 steps) and `latest.png`; returns the sheet."""
    sheet = sample_grid(model)
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    pictures.write_png(directory / f"step_{steps_taken(model):06d}.png", sheet)
    pictures.write_png(directory / "latest.png", sheet)
    return sheet


def sample_grid(model: keras.Model) -> np.ndarray:
    """Returns samples of the first classes, a row each, with the same z down each column.

    Of one class there are as many rows as columns, of other z each.

    Args:
        model: a model with `num_classes`, `sample_latents` and `decode`.

    Returns:
        `uint8 (height, width, 3)`.
    """
    if model.num_classes == 1:
        labels = np.zeros(COLUMNS**2, int)
        z = model.sample_latents(len(labels), seed=0)
    else:
        labels = np.repeat(np.arange(min(model.num_classes, MAX_ROWS)), COLUMNS)
        z = np.tile(model.sample_latents(COLUMNS, seed=0), (len(labels) // COLUMNS, 1))
    images = model.decode(z, labels)
    return pictures.grid(pictures.to_uint8(images), columns=COLUMNS)

"""What a training writes into its run directory: measures, samples, TensorBoard, checkpoints."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_cvaegan import pictures
from keras_cvaegan.files import write_text
from keras_cvaegan.training.checkpoints import save_checkpoint, steps_taken
from keras_cvaegan.training.progress import reported

MAX_ROWS, COLUMNS = 16, 8


class Periodic(keras.callbacks.Callback):
    """Calls `act` after every `every` steps, at the end of the epoch in which they are reached.

    Args:
        every: number of steps.
    """

    def __init__(self, every: int) -> None:
        super().__init__()
        self._every = every
        self._periods = 0

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        self._periods = steps_taken(self.model) // self._every

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        step = steps_taken(self.model)
        if step // self._every > self._periods:
            self._periods = step // self._every
            self.act(step, logs or {})

    def act(self, step: int, logs: Mapping[str, Any]) -> None:
        """Does what is due after `step` steps."""
        raise NotImplementedError


class MetricsWriter(keras.callbacks.Callback):
    """Appends a JSON line of step and losses at every epoch's end. Needs `Speed` before it.

    Args:
        path: path of the file. Call `truncate_metrics` on it before going on from a checkpoint.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        super().__init__()
        self._path = Path(path)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any]) -> None:
        values = {
            "step": steps_taken(self.model),
            "seconds": round(logs["seconds"], 3),
            "images_per_second": round(logs["images_per_second"], 1),
            **reported(self.model, logs),
        }
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(values) + "\n")


def truncate_metrics(path: str | os.PathLike, step: int) -> float:
    """Removes the lines after a step, and what a killed process left of a line.

    Args:
        path: path of the file that `MetricsWriter` writes; it may be missing.
        step: the last one to keep.

    Returns:
        The seconds that the run had taken at the last line that is kept; 0 without one.
    """
    path = Path(path)
    if not path.exists():
        return 0.0
    kept, seconds = [], 0.0
    for line in path.read_text("utf-8").splitlines():
        try:
            values = json.loads(line)
            if values["step"] > step:
                continue
            seconds = values["seconds"]
        except (ValueError, KeyError, TypeError):
            continue
        kept.append(line + "\n")
    write_text(path, "".join(kept))
    return seconds


class SampleGrid(Periodic):
    """Draws one row a class, with the same z down each column: see `write_samples`.

    Args:
        directory: folder of the pictures.
        every: number of steps.
        painter: whose pictures these are, where it is not the model that is trained.

    Attributes:
        drawn: step and sheet of the latest grid, or None.
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
    sheet = sample_sheet(model)
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    pictures.write_png(directory / f"step_{steps_taken(model):06d}.png", sheet)
    pictures.write_png(directory / "latest.png", sheet)
    return sheet


def sample_sheet(model: keras.Model) -> np.ndarray:
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


class TensorBoard(keras.callbacks.Callback):
    """Writes losses and sample grids for TensorBoard. Needs `Speed` and the grid before it.

    Args:
        directory: folder of the event files.
        samples: whose grids are written as images.
    """

    def __init__(self, directory: str | os.PathLike, samples: SampleGrid) -> None:
        super().__init__()
        self._directory = os.fspath(directory)
        self._samples = samples

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        self._writer = tf.summary.create_file_writer(self._directory)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        step = steps_taken(self.model)
        with self._writer.as_default(step):
            for name, value in (logs or {}).items():
                if name != "seconds":
                    tf.summary.scalar(name, value)
            if self._samples.drawn is not None and self._samples.drawn[0] == step:
                tf.summary.image("samples", self._samples.drawn[1][np.newaxis])
        self._writer.flush()

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        self._writer.close()


class Checkpoint(Periodic):
    """Saves a checkpoint, and one more at the end of the training.

    Args:
        directory: folder of the checkpoints.
        every: number of steps.
        keep: number of checkpoints to keep.
    """

    def __init__(self, directory: str | os.PathLike, every: int, keep: int = 2) -> None:
        super().__init__(every)
        self._directory = Path(directory)
        self._keep = keep
        self._saved: int | None = None

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        super().on_train_begin(logs)
        self._saved = steps_taken(self.model)

    def act(self, step: int, logs: Mapping[str, Any]) -> None:
        save_checkpoint(self.model, self._directory, self._keep)
        self._saved = step

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        if steps_taken(self.model) != self._saved:
            self.act(steps_taken(self.model), {})

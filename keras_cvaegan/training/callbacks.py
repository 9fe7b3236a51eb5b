"""Callbacks of a run: speed, loss scale, progress line, TensorBoard, checkpoints.

A run makes an epoch as long as one line of the log; its losses are means over its steps.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from keras_cvaegan.progress import Progress
from keras_cvaegan.training.checkpoints import save_checkpoint, steps_taken

if TYPE_CHECKING:
    from keras_cvaegan.training.sample_grids import SampleGrid


class Speed(keras.callbacks.Callback):
    """Adds "seconds" and "images_per_second" to the logs that the callbacks after it see.

    Args:
        batch_size: images a step.
        seconds: spent on the run before this process.
    """

    def __init__(self, batch_size: int, seconds: float = 0.0) -> None:
        super().__init__()
        self._batch_size = batch_size
        self._seconds = seconds

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        self._began = time.monotonic()

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._epoch_began = time.monotonic()
        self._epoch_step = steps_taken(self.model)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        now = time.monotonic()
        images = (steps_taken(self.model) - self._epoch_step) * self._batch_size
        logs["seconds"] = self._seconds + now - self._began
        logs["images_per_second"] = images / max(now - self._epoch_began, 1e-9)


class LossScale(keras.callbacks.Callback):
    """Adds "loss_scale" and "skipped_steps" to the logs under the policy mixed_float16.

    An update whose gradients overflow half precision changes nothing: it is skipped, and the scale
    halved. Skipped updates count from the start of the run; most models take one a step.
    """

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        optimizer = self.model.optimizer
        if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            applied = int(keras.ops.convert_to_numpy(optimizer.iterations))
            logs["loss_scale"] = float(keras.ops.convert_to_numpy(optimizer.dynamic_scale))
            updates = steps_taken(self.model) * self.model.batches_per_step
            logs["skipped_steps"] = updates - applied


def reported(model: keras.Model, logs: Mapping[str, Any]) -> dict[str, float]:
    """What a line of the log says besides step and speed."""
    names = [*model.measures, "loss_scale", "skipped_steps"]
    return {name: float(logs[name]) for name in names if name in logs}


class ProgressLine(keras.callbacks.Callback):
    """Shows step, speed, time left and losses, as `keras_cvaegan.progress.Progress` does.

    Args:
        steps: length of the run.
        batch_size: images a step.
        stream: file to write to; stdout by default.
        seconds_between: least time between lines that are not on a terminal.
        unit: name of what is counted, in the plural.
    """

    def __init__(
        self,
        steps: int,
        batch_size: int,
        stream: IO[str] | None = None,
        seconds_between: float = 5,
        unit: str = "images",
    ) -> None:
        super().__init__()
        self._steps = steps
        self._batch_size = batch_size
        self._stream = stream
        self._seconds_between = seconds_between
        self._unit = unit

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        self._progress = Progress(
            "step",
            self._steps,
            self._unit,
            initial=steps_taken(self.model),
            per_step=self._batch_size,
            stream=self._stream,
            seconds_between=self._seconds_between,
        )

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any]) -> None:
        losses = [f"{name} {value:.4g}" for name, value in reported(self.model, logs).items()]
        self._progress.set_postfix_str("  ".join(losses), refresh=False)
        self._progress.update(steps_taken(self.model) - self._progress.n)

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        self._progress.close()


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

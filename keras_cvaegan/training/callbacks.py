"""What a training run shows and keeps, as Keras callbacks.

Each acts at the end of an epoch, which `trainers.fit` makes as long as one line of the log; the
epoch's losses are means over its steps. The number of steps taken is `model.step`.
"""

import json
import math
import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import keras
import numpy as np
import tensorflow as tf

from keras_cvaegan import pictures
from keras_cvaegan.training.checkpoints import save_checkpoint, steps_taken

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


class StopOnNaN(keras.callbacks.Callback):
    """Ends the run with a ValueError when a loss is not finite. Belongs before the others."""

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        for name, value in (logs or {}).items():
            if not math.isfinite(value):
                raise ValueError(
                    f"The training has diverged: {name} is {value} at step "
                    f"{steps_taken(self.model)}. The last checkpoint is intact. Try smaller "
                    "learning rates, smaller weights, or the dtype policy float32."
                )


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

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        now = time.monotonic()
        images = (steps_taken(self.model) - self._epoch_step) * self._batch_size
        logs["seconds"] = self._seconds + now - self._began
        logs["images_per_second"] = images / max(now - self._epoch_began, 1e-9)


class LossScale(keras.callbacks.Callback):
    """Adds "loss_scale" and "skipped_steps" to the logs under the policy mixed_float16.

    A step whose gradients overflow half precision changes no trained weight: it is skipped, and
    the scale halved. Skipped steps count from the start of the run.
    """

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        optimizer = self.model.optimizer
        if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            applied = int(keras.ops.convert_to_numpy(optimizer.iterations))
            logs["loss_scale"] = float(keras.ops.convert_to_numpy(optimizer.dynamic_scale))
            logs["skipped_steps"] = steps_taken(self.model) - applied


def _reported(model: keras.Model, logs: Mapping[str, Any]) -> dict[str, float]:
    """What a log line says besides step and speed."""
    names = [*model.measures, "loss_scale", "skipped_steps"]
    return {name: float(logs[name]) for name in names if name in logs}


class ProgressLine(keras.callbacks.Callback):
    """Shows step, speed, time left and losses. Needs `Speed` before it.

    On a terminal one line is written over and over; elsewhere a line at most every few seconds.

    Args:
        steps: length of the run.
        batch_size: images a step.
        stream: where to write; stdout by default.
        seconds_between: of lines that are not on a terminal.
    """

    def __init__(
        self, steps: int, batch_size: int, stream: IO[str] | None = None, seconds_between: float = 5
    ) -> None:
        super().__init__()
        self._steps = steps
        self._batch_size = batch_size
        self._stream = stream or sys.stdout
        self._seconds_between = seconds_between
        self._last = -math.inf
        self._rate: float | None = None

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        step, now = steps_taken(self.model), time.monotonic()
        # The first epoch contains the compilation: it does not tell the speed of the others.
        if epoch > 0:
            latest = logs["images_per_second"]
            self._rate = latest if self._rate is None else 0.9 * self._rate + 0.1 * latest
        terminal = self._stream.isatty()
        done = step >= self._steps
        if not (terminal or done or now >= self._last + self._seconds_between):
            return
        self._last = now
        line = self._line(step, logs)
        if terminal:
            columns = os.get_terminal_size(self._stream.fileno()).columns
            line = f"\r\x1b[K{line[: columns - 1]}"
        self._stream.write(line if terminal and not done else f"{line}\n")
        self._stream.flush()

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        if self._stream.isatty() and steps_taken(self.model) < self._steps:
            self._stream.write("\n")

    def _line(self, step: int, logs: Mapping[str, Any]) -> str:
        left = ""
        if self._rate:
            left = f"{_duration((self._steps - step) * self._batch_size / self._rate)} left  "
        losses = "  ".join(
            f"{name} {value:.4g}" for name, value in _reported(self.model, logs).items()
        )
        return (
            f"step {step}/{self._steps}  {logs['images_per_second']:.0f} images/s  {left}{losses}"
        )


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


class MetricsWriter(keras.callbacks.Callback):
    """Appends a JSON line of step and losses at every epoch's end. Needs `Speed` before it.

    Args:
        path: of the file. Call `truncate_metrics` on it before going on from a checkpoint.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        super().__init__()
        self._path = Path(path)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        values = {
            "step": steps_taken(self.model),
            "seconds": round(logs["seconds"], 3),
            "images_per_second": round(logs["images_per_second"], 1),
            **_reported(self.model, logs),
        }
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(values) + "\n")


def truncate_metrics(path: str | os.PathLike, step: int) -> float:
    """Removes the lines after a step, and what a killed process left of a line.

    Args:
        path: of the file that `MetricsWriter` writes; it may be missing.
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
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text("".join(kept), "utf-8")
    partial.replace(path)
    return seconds


class SampleGrid(Periodic):
    """Draws one row a class, with the same z down each column: see `write_samples`.

    Args:
        directory: where the pictures are written.
        every: number of steps.

    Attributes:
        drawn: step and sheet of the latest grid, or None.
    """

    def __init__(self, directory: str | os.PathLike, every: int) -> None:
        super().__init__(every)
        self._directory = Path(directory)
        self.drawn: tuple[int, np.ndarray] | None = None

    def act(self, step: int, logs: Mapping[str, Any]) -> None:
        self.drawn = step, write_samples(self.model, self._directory)


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

    Args:
        model: with `num_classes`, `sample_latents` and `decode`.

    Returns:
        `uint8 (height, width, 3)`.
    """
    rows = min(model.num_classes, MAX_ROWS)
    z = np.tile(model.sample_latents(COLUMNS, seed=0), (rows, 1))
    images = model.decode(z, np.repeat(np.arange(rows), COLUMNS))
    return pictures.grid(pictures.to_uint8(images), columns=COLUMNS)


class TensorBoard(keras.callbacks.Callback):
    """Writes losses and sample grids for TensorBoard. Needs `Speed` and the grid before it.

    Args:
        directory: of the event files.
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
        directory: of the checkpoints.
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


class StopOnSignal(keras.callbacks.Callback):
    """Ends the training after the epoch in which Ctrl-C or SIGTERM came; a second one at once.

    A signal never lands within a step, so what is saved afterwards is the state between two. Used
    as a context manager, around `fit`.

    Attributes:
        received: the signal's number, or None.
    """

    def __init__(self) -> None:
        super().__init__()
        self.received: int | None = None
        self._earlier: dict[int, Any] = {}

    def __enter__(self) -> "StopOnSignal":
        for number in (signal.SIGINT, signal.SIGTERM):
            self._earlier[number] = signal.signal(number, self._receive)
        return self

    def __exit__(self, *exception: Any) -> None:
        for number, handler in self._earlier.items():
            signal.signal(number, handler)

    def _receive(self, number: int, frame: Any) -> None:
        if self.received is not None:
            raise KeyboardInterrupt
        self.received = number
        print("\nStopping after this line's steps; once more to stop at once.", file=sys.stderr)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        if self.received is not None:
            self.model.stop_training = True

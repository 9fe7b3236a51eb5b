"""How fast and how well a training goes, measured and shown at every epoch's end.

`trainers.fit` makes an epoch as long as one line of the log; its losses are means over its steps.
"""

import time
from collections.abc import Mapping
from typing import IO, Any

import keras

from keras_cvaegan.progress import Progress
from keras_cvaegan.training.checkpoints import steps_taken


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

"""What ends a training before its last step: a loss that is not finite, and a signal."""

import math
import signal
import sys
from collections.abc import Mapping
from typing import Any

import keras

from keras_cvaegan.training.checkpoints import steps_taken
from keras_cvaegan.training.distribution import Distribution


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


class StopOnSignal(keras.callbacks.Callback):
    """Ends the training after the epoch in which Ctrl-C or SIGTERM came; a second one at once.

    A signal never lands within a step, so what is saved afterwards is the state between two. Used
    as a context manager, around `fit`.

    Several workers tell each other at every epoch's end whether a signal came, so that one that
    reached any of them ends all after the same step.

    Args:
        distribution: distribution of the run; one process by default.

    Attributes:
        received: number of the signal that came to this process, or None.
        workers: the workers that a signal reached, once that ends the training.

    Example:

    >>> with StopOnSignal() as stop:
    ...     pass  # model.fit(dataset, callbacks=[stop])
    >>> stop.workers
    []
    """

    def __init__(self, distribution: Distribution | None = None) -> None:
        super().__init__()
        self.received: int | None = None
        self.workers: list[int] = []
        self._distribution = distribution or Distribution()
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
        stopped = self._distribution.gather(self.received is not None)
        self.workers = [worker for worker, stop in enumerate(stopped) if stop]
        if self.workers:
            self.model.stop_training = True

"""What a run trains on, in an order that it can go on in from any step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import tensorflow as tf

from keras_cvaegan.training.code_batches import RowOrder
from keras_cvaegan.training.configuration import TrainingConfig


@runtime_checkable
class RunData(Protocol):
    """Training pictures, as `training.run` takes them.

    Attributes:
        class_names: names of the classes, in the order of the labels.
        count: number of pictures.
    """

    @property
    def class_names(self) -> Sequence[str]: ...

    @property
    def count(self) -> int: ...

    def batches(self, step: int, shard: tuple[int, int], batches_per_step: int) -> tf.data.Dataset:
        """Returns images and labels of the steps after `step`, without end.

        Args:
            step: steps that the run has taken: what follows is what would have.
            shard: `(index, count)`, which of how many equal parts of each step's batch.
            batches_per_step: batches that a step of the model takes, in one.
        """


class ArrayData:
    """Images and labels in memory.

    Args:
        images: uint8, or float in [−1, 1], `(n, height, width, channels)`.
        labels: integers `(n,)` in [0, number of classes).
        config: configuration of the run: batch size, and seed of the order.
        class_names: names of the classes; "0", "1", … by default.

    Raises:
        ValueError: for arrays that do not go together.

    Example:

    >>> images, labels = np.zeros((6, 16, 16, 3), np.uint8), np.array([0, 1, 2, 0, 1, 2])
    >>> data = ArrayData(images, labels, TrainingConfig(image_size=16, batch_size=4))
    >>> batch, of_batch = next(iter(data.batches(step=0, shard=(0, 1), batches_per_step=1)))
    >>> batch.shape, data.class_names
    (TensorShape([4, 16, 16, 3]), ('0', '1', '2'))
    """

    def __init__(
        self,
        images: Any,
        labels: Any,
        config: TrainingConfig,
        class_names: Sequence[str] | None = None,
    ) -> None:
        self._images, self._labels = np.asarray(images), np.asarray(labels)
        self._config = config
        side = config.image_size
        if self._images.shape[1:3] != (side, side) or self._images.ndim != 4:
            raise ValueError(
                f"images must have the shape (n, {side}, {side}, channels) of image_size={side}. "
                f"Received: {self._images.shape}."
            )
        integers = np.issubdtype(self._labels.dtype, np.integer)
        if self._labels.shape != (len(self._images),) or not integers or not len(self._images):
            raise ValueError(
                "labels must be integers, one for each image, of which there is at least one. "
                f"Received: {self._labels.dtype} {self._labels.shape} for "
                f"{len(self._images)} images."
            )
        least, most = int(self._labels.min()), int(self._labels.max())
        names = [str(label) for label in range(most + 1)] if class_names is None else class_names
        if least < 0 or most >= len(names):
            raise ValueError(
                f"labels must be from 0 to {len(names) - 1}. Received: {least} to {most}."
            )
        self._class_names = tuple(names)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the labels."""
        return self._class_names

    @property
    def count(self) -> int:
        """Number of pictures."""
        return len(self._labels)

    def batches(
        self, step: int, shard: tuple[int, int] = (0, 1), batches_per_step: int = 1
    ) -> tf.data.Dataset:
        """Returns batches without end, those of the steps after `step`: see `RunData`."""
        index, count = shard
        order = RowOrder(self.count, self._config.batch_size * batches_per_step, self._config.seed)
        size = self._config.batch_size * batches_per_step // count
        types = (self._images.dtype, np.int32)

        def read(number: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            rows = order.rows(int(number))[index * size : (index + 1) * size]
            return self._images[rows], self._labels[rows].astype(np.int32)

        def batch(number: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            images, labels = tf.numpy_function(read, [number], types, stateful=False)
            images.set_shape((size, *self._images.shape[1:]))
            labels.set_shape((size,))
            return images, labels

        numbers = tf.data.Dataset.range(step, np.iinfo(np.int64).max)
        return numbers.map(batch).prefetch(tf.data.AUTOTUNE)

"""Means of a map over the cells of a grid."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="keras_cvaegan")
class GridMeans(keras.layers.Layer):
    """Means of a map over each cell of a grid, float32.

    The i-th of g cells covers the positions from ⌊i·s/g⌋ to ⌈(i+1)·s/g⌉ of a side s: neighbours
    share a position where s is no multiple of g. A side of fewer than g positions has a cell for
    each.

    Args:
        grid: cells along each side, at least 1.

    Returns:
        Of a map (n, height, width, channels) at most (n, grid · grid · channels), row by row; of a
        sequence (n, steps, channels) at most (n, grid · channels); (n, k) as it is.

    Example:

    >>> import numpy as np
    >>> maps = np.arange(16.0).reshape(1, 4, 4, 1)
    >>> np.array(GridMeans(2)(maps)).tolist()
    [[2.5, 4.5, 10.5, 12.5]]
    """

    def __init__(self, grid: int = 1, **kwargs: Any):
        super().__init__(**{"dtype": "float32", **kwargs})
        if isinstance(grid, bool) or not isinstance(grid, int | np.integer) or grid < 1:
            raise ValueError(f"`grid` must be an integer of at least 1. Received: {grid!r}.")
        self.grid = int(grid)

    def call(self, inputs: Any) -> Any:
        axes = tuple(range(1, len(inputs.shape) - 1))
        if self.grid == 1:
            return ops.mean(inputs, axis=axes) if axes else inputs
        for axis in axes:
            inputs = self._means_along(inputs, axis)
        return ops.reshape(inputs, (ops.shape(inputs)[0], -1)) if axes else inputs

    def _means_along(self, inputs: Any, axis: int) -> Any:
        cells = [
            ops.mean(ops.take(inputs, ops.arange(start, stop), axis=axis), axis=axis, keepdims=True)
            for start, stop in self._bounds(inputs.shape[axis])
        ]
        return ops.concatenate(cells, axis=axis)

    def _bounds(self, side: int | None) -> list[tuple[int, int]]:
        if side is None:
            raise ValueError(
                "A grid of several cells needs maps of known sides. Received: a side that depends "
                "on the input. Take grid=1."
            )
        cells = min(self.grid, side)
        return [(i * side // cells, -(-(i + 1) * side // cells)) for i in range(cells)]

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        n, *sides, channels = input_shape
        if channels is None or self.grid == 1:
            return n, channels
        return n, channels * math.prod(len(self._bounds(side)) for side in sides)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "grid": self.grid}

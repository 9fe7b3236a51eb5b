"""Steps that overflow half precision are skipped: what that means besides the gradients.

Under mixed_float16 a `keras.optimizers.LossScaleOptimizer` applies no gradients that are not
finite. What overflows in the forward pass has also reached batch statistics, class centres and
measures by then.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


def may_skip(optimizer: keras.optimizers.Optimizer) -> bool:
    """Whether an optimizer skips steps whose gradients are not finite."""
    return isinstance(optimizer, keras.optimizers.LossScaleOptimizer)


def unless_skipped(finite: Any, new: Sequence[Any], old: Sequence[Any]) -> list[Any]:
    """The new values after a step that was applied, the old ones after one that was skipped.

    Args:
        finite: boolean scalar: whether the step's gradients were finite.
        new: tensors.
        old: tensors of the same shapes.
    """
    return [ops.where(finite, x, y) for x, y in zip(new, old, strict=True)]


class MeanOfSteps(keras.metrics.Mean):
    """The mean of a measure over steps, without the values that made a step be skipped.

    NaN where no value counts, which tells a training that overflows at every step from one that
    adjusts its loss scale.

    Example:

    >>> mean = MeanOfSteps()
    >>> mean.update_state(2.0, finite=True)
    >>> mean.update_state(float("inf"), finite=False)
    >>> float(mean.result())
    2.0
    """

    def update_state(self, value: Any, finite: Any = None) -> None:
        """Adds a step's value.

        Args:
            value: scalar.
            finite: whether the step's gradients were finite; None where no step is skipped.
        """
        if finite is None:
            super().update_state(value)
            return
        counts = ops.logical_or(finite, ops.isfinite(value))
        zero = ops.zeros_like(value)
        super().update_state(ops.where(counts, value, zero), ops.cast(counts, self.dtype))

    def result(self) -> Any:
        return self.total / self.count

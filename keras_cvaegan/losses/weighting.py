"""The mean over a batch in which some examples may count less."""

from typing import Any

from keras import ops

from keras_cvaegan.ops.precision import full_precision


def weighted_mean(values: Any, weights: Any = None) -> Any:
    """The mean over the batch of a value an example, each times its weight.

    Args:
        values: values of shape (n, …): one or several an example.
        weights: weights of shape (n,), such as 0 for examples to leave out; 1 by default.

    Example:

    >>> import numpy as np
    >>> float(weighted_mean(np.array([2.0, 4.0]), np.array([1.0, 0.0])))
    1.0
    """
    if weights is None:
        return ops.mean(values)
    of_examples = ops.mean(values, axis=tuple(range(1, len(values.shape))))
    return ops.mean(of_examples * full_precision(weights))

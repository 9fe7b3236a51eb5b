"""Batches of few distinct sizes, since compiled functions are compiled anew for each size."""

import numpy as np


def batch_size(count: int, largest: int | None = None) -> int:
    """Returns the power of two that holds `count` rows, or `largest` where that is given and less.

    Example:

    >>> batch_size(5, largest=256), batch_size(300, largest=256)
    (8, 256)
    """
    size = 1 << max(0, count - 1).bit_length()
    return size if largest is None else min(size, largest)


def pad(rows: np.ndarray, count: int) -> np.ndarray:
    """Returns `count` rows: the given ones, then zeros.

    Example:

    >>> pad(np.array([1, 2]), 4).tolist()
    [1, 2, 0, 0]
    """
    if len(rows) == count:
        return rows
    return np.concatenate([rows, np.zeros((count - len(rows), *rows.shape[1:]), rows.dtype)])

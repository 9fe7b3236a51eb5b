"""Distances between two sets of features, a block at a time."""

from collections.abc import Iterator

import numpy as np

# Distances of a block, in float64: 16 MB.
_BLOCK = 2**21
# A squared distance below this share of the squared norms is rounding of float32 features: zero.
_ROUNDING = 1e-12


def squared_distances(x: np.ndarray, y: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yields squared Euclidean distances from some rows of x to all rows of y.

    They are computed in float64. Points that differ by no more than float32 rounding are at
    distance zero, so that copies of a sample count as such.

    Args:
        x: `(n, d)`.
        y: `(m, d)`.

    Yields:
        Which rows of x, and their distances `(rows, m)`.

    Example:

    >>> [(rows, distances)] = squared_distances(np.zeros((1, 2)), np.array([[3.0, 4.0]]))
    >>> distances.tolist()
    [[25.0]]
    """
    y = np.asarray(y, np.float64)
    norms_of_y = np.einsum("nd,nd->n", y, y)
    step = max(1, _BLOCK // max(1, len(y)))
    for start in range(0, len(x), step):
        rows = slice(start, min(start + step, len(x)))
        block = np.asarray(x[rows], np.float64)
        norms = np.einsum("nd,nd->n", block, block)[:, None] + norms_of_y
        distances = block @ y.T
        distances *= -2
        distances += norms
        norms *= _ROUNDING
        distances[distances < norms] = 0
        yield rows, distances


def nearest_squared_distances(x: np.ndarray, count: int) -> np.ndarray:
    """Returns the squared distances of each sample to its nearest others, in ascending order.

    Args:
        x: `(n, d)`, of more than `count` rows.
        count: number of neighbours.

    Returns:
        float64 `(n, count)`.

    Example:

    >>> nearest_squared_distances(np.array([[0.0], [1.0], [3.0]]), 2).tolist()
    [[1.0, 9.0], [1.0, 4.0], [4.0, 9.0]]
    """
    if len(x) <= count:
        raise ValueError(
            f"{count} neighbours of each sample need more than {count} samples. Received: {len(x)}."
        )
    nearest = np.empty((len(x), count))
    for rows, distances in squared_distances(x, x):
        own = np.arange(rows.start, rows.stop)
        distances[own - rows.start, own] = np.inf
        distances.partition(count - 1, axis=1)
        nearest[rows] = np.sort(distances[:, :count], axis=1)
    return nearest

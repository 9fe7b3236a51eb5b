"""How far apart attributes of pictures are, angles too, and whether they move in order."""

import numpy as np
from scipy.stats import rankdata

# Of all pairs of so many values the deviation of an angle is taken.
_MAX_ANGLES = 1000


def columns(values: np.ndarray) -> np.ndarray:
    """Returns the values of an attribute as float64 `(n, k)`; k is 1 for those of shape `(n,)`."""
    return np.reshape(np.asarray(values, np.float64), (len(values), -1))


def is_angle(values: np.ndarray) -> bool:
    """Whether an attribute `(…, k)` is an angle: two numbers are cosine and sine of one."""
    return values.shape[-1] == 2


def distances(first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Returns how far apart two values of an attribute are, in each row.

    Args:
        first: `(n, k)`. Two numbers are cosine and sine of an angle, of any length.
        last: attribute of the last ones, likewise.

    Returns:
        `(n,)`: of angles in turns, at most ½; of others in ℓ2.

    Example:

    >>> distances(np.array([[1.0], [2.0]]), np.array([[1.5], [2.0]]))
    array([0.5, 0. ])
    >>> distances(np.array([[1.0, 0.0]]), np.array([[0.0, -3.0]]))
    array([0.25])
    """
    if is_angle(first):
        return np.abs(wrapped(turns(last) - turns(first)))
    return np.linalg.norm(last - first, axis=-1)


def turns(values: np.ndarray) -> np.ndarray:
    """Returns the angles whose cosine and sine are given, `(…, 2)`, in turns of [−½, ½]."""
    return np.arctan2(values[..., 1], values[..., 0]) / (2 * np.pi)


def wrapped(angles: np.ndarray) -> np.ndarray:
    """Returns angles in turns as those of [−½, ½) that point the same way.

    Example:

    >>> wrapped(np.array([0.75, -0.5, 2.25]))
    array([-0.25, -0.5 ,  0.25])
    """
    return (np.asarray(angles) + 0.5) % 1.0 - 0.5


def deviation(values: np.ndarray) -> float:
    """Returns the standard deviation of an attribute: √(E d² / 2), d between two of its values.

    Of one number it is what `np.std` gives; of an angle that is anything, 0.204 turns.

    Args:
        values: `(n, k)`, as `distances` takes them.

    Example:

    >>> deviation(np.array([[1.0], [3.0]]))
    1.0
    """
    if not is_angle(values):
        return float(np.sqrt(np.sum(np.var(values, axis=0))))
    angles = turns(values[:_MAX_ANGLES])
    return float(np.sqrt(np.mean(np.square(wrapped(angles[:, None] - angles))) / 2))


def order_along_rows(rows: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Returns how steadily an attribute goes from one value to another: 1 when at each step.

    It is Spearman's rank correlation of the place along the way with the number of the step. An
    angle goes by the shorter arc, any other attribute by the straight line.

    Args:
        rows: `(n, steps, k)`, what is found at each step.
        first: `(n, k)`, where each row should begin.
        last: `(n, k)`, where it should end; another value than `first`.

    Returns:
        `(n,)`, in [−1, 1]; 0 for a row that stands still, negative for one that goes back.

    Example:

    >>> rows = np.array([[0.0, 1.0, 5.0], [2.0, 2.0, 2.0], [0.0, 1.0, 5.0]])[..., None]
    >>> order_along_rows(rows, np.array([[0.0], [0.0], [5.0]]), np.array([[5.0], [4.0], [0.0]]))
    array([ 1.,  0., -1.])
    """
    if is_angle(rows):
        way = wrapped(turns(last) - turns(first))
        middle = turns(first) + way / 2
        places = wrapped(turns(rows) - middle[:, None]) * np.sign(way)[:, None]
    else:
        places = np.einsum("nsk,nk->ns", rows, last - first)
    ranks = rankdata(places, axis=1)
    ranks -= ranks.mean(axis=1, keepdims=True)
    steps = np.arange(rows.shape[1]) - (rows.shape[1] - 1) / 2
    length = np.linalg.norm(ranks, axis=1) * np.linalg.norm(steps)
    return (ranks @ steps) / np.where(length == 0, 1, length)

"""Straight lines between codes."""

import numpy as np

from keras_cvaegan.models.arguments import check_count


def interpolate(first: np.ndarray, last: np.ndarray, steps: int) -> np.ndarray:
    """Returns codes on the line from one code to another, both ends included.

    z⁽ⁱ⁾ = (1 − α) z₁ + α z₂, with α from 0 to 1 in equal steps (Bao et al. 2017, Section 5.3;
    Zheng & Sun 2019, Section 4.3).

    Args:
        first: z₁, (…, d).
        last: z₂, of the same shape.
        steps: codes on the line, at least 2.

    Returns:
        float32 array (…, steps, d).

    Raises:
        ValueError: for codes of different shapes, or fewer steps.

    Example:

    >>> interpolate([0.0, 4.0], [1.0, 2.0], steps=3)
    array([[0. , 4. ], [0.5, 3. ], [1. , 2. ]], dtype=float32)
    """
    first, last = np.asarray(first, np.float32), np.asarray(last, np.float32)
    if first.shape != last.shape or not first.ndim:
        raise ValueError(
            f"The codes must be of one shape (…, d). Received: {first.shape} and {last.shape}."
        )
    part = np.linspace(0, 1, check_count("steps", steps, 2), dtype=np.float32)[:, np.newaxis]
    return (1 - part) * first[..., np.newaxis, :] + part * last[..., np.newaxis, :]

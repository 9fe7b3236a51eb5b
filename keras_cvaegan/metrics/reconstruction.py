"""How near reconstructions come to the pictures: squared error and peak signal-to-noise ratio."""

import numpy as np

from keras_cvaegan import pictures


def squared_errors(images: np.ndarray, reconstructed: np.ndarray) -> np.ndarray:
    """Returns the mean squared error of each picture in units of [−1, 1], float64 `(n,)`.

    Args:
        images: uint8 `(n, height, width, 3)`.
        reconstructed: of [−1, 1].
    """
    difference = reconstructed - pictures.from_uint8(images)
    return np.mean(np.square(difference, dtype=np.float64), axis=(1, 2, 3))


def error_figures(errors: np.ndarray) -> tuple[float, float]:
    """Returns the mean of `squared_errors`, and the mean peak signal-to-noise ratio in dB.

    Example:

    >>> error_figures(np.array([4.0, 0.04]))
    (2.02, 10.0)
    """
    return float(errors.mean()), float(np.mean(10 * np.log10(4 / np.maximum(errors, 1e-12))))

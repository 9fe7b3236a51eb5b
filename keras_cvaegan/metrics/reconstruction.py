"""How near reconstructions come to the pictures: squared error and peak signal-to-noise ratio."""

import numpy as np

from keras_cvaegan import pictures


def squared_errors(images: np.ndarray, reconstructed: np.ndarray) -> np.ndarray:
    """Returns the mean squared error of each picture in units of [−1, 1], float64 `(n,)`.

    Args:
        images: uint8 `(n, height, width, 3)`.
        reconstructed: images in [−1, 1].
    """
    difference = reconstructed - pictures.from_uint8(images)
    return np.mean(np.square(difference, dtype=np.float64), axis=(1, 2, 3))


def squared_errors_inside(images: np.ndarray, filled: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Returns the mean squared error inside each picture's hole in units of [−1, 1], `(n,)`.

    Args:
        images: pictures without holes, uint8 `(n, height, width, 3)`.
        filled: pictures of [−1, 1] that differ from them inside the holes alone.
        masks: holes, bool `(n, height, width)`, or `(height, width)` for one that all have.

    Example:

    >>> left = np.array([[True, False]])
    >>> images = np.array([[[[0, 0, 0], [255, 255, 255]]]], np.uint8)
    >>> squared_errors_inside(images, np.array([[[[0, -1, -1], [1, 1, 1]]]], np.float32), left)
    array([0.33333333])
    """
    return squared_errors(images, filled) / masks.mean(axis=(-2, -1))


def error_figures(errors: np.ndarray) -> tuple[float, float]:
    """Returns the mean of `squared_errors`, and the mean peak signal-to-noise ratio in dB.

    Example:

    >>> error_figures(np.array([4.0, 0.04]))
    (2.02, 10.0)
    """
    return float(errors.mean()), float(np.mean(10 * np.log10(4 / np.maximum(errors, 1e-12))))

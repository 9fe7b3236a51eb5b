"""How sharp pictures are."""

import numpy as np

# Of red, green and blue in what the eye sees as bright (ITU-R BT.601).
LUMINANCE = (0.299, 0.587, 0.114)


def sharpness(images: np.ndarray) -> np.ndarray:
    """Returns the variance of each picture's Laplacian.

    The Laplacian of the luminance is the sum of the four neighbours less four times the pixel, in
    each pixel that has four. Blur lowers its variance; noise raises it as well as detail does, so
    it says something only beside that of real pictures.

    Args:
        images: `(n, height, width, 3)`, at least 3 pixels high and wide, of any scale.

    Returns:
        float64 `(n,)`.

    Example:

    >>> y, x = np.mgrid[:8, :8]
    >>> board = np.repeat(((x + y) % 2)[np.newaxis, ..., np.newaxis], 3, axis=-1)
    >>> [round(float(sharpness(picture)[0]), 6) for picture in (board, 0.5 * board, 0 * board)]
    [16.0, 4.0, 0.0]
    """
    x = np.asarray(images, np.float64) @ np.array(LUMINANCE)
    middle = x[:, 1:-1, 1:-1]
    neighbours = x[:, :-2, 1:-1] + x[:, 2:, 1:-1] + x[:, 1:-1, :-2] + x[:, 1:-1, 2:]
    return (neighbours - 4 * middle).var(axis=(1, 2))

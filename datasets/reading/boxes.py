"""Cropping pictures to boxes."""

import numpy as np


def crop_square(
    picture: np.ndarray, box: tuple[float, float, float, float], margin: float = 0.0
) -> np.ndarray:
    """Crops a picture to a square around a box.

    The square has the box's middle and its longer side, with the margin added on either side.
    Where it would reach over the picture's edge it is moved inwards, and where it would be larger
    than the picture it is as large as fits.

    Args:
        picture: picture, an array `(height, width, channels)`.
        box: edges `(left, top, right, bottom)` in pixels.
        margin: share of the box's longer side that is added on either side.

    Returns:
        A view `(side, side, channels)` of the picture.

    Example:

    >>> picture = np.arange(100).reshape(10, 10, 1)
    >>> crop_square(picture, (2, 3, 4, 5)).squeeze()
    array([[32, 33],
           [42, 43]])
    >>> crop_square(picture, (0, 3, 2, 5), margin=0.5).shape
    (4, 4, 1)
    """
    left, top, right, bottom = box
    size = np.array(picture.shape[:2])
    first, last = np.array([top, left]), np.array([bottom, right])
    side = np.ceil(np.max(last - first) * (1 + 2 * margin))
    side = max(int(min(side, size.min())), 1)
    top, left = np.clip(np.rint((first + last) / 2 - side / 2).astype(int), 0, size - side)
    return picture[top : top + side, left : left + side]

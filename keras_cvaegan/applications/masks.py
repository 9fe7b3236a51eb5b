"""Where pictures are corrupted: masks that are true inside the hole."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np

from keras_cvaegan.models.arguments import check_count
from keras_cvaegan.ops import random

HOLE_STREAM = 1300
HOLE_SIDE = 50 / 128
"""Of the height and width of a picture (Bao et al. 2017, Section 5.4)."""

REGIONS = {
    "right_half": (0.0, 0.5, 1.0, 1.0),
    "eyes": (0.25, 0.15, 0.45, 0.85),
    "nose_and_mouth": (0.45, 0.25, 0.9, 0.75),
    "bottom_half": (0.5, 0.0, 1.0, 1.0),
}
"""The regions of Zheng & Sun 2019 (Section 4.5, Fig. 7): top, left, bottom and right, as shares of
height and width. Where eyes, nose and mouth lie the paper does not say: these are of aligned faces
that fill the picture."""


def region_mask(name: str, image_shape: Sequence[int]) -> np.ndarray:
    """Returns the mask of one of `REGIONS`.

    In shares of the height, downwards, and of the width, rightwards: "right_half" from 0 to 1 and
    ½ to 1, "eyes" from 0.25 to 0.45 and 0.15 to 0.85, "nose_and_mouth" from 0.45 to 0.9 and 0.25 to
    0.75, "bottom_half" from ½ to 1 and 0 to 1.

    Args:
        name: name of the region.
        image_shape: (height, width, …) of the pictures.

    Returns:
        bool array (height, width), true inside the region.

    Raises:
        ValueError: for another name.

    Example:

    >>> region_mask("right_half", (2, 4, 3)).astype(int)
    array([[0, 0, 1, 1], [0, 0, 1, 1]])
    """
    if name not in REGIONS:
        raise ValueError(f"There is no region {name!r}. Allowed: {', '.join(REGIONS)}.")
    return rectangle_mask(*REGIONS[name], image_shape)


def rectangle_mask(
    top: float, left: float, bottom: float, right: float, image_shape: Sequence[int]
) -> np.ndarray:
    """Returns the mask of a rectangle.

    Args:
        top, bottom: shares of the height, 0 ≤ top < bottom ≤ 1; edges lie at the nearest pixel's.
        left, right: shares of the width.
        image_shape: (height, width, …) of the pictures.

    Returns:
        bool array (height, width), true inside the rectangle.

    Raises:
        ValueError: for edges elsewhere, or so near to each other that no pixel lies between.

    Example:

    >>> rectangle_mask(0.0, 0.25, 0.5, 0.75, (2, 4, 3)).astype(int)
    array([[0, 1, 1, 0], [0, 0, 0, 0]])
    """
    edges = (top, left, bottom, right)
    height, width = image_shape[:2]
    if not (0 <= top < bottom <= 1 and 0 <= left < right <= 1):
        raise ValueError(
            "A rectangle's edges are shares of height and width, 0 ≤ top < bottom ≤ 1 and "
            f"0 ≤ left < right ≤ 1. Received: {edges} for top, left, bottom, right."
        )
    mask = np.zeros((height, width), bool)
    mask[
        _pixel(top, height) : _pixel(bottom, height), _pixel(left, width) : _pixel(right, width)
    ] = True
    if not mask.any():
        raise ValueError(
            f"The rectangle {edges} has no pixel of a picture of {height}×{width}. Make it larger."
        )
    return mask


def _pixel(share: float, size: int) -> int:
    return int(share * size + 0.5)


def hole_masks(
    count: int, image_shape: Sequence[int], *, seed: int = 0, side: float = HOLE_SIDE
) -> np.ndarray:
    """Returns masks of a hole at a random place, another in each picture (Bao et al. 2017, Section
    5.4: 50×50 of 128×128 pixels).

    All places within the picture are equally likely. That of picture k depends on the seed and k
    alone.

    Args:
        count: number of masks.
        image_shape: (height, width, …) of the pictures.
        seed: seed of the places.
        side: side of the hole, as a share of the picture's height and width, above 0 and at most 1.

    Returns:
        bool array (count, height, width), true inside the hole.

    Raises:
        ValueError: for another side.

    Example:

    >>> hole_masks(2, (128, 128, 3)).sum(axis=(1, 2))
    array([2500, 2500])
    """
    if not 0 < side <= 1:
        raise ValueError(f"side must be above 0 and at most 1. Received: {side}.")
    sizes = np.array(image_shape[:2])
    sides = np.maximum(1, (side * sizes + 0.5).astype(int))
    rows = np.arange(check_count("count", count, least=0), dtype=np.uint32)
    zeros = np.zeros_like(rows)
    key = np.full_like(rows, seed % 2**32), np.full_like(rows, HOLE_STREAM)
    bits = [keras.ops.convert_to_numpy(x) for x in random.threefry(key, (rows, zeros))]
    masks = np.ones((count, *sizes), bool)
    for axis in range(2):
        places = sizes[axis] - sides[axis] + 1
        first = (bits[axis].astype(np.uint64) * np.uint64(places) >> np.uint64(32)).astype(int)
        line = np.arange(sizes[axis]) - first[:, np.newaxis]
        inside = (line >= 0) & (line < sides[axis])
        masks &= np.expand_dims(inside, 2 - axis)
    return masks


def picture_mask(picture: np.ndarray, image_shape: Sequence[int]) -> np.ndarray:
    """Returns the mask that a picture shows: white is the hole.

    Args:
        picture: uint8 (height, width, 3), of the pictures' own size; grey counts as the nearer of
            black and white.
        image_shape: (height, width, …) of the pictures.

    Returns:
        bool array (height, width), true where the picture is white.

    Raises:
        ValueError: for a picture of another size or type, or one without white.

    Example:

    >>> white = np.full((1, 2, 3), 255, np.uint8)
    >>> picture_mask(white * [[[1], [0]]], (1, 2, 3)).astype(int)
    array([[1, 0]])
    """
    picture = np.asarray(picture)
    height, width = image_shape[:2]
    if picture.shape != (height, width, 3):
        raise ValueError(
            f"A mask must have the size of the pictures, {height}×{width} pixels, and three "
            f"channels. Received: the shape {picture.shape}."
        )
    mask = picture.mean(axis=2) > 127.5
    if not mask.any():
        raise ValueError("A mask is white inside the hole. Received: one without white.")
    return mask


def check_masks(masks: np.ndarray, count: int, image_shape: Sequence[int]) -> np.ndarray:
    """Checks masks and returns one for each picture.

    Args:
        masks: one mask (height, width) for all pictures, or one for each, (count, height, width):
            bool, or numbers 0 and 1; some of each picture must lie outside the hole.
        count: number of pictures.
        image_shape: (height, width, …) of the pictures.

    Returns:
        bool array (count, height, width).

    Raises:
        ValueError: for masks of another shape, other values, or nothing outside the hole.
    """
    masks, size = np.asarray(masks), tuple(image_shape[:2])
    if masks.shape not in (size, (count, *size)):
        raise ValueError(
            f"masks must have the shape {size}, or {(count, *size)} for {count} pictures. "
            f"Received: {masks.shape}."
        )
    if masks.dtype != bool and not np.isin(masks, (0, 1)).all():
        raise ValueError(
            "masks must be 1 inside the hole and 0 outside. Received: values from "
            f"{masks.min():.3g} to {masks.max():.3g}."
        )
    masks = np.broadcast_to(masks.astype(bool), (count, *size))
    if masks.all(axis=(1, 2)).any():
        raise ValueError(
            "masks must leave some of each picture. Received: one that leaves nothing."
        )
    return masks

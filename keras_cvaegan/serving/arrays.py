"""The arguments of `GenerateClient` as the arrays that signatures take."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from keras_cvaegan.pictures import PictureError


def to_array(values: Any) -> np.ndarray:
    """Returns an array; of texts and bytes, one of objects, which keeps zeros at their end.

    Example:

    >>> to_array([b"a\\0", b""])
    array([b'a\\x00', b''], dtype=object)
    """
    if isinstance(values, np.ndarray) and values.dtype.kind not in "SU":
        return values
    array = np.asarray(values)
    if array.dtype.kind in "SU" and not isinstance(values, np.ndarray):
        return np.array(values, object)
    return array.astype(object) if array.dtype.kind in "SU" else array


def to_rows(name: str, values: Any) -> np.ndarray:
    """Returns an input as `to_array` does.

    Raises:
        ValueError: when it has no rows.

    Example:

    >>> to_rows("labels", [3])
    array([3])
    """
    array = to_array(values)
    if array.ndim == 0:
        raise ValueError(
            f"{name} must have rows: an array, or a list even of one value. Received: {values!r}."
        )
    return array


def labels(values: Any) -> np.ndarray:
    """Returns labels as int64.

    Raises:
        ValueError: when they are no integers of 64 bits in a row.
    """
    array = np.asarray(values)
    if array.shape == (0,):
        return np.zeros(0, np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise ValueError(
            "labels must be integers of shape (n,); names are for generate and generate_png "
            "alone, and not among integers (describe().class_names has them by number). "
            f"Received: {array.dtype} of shape {array.shape}."
        )
    if array.max() > np.iinfo(np.int64).max:
        raise ValueError(f"labels must be below 2⁶³. Received: {array.max()}.")
    return array.astype(np.int64)


def labels_and_seeds(values: Any, seed: Any) -> dict[str, np.ndarray]:
    """Returns `labels` or `class_names`, with a `seed` for each.

    Raises:
        ValueError: when the labels are neither, or the seeds are not as many integers.

    Example:

    >>> labels_and_seeds(["rose", "lily"], seed=7)
    {'class_names': array(['rose', 'lily'], dtype=object), 'seed': array([7, 8])}
    """
    array = to_array(values)
    if array.dtype == object and array.ndim == 1 and all(isinstance(each, str) for each in array):
        inputs = {"class_names": array}
    else:
        inputs = {"labels": labels(values)}
    return {**inputs, "seed": _seeds(seed, len(array))}


def _seeds(seed: Any, count: int) -> np.ndarray:
    # Of any size: seeds count modulo 2³².
    seeds = np.asarray(seed, object)
    if seeds.ndim == 0 and _is_integer(seeds.item()):
        seeds = np.array([int(seed) + row for row in range(count)], object)
    if seeds.shape != (count,) or not all(map(_is_integer, seeds)):
        raise ValueError(f"seed must be one integer, or {count} of them. Received: {seed!r}.")
    return np.array([int(each) % 2**32 for each in seeds], np.int64)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def latents(z: Any) -> np.ndarray:
    """Returns latents as float32.

    Raises:
        ValueError: when they are no numbers in rows.
    """
    try:
        array = np.asarray(z, np.float32)
    except (TypeError, ValueError) as error:
        raise ValueError(f"z must be numbers of shape (n, latent_dim): {error}.") from error
    if array.ndim != 2:
        raise ValueError(f"z must have the shape (n, latent_dim). Received: {array.shape}.")
    return array


def images(values: np.ndarray | Sequence[bytes]) -> tuple[str, dict[str, np.ndarray]]:
    """Returns what is added to the name of the signature, and its input.

    Args:
        values: uint8 pictures (n, height, width, channels), files as bytes, or points (n, d).

    Raises:
        ValueError: when they are none of that.

    Example:

    >>> images([b"file"])
    ('_bytes', {'image_bytes': array([b'file'], dtype=object)})
    """
    if isinstance(values, bytes | str):
        raise ValueError("images must be a list of files as bytes, not one file.")
    if not isinstance(values, np.ndarray | Sequence):
        raise ValueError(
            "images must be an array, or a list of files as bytes. "
            f"Received: {type(values).__name__}."
        )
    if not isinstance(values, np.ndarray) and any(isinstance(each, bytes) for each in values):
        return "_bytes", {"image_bytes": _files(values)}
    array = np.asarray(values)
    if array.ndim == 2 and array.dtype.kind in "fiu":
        return "", {"images": array.astype(np.float32)}
    if array.ndim != 4 or array.dtype != np.uint8:
        raise ValueError(
            "images must be uint8 of shape (n, height, width, channels) "
            "(keras_cvaegan.pictures.to_uint8 makes them of floats in [-1, 1]), or PNG or JPEG "
            f"files as bytes. Received: {array.dtype} of shape {array.shape}."
        )
    return "", {"images": array}


def _files(values: Sequence[Any]) -> np.ndarray:
    for each in values:
        if not isinstance(each, bytes):
            raise ValueError(
                f"images must be all files as bytes, or an array. Received: {type(each).__name__} "
                "among bytes."
            )
    return np.array(list(values), object)


def to_png(image: np.ndarray) -> bytes:
    """Returns the bytes of a PNG file of a picture with 1 or 3 channels."""
    buffer = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(buffer, "PNG")
    return buffer.getvalue()


def from_png(file: bytes) -> np.ndarray:
    """Returns the pixels of a PNG file: uint8 (height, width, channels).

    Raises:
        PictureError: when it cannot be read.
    """
    try:
        with Image.open(io.BytesIO(file)) as image:
            pixels = np.array(image)
    except Exception as error:  # Pillow raises almost anything on damaged files.
        raise PictureError(f"a picture of {len(file)} bytes", str(error)) from error
    return pixels[..., np.newaxis] if pixels.ndim == 2 else pixels

"""Structural similarity of pairs of images, at one or several scales, on either back end."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from keras import ops

from keras_cvaegan.metrics.metric import check_images
from keras_cvaegan.metrics.padding import batch_size, pad
from keras_cvaegan.training.step import Step

# Wang, Simoncelli & Bovik 2003; window and constants of Wang et al. 2004.
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_WINDOW, _SIGMA = 11, 1.5
_C1, _C2 = 0.01**2, 0.03**2
# Values of a batch of pairs in one map: 4 MB of float32.
_BATCH = 2**20


def scale_weights(height: int, width: int) -> tuple[float, ...]:
    """Returns the weights of as many scales as the window of 11 pixels fits into, summing to 1.

    Five from 161 pixels, the published number; 32 pixels have two. Images below 11 pixels have one,
    with a window of their size.

    Example:

    >>> [round(weight, 4) for weight in scale_weights(32, 32)]
    [0.1356, 0.8644]
    """
    side, count = min(height, width), 1
    while count < len(SCALE_WEIGHTS) and (side := -(-side // 2)) >= _WINDOW:
        count += 1
    weights = np.array(SCALE_WEIGHTS[:count])
    return tuple((weights / weights.sum()).tolist())


def ms_ssim(
    images: np.ndarray,
    pairs: np.ndarray,
    weights: Sequence[float] | None = None,
) -> np.ndarray:
    """Returns the multi-scale structural similarity of pairs among some images.

    MS-SSIM(x, y) = l_M(x, y)^w_M · Π_{j ≤ M} cs_j(x, y)^w_j    (Wang et al. 2003)

    l and cs compare local means and local contrast and structure at M scales, each half the size
    of the one before. As in `tf.image.ssim_multiscale`, each channel is compared by itself and the
    channels' mean is returned, and negative factors count as 0. Local means and variances are
    computed once for each image and not for each pair.

    Args:
        images: uint8 `(n, height, width, channels)`.
        pairs: integers `(p, 2)`: which images to compare.
        weights: one for each scale; by default `scale_weights` of the images' size.

    Returns:
        float32 `(p,)` in [0, 1]; 1 for equal images.

    Example:

    >>> images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), np.uint8)
    >>> same, different = ms_ssim(images, np.array([[0, 0], [0, 1]]))
    >>> bool(same > 0.999), bool(different < 0.2)
    (True, True)
    """
    images, pairs = check_images(images), np.asarray(pairs)
    if len(pairs) == 0:
        return np.zeros(0, np.float32)
    if weights is None:
        weights = scale_weights(*images.shape[1:3])
    describe, compare = _compiled(images.shape[1:], tuple(weights))
    images = pad(images, batch_size(len(images)))
    described = describe(ops.convert_to_tensor(images))
    size = batch_size(len(pairs), largest=max(1, _BATCH // images[0].size))
    parts = []
    for start in range(0, len(pairs), size):
        first, second = pad(pairs[start : start + size], size).astype(np.int32).T
        similarities = compare(
            described, ops.convert_to_tensor(first), ops.convert_to_tensor(second)
        )
        parts.append(ops.convert_to_numpy(similarities))
    return np.concatenate(parts)[: len(pairs)]


def ssim(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Returns the structural similarity of each image and its counterpart (Wang et al. 2004).

    At the images' own size, each channel by itself, and the channels' mean: `ms_ssim` of one scale.

    Args:
        images: uint8 `(n, height, width, channels)`.
        others: images of the same shape.

    Returns:
        float32 `(n,)` in [0, 1]; 1 for equal images.

    Raises:
        ValueError: for images of different shapes.

    Example:

    >>> images = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), np.uint8)
    >>> ssim(images, images).round(3)
    array([1., 1.], dtype=float32)
    """
    images, others = check_images(images), check_images(others)
    if images.shape != others.shape:
        raise ValueError(
            "A counterpart of its own size is needed for each image. Received: images of the shape "
            f"{images.shape} and others of {others.shape}."
        )
    rows = np.arange(len(images))
    pairs = np.stack([rows, rows + len(images)], axis=1)
    return ms_ssim(np.concatenate([images, others]), pairs, weights=[1.0])


@functools.cache
def _compiled(
    image_shape: tuple[int, ...], weights: tuple[float, ...]
) -> tuple[Callable[[Any], Any], Callable[..., Any]]:
    """Functions for one shape of images: TensorFlow would forget the size after seeing two."""
    describe = functools.partial(_describe, scales=len(weights))
    compare = functools.partial(_compare, weights=weights)
    return Step.compiled_function(describe), Step.compiled_function(compare)


def _describe(images: Any, *, scales: int) -> list[tuple[Any, Any, Any]]:
    """The images about 0, their local means and local variances, at each scale."""
    x = ops.cast(images, "float32") / 255.0 - 0.5
    described = []
    for scale in range(scales):
        if scale:
            x = _halve(x)
        mean = _local_mean(x)
        described.append((x, mean, _local_mean(x * x) - mean * mean))
    return described


def _compare(
    described: list[tuple[Any, Any, Any]], first: Any, second: Any, *, weights: Sequence[float]
) -> Any:
    result = 1.0
    for scale, weight in enumerate(weights):
        x, mean_x, variance_x = (ops.take(part, first, axis=0) for part in described[scale])
        y, mean_y, variance_y = (ops.take(part, second, axis=0) for part in described[scale])
        covariance = _local_mean(x * y) - mean_x * mean_y
        factor = (2.0 * covariance + _C2) / (variance_x + variance_y + _C2)
        if scale == len(weights) - 1:
            mean_x, mean_y = mean_x + 0.5, mean_y + 0.5
            factor *= (2.0 * mean_x * mean_y + _C1) / (mean_x**2 + mean_y**2 + _C1)
        result *= ops.relu(ops.mean(factor, axis=(1, 2))) ** weight
    return ops.mean(result, axis=-1)


def _local_mean(x: Any) -> Any:
    """Means under a Gaussian window, at the places where it fits.

    Sums of shifted images: a convolution would round to 10 bits on some devices.
    """
    for axis in (1, 2):
        size = min(_WINDOW, x.shape[axis])
        offsets = np.arange(size) - (size - 1) / 2
        window = np.exp(-0.5 * (offsets / _SIGMA) ** 2)
        window /= window.sum()
        length = x.shape[axis] - size + 1
        x = sum(
            float(share) * _part(x, axis, start, start + length)
            for start, share in enumerate(window)
        )
    return x


def _part(x: Any, axis: int, start: int, stop: int | None, step: int = 1) -> Any:
    return x[:, start:stop:step] if axis == 1 else x[:, :, start:stop:step]


def _halve(x: Any) -> Any:
    """Means of 2×2 pixels; the last row or column of an odd number is repeated."""
    for axis in (1, 2):
        length = x.shape[axis]
        if length % 2:
            x = ops.concatenate([x, _part(x, axis, length - 1, length)], axis=axis)
        x = (_part(x, axis, 0, None, 2) + _part(x, axis, 1, None, 2)) / 2.0
    return x

"""Pictures between pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from keras_cvaegan.applications.inputs import own_labels
from keras_cvaegan.applications.interpolation import interpolate
from keras_cvaegan.models import LRLIVAE, GenerativeModel


def morph(
    model: GenerativeModel,
    images_a: np.ndarray,
    images_b: np.ndarray,
    labels_a: Sequence[int] | np.ndarray | None = None,
    labels_b: Sequence[int] | np.ndarray | None = None,
    *,
    steps: int = 9,
) -> np.ndarray:
    """Draws what lies between pairs of pictures (Bao et al. 2017, Section 5.3, Fig. 6).

    z = (1 − α) z₁ + α z₂, with α from 0 to 1 in equal steps, is decoded under the class of both
    pictures. Where they are of two classes, their class weights are mixed as z is. A model with two
    codes knows no labels here: z_s and z_u are both interpolated.

    Args:
        model: any model with an encoder.
        images_a: images of the first ends, (n, height, width, channels), uint8 or float in [−1, 1].
        images_b: images of the other ends, likewise.
        labels_a: labels of the first ends, n integers or class weights (n, num_classes), where the
            model reconstructs under a label; None for those that its own classifier gives them.
        labels_b: labels of the other ends, likewise.
        steps: pictures from end to end, both included, at least 2.

    Returns:
        float32 array (n, steps, height, width, channels) in [−1, 1]. The first and the last of a
        row are reconstructions of its pictures.

    Raises:
        ValueError: for a model without an encoder, labels that are needed and cannot be guessed,
            images or labels that do not fit, or fewer steps.

    Example:

    >>> from keras_cvaegan.models import CVAEGAN
    >>> model = CVAEGAN.from_preset("compact", image_shape=(16, 16, 3), num_classes=2)
    >>> images = np.zeros((3, 16, 16, 3), "uint8")
    >>> morph(model, images, images, [0, 0, 0], [0, 1, 1], steps=5).shape
    (3, 5, 16, 16, 3)
    """
    if len(images_a) != len(images_b):
        raise ValueError(
            "As many first ends as other ends are needed. Received: "
            f"{len(images_a)} and {len(images_b)} pictures."
        )
    if isinstance(model, LRLIVAE):
        ends = zip(model.codes(images_a), model.codes(images_b), strict=True)
        images = model.decode_codes(*(_line(a, b, steps) for a, b in ends))
    else:
        weights_a = own_labels(model, images_a, labels_a)
        weights_b = own_labels(model, images_b, labels_b)
        z_a, _ = model.encode(images_a, weights_a)
        z_b, _ = model.encode(images_b, weights_b)
        images = model.decode(_line(z_a, z_b, steps), _line(weights_a, weights_b, steps))
    return images.reshape(len(images_a), steps, *images.shape[1:])


def _line(first: np.ndarray, last: np.ndarray, steps: int) -> np.ndarray:
    """What lies between rows, one row after the other: (n · steps, d)."""
    return interpolate(first, last, steps).reshape(-1, first.shape[1])

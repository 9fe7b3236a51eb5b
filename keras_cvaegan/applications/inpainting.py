"""Fills holes in pictures with what a trained model makes of the rest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from keras_cvaegan.applications.inputs import float_pictures, reconstruct
from keras_cvaegan.applications.masks import check_masks
from keras_cvaegan.models import GenerativeModel
from keras_cvaegan.models.arguments import check_count


def inpaint(
    model: GenerativeModel,
    images: np.ndarray,
    masks: np.ndarray,
    labels: Sequence[int] | np.ndarray | None = None,
    *,
    rounds: int | Sequence[int] = 1,
) -> dict[int, np.ndarray]:
    """Fills holes in pictures (Bao et al. 2017, Section 5.4, Eq. 8; Zheng & Sun 2019, Section 4.5).

    At first a hole has the mean colour of the rest: see `fill_holes`. In each round the picture is
    encoded and decoded, x′, and

    x ← M ⊙ x′ + (1 − M) ⊙ x

    where the mask M is 1 inside the hole. What is outside stays as it is, to the bit.

    Args:
        model: any model with an encoder.
        images: (n, height, width, channels), uint8 or float in [−1, 1]; what is inside a hole is
            not looked at.
        masks: (height, width), or one for each picture, (n, height, width): true or 1 inside the
            hole.
        labels: n integers, or class weights (n, num_classes), where the model reconstructs under
            a label; None to let its classifier guess them from the picture of each round. Models
            without classes, and LR/LI-VAE, need none.
        rounds: number of rounds after which the pictures are wanted: an integer, or several.

    Returns:
        For each number of rounds, float32 array (n, height, width, channels) in [−1, 1].

    Raises:
        ValueError: for a model without an encoder; images, masks or labels that do not fit;
            labels that are needed and cannot be guessed; or rounds below 1.

    Example:

    >>> from keras_cvaegan.applications import region_mask
    >>> from keras_cvaegan.models import CVAEGAN
    >>> model = CVAEGAN.from_preset("compact", image_shape=(16, 16, 3), num_classes=2)
    >>> images = np.zeros((1, 16, 16, 3), "uint8")
    >>> mask = region_mask("eyes", model.image_shape)
    >>> inpainted = inpaint(model, images, mask, labels=[1], rounds=[1, 5])
    >>> inpainted[5].shape, bool((inpainted[5][0, ~mask] == -1).all())
    ((1, 16, 16, 3), True)
    """
    wanted = [check_count("rounds", number) for number in np.atleast_1d(rounds).tolist()]
    if not wanted:
        raise ValueError("rounds must have at least one. Received: none.")
    images = float_pictures(model, images)
    inside = check_masks(masks, len(images), model.image_shape)[..., np.newaxis]
    x, results = fill_holes(images, masks), {}
    for number in range(1, max(wanted) + 1):
        x = np.where(inside, reconstruct(model, x, labels), x)
        if number in wanted:
            results[number] = x
    return {number: results[number] for number in wanted}


def fill_holes(images: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Fills holes with the mean colour of what is outside, each picture with its own.

    It is what `inpaint` begins with. On `petals` one round of CVAE-GAN or LR/LI-VAE-GAN comes
    nearer to the pictures from here than from mid-grey, in every region by a sixth or more of the
    squared error; after ten rounds neither start is the better one throughout.

    Args:
        images: float (n, height, width, channels).
        masks: see `inpaint`.

    Returns:
        float32 (n, height, width, channels).

    Raises:
        ValueError: for masks that do not fit.

    Example:

    >>> fill_holes(np.array([[[[0.5], [0.25], [1.0]]]]), np.array([[0, 0, 1]])).ravel()
    array([0.5  , 0.25 , 0.375], dtype=float32)
    """
    images = np.asarray(images, np.float32)
    inside = check_masks(masks, len(images), images.shape[1:])[..., np.newaxis]
    mean = images.mean(axis=(1, 2), keepdims=True, where=~inside)
    return np.where(inside, mean, images)

"""Pictures of other classes with the attributes of given ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from keras_cvaegan.applications.inputs import need_classes, own_labels
from keras_cvaegan.models import GenerativeModel


def transfer(
    model: GenerativeModel,
    images: np.ndarray,
    target_labels: Sequence[int] | np.ndarray,
    labels: Sequence[int] | np.ndarray | None = None,
) -> np.ndarray:
    """Draws pictures of other classes with the attributes of given ones (Bao et al. 2017, Section
    S8.1).

    Picture i is G(E(x_i, c_i), t_i): encoded under its own class, decoded under the target. Of a
    model with two codes it keeps z_u, and its place (z_s − μ_c) / σ_c within its class's Gaussian
    becomes the same place within that of the target.

    Args:
        model: any model with classes and an encoder.
        images: (n, height, width, channels), uint8 or float in [−1, 1].
        target_labels: n integers, or class weights (n, num_classes): a target a picture.
        labels: labels of the pictures themselves, likewise; None for those that the model's own
            classifier gives them.

    Returns:
        float32 array (n, height, width, channels) in [−1, 1].

    Raises:
        ValueError: for a model without classes or encoder, labels that are needed and cannot be
            guessed, or images or labels that do not fit.

    Example:

    >>> from keras_cvaegan.models import CVAEGAN
    >>> model = CVAEGAN.from_preset("compact", image_shape=(16, 16, 3), num_classes=3)
    >>> images = np.zeros((2, 16, 16, 3), "uint8")
    >>> transfer(model, images, target_labels=[2, 2], labels=[0, 1]).shape
    (2, 16, 16, 3)
    """
    need_classes(model)
    targets = model.class_weights(target_labels)
    if len(targets) != len(images):
        raise ValueError(
            f"One target label an image is needed. Received: {len(images)} images, "
            f"{len(targets)} target labels."
        )
    z_mean, _ = model.encode(images, own_labels(model, images, labels))
    return model.decode(z_mean, targets)

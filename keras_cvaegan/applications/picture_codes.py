"""Codes of pictures: what applications search and map."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from keras_cvaegan.applications.inputs import labels_to_encode
from keras_cvaegan.applications.latent_walks import part_of_code
from keras_cvaegan.models import LRLIVAE, GenerativeModel


def picture_codes(
    model: GenerativeModel,
    images: np.ndarray,
    labels: Sequence[int] | np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Encodes pictures to what the label does not decide of them: z, or z_u where there are two.

    Args:
        model: a model of any kind, with an encoder.
        images: (n, height, width, channels), uint8 or float in [−1, 1].
        labels: n integers, or class weights (n, num_classes), where the encoder looks at them;
            None for those that the model's own classifier gives the pictures.

    Returns:
        z_mean and z_log_var, float32 arrays (n, d).

    Raises:
        ValueError: for a model without an encoder, one that needs labels where there are none and
            has no classifier, or images or labels that the model does not take.

    Example:

    >>> model = LRLIVAE.from_preset(
    ...     "compact", image_shape=(16, 16, 3), num_classes=2, latent_dim=(3, 5)
    ... )
    >>> z_mean, z_log_var = picture_codes(model, np.zeros((2, 16, 16, 3), "uint8"))
    >>> z_mean.shape, z_log_var.shape
    ((2, 5), (2, 5))
    """
    z_mean, z_log_var = model.encode(images, labels_to_encode(model, images, labels))
    part = part_of_code(model, "irrelevant" if isinstance(model, LRLIVAE) else "all")
    return z_mean[:, part], z_log_var[:, part]

"""Pictures of one picture's label-relevant code and another's label-irrelevant one."""

from __future__ import annotations

import numpy as np

from keras_cvaegan.applications.inputs import need_two_codes
from keras_cvaegan.models import LRLIVAE


def recombine(model: LRLIVAE, relevant: np.ndarray, irrelevant: np.ndarray) -> np.ndarray:
    """Decodes each z_s of some pictures with each z_u of others (Zheng & Sun 2019, Section 4.4,
    Fig. 6).

    Picture (i, j) is G(E_s(relevant i), E_u(irrelevant j)). It takes no labels: the pictures may be
    of classes that the model has never seen.

    Args:
        model: a model with two codes.
        relevant: m pictures that give z_s, (m, height, width, channels), uint8 or float in [−1, 1].
        irrelevant: n pictures that give z_u.

    Returns:
        float32 array (m, n, height, width, channels) in [−1, 1].

    Raises:
        ValueError: for a model with one code, or pictures that it does not take.

    Example:

    >>> model = LRLIVAE.from_preset("compact", image_shape=(16, 16, 3), num_classes=2)
    >>> images = np.zeros((3, 16, 16, 3), "uint8")
    >>> recombine(model, images, images[:2]).shape
    (3, 2, 16, 16, 3)
    """
    need_two_codes(model)
    z_s, z_u = model.codes(relevant).relevant, model.codes(irrelevant).irrelevant
    images = model.decode_codes(np.repeat(z_s, len(z_u), axis=0), np.tile(z_u, (len(z_s), 1)))
    return images.reshape(len(z_s), len(z_u), *images.shape[1:])

"""Losses of the classifier."""

from typing import Any

import keras

from keras_cvaegan.losses.weighting import weighted_mean
from keras_cvaegan.ops.precision import full_precision


def classification_loss(labels: Any, logits: Any, weights: Any = None) -> Any:
    """Softmax cross entropy of a classifier on real images.

    L_C = −E[log P(c | x_r)]    (Eq. 3, Bao et al. 2017)

    Args:
        labels: integer tensor of shape (n,), each in [0, K).
        logits: tensor of shape (n, K).
        weights: weights of the examples, shape (n,); 1 by default.

    Returns:
        Scalar: the mean over the batch.

    Example:

    >>> import numpy as np
    >>> round(float(classification_loss(np.array([0, 1]), np.zeros((2, 4)))), 4)
    1.3863
    """
    losses = keras.losses.sparse_categorical_crossentropy(
        labels, full_precision(logits), from_logits=True
    )
    return weighted_mean(losses, weights)

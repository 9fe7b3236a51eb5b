"""Losses of codes: of their Gaussians, and of a classifier that they are to fool."""

from typing import Any

from keras import ops

from keras_cvaegan.losses.weighting import weighted_mean
from keras_cvaegan.ops.precision import full_precision


def likelihood_loss(log_likelihoods: Any, weights: Any = None) -> Any:
    """Pulls codes to where their Gaussian is dense.

    L_lkd = −E[log N(z; μ_y, Σ_y)]  (Eq. 7, Zheng & Sun 2019)

    Args:
        log_likelihoods: log N(z; μ_y, Σ_y) of each example, shape (n,).
        weights: weights of the examples, shape (n,); 1 by default.

    Returns:
        Scalar: the mean over the batch.

    Example:

    >>> import numpy as np
    >>> float(likelihood_loss(np.array([-1.0, -3.0])))
    2.0
    """
    return -weighted_mean(full_precision(log_likelihoods), weights)


def uniform_target_loss(logits: Any, weights: Any = None) -> Any:
    """Cross entropy of a classifier that is to find all classes equally likely.

    L_E^adv = −E[Σ_c log q(c | z_u) / C]  (Eq. 5, Zheng & Sun 2019)

    Args:
        logits: logits of shape (n, C).
        weights: weights of the examples, shape (n,); 1 by default.

    Returns:
        Scalar: the mean over the batch; log C at least.

    Example:

    >>> import numpy as np
    >>> round(float(uniform_target_loss(np.zeros((2, 4)))), 4)
    1.3863
    """
    logits = full_precision(logits)
    return weighted_mean(ops.logsumexp(logits, axis=-1) - ops.mean(logits, axis=-1), weights)

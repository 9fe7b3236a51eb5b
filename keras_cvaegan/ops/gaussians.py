"""Gaussians with diagonal covariances, in logarithms throughout: no product of variances."""

import math
from typing import Any

from keras import ops

from keras_cvaegan.ops.precision import full_precision

_LOG_2_PI = math.log(2.0 * math.pi)


def gaussian_log_likelihood(z: Any, mean: Any, log_variance: Any) -> Any:
    """Logarithm of the density of a Gaussian with diagonal covariance.

    log N(z; μ, Σ) = −½ Σ_d ((z − μ)² exp(−ε) + ε + log 2π),  Σ = diag(exp(ε))

    Args:
        z: tensor of shape (n, d).
        mean: μ, of a shape that broadcasts with z.
        log_variance: ε, likewise.

    Returns:
        Tensor of shape (n,).

    Example:

    >>> import numpy as np
    >>> value = gaussian_log_likelihood(np.zeros((2, 4)), np.zeros(4), np.zeros(4))
    >>> np.round(np.asarray(value, np.float64), 4).tolist()
    [-3.6758, -3.6758]
    """
    log_variance = full_precision(log_variance)
    # The distance is divided before it is squared, so that both stay within float32.
    distance = (full_precision(z) - full_precision(mean)) * ops.exp(-0.5 * log_variance)
    return -0.5 * ops.sum(ops.square(distance) + log_variance + _LOG_2_PI, axis=-1)


def class_log_likelihoods(z: Any, means: Any, log_variances: Any) -> Any:
    """Logarithm of the density under each class's Gaussian.

    log N(z; μ_c, Σ_c) for each class c  (Eq. 6, Zheng & Sun 2019)

    With p(c) = 1/C they are, up to a constant, the logits of the posterior q(c | z) of Eq. 8.

    Args:
        z: tensor of shape (n, d).
        means: μ_c, of shape (C, d).
        log_variances: logarithms of the diagonals of Σ_c, of shape (C, d).

    Returns:
        Tensor of shape (n, C).

    Example:

    >>> import numpy as np
    >>> means = np.array([[0.0], [4.0]])
    >>> values = class_log_likelihoods(np.array([[1.0]]), means, np.zeros((2, 1)))
    >>> np.round(np.asarray(values, np.float64), 3).tolist()
    [[-1.419, -5.419]]
    """
    return gaussian_log_likelihood(ops.expand_dims(z, 1), means, log_variances)


def total_gaussian(means: Any, log_variances: Any) -> tuple[Any, Any]:
    """Mean and log-variance of a mixture of equally likely Gaussians, taken as one Gaussian.

    μ_t = Σ_c μ_c / C,  σ_t² = Σ_c σ_c² / C + Σ_c μ_c² / C − μ_t²  (Eq. 11, Zheng & Sun 2019)

    Args:
        means: μ_c, of shape (C, d).
        log_variances: log σ_c², of shape (C, d).

    Returns:
        μ_t and log σ_t², each of shape (d,).

    Example:

    >>> import numpy as np
    >>> mean, log_variance = total_gaussian(np.array([[-2.0], [2.0]]), np.zeros((2, 1)))
    >>> np.array(mean).tolist(), np.round(np.exp(np.array(log_variance)), 4).tolist()
    ([0.0], [5.0])
    """
    means, log_variances = full_precision(means), full_precision(log_variances)
    mean = ops.mean(means, axis=0)
    # The spread of the means as it is, not as a difference of squares, which cancels.
    spread = ops.mean(ops.square(means - mean), axis=0)
    within = ops.logsumexp(log_variances, axis=0) - math.log(means.shape[0])
    # Of a spread of 0 the gradient is that of the rest.
    return mean, within + ops.log1p(spread * ops.exp(-within))

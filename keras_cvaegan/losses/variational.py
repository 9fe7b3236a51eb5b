"""Losses of an encoder's distribution."""

from typing import Any

from keras import ops

from keras_cvaegan.ops.precision import full_precision


def kl_divergence(z_mean: Any, z_log_var: Any) -> Any:
    """Divergence of N(μ, exp(ε)) from the prior N(0, I).

    L_KL = ½ E[Σ_d (μ² + exp(ε) − ε − 1)]    (Eq. 5, Bao et al. 2017; ε is the log-variance)

    Args:
        z_mean: μ, shape (n, d).
        z_log_var: ε, shape (n, d).

    Returns:
        Scalar in nats: summed over the latent's dimensions, mean over the batch.

    Example:

    >>> import numpy as np
    >>> float(kl_divergence(np.ones((2, 3)), np.zeros((2, 3))))
    1.5
    """
    z_mean, z_log_var = full_precision(z_mean), full_precision(z_log_var)
    terms = ops.square(z_mean) + ops.exp(z_log_var) - z_log_var - 1.0
    return 0.5 * ops.mean(ops.sum(terms, axis=-1))

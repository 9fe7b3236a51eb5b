"""Losses of discriminators and critics, and of the generators that play against them."""

from typing import Any

from keras import ops

from keras_cvaegan.losses.weighting import weighted_mean
from keras_cvaegan.ops.precision import full_precision


def discriminator_loss(real_logits: Any, *generated_logits: Any, weights: Any = None) -> Any:
    """Cross entropy of a discriminator on real and generated images.

    L_D = −E[log D(x_r)] − Σ_k E[log(1 − D(x_k))]

    Eq. 1 (Bao et al. 2017) with the reconstructions x_f and the samples x_p beside the real
    images, as line 9 of Algorithm 1 has it: each term the mean over its batch, the terms summed.

    Args:
        real_logits: logits of real images, shape (n,) or (n, 1).
        *generated_logits: logits of each batch of generated images, of like shapes.
        weights: weights of the examples, shape (n,); 1 by default.

    Returns:
        Scalar.

    Example:

    >>> import numpy as np
    >>> round(float(discriminator_loss(np.zeros((4, 1)), np.zeros((4, 1)))), 4)
    1.3863
    """
    loss = weighted_mean(ops.softplus(-full_precision(real_logits)), weights)
    for logits in generated_logits:
        loss = loss + weighted_mean(ops.softplus(full_precision(logits)), weights)
    return loss


def non_saturating_generator_loss(*generated_logits: Any, weights: Any = None) -> Any:
    """Cross entropy of images that are to be taken for real.

    L'_GD = −Σ_k E[log D(x_k)]    (Goodfellow et al. 2014; below Eq. 1 in Bao et al. 2017)

    Args:
        *generated_logits: logits of each batch of generated images, shape (n,) or (n, 1).
        weights: weights of the examples, shape (n,); 1 by default.

    Returns:
        Scalar.

    Example:

    >>> import numpy as np
    >>> round(float(non_saturating_generator_loss(np.zeros((4, 1)))), 4)
    0.6931
    """
    return sum(
        weighted_mean(ops.softplus(-full_precision(logits)), weights) for logits in generated_logits
    )


def minimax_generator_loss(*generated_logits: Any) -> Any:
    """The discriminator's objective with the other sign.

    Σ_k E[log(1 − D(x_k))]    (Eq. 1, Goodfellow et al. 2014)

    Its gradient vanishes where the discriminator is sure.

    Args:
        *generated_logits: logits of each batch of generated images, shape (n,) or (n, 1).

    Returns:
        Scalar.

    Example:

    >>> import numpy as np
    >>> round(float(minimax_generator_loss(np.zeros((4, 1)))), 4)
    -0.6931
    """
    return -sum(ops.mean(ops.softplus(full_precision(logits))) for logits in generated_logits)


def hinge_discriminator_loss(real_logits: Any, *generated_logits: Any, weights: Any = None) -> Any:
    """Hinge loss of a discriminator on real and generated images.

    E[max(0, 1 − f(x_r))] + Σ_k E[max(0, 1 + f(x_k))]    (Eq. 16, Miyato et al. 2018)

    Args:
        real_logits: scores of real images, shape (n,) or (n, 1).
        *generated_logits: scores of each batch of generated images, of like shapes.
        weights: weights of the examples, shape (n,); 1 by default.

    Returns:
        Scalar.

    Example:

    >>> import numpy as np
    >>> float(hinge_discriminator_loss(np.full((4, 1), 2.0), np.zeros((4, 1))))
    1.0
    """
    loss = weighted_mean(ops.relu(1.0 - full_precision(real_logits)), weights)
    for logits in generated_logits:
        loss = loss + weighted_mean(ops.relu(1.0 + full_precision(logits)), weights)
    return loss


def hinge_generator_loss(*generated_logits: Any, weights: Any = None) -> Any:
    """What a generator minimizes against a discriminator with a hinge loss.

    −Σ_k E[f(x_k)]    (Eq. 17, Miyato et al. 2018)

    Args:
        *generated_logits: scores of each batch of generated images, shape (n,) or (n, 1).
        weights: weights of the examples, shape (n,); 1 by default.

    Returns:
        Scalar.

    Example:

    >>> import numpy as np
    >>> float(hinge_generator_loss(np.ones((4, 1))))
    -1.0
    """
    return -sum(weighted_mean(full_precision(logits), weights) for logits in generated_logits)


def wasserstein_distance(real_scores: Any, generated_scores: Any) -> Any:
    """What a critic estimates: how far apart real and generated images are.

    W = E[f(x_r)] − E[f(x_p)]    (Eq. 3, Arjovsky et al. 2017)

    The critic f maximizes it, the generator minimizes it.

    Args:
        real_scores: f(x_r), shape (n,) or (n, 1).
        generated_scores: f(x_p), of a like shape.

    Returns:
        Scalar.

    Example:

    >>> import numpy as np
    >>> float(wasserstein_distance(np.ones((4, 1)), np.zeros((2, 1))))
    1.0
    """
    return ops.mean(full_precision(real_scores)) - ops.mean(full_precision(generated_scores))

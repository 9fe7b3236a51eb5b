"""Losses of the discriminator."""

from typing import Any

from keras import ops

from keras_cvaegan.precision import full_precision


def discriminator_loss(real_logits: Any, *generated_logits: Any) -> Any:
    """Cross entropy of a discriminator on real and generated images.

    L_D = −E[log D(x_r)] − Σ_k E[log(1 − D(x_k))]

    Eq. 1 (Bao et al. 2017) with the reconstructions x_f and the samples x_p beside the real
    images, as line 9 of Algorithm 1 has it: each term the mean over its batch, the terms summed.

    Args:
        real_logits: logits of real images, shape (n,) or (n, 1).
        *generated_logits: logits of each batch of generated images, of like shapes.

    Returns:
        Scalar.

    Example:

    >>> import numpy as np
    >>> round(float(discriminator_loss(np.zeros((4, 1)), np.zeros((4, 1)))), 4)
    1.3863
    """
    loss = ops.mean(ops.softplus(-full_precision(real_logits)))
    for logits in generated_logits:
        loss = loss + ops.mean(ops.softplus(full_precision(logits)))
    return loss

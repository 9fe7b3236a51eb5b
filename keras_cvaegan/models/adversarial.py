"""The game of discriminator and generator, in the forms that models let one choose."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_cvaegan import losses

ADVERSARIAL_LOSSES = {
    "logistic": (losses.discriminator_loss, losses.non_saturating_generator_loss),
    "hinge": (losses.hinge_discriminator_loss, losses.hinge_generator_loss),
}
"""L_D and L'_GD, by the name of their form."""


def adversarial_losses(form: str, real_logits: Any, *generated_logits: Any) -> tuple[Any, Any]:
    """L_D and L'_GD of real images and one or several batches of generated ones.

    Args:
        form: "logistic", where the terms of several batches are summed, as in Algorithm 1 of Bao
            et al. 2017; or "hinge", where they are one batch, so that real and generated images
            weigh alike (a sum would move the hinge's balance, and with it the margins).
        real_logits: logits of real images, shape (n, …).
        *generated_logits: logits of each batch of generated images, of like shapes.

    Returns:
        Two scalars.

    Raises:
        KeyError: for another form.

    Example:

    >>> import numpy as np
    >>> real, fake = np.zeros((4, 1)), np.ones((4, 1))
    >>> [float(x) for x in adversarial_losses("hinge", real, fake, fake)]
    [3.0, -1.0]
    """
    of_discriminator, of_generator = ADVERSARIAL_LOSSES[form]
    if form == "hinge" and len(generated_logits) > 1:
        generated_logits = (ops.concatenate(generated_logits, axis=0),)
    return of_discriminator(real_logits, *generated_logits), of_generator(*generated_logits)

"""GAN: a generative adversarial network."""

from __future__ import annotations

from typing import Any, ClassVar

import keras
from keras import ops

from keras_cvaegan import losses
from keras_cvaegan.models.adversarial import ADVERSARIAL_LOSSES
from keras_cvaegan.models.arguments import check_choice
from keras_cvaegan.models.generative_model import GenerativeModel

GENERATOR_LOSSES = {
    "non_saturating": ADVERSARIAL_LOSSES["logistic"],
    "minimax": (losses.discriminator_loss, losses.minimax_generator_loss),
    "hinge": ADVERSARIAL_LOSSES["hinge"],
}
"""What D and G minimize, by the name of the latter."""


@keras.saving.register_keras_serializable(package="keras_cvaegan")
class GAN(GenerativeModel):
    """Generative adversarial network (Goodfellow et al., "Generative Adversarial Nets", NIPS 2014).

    With x_p = G(z), z ~ N(0, I):

        D minimizes  L_D = −E[log D(x_r)] − E[log(1 − D(x_p))]    (Eq. 1, Bao et al. 2017)
        G minimizes  L'_GD = −E[log D(x_p)]                       (below Eq. 1)

    simultaneously, from one forward pass. This is the plain GAN of Bao et al. (Fig. 2b, Fig. 4).
    Unconditional. Both are trained by Adam with DCGAN's learning rate of 2e-4 (Radford et al.
    2015): a generator that learns faster than its discriminator does not learn shapes.

    Args:
        generator: {"z", "labels"} → images in [−1, 1].
        discriminator: images → {"logits", …}.
        generator_loss: "non_saturating", the above; or "minimax", E[log(1 − D(x_p))], with which
            both play for one value; or "hinge", −E[f(x_p)], with which D minimizes
            E[max(0, 1 − f(x_r))] + E[max(0, 1 + f(x_p))].
        class_names, seed, average_decay, horizontal_flip, preset: see `GenerativeModel`.

    Raises:
        ValueError: for another generator_loss.

    Example:

    >>> import numpy as np
    >>> model = GAN.from_preset("compact", image_shape=(16, 16, 3))
    >>> model.compile()
    >>> history = model.fit(np.zeros((8, 16, 16, 3), "uint8"), batch_size=4, verbose=0)
    >>> model.generate([0, 0], seed=0).shape
    (2, 16, 16, 3)
    """

    conditional = False
    network_names = ("generator", "discriminator")
    updates: ClassVar = {"generator": ("generator",), "discriminator": ("discriminator",)}
    measures = ("generator_loss", "discriminator_loss")
    learning_rates: ClassVar = {"generator": 2e-4, "discriminator": 2e-4}

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        generator_loss: str = "non_saturating",
        **kwargs: Any,
    ):
        super().__init__({"generator": generator, "discriminator": discriminator}, **kwargs)
        self.generator_loss = check_choice("generator_loss", generator_loss, GENERATOR_LOSSES)

    def compute_objectives(
        self, images: Any, labels: Any, training: bool
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        classes = self.one_hot(labels)
        z = self.prior_latents(ops.shape(images)[0])
        generated = self.generator({"z": z, "labels": classes}, training=training)
        real_logits = self.judge(images, classes, training)
        generated_logits = self.judge(generated, classes, training)
        of_discriminator, of_generator = GENERATOR_LOSSES[self.generator_loss]
        objectives = {
            "generator": of_generator(generated_logits),
            "discriminator": of_discriminator(real_logits, generated_logits),
        }
        return objectives, {f"{name}_loss": loss for name, loss in objectives.items()}

    def judge(self, images: Any, classes: Any, training: bool) -> Any:
        """The discriminator's logits of images of some classes."""
        view = self.view(images, classes, training)
        return self.recognize(self.discriminator, view, training)["logits"]

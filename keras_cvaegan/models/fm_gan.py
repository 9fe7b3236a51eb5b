"""FM-GAN: a generative adversarial network whose generator matches mean features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import keras
from keras import ops

from keras_cvaegan import losses
from keras_cvaegan.models.generative_model import GenerativeModel
from keras_cvaegan.models.matching import MeanMatching


@keras.saving.register_keras_serializable(package="keras_cvaegan")
class FMGAN(MeanMatching, GenerativeModel):
    """Mean feature matching GAN (Bao et al. 2017, Section 3.1).

    With x_p = G(z), z ~ N(0, I):

        D minimizes  L_D = −E[log D(x_r)] − E[log(1 − D(x_p))]    (Eq. 1)
        G minimizes  L_GD = ½ ‖E f_D(x_r) − E f_D(x_p)‖²          (Eq. 2)

    simultaneously, from one forward pass. Unconditional.

    Args:
        generator: {"z", "labels"} → images in [−1, 1].
        discriminator: images → {"logits", "features", …}.
        discriminator_layers: outputs of the discriminator that f_D stands for; maps are pooled
            over space.
        mean_center_decay: decay of a moving average of the means of Eq. 2; 0: minibatch means.
        class_names, seed, average_decay, horizontal_flip, preset: see `GenerativeModel`.

    Raises:
        ValueError: for a feature layer that the discriminator does not give, or a wrong decay.

    Example:

    >>> import numpy as np
    >>> model = FMGAN.from_preset("compact", image_shape=(16, 16, 3))
    >>> model.compile()
    >>> history = model.fit(np.zeros((8, 16, 16, 3), "uint8"), batch_size=4, verbose=0)
    >>> model.generate([0, 0], seed=0).shape
    (2, 16, 16, 3)
    """

    conditional = False
    network_names = ("generator", "discriminator")
    updates: ClassVar = {"generator": ("generator",), "discriminator": ("discriminator",)}
    measures = ("mean_matching", "discriminator_loss")

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        discriminator_layers: Sequence[str] = ("features",),
        mean_center_decay: float = 0.0,
        **kwargs: Any,
    ):
        super().__init__({"generator": generator, "discriminator": discriminator}, **kwargs)
        self.prepare_mean_matching(discriminator_layers, mean_center_decay)

    def compute_objectives(
        self, images: Any, labels: Any, training: bool
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        classes = self.one_hot(labels)
        z = self.prior_latents(ops.shape(images)[0])
        generated = self.generator({"z": z, "labels": classes}, training=training)
        real_d, generated_d = (
            self.recognize(self.discriminator, self.view(x, classes, training), training)
            for x in (images, generated)
        )
        measures = {
            "mean_matching": self.mean_matching(real_d, generated_d, training),
            "discriminator_loss": losses.discriminator_loss(
                real_d["logits"], generated_d["logits"]
            ),
        }
        objectives = {
            "generator": measures["mean_matching"],
            "discriminator": measures["discriminator_loss"],
        }
        return objectives, measures

"""VAE: a variational auto-encoder."""

from __future__ import annotations

from typing import Any, ClassVar

import keras

from keras_cvaegan import losses
from keras_cvaegan.models.arguments import check_weight
from keras_cvaegan.models.generative_model import GenerativeModel
from keras_cvaegan.models.variational import Variational


@keras.saving.register_keras_serializable(package="keras_cvaegan")
class VAE(Variational, GenerativeModel):
    """Variational auto-encoder (Kingma & Welling, "Auto-Encoding Variational Bayes", ICLR 2014).

    With x_f = G(z), z ~ E(x_r):

        E and G minimize  λ_KL L_KL + ½ E[‖x_r − x_f‖²]

    the negative evidence lower bound where λ_KL = 1 and the decoder is a Gaussian of variance 1.
    Unconditional. In Bao et al. 2017 (Fig. 2a) it is what remains of CVAE-GAN without labels,
    discriminator and classifier.

    Args:
        encoder: {"images", "labels"} → {"z_mean", "z_log_var"}.
        generator: {"z", "labels"} → images in [−1, 1].
        kl_weight: λ_KL. The presets give CVAE-GAN's, so that models compare.
        class_names, seed, average_decay, horizontal_flip, preset: see `GenerativeModel`.

    Example:

    >>> import numpy as np
    >>> model = VAE.from_preset("compact", image_shape=(16, 16, 3))
    >>> model.compile()
    >>> history = model.fit(np.zeros((8, 16, 16, 3), "uint8"), batch_size=4, verbose=0)
    >>> model.generate([0, 0], seed=0).shape
    (2, 16, 16, 3)
    """

    conditional = False
    network_names = ("encoder", "generator")
    updates: ClassVar = {"encoder_and_generator": ("encoder", "generator")}
    measures = ("kl_divergence", "pixel_matching")

    def __init__(
        self,
        encoder: keras.Model,
        generator: keras.Model,
        *,
        kl_weight: float = 1.0,
        **kwargs: Any,
    ):
        super().__init__({"encoder": encoder, "generator": generator}, **kwargs)
        self.kl_weight = check_weight("kl_weight", kl_weight)
        self.prepare_posterior()

    def compute_objectives(
        self, images: Any, labels: Any, training: bool
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        classes = self.one_hot(labels)
        z_mean, z_log_var, z = self.posterior(images, classes, training)
        reconstructed = self.generator({"z": z, "labels": classes}, training=training)
        measures = {
            "kl_divergence": losses.kl_divergence(z_mean, z_log_var),
            "pixel_matching": losses.pairwise_matching(images, reconstructed),
        }
        loss = self.kl_weight * measures["kl_divergence"] + measures["pixel_matching"]
        return {"encoder_and_generator": loss}, measures

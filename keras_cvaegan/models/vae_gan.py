"""VAE/GAN: a variational auto-encoder whose reconstructions match a discriminator's features."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import keras
from keras import ops

from keras_cvaegan import losses
from keras_cvaegan.models.adversarial import ADVERSARIAL_LOSSES, adversarial_losses
from keras_cvaegan.models.arguments import check_choice, check_switch, check_weight
from keras_cvaegan.models.generative_model import GenerativeModel
from keras_cvaegan.models.matching import FeatureMatching, check_layers
from keras_cvaegan.models.variational import Variational


@keras.saving.register_keras_serializable(package="keras_cvaegan")
class VAEGAN(Variational, FeatureMatching, GenerativeModel):
    """VAE/GAN (Larsen et al., "Autoencoding beyond pixels using a learned similarity metric",
    ICML 2016).

    With x_f = G(z), z ~ E(x_r), and x_p = G(z_p), z_p ~ N(0, I):

        E minimizes  λ_KL L_KL + L_f
        G minimizes  L_f + λ_adv L_adv
        D minimizes  L_D = −E[log D(x_r)] − E[log(1 − D(x_f))] − E[log(1 − D(x_p))]

        L_f = ½ E[‖f_D(x_r) − f_D(x_f)‖²]
        L_adv = −E[log D(x_f)] − E[log D(x_p)]

    simultaneously, from one forward pass (Algorithm 1 there). Features take the place of pixels.
    Larsen's γ weighs L_f against L_adv for the generator: it is 1 / λ_adv. L_adv has the form that
    Bao et al. 2017 give it (below Eq. 1), whose gradient does not vanish. Unconditional (Fig. 2c
    of Bao et al.).

    Args:
        encoder: {"images", "labels"} → {"z_mean", "z_log_var"}.
        generator: {"z", "labels"} → images in [−1, 1].
        discriminator: images → {"logits", "features", …}.
        kl_weight: λ_KL.
        adversarial_weight: λ_adv.
        adversarial_loss, relative_matching, joint_generation: see `CVAEGAN`.
        discriminator_layers: outputs of the discriminator that f_D stands for.
        class_names, seed, average_decay, horizontal_flip, preset: see `GenerativeModel`.

    Raises:
        ValueError: for a negative weight, or a feature layer that the discriminator does not give.

    Example:

    >>> import numpy as np
    >>> model = VAEGAN.from_preset("compact", image_shape=(16, 16, 3))
    >>> model.compile()
    >>> images = np.zeros((8, 16, 16, 3), "uint8")
    >>> history = model.fit(images, batch_size=4, verbose=0)
    >>> model.reconstruct(images[:2], [0, 0]).shape
    (2, 16, 16, 3)
    """

    conditional = False
    network_names = ("encoder", "generator", "discriminator")
    updates: ClassVar = {
        # L_KL does not reach G, so one gradient of the sum serves E and G.
        "encoder_and_generator": ("encoder", "generator"),
        "adversarial": ("generator",),
        "discriminator": ("discriminator",),
    }
    measures = (
        "kl_divergence",
        "discriminator_feature_matching",
        "adversarial_loss",
        "discriminator_loss",
    )

    def __init__(
        self,
        encoder: keras.Model,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        kl_weight: float = 1.0,
        adversarial_weight: float = 1.0,
        adversarial_loss: str = "logistic",
        relative_matching: bool = False,
        joint_generation: bool = False,
        discriminator_layers: Sequence[str] = ("features",),
        **kwargs: Any,
    ):
        networks = {"encoder": encoder, "generator": generator, "discriminator": discriminator}
        super().__init__(networks, **kwargs)
        self.kl_weight = check_weight("kl_weight", kl_weight)
        self.adversarial_weight = check_weight("adversarial_weight", adversarial_weight)
        self.adversarial_loss = check_choice(
            "adversarial_loss", adversarial_loss, ADVERSARIAL_LOSSES
        )
        self.relative_matching = check_switch("relative_matching", relative_matching)
        self.joint_generation = check_switch("joint_generation", joint_generation)
        self.discriminator_layers = check_layers(discriminator, discriminator_layers)
        self.prepare_posterior()

    def compute_objectives(
        self, images: Any, labels: Any, training: bool
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        classes = self.one_hot(labels)
        z_mean, z_log_var, z = self.posterior(images, classes, training)
        prior_z = self.prior_latents(ops.shape(images)[0])
        reconstructed, generated = self.decoded(z, prior_z, classes, training)
        real_d, reconstructed_d, generated_d = (
            self.recognize(self.discriminator, self.view(x, classes, training), training)
            for x in (images, reconstructed, generated)
        )
        discriminator_loss, adversarial_loss = adversarial_losses(
            self.adversarial_loss,
            real_d["logits"],
            reconstructed_d["logits"],
            generated_d["logits"],
        )
        measures = {
            "kl_divergence": losses.kl_divergence(z_mean, z_log_var),
            "discriminator_feature_matching": self.feature_matching(
                real_d, reconstructed_d, self.discriminator_layers
            ),
            "adversarial_loss": adversarial_loss,
            "discriminator_loss": discriminator_loss,
        }
        values = math.prod(self.image_shape) if self.relative_matching else 1
        objectives = {
            "encoder_and_generator": (
                self.kl_weight / values * measures["kl_divergence"]
                + measures["discriminator_feature_matching"]
            ),
            "adversarial": self.adversarial_weight * measures["adversarial_loss"],
            "discriminator": measures["discriminator_loss"],
        }
        return objectives, measures

"""LR/LI-VAE-GAN: LR/LI-VAE with a discriminator that sees the label."""

from __future__ import annotations

from typing import Any, ClassVar

import keras
from keras import ops

from keras_cvaegan.models.adversarial import ADVERSARIAL_LOSSES
from keras_cvaegan.models.arguments import check_choice, check_weight
from keras_cvaegan.models.lr_li_vae import LRLIVAE


@keras.saving.register_keras_serializable(package="keras_cvaegan")
class LRLIVAEGAN(LRLIVAE):
    """LR/LI-VAE-GAN (Zheng & Sun, "Disentangling Latent Space for VAE by Label Relevant/Irrelevant
    Dimensions", CVPR 2019).

    With x_f = G(z_s, z_u) and x_p = G(z_s^p, z_u^p) for z_s^p ~ N(μ_y, Σ_y) and z_u^p ~ N(0, I), in
    the second part of a step (see `LRLIVAE`) also

        G minimizes  L_adv_G = −E[log D(x_f, y)] − E[log D(x_p, y)]
        D minimizes  L_adv_D = −E[log D(x_r, y)] − E[log(1 − D(x_f, y))] − E[log(1 − D(x_p, y))]

    (Eq. 10 and Algorithm 1, whose last term is printed with x_f for x_p). D sees the label by
    projection. Images without a label leave both out.

    Args:
        relevant_encoder, irrelevant_encoder, mixture, latent_classifier, generator: see `LRLIVAE`.
        discriminator: {"images", "labels"} → {"logits", …}.
        adversarial_weight: weight of L_adv_G.
        adversarial_loss: "logistic", as above, or "hinge".
        likelihood_weight, irrelevant_kl_weight, irrelevant_reconstruction_weight,
            relevant_reconstruction_weight, latent_adversarial_weight, mixture_steps,
            variance_decay_steps, unlabelled_classes: see `LRLIVAE`.
        class_names, seed, average_decay, horizontal_flip, preset: see `GenerativeModel`.

    Raises:
        ValueError: for a negative weight, or networks that do not fit together.

    Example:

    >>> import numpy as np
    >>> model = LRLIVAEGAN.from_preset("compact", image_shape=(16, 16, 3), num_classes=3)
    >>> model.compile()
    >>> images = np.zeros((16, 16, 16, 3), "uint8")
    >>> history = model.fit(images, np.arange(16) % 3, batch_size=8, verbose=0)
    >>> model.generate([0, 1, 2], seed=0).shape
    (3, 16, 16, 3)
    """

    network_names = (*LRLIVAE.network_names, "discriminator")
    updates: ClassVar = {
        **LRLIVAE.updates,
        "adversarial": ("generator",),
        "discriminator": ("discriminator",),
    }
    measures = (*LRLIVAE.measures, "adversarial_loss", "discriminator_loss")

    def __init__(
        self,
        relevant_encoder: keras.Model,
        irrelevant_encoder: keras.Model,
        mixture: keras.Model,
        latent_classifier: keras.Model,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        adversarial_weight: float = 1.0,
        adversarial_loss: str = "logistic",
        likelihood_weight: float = 0.1,
        irrelevant_kl_weight: float = 10.0,
        irrelevant_reconstruction_weight: float = 1.0,
        relevant_reconstruction_weight: float = 1.0,
        latent_adversarial_weight: float = 1.0,
        mixture_steps: int = 3,
        variance_decay_steps: int = 0,
        unlabelled_classes: str = "unknown",
        **kwargs: Any,
    ):
        super().__init__(
            relevant_encoder,
            irrelevant_encoder,
            mixture,
            latent_classifier,
            generator,
            discriminator=discriminator,
            likelihood_weight=likelihood_weight,
            irrelevant_kl_weight=irrelevant_kl_weight,
            irrelevant_reconstruction_weight=irrelevant_reconstruction_weight,
            relevant_reconstruction_weight=relevant_reconstruction_weight,
            latent_adversarial_weight=latent_adversarial_weight,
            mixture_steps=mixture_steps,
            variance_decay_steps=variance_decay_steps,
            unlabelled_classes=unlabelled_classes,
            **kwargs,
        )
        self.adversarial_weight = check_weight("adversarial_weight", adversarial_weight)
        self.adversarial_loss = check_choice(
            "adversarial_loss", adversarial_loss, ADVERSARIAL_LOSSES
        )

    def compute_objectives(
        self, images: Any, labels: Any, training: bool
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        objectives, measures, reconstructed = self.auto_encode(images, labels, training)
        # Samples beside images without a label are of each class in turn: they count in the
        # batch's statistics alone.
        in_turn = self.global_rows(ops.shape(images)[0]) % self.num_classes
        classes = self.one_hot(ops.where(labels >= 0, labels, ops.cast(in_turn, labels.dtype)))
        known, _ = self.known(labels)
        prior_z = self.prior_latents(ops.shape(images)[0])
        z_s = self.head.place(prior_z[:, : self.relevant_dim], classes)
        z = ops.concatenate([z_s, prior_z[:, self.relevant_dim :]], axis=-1)
        generated = self.generator(z, training=training)
        real, *fake = (
            self.recognize(self.discriminator, self.view(x, classes, training), training)["logits"]
            for x in (images, reconstructed, generated)
        )
        of_discriminator, of_generator = ADVERSARIAL_LOSSES[self.adversarial_loss]
        measures["adversarial_loss"] = of_generator(*fake, weights=known)
        measures["discriminator_loss"] = of_discriminator(real, *fake, weights=known)
        objectives["adversarial"] = self.adversarial_weight * measures["adversarial_loss"]
        objectives["discriminator"] = measures["discriminator_loss"]
        return objectives, measures

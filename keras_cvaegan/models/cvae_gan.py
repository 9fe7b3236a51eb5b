"""CVAE-GAN: a conditional variational auto-encoder trained with asymmetric losses."""

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
from keras_cvaegan.models.matching import ClassMatching, MeanMatching
from keras_cvaegan.models.variational import Variational


@keras.saving.register_keras_serializable(package="keras_cvaegan")
class CVAEGAN(Variational, MeanMatching, ClassMatching, GenerativeModel):
    """CVAE-GAN (Bao et al., "CVAE-GAN: Fine-Grained Image Generation through Asymmetric Training",
    ICCV 2017).

    With x_f = G(z, c) for z ~ E(x_r, c), and x_p = G(z_p, c) for z_p ~ N(0, I) (Algorithm 1):

        E and G minimize  λ_KL L_KL + λ_G L_G + λ_GD L_GD + λ_GC L_GC     (Eq. 2, 4, 5, 6, 7)
                          + λ_adv L'_GD, where λ_adv is not 0             (below Eq. 1)
        D minimizes       L_D                                             (Eq. 1)
        C minimizes       L_C                                             (Eq. 3)

    from one forward pass, simultaneously. L_GD and L_GC do not reach E (x_p does not come from
    it) and L_KL does not reach G, so one weighted sum serves both.

    Args:
        encoder: {"images", "labels"} → {"z_mean", "z_log_var"}.
        generator: {"z", "labels"} → images in [−1, 1].
        discriminator: images → {"logits", "features", …}.
        classifier: images → {"logits", "features", …}.
        kl_weight: λ_KL.
        matching_weight: λ_G, of all three terms of Eq. 6.
        pixel_weight: weight of ½‖x_r − x_f‖² within L_G.
        discriminator_feature_weight: weight of ½‖f_D(x_r) − f_D(x_f)‖² within L_G.
        classifier_feature_weight: weight of ½‖f_C(x_r) − f_C(x_f)‖² within L_G.
        mean_matching_weight: λ_GD.
        class_matching_weight: λ_GC.
        adversarial_weight: λ_adv; 0 in the paper.
        adversarial_loss: form of L_D and L'_GD, "logistic", as in the paper, or "hinge".
        relative_matching: whether distances are relative: those of features to ½ E‖f(x_r)‖², see
            `keras_cvaegan.models.matching`, those of pixels and L_KL to the number of values of an
            image. Weights then hold for networks and images of any size.
        discriminator_layers: outputs of the discriminator that f_D stands for; maps are pooled
            over space where their means are matched (Eq. 2, 4).
        classifier_layers: outputs of the classifier that f_C stands for.
        joint_generation: whether x_f and x_p are one batch of G's normalizations: samples are then
            normalized in training as they are later, however far the codes of images lie from
            N(0, I).
        class_center_decay: decay of the moving averages of Eq. 4, in [0, 1).
        mean_center_decay: decay of a moving average of the means of Eq. 2; 0: minibatch means.
        class_names, seed, average_decay, horizontal_flip, preset, trunk, augmentation: see
            `GenerativeModel`. With a trunk, discriminator and classifier take its outputs, and
            labels, by the names of their inputs.

    Raises:
        ValueError: for a negative weight, or a feature layer that a network does not give.

    Example:

    >>> import numpy as np
    >>> model = CVAEGAN.from_preset("compact", image_shape=(16, 16, 3), num_classes=3)
    >>> model.compile()
    >>> images = np.zeros((8, 16, 16, 3), "uint8")
    >>> history = model.fit(images, np.arange(8) % 3, batch_size=4, verbose=0)
    >>> model.generate([0, 1, 2], seed=0).shape
    (3, 16, 16, 3)
    """

    network_names = ("encoder", "generator", "discriminator", "classifier")
    updates: ClassVar = {
        "encoder_and_generator": ("encoder", "generator"),
        "discriminator": ("discriminator",),
        "classifier": ("classifier",),
    }
    measures = (
        "kl_divergence",
        "pixel_matching",
        "discriminator_feature_matching",
        "classifier_feature_matching",
        "mean_matching",
        "class_matching",
        "adversarial_loss",
        "discriminator_loss",
        "classifier_loss",
    )

    def __init__(
        self,
        encoder: keras.Model,
        generator: keras.Model,
        discriminator: keras.Model,
        classifier: keras.Model,
        *,
        kl_weight: float = 3.0,
        matching_weight: float = 1.0,
        pixel_weight: float = 1.0,
        discriminator_feature_weight: float = 1.0,
        classifier_feature_weight: float = 1.0,
        mean_matching_weight: float = 1e-3,
        class_matching_weight: float = 1e-3,
        adversarial_weight: float = 0.0,
        adversarial_loss: str = "logistic",
        relative_matching: bool = False,
        joint_generation: bool = False,
        discriminator_layers: Sequence[str] = ("features",),
        classifier_layers: Sequence[str] = ("features",),
        class_center_decay: float = 0.9,
        mean_center_decay: float = 0.0,
        **kwargs: Any,
    ):
        networks = {
            "encoder": encoder,
            "generator": generator,
            "discriminator": discriminator,
            "classifier": classifier,
        }
        super().__init__(networks, **kwargs)
        self.kl_weight = check_weight("kl_weight", kl_weight)
        self.matching_weight = check_weight("matching_weight", matching_weight)
        self.pixel_weight = check_weight("pixel_weight", pixel_weight)
        self.discriminator_feature_weight = check_weight(
            "discriminator_feature_weight", discriminator_feature_weight
        )
        self.classifier_feature_weight = check_weight(
            "classifier_feature_weight", classifier_feature_weight
        )
        self.mean_matching_weight = check_weight("mean_matching_weight", mean_matching_weight)
        self.class_matching_weight = check_weight("class_matching_weight", class_matching_weight)
        self.adversarial_weight = check_weight("adversarial_weight", adversarial_weight)
        self.adversarial_loss = check_choice(
            "adversarial_loss", adversarial_loss, ADVERSARIAL_LOSSES
        )
        self.relative_matching = check_switch("relative_matching", relative_matching)
        self.joint_generation = check_switch("joint_generation", joint_generation)
        self.prepare_posterior()
        self.prepare_mean_matching(discriminator_layers, mean_center_decay)
        self.prepare_class_matching(classifier_layers, class_center_decay)

    def compute_objectives(
        self, images: Any, labels: Any, training: bool
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        classes = self.one_hot(labels)

        z_mean, z_log_var, z = self.posterior(images, classes, training)
        prior_z = self.prior_latents(ops.shape(images)[0])
        reconstructed, generated = self.decoded(z, prior_z, classes, training)

        views = [self.view(x, classes, training) for x in (images, reconstructed, generated)]
        real_d, reconstructed_d, generated_d = (
            self.recognize(self.discriminator, view, training) for view in views
        )
        real_c, reconstructed_c, generated_c = (
            self.recognize(self.classifier, view, training) for view in views
        )
        discriminator_loss, adversarial_loss = adversarial_losses(
            self.adversarial_loss,
            real_d["logits"],
            reconstructed_d["logits"],
            generated_d["logits"],
        )

        measures = {
            "kl_divergence": losses.kl_divergence(z_mean, z_log_var),
            "pixel_matching": losses.pairwise_matching(images, reconstructed),
            "discriminator_feature_matching": self.feature_matching(
                real_d, reconstructed_d, self.discriminator_layers
            ),
            "classifier_feature_matching": self.feature_matching(
                real_c, reconstructed_c, self.classifier_layers
            ),
            "mean_matching": self.mean_matching(real_d, generated_d, training),
            "class_matching": self.class_matching(real_c, generated_c, labels, training),
            "adversarial_loss": adversarial_loss,
            "discriminator_loss": discriminator_loss,
            "classifier_loss": losses.classification_loss(labels, real_c["logits"]),
        }
        values = math.prod(self.image_shape) if self.relative_matching else 1
        matching = (
            self.pixel_weight / values * measures["pixel_matching"]
            + self.discriminator_feature_weight * measures["discriminator_feature_matching"]
            + self.classifier_feature_weight * measures["classifier_feature_matching"]
        )
        objectives = {
            "encoder_and_generator": (
                self.kl_weight / values * measures["kl_divergence"]
                + self.matching_weight * matching
                + self.mean_matching_weight * measures["mean_matching"]
                + self.class_matching_weight * measures["class_matching"]
                + self.adversarial_weight * measures["adversarial_loss"]
            ),
            "discriminator": measures["discriminator_loss"],
            "classifier": measures["classifier_loss"],
        }
        return objectives, measures

"""FM-CGAN: a conditional generative adversarial network that matches mean features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import keras
from keras import ops

from keras_cvaegan import losses
from keras_cvaegan.models.adversarial import ADVERSARIAL_LOSSES, adversarial_losses
from keras_cvaegan.models.arguments import check_choice, check_switch, check_weight
from keras_cvaegan.models.generative_model import GenerativeModel
from keras_cvaegan.models.matching import ClassMatching, MeanMatching


@keras.saving.register_keras_serializable(package="keras_cvaegan")
class FMCGAN(MeanMatching, ClassMatching, GenerativeModel):
    """Mean feature matching conditional GAN (Bao et al. 2017, Section 3.2).

    With x_p = G(z, c), z ~ N(0, I), c the labels of the real images of the batch:

        D minimizes  L_D = −E[log D(x_r)] − E[log(1 − D(x_p))]               (Eq. 1)
        C minimizes  L_C = −E[log P(c | x_r)]                                (Eq. 3)
        G minimizes  λ_GD L_GD + λ_GC L_GC                                   (Eq. 2, 4)
                     + λ_adv L'_GD, where λ_adv is not 0

    simultaneously, from one forward pass: CVAE-GAN without encoder.

    Args:
        generator: {"z", "labels"} → images in [−1, 1].
        discriminator: images → {"logits", "features", …}.
        classifier: images → {"logits", "features", …}.
        mean_matching_weight: λ_GD.
        class_matching_weight: λ_GC.
        adversarial_weight, adversarial_loss, relative_matching: see `CVAEGAN`.
        discriminator_layers: outputs of the discriminator that f_D stands for; maps are pooled
            over space.
        classifier_layers: outputs of the classifier that f_C stands for.
        class_center_decay: decay of the moving averages of Eq. 4, in [0, 1).
        mean_center_decay: decay of a moving average of the means of Eq. 2; 0: minibatch means.
        class_names, seed, average_decay, horizontal_flip, preset: see `GenerativeModel`.

    Raises:
        ValueError: for a negative weight, a feature layer that a network does not give, or a
            wrong decay.

    Example:

    >>> import numpy as np
    >>> model = FMCGAN.from_preset("compact", image_shape=(16, 16, 3), num_classes=3)
    >>> model.compile()
    >>> images = np.zeros((8, 16, 16, 3), "uint8")
    >>> history = model.fit(images, np.arange(8) % 3, batch_size=4, verbose=0)
    >>> model.classify(images[:2]).shape
    (2, 3)
    """

    network_names = ("generator", "discriminator", "classifier")
    updates: ClassVar = {name: (name,) for name in network_names}
    measures = (
        "mean_matching",
        "class_matching",
        "adversarial_loss",
        "discriminator_loss",
        "classifier_loss",
    )

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        classifier: keras.Model,
        *,
        mean_matching_weight: float = 1.0,
        class_matching_weight: float = 1.0,
        adversarial_weight: float = 0.0,
        adversarial_loss: str = "logistic",
        relative_matching: bool = False,
        discriminator_layers: Sequence[str] = ("features",),
        classifier_layers: Sequence[str] = ("features",),
        class_center_decay: float = 0.9,
        mean_center_decay: float = 0.0,
        **kwargs: Any,
    ):
        networks = {
            "generator": generator,
            "discriminator": discriminator,
            "classifier": classifier,
        }
        super().__init__(networks, **kwargs)
        self.mean_matching_weight = check_weight("mean_matching_weight", mean_matching_weight)
        self.class_matching_weight = check_weight("class_matching_weight", class_matching_weight)
        self.adversarial_weight = check_weight("adversarial_weight", adversarial_weight)
        self.adversarial_loss = check_choice(
            "adversarial_loss", adversarial_loss, ADVERSARIAL_LOSSES
        )
        self.relative_matching = check_switch("relative_matching", relative_matching)
        self.prepare_mean_matching(discriminator_layers, mean_center_decay)
        self.prepare_class_matching(classifier_layers, class_center_decay)

    def compute_objectives(
        self, images: Any, labels: Any, training: bool
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        classes = self.one_hot(labels)
        z = self.prior_latents(ops.shape(images)[0])
        generated = self.generator({"z": z, "labels": classes}, training=training)
        views = [self.view(x, classes, training) for x in (images, generated)]
        real_d, generated_d = (self.recognize(self.discriminator, view, training) for view in views)
        real_c, generated_c = (self.recognize(self.classifier, view, training) for view in views)
        discriminator_loss, adversarial_loss = adversarial_losses(
            self.adversarial_loss, real_d["logits"], generated_d["logits"]
        )
        measures = {
            "mean_matching": self.mean_matching(real_d, generated_d, training),
            "class_matching": self.class_matching(real_c, generated_c, labels, training),
            "adversarial_loss": adversarial_loss,
            "discriminator_loss": discriminator_loss,
            "classifier_loss": losses.classification_loss(labels, real_c["logits"]),
        }
        objectives = {
            "generator": (
                self.mean_matching_weight * measures["mean_matching"]
                + self.class_matching_weight * measures["class_matching"]
                + self.adversarial_weight * measures["adversarial_loss"]
            ),
            "discriminator": measures["discriminator_loss"],
            "classifier": measures["classifier_loss"],
        }
        return objectives, measures

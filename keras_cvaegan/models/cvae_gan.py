"""CVAE-GAN: a conditional variational auto-encoder trained with asymmetric losses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import keras
from keras import ops

from keras_cvaegan import losses
from keras_cvaegan.layers import ClassCenters, GaussianSampling
from keras_cvaegan.layers.class_centers import same_class_weights
from keras_cvaegan.models.generative_model import GenerativeModel, check_weight
from keras_cvaegan.precision import full_precision

POSTERIOR_STREAM, PRIOR_STREAM = 0, 1


@keras.saving.register_keras_serializable(package="keras_cvaegan")
class CVAEGAN(GenerativeModel):
    """CVAE-GAN (Bao et al., "CVAE-GAN: Fine-Grained Image Generation through Asymmetric Training",
    ICCV 2017).

    With x_f = G(z, c) for z ~ E(x_r, c), and x_p = G(z_p, c) for z_p ~ N(0, I) (Algorithm 1):

        E and G minimize  λ_KL L_KL + λ_G L_G + λ_GD L_GD + λ_GC L_GC     (Eq. 2, 4, 5, 6, 7)
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
        pixel_weight: of ½‖x_r − x_f‖² within L_G.
        discriminator_feature_weight: of ½‖f_D(x_r) − f_D(x_f)‖² within L_G.
        classifier_feature_weight: of ½‖f_C(x_r) − f_C(x_f)‖² within L_G.
        mean_matching_weight: λ_GD.
        class_matching_weight: λ_GC.
        discriminator_layers: outputs of the discriminator that f_D stands for; maps are pooled
            over space where their means are matched (Eq. 2, 4).
        classifier_layers: outputs of the classifier that f_C stands for.
        class_center_decay: decay of the moving averages of Eq. 4, in [0, 1).
        mean_center_decay: decay of a moving average of the means of Eq. 2; 0: minibatch means.
        class_names, seed, average_decay, horizontal_flip, preset: see `GenerativeModel`.

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
        self.discriminator_layers = _check_layers(discriminator, discriminator_layers)
        self.classifier_layers = _check_layers(classifier, classifier_layers)
        self.class_center_decay = class_center_decay
        self.mean_center_decay = mean_center_decay
        self.sampling = GaussianSampling(seed=self.seed, stream=POSTERIOR_STREAM)
        self.sampling.build((None, self.latent_dim))
        self.real_means = _centers(discriminator, discriminator_layers, 1, mean_center_decay)
        self.generated_means = _centers(discriminator, discriminator_layers, 1, mean_center_decay)
        self.real_centers = _centers(
            classifier, classifier_layers, self.num_classes, class_center_decay
        )
        self.generated_centers = _centers(
            classifier, classifier_layers, self.num_classes, class_center_decay
        )
        self.built = True

    def compute_objectives(
        self, images: Any, labels: Any, training: bool
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        classes = self.one_hot(labels)

        encoded = self.encoder({"images": images, "labels": classes}, training=training)
        z_mean, z_log_var = encoded["z_mean"], self.sampling.clip(encoded["z_log_var"])
        count = ops.shape(images)[0]
        z = self.sampling((z_mean, z_log_var), step=self.step, rows=self.global_rows(count))
        prior_z = self.noise(count, PRIOR_STREAM)
        reconstructed = self.generator({"z": z, "labels": classes}, training=training)
        generated = self.generator({"z": prior_z, "labels": classes}, training=training)

        real_d = self.discriminator(images, training=training)
        reconstructed_d = self.discriminator(reconstructed, training=training)
        generated_d = self.discriminator(generated, training=training)
        real_c = self.classifier(images, training=training)
        reconstructed_c = self.classifier(reconstructed, training=training)
        generated_c = self.classifier(generated, training=training)

        measures = {
            "kl_divergence": losses.kl_divergence(z_mean, z_log_var),
            "pixel_matching": losses.pairwise_matching(images, reconstructed),
            "discriminator_feature_matching": sum(
                losses.pairwise_matching(real_d[layer], reconstructed_d[layer])
                for layer in self.discriminator_layers
            ),
            "classifier_feature_matching": sum(
                losses.pairwise_matching(real_c[layer], reconstructed_c[layer])
                for layer in self.classifier_layers
            ),
            "mean_matching": self._mean_matching(real_d, generated_d, labels, training),
            "class_matching": self._class_matching(real_c, generated_c, labels, training),
            "discriminator_loss": losses.discriminator_loss(
                real_d["logits"], reconstructed_d["logits"], generated_d["logits"]
            ),
            "classifier_loss": losses.classification_loss(labels, real_c["logits"]),
        }
        matching = (
            self.pixel_weight * measures["pixel_matching"]
            + self.discriminator_feature_weight * measures["discriminator_feature_matching"]
            + self.classifier_feature_weight * measures["classifier_feature_matching"]
        )
        objectives = {
            "encoder_and_generator": (
                self.kl_weight * measures["kl_divergence"]
                + self.matching_weight * matching
                + self.mean_matching_weight * measures["mean_matching"]
                + self.class_matching_weight * measures["class_matching"]
            ),
            "discriminator": measures["discriminator_loss"],
            "classifier": measures["classifier_loss"],
        }
        return objectives, measures

    def _mean_matching(self, real: Any, generated: Any, labels: Any, training: bool) -> Any:
        """Eq. 2 over the layers of f_D, with means of the minibatch or moving ones."""
        one_class = self.all_replicas(ops.zeros_like(labels))
        loss = 0.0
        for layer, real_means, generated_means in zip(
            self.discriminator_layers, self.real_means, self.generated_means, strict=True
        ):
            loss = loss + losses.mean_feature_matching(
                real_means(self._pooled(real[layer]), one_class, training=training),
                generated_means(self._pooled(generated[layer]), one_class, training=training),
            )
        return loss

    def _class_matching(self, real: Any, generated: Any, labels: Any, training: bool) -> Any:
        """Eq. 4 over the layers of f_C."""
        labels = self.all_replicas(labels)
        weights = same_class_weights(labels)
        loss = 0.0
        for layer, real_centers, generated_centers in zip(
            self.classifier_layers, self.real_centers, self.generated_centers, strict=True
        ):
            loss = loss + losses.class_mean_feature_matching(
                real_centers(self._pooled(real[layer]), labels, training=training),
                generated_centers(self._pooled(generated[layer]), labels, training=training),
                weights,
            )
        return loss

    def _pooled(self, features: Any) -> Any:
        """Features of the whole batch whose mean is matched: maps are averaged over space.

        The factor keeps the squared distance of two maps that differ by the same vector everywhere.
        """
        features = full_precision(features)
        if len(features.shape) > 2:
            _, height, width, _ = features.shape
            features = (height * width) ** 0.5 * ops.mean(features, axis=(1, 2))
        return self.all_replicas(features)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "kl_weight": self.kl_weight,
            "matching_weight": self.matching_weight,
            "pixel_weight": self.pixel_weight,
            "discriminator_feature_weight": self.discriminator_feature_weight,
            "classifier_feature_weight": self.classifier_feature_weight,
            "mean_matching_weight": self.mean_matching_weight,
            "class_matching_weight": self.class_matching_weight,
            "discriminator_layers": list(self.discriminator_layers),
            "classifier_layers": list(self.classifier_layers),
            "class_center_decay": self.class_center_decay,
            "mean_center_decay": self.mean_center_decay,
        }


def _check_layers(network: keras.Model, layers: Sequence[str]) -> tuple[str, ...]:
    allowed = [name for name in network.output if name != "logits"]
    unknown = [name for name in layers if name not in allowed]
    if unknown or not layers:
        raise ValueError(
            f"The feature layers of the {network.name} must be some of {', '.join(allowed)}. "
            f"Received: {', '.join(layers) or 'none'}."
        )
    return tuple(layers)


def _centers(
    network: keras.Model, layers: Sequence[str], num_classes: int, decay: float
) -> list[ClassCenters]:
    """A built `ClassCenters` for each feature layer of a network."""
    result = []
    for layer in layers:
        centers = ClassCenters(num_classes, decay)
        centers.build((None, network.output[layer].shape[-1]))
        result.append(centers)
    return result

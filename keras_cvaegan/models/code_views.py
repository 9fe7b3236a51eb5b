"""A model of two codes as others see it: networks of one z that is N(0, I), and of labels."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_cvaegan.layers import GaussianMixtureHead

# Of a code without noise: its log-variance, as small as the sampling of posteriors takes it.
LOG_VARIANCE_OF_EXACT_CODES = -10.0


class CodeGenerator(keras.Model):
    """{"z": (n, d_s + d_u), "labels": (n, num_classes)} → images.

    The first d_s numbers of z become z_s = μ_c + σ_c ⊙ z, the others are z_u.

    Args:
        head: the Gaussians of the classes.
        generator: [z_s, z_u] → images.
    """

    def __init__(self, head: GaussianMixtureHead, generator: keras.Model):
        super().__init__(name="code_generator")
        self.head, self.generator = head, generator
        self.built = True

    def call(self, inputs: dict[str, Any], training: bool = False) -> Any:
        relevant_dim = self.head.means.shape[-1]
        z = ops.convert_to_tensor(inputs["z"])
        z_s = self.head.place(z[:, :relevant_dim], inputs["labels"])
        return self.generator(
            ops.concatenate([z_s, z[:, relevant_dim:]], axis=-1), training=training
        )


class CodeEncoder(keras.Model):
    """{"images", "labels": (n, num_classes)} → {"z_mean", "z_log_var"}, each (n, d_s + d_u).

    What `CodeGenerator` takes, under the same labels, for the codes of the images.

    Args:
        head: the Gaussians of the classes.
        relevant_encoder: images → {"z_mean"}, z_s.
        irrelevant_encoder: images → {"z_mean", "z_log_var"} of z_u.
    """

    def __init__(
        self,
        head: GaussianMixtureHead,
        relevant_encoder: keras.Model,
        irrelevant_encoder: keras.Model,
    ):
        super().__init__(name="code_encoder")
        self.head = head
        self.relevant_encoder, self.irrelevant_encoder = relevant_encoder, irrelevant_encoder
        self.built = True

    def call(self, inputs: dict[str, Any], training: bool = False) -> dict[str, Any]:
        images, labels = inputs["images"], inputs["labels"]
        z_s = self.relevant_encoder(images, training=training)["z_mean"]
        irrelevant = self.irrelevant_encoder(images, training=training)
        exact = ops.full_like(z_s, LOG_VARIANCE_OF_EXACT_CODES)
        return {
            "z_mean": ops.concatenate(
                [self.head.whiten(z_s, labels), irrelevant["z_mean"]], axis=-1
            ),
            "z_log_var": ops.concatenate([exact, irrelevant["z_log_var"]], axis=-1),
        }


class CodeClassifier(keras.Model):
    """Images → {"logits": (n, num_classes)}, of the posterior of the mixture.

    Args:
        relevant_encoder: images → {"z_mean"}, z_s.
        mixture: z_s → log-likelihoods of the classes.
    """

    def __init__(self, relevant_encoder: keras.Model, mixture: keras.Model):
        super().__init__(name="code_classifier")
        self.relevant_encoder, self.mixture = relevant_encoder, mixture
        self.built = True

    def call(self, images: Any, training: bool = False) -> dict[str, Any]:
        z_s = self.relevant_encoder(images, training=training)["z_mean"]
        return {"logits": self.mixture(z_s)}

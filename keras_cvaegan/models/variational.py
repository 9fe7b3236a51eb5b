"""What models with an encoder share: the posterior, sampled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from keras import ops

from keras_cvaegan.layers import GaussianSampling
from keras_cvaegan.models.generative_model import POSTERIOR_STREAM
from keras_cvaegan.training.model_part import ModelPart


class Posterior(NamedTuple):
    """Mean and log-variance of z given images and labels, and a sample of z."""

    z_mean: Any
    z_log_var: Any
    z: Any


class Variational(ModelPart):
    """The sampled posterior of a `GenerativeModel` with an encoder."""

    joint_generation: bool = False

    def prepare_posterior(self, latent_dim: int | None = None) -> None:
        """Makes the sampling layer; for the constructor.

        Args:
            latent_dim: dimensions of what is sampled; those of z by default.
        """
        self.sampling = GaussianSampling(seed=self.seed, stream=POSTERIOR_STREAM)
        self.sampling.build((None, latent_dim or self.latent_dim))

    def posterior(self, images: Any, classes: Any, training: bool) -> Posterior:
        """Encodes images and samples z with the noise of the current step.

        Args:
            images: (n, …).
            classes: class weights (n, num_classes).
            training: whether batch statistics are used and moved.
        """
        return self.sampled(self.encoder({"images": images, "labels": classes}, training=training))

    def decoded(self, z: Any, prior_z: Any, classes: Any, training: bool) -> tuple[Any, Any]:
        """x_f = G(z, c) and x_p = G(z_p, c), each (n, …).

        With `joint_generation` as one batch of G's normalizations, else as two.

        Args:
            z: latents of images (n, latent_dim).
            prior_z: latents of the prior, as many.
            classes: class weights (n, num_classes) of both.
            training: whether batch statistics are used and moved.
        """
        if not self.joint_generation:
            return tuple(
                self.generator({"z": each, "labels": classes}, training=training)
                for each in (z, prior_z)
            )
        both = {
            "z": ops.concatenate([z, prior_z], axis=0),
            "labels": ops.concatenate([classes, classes], axis=0),
        }
        return tuple(ops.split(self.generator(both, training=training), 2, axis=0))

    def sampled(self, encoded: Mapping[str, Any]) -> Posterior:
        """Samples z from an encoder's outputs with the noise of the current step."""
        z_mean, z_log_var = encoded["z_mean"], self.sampling.clip(encoded["z_log_var"])
        rows = self.global_rows(ops.shape(z_mean)[0])
        z = self.sampling((z_mean, z_log_var), step=self.step, rows=rows)
        return Posterior(z_mean, z_log_var, z)

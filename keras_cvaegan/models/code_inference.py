"""What a model of two codes does once it is trained: its codes, and pictures of codes."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from keras_cvaegan.layers import GaussianMixtureHead
from keras_cvaegan.models.code_views import CodeClassifier, CodeEncoder, CodeGenerator
from keras_cvaegan.models.inference import Inference


class Codes(NamedTuple):
    """The two parts of a code: z_s, (n, d_s), and z_u, (n, d_u)."""

    relevant: Any
    irrelevant: Any


class CodeInference(Inference):
    """`Inference` of a model whose code has a label-relevant and a -irrelevant part.

    Attributes:
        relevant_encoder: network of images to {"z_mean"}, z_s.
        irrelevant_encoder: network of images to {"z_mean", "z_log_var"}, of z_u.
        mixture: network of z_s to log-likelihoods of the classes.
        relevant_dim: d_s, dimensions of z_s.
        irrelevant_dim: d_u, dimensions of z_u.
    """

    relevant_encoder: keras.Model
    irrelevant_encoder: keras.Model
    mixture: keras.Model
    relevant_dim: int
    irrelevant_dim: int

    def prepare_views(self) -> None:
        """Makes the networks of one z, N(0, I); for the constructor."""
        # Not an attribute that Keras would take for a network of its own.
        self._views = SimpleNamespace(
            generator=CodeGenerator(self.head, super().sampler),
            encoder=CodeEncoder(self.head, self.relevant_encoder, self.irrelevant_encoder),
            classifier=CodeClassifier(self.relevant_encoder, self.mixture),
        )

    @property
    def head(self) -> GaussianMixtureHead:
        """The Gaussians of the classes."""
        return self.mixture.layers[-1]

    @property
    def sampler(self) -> keras.Model:
        return self._views.generator

    @classmethod
    def inference_names(cls) -> tuple[str, ...]:
        return ("generator", "encoder", "classifier")

    @property
    def inference_networks(self) -> dict[str, keras.Model]:
        return vars(self._views)

    def codes(self, images: np.ndarray) -> Codes:
        """The codes of images: z_s, and the mean of z_u.

        Args:
            images: (n, height, width, channels), uint8 or float in [−1, 1].

        Returns:
            float32 arrays (n, d_s) and (n, d_u).
        """
        images = self._floats(images)
        return Codes(
            self._in_batches(self.relevant_encoder, images)["z_mean"],
            self._in_batches(self.irrelevant_encoder, images)["z_mean"],
        )

    def decode_codes(self, z_s: np.ndarray, z_u: np.ndarray) -> np.ndarray:
        """Images of codes: float32 in [−1, 1].

        Args:
            z_s: (n, d_s).
            z_u: (n, d_u).

        Raises:
            ValueError: for codes of other shapes.
        """
        z_s, z_u = np.asarray(z_s, np.float32), np.asarray(z_u, np.float32)
        shapes = [(len(z_s), self.relevant_dim), (len(z_s), self.irrelevant_dim)]
        if [z_s.shape, z_u.shape] != shapes:
            raise ValueError(
                f"z_s must have the shape (n, {self.relevant_dim}), z_u (n, "
                f"{self.irrelevant_dim}). Received: {z_s.shape} and {z_u.shape}."
            )
        return self._in_batches(super().sampler, np.concatenate([z_s, z_u], axis=1))

    def generate(
        self,
        labels: Sequence[int] | np.ndarray,
        seed: int | Sequence[int] = 0,
        *,
        z_s: np.ndarray | None = None,
        z_u: np.ndarray | None = None,
    ) -> np.ndarray:
        """Draws images of the given classes, where a part of the code may be given.

        Args:
            labels: n integers in [0, num_classes), or class weights of shape (n, num_classes);
                without effect where z_s is given.
            seed: one integer, or n of them: an image depends on its own seed and label alone.
            z_s: (n, d_s), in the place of a draw from the class's Gaussian.
            z_u: (n, d_u), in the place of a draw from N(0, I).

        Returns:
            uint8 array (n, height, width, channels); points, (n, d), are floats.
        """
        if z_s is None and z_u is None:
            return super().generate(labels, seed)
        weights = self.class_weights(labels)
        noise = self.sample_latents(len(weights), seed)
        if z_s is None:
            z_s = ops.convert_to_numpy(self.head.place(noise[:, : self.relevant_dim], weights))
        if z_u is None:
            z_u = noise[:, self.relevant_dim :]
        return self._to_pixels(self.decode_codes(z_s, z_u))

    def reconstruct(
        self, images: np.ndarray, labels: Sequence[int] | np.ndarray | None = None
    ) -> np.ndarray:
        """Images decoded from the mean of their encoding, which needs no label.

        Args:
            images: (n, height, width, channels), uint8 or float in [−1, 1].
            labels: labels, without effect; other models need them.

        Returns:
            float32 array (n, height, width, channels) in [−1, 1].
        """
        return self.decode_codes(*self.codes(images))

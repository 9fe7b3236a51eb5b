"""What a model does once it is trained: sampling, encoding, decoding, classifying arrays."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import keras
import numpy as np
from keras import ops

from keras_cvaegan import pictures
from keras_cvaegan.ops import random
from keras_cvaegan.training.model_part import ModelPart

GENERATE_STREAM = 1000


class Inference(ModelPart):
    """The methods of a `GenerativeModel` on arrays.

    They rely on its networks and on `latent_dim`, `num_classes` and `image_shape`. The first call
    of each compiles its network, which takes about a second.

    Attributes:
        finds_codes: whether `encode` does without an encoder: see
            `applications.encode_by_optimisation`.
    """

    finds_codes: ClassVar[bool] = False
    conditional: ClassVar[bool]
    network_names: ClassVar[tuple[str, ...]]
    latent_dim: int
    num_classes: int
    image_shape: tuple[int, ...]

    @property
    def sampler(self) -> keras.Model:
        """The generator that samples are drawn with: the averaged one where there is one."""
        return self.generator if self.average_generator is None else self.average_generator

    def sample_latents(self, count: int, seed: int | Sequence[int] = 0) -> np.ndarray:
        """Draws latents from the prior N(0, I).

        Args:
            count: number of latents.
            seed: one seed for all, or one for each; a latent depends on its own seed alone.

        Returns:
            float32 array (count, latent_dim).
        """
        seeds = np.asarray(seed).astype(np.uint32)
        if seeds.ndim:
            if seeds.shape != (count,):
                raise ValueError(
                    f"seed must be one integer, or {count} of them. Received: {seeds.shape}."
                )
            rows = np.zeros(count, np.uint32)
        else:
            rows, seeds = np.arange(count, dtype=np.uint32), np.full(count, seeds)
        return ops.convert_to_numpy(
            self._draw_latents(ops.convert_to_tensor(rows), ops.convert_to_tensor(seeds))
        )

    @functools.cached_property
    def _draw_latents(self) -> Callable[[Any, Any], Any]:
        return self.compiled_function(
            lambda rows, seeds: random.normal(
                rows, self.latent_dim, seed=seeds, stream=GENERATE_STREAM
            )
        )

    def generate(
        self, labels: Sequence[int] | np.ndarray, seed: int | Sequence[int] = 0
    ) -> np.ndarray:
        """Draws images of the given classes.

        Args:
            labels: n integers in [0, num_classes), or class weights of shape (n, num_classes);
                of an unconditional model n zeros.
            seed: one integer, or n of them: an image depends on its own seed and label alone.

        Returns:
            uint8 array (n, height, width, channels); points, (n, d), are floats.

        Raises:
            ValueError: for a label out of range or of the wrong shape.
        """
        weights = self.class_weights(labels)
        return self._to_pixels(self.decode(self.sample_latents(len(weights), seed), weights))

    def _to_pixels(self, images: np.ndarray) -> np.ndarray:
        return images if self._are_points else pictures.to_uint8(images)

    def decode(self, z: np.ndarray, labels: Sequence[int] | np.ndarray) -> np.ndarray:
        """Images of latents under labels.

        Args:
            z: (n, latent_dim).
            labels: n integers, or class weights (n, num_classes).

        Returns:
            float32 array (n, height, width, channels) in [−1, 1]; of points (n, d).
        """
        weights = self.class_weights(labels)
        z = np.asarray(z, np.float32)
        if z.shape != (len(weights), self.latent_dim):
            raise ValueError(
                f"z must have the shape ({len(weights)}, {self.latent_dim}): one latent a label. "
                f"Received: {z.shape}."
            )
        return self._in_batches(self.sampler, {"z": z, "labels": weights})

    def encode(
        self, images: np.ndarray, labels: Sequence[int] | np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The encoder's distribution of z for images under labels.

        Args:
            images: (n, height, width, channels), uint8 or float in [−1, 1].
            labels: n integers, or class weights (n, num_classes).

        Returns:
            z_mean and z_log_var, float32 arrays (n, latent_dim).

        Raises:
            ValueError: for a model without an encoder, or inputs of the wrong shape.
        """
        encoder = self._need("encoder")
        images, weights = self._floats(images), self.class_weights(labels)
        if len(images) != len(weights):
            raise ValueError(
                f"One label an image is needed. Received: {len(images)} images, "
                f"{len(weights)} labels."
            )
        outputs = self._in_batches(encoder, {"images": images, "labels": weights})
        return outputs["z_mean"], outputs["z_log_var"]

    def reconstruct(self, images: np.ndarray, labels: Sequence[int] | np.ndarray) -> np.ndarray:
        """Images decoded from the mean of their encoding: float32 in [−1, 1]."""
        z_mean, _ = self.encode(images, labels)
        return self.decode(z_mean, labels)

    def classify(self, images: np.ndarray) -> np.ndarray:
        """The classifier's probabilities.

        Args:
            images: (n, height, width, channels), uint8 or float in [−1, 1].

        Returns:
            float32 array (n, num_classes); rows sum to 1.
        """
        outputs = self._in_batches(self._need("classifier"), self._floats(images))
        return ops.convert_to_numpy(ops.softmax(outputs["logits"]))

    def class_weights(self, labels: Sequence[int] | np.ndarray) -> np.ndarray:
        """Checks labels and returns them as class weights.

        Args:
            labels: n integers in [0, num_classes), or floats of shape (n, num_classes).

        Returns:
            float32 array (n, num_classes).

        Raises:
            ValueError: for anything else.
        """
        labels = np.asarray(labels)
        if labels.ndim == 2 and labels.shape[1] == self.num_classes and labels.dtype.kind in "iuf":
            if not np.isfinite(labels).all():
                raise ValueError("Class weights must be finite. Received: NaN or infinity.")
            return labels.astype(np.float32)
        if labels.size == 0 and labels.ndim == 1:
            return np.zeros((0, self.num_classes), np.float32)
        if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
            raise ValueError(
                "labels must be integers of shape (n,), or class weights of shape "
                f"(n, {self.num_classes}). Received: {labels.dtype} of shape {labels.shape}."
            )
        wrong = labels[(labels < 0) | (labels >= self.num_classes)]
        if wrong.size and not self.conditional:
            raise ValueError(
                f"{type(self).__name__} is unconditional: labels must be 0. Received: {wrong[0]}."
            )
        if wrong.size:
            raise ValueError(
                f"labels must be from 0 to {self.num_classes - 1}. Received: {wrong[0]}."
            )
        return np.eye(self.num_classes, dtype=np.float32)[labels]

    @property
    def _are_points(self) -> bool:
        """Whether "images" are points, whose range is their own."""
        return len(self.image_shape) == 1

    @classmethod
    def inference_names(cls) -> tuple[str, ...]:
        """The names of `inference_networks`."""
        return tuple(n for n in ("generator", "encoder", "classifier") if n in cls.network_names)

    @property
    def inference_networks(self) -> dict[str, keras.Model]:
        """What inference and export use, by name: a "generator", and where there is one, an
        "encoder" and a "classifier", with the inputs and outputs of a `CVAEGAN`'s."""
        found = {name: getattr(self, name) for name in self.inference_names()}
        found["generator"] = self.sampler
        if "classifier" in found:
            found["classifier"] = self.image_classifier
        return found

    @functools.cached_property
    def image_classifier(self) -> keras.Model:
        """The classifier of images: with a trunk, that and the classifier after each other."""
        if self.trunk is None:
            return self.classifier
        features = self.trunk(self.trunk.input, training=False)
        outputs = self.classifier({name: features[name] for name in self.classifier.input})
        return keras.Model(self.trunk.input, outputs, name="classifier")

    def _need(self, name: str) -> keras.Model:
        found = self.inference_networks
        if name not in found:
            raise ValueError(
                f"{type(self).__name__} has no {name}: it has {', '.join(self.network_names)}. "
                "Use a model that has one, such as CVAEGAN."
            )
        return found[name]

    def _floats(self, images: np.ndarray) -> np.ndarray:
        images = np.asarray(images)
        if images.shape[1:] != self.image_shape or not images.ndim:
            raise ValueError(
                f"images must have the shape (n, {', '.join(map(str, self.image_shape))}). "
                f"Received: {images.shape}."
            )
        if self._are_points:
            return images.astype(np.float32)
        if images.dtype == np.uint8:
            return pictures.from_uint8(images)
        if not np.issubdtype(images.dtype, np.floating):
            raise ValueError(
                f"images must be uint8, or floats in [-1, 1]. Received: {images.dtype}."
            )
        if images.size and not (images.min() >= -1.001 and images.max() <= 1.001):
            raise ValueError(
                "Float images must lie in [-1, 1]. Received values from "
                f"{images.min():.3g} to {images.max():.3g}."
            )
        return images.astype(np.float32)

    @functools.cached_property
    def _compiled_networks(self) -> dict[int, Callable[[Any], Any]]:
        return {}

    def _in_batches(self, network: keras.Model, inputs: Any, batch_size: int = 128) -> Any:
        """Runs a network in inference mode and returns its outputs as arrays."""
        count = len(keras.tree.flatten(inputs)[0])
        if count == 0:  # Convolutions of an empty batch fail on some devices.
            one = keras.tree.map_structure(lambda x: np.zeros((1, *x.shape[1:]), x.dtype), inputs)
            return keras.tree.map_structure(lambda x: x[:0], self._in_batches(network, one))
        run = self._compiled_networks.get(id(network))
        if run is None:
            run = self._compiled_networks[id(network)] = self.compiled_network(network)
        outputs = []
        for start in range(0, count, batch_size):
            part = keras.tree.map_structure(
                lambda x, start=start: ops.convert_to_tensor(x[start : start + batch_size]), inputs
            )
            outputs.append(keras.tree.map_structure(ops.convert_to_numpy, run(part)))
        return keras.tree.map_structure(lambda *parts: np.concatenate(parts), *outputs)

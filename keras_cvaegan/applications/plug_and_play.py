"""Samples of a class from a generator that need not know classes, by ascent in its latent space."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from keras_cvaegan.models import GenerativeModel
from keras_cvaegan.ops import random
from keras_cvaegan.training.step import Step

WALK_STREAM = 1100


def denoising_prior(
    latents: np.ndarray,
    *,
    noise: float = 0.5,
    hidden_units: int = 256,
    steps: int = 1000,
    batch_size: int = 128,
    seed: int = 0,
) -> keras.Model:
    """Learns where latents are likely: a denoising auto-encoder R(z).

    R minimizes E ‖R(z + η) − z‖² with η ~ N(0, noise²), whose optimum says in which direction
    latents become more likely: R(z) − z = noise² ∂ log p(z) / ∂z for small noise (Alain & Bengio
    2014; Nguyen et al. 2017, Eq. 7).

    Args:
        latents: (n, d) examples: an encoder's means of images, or draws from the prior where there
            is no encoder.
        noise: standard deviation of η, above 0.
        hidden_units: units of the two hidden layers.
        steps: training steps.
        batch_size: latents a step.
        seed: seed of weights and noise.

    Returns:
        A model of z (n, d) to R(z) (n, d).

    Raises:
        ValueError: for latents of another shape, or noise that is not above 0.

    Example:

    >>> latents = np.random.default_rng(0).standard_normal((64, 3))
    >>> denoising_prior(latents, steps=2).output.shape
    (None, 3)
    """
    latents = np.asarray(latents, np.float32)
    if latents.ndim != 2 or not len(latents):
        raise ValueError(f"latents must have the shape (n, d), n ≥ 1. Received: {latents.shape}.")
    if not noise > 0:
        raise ValueError(f"noise must be above 0. Received: {noise}")
    dimensions = latents.shape[1]
    initializers = (keras.initializers.HeNormal(seed + index) for index in range(3))
    z = keras.Input((dimensions,), name="z")
    x = z
    for _ in range(2):
        x = layers.Dense(hidden_units, "relu", kernel_initializer=next(initializers))(x)
    x = layers.Dense(dimensions, kernel_initializer=next(initializers))(x)
    prior = keras.Model(z, layers.Add()([z, x]), name="denoising_prior")
    rng = np.random.default_rng(seed)
    chosen = rng.integers(len(latents), size=(steps, batch_size))
    rate = keras.optimizers.schedules.CosineDecay(2e-3, steps)
    prior.compile(keras.optimizers.Adam(rate), "mse")
    for step in range(0, steps, 100):
        rows = latents[chosen[step : step + 100].ravel()]
        noisy = rows + np.float32(noise) * rng.standard_normal(rows.shape, np.float32)
        prior.fit(noisy, rows, batch_size=batch_size, shuffle=False, verbose=0)
    return prior


class PlugAndPlay:
    """Samples of a class by gradient ascent in a generator's latent space (Nguyen et al., "Plug &
    Play Generative Networks", CVPR 2017, Eq. 5).

    z ← z + ε₁ (R(z) − z) + ε₂ ∂ log p(c | G(z)) / ∂z + N(0, ε₃²)

    R, the denoising prior, keeps z where latents are likely; the classifier draws it towards
    class c; noise keeps samples apart: ε₃² = 2 ε₁ leaves N(0, I) as it is, less draws z together.
    An image depends on the seed, its place and its label alone.

    Args:
        generator: a `GenerativeModel`, or a Keras model of z, or of {"z", "labels"}, to images in
            [−1, 1]. If it takes labels and has the classifier's classes, it is given c; if it has
            one class, that.
        classifier: a Keras model of images in [−1, 1] to K logits, or to a dictionary with
            "logits".
        prior: see `denoising_prior`; None for the exact one of N(0, I), R(z) = 0.
        prior_step: ε₁.
        class_step: ε₂.
        noise: ε₃.
        steps: steps of the ascent.

    Raises:
        ValueError: for a generator whose classes are not the classifier's.

    Example:

    >>> z = keras.Input((2,), name="z")
    >>> generator = keras.Model(z, layers.Reshape((1, 1, 2))(z))
    >>> x = keras.Input((1, 1, 2))
    >>> classifier = keras.Model(x, layers.Flatten()(x))
    >>> sampler = PlugAndPlay(generator, classifier, prior_step=0.01, noise=0.0)
    >>> z = sampler.latents([1], seed=0)
    >>> bool(z[0, 1] > z[0, 0])
    True
    """

    def __init__(
        self,
        generator: GenerativeModel | keras.Model,
        classifier: keras.Model,
        prior: keras.Model | None = None,
        *,
        prior_step: float = 0.05,
        class_step: float = 0.2,
        noise: float = 0.01,
        steps: int = 100,
    ) -> None:
        network = generator.sampler if isinstance(generator, GenerativeModel) else generator
        self.prior_step, self.class_step, self.noise = prior_step, class_step, noise
        self.steps = steps
        logits = classifier.output
        self.num_classes = int((logits["logits"] if isinstance(logits, dict) else logits).shape[-1])
        takes = network.input if isinstance(network.input, dict) else {"z": network.input}
        self.latent_dim = int(takes["z"].shape[-1])
        self._condition = int(takes["labels"].shape[-1]) if "labels" in takes else None
        if self._condition not in (None, 1, self.num_classes):
            raise ValueError(
                f"The generator has {self._condition} classes, the classifier {self.num_classes}. "
                "They must be the same, or the generator must have one."
            )
        self._takes_dictionary = isinstance(network.input, dict)
        self._draw = Step.compiled_network(network)
        self._ascend = Step.compiled_gradient(_log_probability(network, classifier), "z")
        self._denoise = None if prior is None else Step.compiled_network(prior)

    def latents(
        self, labels: Sequence[int] | np.ndarray, seed: int = 0, batch_size: int = 128
    ) -> np.ndarray:
        """Draws latents whose images the classifier takes for the given classes.

        Args:
            labels: n integers in [0, K).
            seed: seed of the starts, from N(0, I), and of the noise.
            batch_size: number of rows at a time.

        Returns:
            float32 array (n, latent_dim).

        Raises:
            ValueError: for labels of another type, shape or range.
        """
        labels = np.asarray(labels)
        if labels.size == 0:
            return np.zeros((0, self.latent_dim), np.float32)
        if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
            raise ValueError(
                f"labels must be integers of shape (n,). Received: {labels.dtype} of shape "
                f"{labels.shape}."
            )
        if labels.min() < 0 or labels.max() >= self.num_classes:
            raise ValueError(
                f"labels must be from 0 to {self.num_classes - 1}. Received: {labels.min()} to "
                f"{labels.max()}."
            )
        parts = range(0, len(labels), batch_size)
        return np.concatenate([self._walk(labels, start, batch_size, seed) for start in parts])

    def generate(
        self, labels: Sequence[int] | np.ndarray, seed: int = 0, batch_size: int = 128
    ) -> np.ndarray:
        """Draws images of the given classes: uint8 (n, height, width, channels). See `latents`."""
        z = self.latents(labels, seed, batch_size)
        images = []
        for start in range(0, max(len(z), 1), batch_size):
            rows = slice(start, start + batch_size)
            padded = z[rows] if len(z) else np.zeros((1, self.latent_dim), np.float32)
            drawn = self._draw(self._inputs(padded, np.asarray(labels, int)[rows]))
            images.append(ops.convert_to_numpy(drawn)[: len(z[rows])])
        return np.clip(np.rint((np.concatenate(images) + 1.0) * 127.5), 0, 255).astype(np.uint8)

    def _walk(self, labels: np.ndarray, start: int, batch_size: int, seed: int) -> np.ndarray:
        labels = labels[start : start + batch_size]
        rows = np.arange(start, start + len(labels))
        target = ops.one_hot(labels, self.num_classes)
        z = self._normal(rows, seed, step=0)
        for step in range(1, self.steps + 1):
            _, gradient = self._ascend({**self._inputs(z, labels, always=True), "target": target})
            likely = 0.0 if self._denoise is None else self._denoise(z)
            z = (
                z
                + self.prior_step * (likely - z)
                + self.class_step * gradient
                + self.noise * self._normal(rows, seed, step)
            )
        return ops.convert_to_numpy(z)

    def _inputs(self, z: Any, labels: np.ndarray, always: bool = False) -> Any:
        """What the generator takes, as a dictionary where it does, or `always`."""
        z = ops.convert_to_tensor(z)
        if not (self._takes_dictionary or always):
            return z
        if self._condition is None:
            return {"z": z}
        if self._condition == 1:
            return {"z": z, "labels": ops.ones((len(z), 1))}
        return {"z": z, "labels": ops.one_hot(np.resize(labels, len(z)), self.num_classes)}

    def _normal(self, rows: np.ndarray, seed: int, step: int) -> Any:
        return random.normal(rows, self.latent_dim, seed=seed, step=step, stream=WALK_STREAM)


def _log_probability(generator: keras.Model, classifier: keras.Model) -> keras.Model:
    """A model of {"z", …, "target"} to log p(target | G(z)) of each row."""
    takes = generator.input if isinstance(generator.input, dict) else {"z": generator.input}
    inputs = {name: keras.Input(x.shape[1:], name=name) for name, x in takes.items()}
    images = generator(inputs if isinstance(generator.input, dict) else inputs["z"])
    logits = classifier(images)
    logits = logits["logits"] if isinstance(logits, dict) else logits
    target = keras.Input(logits.shape[1:], name="target")
    value = ops.sum(target * ops.log_softmax(logits), axis=-1)
    return keras.Model({**inputs, "target": target}, value)

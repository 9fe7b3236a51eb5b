"""Codes of pictures for models without an encoder, found by optimisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_cvaegan.applications.inputs import float_pictures
from keras_cvaegan.models import GenerativeModel
from keras_cvaegan.models.arguments import check_count, check_positive, check_weight
from keras_cvaegan.training.step import Step

# Of Adam.
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8
# A code that was found has no distribution: this is of a deviation of 0.001.
LOG_VARIANCE = float(np.log(1e-6))


def find_codes(
    model: GenerativeModel,
    images: np.ndarray,
    labels: Sequence[int] | np.ndarray,
    *,
    steps: int = 200,
    starts: int = 16,
    learning_rate: float = 0.05,
    prior_weight: float = 0.01,
    seed: int = 0,
    batch_size: int = 64,
) -> np.ndarray:
    """Finds the codes whose pictures are nearest to given ones.

    z* = argmin E(z),  E(z) = mean over pixels of (x − G(z, c))² + w ‖z‖² / d

    (Zhu et al., "Generative Visual Manipulation on the Natural Image Manifold", ECCV 2016.) Adam
    descends from the best of several draws z ~ N(0, I), and the best code that it passes is taken.
    A picture's code depends on its place among the images, and on no other picture.

    Args:
        model: any model of pictures.
        images: (n, height, width, channels), uint8 or float in [−1, 1].
        labels: n integers, or class weights (n, num_classes); of an unconditional model n zeros.
        steps: steps of Adam.
        starts: draws to start from, of which the best is taken.
        learning_rate: learning rate of Adam; it falls to 0 by a cosine.
        prior_weight: w, at least 0.
        seed: seed of the draws.
        batch_size: pictures at a time.

    Returns:
        float32 (n, latent_dim).

    Raises:
        ValueError: for images or labels that the model does not take, or arguments out of range.

    Example:

    >>> from keras_cvaegan.models import GAN
    >>> model = GAN.from_preset("compact", image_shape=(16, 16, 3), latent_dim=3)
    >>> images = model.generate([0, 0], seed=4)
    >>> find_codes(model, images, [0, 0], steps=5).shape
    (2, 3)
    """
    check_count("steps", steps)
    check_count("starts", starts)
    check_positive("learning_rate", learning_rate)
    check_weight("prior_weight", prior_weight)
    images, weights = float_pictures(model, images), model.class_weights(labels)
    if len(images) != len(weights):
        raise ValueError(
            f"One label an image is needed. Received: {len(images)} images, {len(weights)} labels."
        )
    energy = Step.compiled_gradient(_energy(model, prior_weight), "z")
    draws = model.sample_latents(starts * len(images), seed).reshape(-1, starts, model.latent_dim)
    parts = [
        _descended(energy, draws[rows], images[rows], weights[rows], steps, learning_rate)
        for rows in (
            slice(start, start + batch_size) for start in range(0, len(images), batch_size)
        )
    ]
    return np.concatenate([np.zeros((0, model.latent_dim), np.float32), *parts])


def encode_by_optimisation(model: GenerativeModel, **arguments: Any) -> GenerativeModel:
    """Returns a model whose `encode` needs no encoder, for all applications that need one.

    `encode` then is `find_codes`, with a log-variance of a point, and `reconstruct` follows. It is
    slower than an encoder by as much as `steps` forward and backward passes are.

    Args:
        model: a model of pictures. One with an encoder is returned as it is.
        **arguments: arguments of `find_codes`.

    Returns:
        A model that shares the given one's networks, to apply and not to train or save.

    Example:

    >>> from keras_cvaegan.models import CGAN
    >>> model = CGAN.from_preset("compact", image_shape=(16, 16, 3), num_classes=2)
    >>> model = encode_by_optimisation(model, steps=5)
    >>> model.reconstruct(model.generate([0, 1]), [0, 1]).shape
    (2, 16, 16, 3)
    """
    if "encoder" in model.inference_names():
        return model
    kind = type(model)

    def encode(self: GenerativeModel, images: Any, labels: Any) -> tuple[np.ndarray, np.ndarray]:
        z = find_codes(self, images, labels, **arguments)
        return z, np.full_like(z, LOG_VARIANCE)

    # Of the same name, which programs print.
    finding: Any = type(kind.__name__, (kind,), {"encode": encode, "finds_codes": True})
    found = object.__new__(finding)
    found.__dict__.update(model.__dict__)
    return found


def _energy(model: GenerativeModel, prior_weight: float) -> keras.Model:
    """A model of {"z", "labels", "images"} to E of each row."""
    inputs = {
        "z": keras.Input((model.latent_dim,), name="z"),
        "labels": keras.Input((model.num_classes,), name="labels"),
        "images": keras.Input(model.image_shape, name="images"),
    }
    images = model.sampler({name: inputs[name] for name in ("z", "labels")})
    error = ops.mean(ops.square(images - inputs["images"]), axis=(1, 2, 3))
    prior = ops.mean(ops.square(inputs["z"]), axis=1)
    return keras.Model(inputs, error + prior_weight * prior)


def _descended(
    energy: Any,
    draws: np.ndarray,
    images: np.ndarray,
    weights: np.ndarray,
    steps: int,
    learning_rate: float,
) -> np.ndarray:
    """The best codes on the way down from the best of the draws (n, starts, d)."""

    def at(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        inputs = {"z": z.astype(np.float32), "labels": weights, "images": images}
        tensors = {name: ops.convert_to_tensor(value) for name, value in inputs.items()}
        values, gradient = energy(tensors)
        return _doubles(values), _doubles(gradient)

    best, least = np.zeros_like(draws[:, 0]), np.full(len(draws), np.inf)

    def keep(z: np.ndarray, values: np.ndarray) -> None:
        better = values < least
        best[better], least[better] = z[better], values[better]

    for start in range(draws.shape[1]):
        keep(draws[:, start], at(draws[:, start])[0])
    z = best.astype(np.float64)
    mean, square = np.zeros_like(z), np.zeros_like(z)
    for step in range(1, steps + 1):
        values, gradient = at(z)
        keep(z, values)
        mean = BETA_1 * mean + (1 - BETA_1) * gradient
        square = BETA_2 * square + (1 - BETA_2) * gradient**2
        rate = learning_rate * 0.5 * (1 + np.cos(np.pi * (step - 1) / steps))
        corrected = mean / (1 - BETA_1**step), square / (1 - BETA_2**step)
        z = z - rate * corrected[0] / (np.sqrt(corrected[1]) + EPSILON)
    keep(z, at(z)[0])
    return best


def _doubles(x: Any) -> np.ndarray:
    return ops.convert_to_numpy(x).astype(np.float64)

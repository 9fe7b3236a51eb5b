"""The directions of the latent space along which pictures change most."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from keras_cvaegan.ops import random

DIRECTIONS_STREAM = 1200


@dataclasses.dataclass(frozen=True, eq=False)
class PrincipalDirections:
    """Orthogonal directions of the latent, the one that changes pictures most first.

    Args:
        vectors: float32 (k, latent_dim), of length 1 and at right angles to each other.
        shares: float32 (k,): of all the change that is explained (by the regression; by SeFa's
            layer), the share of each; those of all latent_dim directions add up to 1.
    """

    vectors: np.ndarray
    shares: np.ndarray


def principal_directions(
    decode: Callable[[np.ndarray, np.ndarray], np.ndarray],
    latent_dim: int,
    labels: Sequence[int] | np.ndarray,
    *,
    count: int | None = None,
    pairs: int = 512,
    batch_size: int = 128,
    seed: int = 0,
) -> PrincipalDirections:
    """Finds the directions of the latent along which pictures change most, by `decode` alone.

    They are the right singular vectors v of the linear regression of pictures on z:

    x(z, c) ≈ b(c) + W z,  W = argmin E ‖x(z, c) − b(c) − W z‖²,  W = Σ s u vᵀ

    Of z ~ N(0, I), W = E[x zᵀ] = E[∂x / ∂z] by Stein's identity: the mean Jacobian, for which
    nothing needs a gradient. Latents come in pairs z and −z with one label, whose difference
    (x(z) − x(−z)) / 2 has neither b nor any even term in it, and is regressed. The shares are
    s² / Σ s².

    A direction's sign is such that its largest entry is positive.

    Args:
        decode: function of z (n, latent_dim) and n labels that returns n pictures, of any shape: a
            model's `decode`, or that of a `GenerateClient`.
        latent_dim: dimensions of z.
        labels: labels that `decode` takes, in turn: integers, or class weights (m, num_classes).
        count: number of directions; all by default.
        pairs: number of pairs of latents, at least latent_dim; the error falls as 1 / √pairs.
        batch_size: latents of one call of `decode`.
        seed: seed of the latents.

    Returns:
        `vectors` (count, latent_dim) and `shares` (count,).

    Raises:
        ValueError: for too few pairs, a count above latent_dim, no label, or a `decode` whose
            pictures are not finite or do not depend on z.

    Example:

    >>> directions = principal_directions(lambda z, labels: z * [1, 3, 0], 3, labels=[0])
    >>> print(abs(directions.vectors[0]).round(3), directions.shares.round(2))
    [0. 1. 0.] [0.9 0.1 0. ]
    """
    labels = np.asarray(labels)
    count = latent_dim if count is None else count
    _check(latent_dim, labels, count, pairs, batch_size)
    # The normal equations, in parts: pictures need not all be in memory.
    moments = np.zeros((latent_dim, latent_dim))
    products: Any = 0.0
    for start in range(0, pairs, max(batch_size // 2, 1)):
        rows = np.arange(start, min(start + max(batch_size // 2, 1), pairs))
        z = keras.ops.convert_to_numpy(
            random.normal(rows, latent_dim, seed=seed, stream=DIRECTIONS_STREAM)
        )
        change = _odd_part(decode, z, labels[rows % len(labels)])
        moments += z.T.astype(float) @ z
        products = products + change.T @ z
    regression = np.linalg.solve(moments, products.T).T
    return _decompose(regression, count)


def _check(latent_dim: int, labels: np.ndarray, count: int, pairs: int, batch_size: int) -> None:
    if latent_dim < 1 or batch_size < 1:
        raise ValueError(
            "latent_dim and batch_size must be at least 1. Received: "
            f"latent_dim={latent_dim}, batch_size={batch_size}."
        )
    if labels.ndim not in (1, 2) or not len(labels):
        raise ValueError(
            "labels must be at least one integer, or class weights of the shape (m, num_classes). "
            f"Received: the shape {labels.shape}."
        )
    if not 1 <= count <= latent_dim:
        raise ValueError(
            f"count must be from 1 to latent_dim, which is {latent_dim}. Received: {count}."
        )
    if pairs < latent_dim:
        raise ValueError(
            f"pairs must be at least latent_dim, which is {latent_dim}, or there are fewer "
            f"equations than unknowns. Received: {pairs}."
        )


def _odd_part(
    decode: Callable[[np.ndarray, np.ndarray], np.ndarray], z: np.ndarray, labels: np.ndarray
) -> np.ndarray:
    """(x(z) − x(−z)) / 2 of each row, flat."""
    images = np.asarray(decode(np.concatenate([z, -z]), np.concatenate([labels, labels])), float)
    if images.ndim < 2 or len(images) != 2 * len(z) or not np.isfinite(images).all():
        raise ValueError(
            f"decode must return a picture of finite numbers for each of {2 * len(z)} latents. "
            f"Received: the shape {images.shape}, "
            f"{np.isfinite(images).mean():.0%} of its numbers finite."
        )
    images = images.reshape(len(images), -1)
    return (images[: len(z)] - images[len(z) :]) / 2


def _decompose(regression: np.ndarray, count: int) -> PrincipalDirections:
    # The triangular factor has the singular values and right singular vectors of the whole.
    small = np.linalg.qr(regression, mode="r")
    _, singular_values, vectors = np.linalg.svd(small)
    energy = np.zeros(len(vectors))
    energy[: len(singular_values)] = singular_values**2
    if not energy.sum() > 0:
        raise ValueError("The pictures of decode do not depend on z: there are no directions.")
    largest = vectors[np.arange(len(vectors)), np.abs(vectors).argmax(axis=1)]
    vectors = vectors * np.sign(largest)[:, np.newaxis]
    return PrincipalDirections(
        vectors[:count].astype(np.float32), (energy / energy.sum())[:count].astype(np.float32)
    )

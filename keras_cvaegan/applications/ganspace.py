"""Directions of the latent space along which a layer's features vary most (GANSpace)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import keras
import numpy as np
from sklearn.decomposition import PCA, IncrementalPCA

from keras_cvaegan.models.arguments import check_count
from keras_cvaegan.networks.generator_features import feature_network
from keras_cvaegan.ops import random

GANSPACE_STREAM = 1500
BATCH_SIZE = 128
# Numbers that are held at a time, in float64: 256 MB.
_HELD = 2**25
# A component whose deviation is below this share of the largest is rounding.
_ROUNDING = 1e-5


@dataclasses.dataclass(frozen=True, eq=False)
class GanspaceDirections:
    """Directions of the latent, the one of the most varied component of the features first.

    Unlike `PrincipalDirections`, they have lengths that mean something, and are at right angles
    only for a linear generator.

    Args:
        vectors: float32 (k, latent_dim): u of each component, of one standard deviation of it. Of
            z ~ N(0, I) the squared length is the share of the component's variance that is linear
            in z: near 1 for a layer close to z, less for deep ones.
        shares: float32 (k,): of the variance of the features, the share of each component.
    """

    vectors: np.ndarray
    shares: np.ndarray


def ganspace_directions(
    generator: keras.Model,
    layer: str,
    *,
    count: int | None = None,
    samples: int = 10_000,
    seed: int = 0,
    grid: int = 1,
) -> GanspaceDirections:
    """Finds directions of z that follow the principal components of a layer (Härkönen et al.,
    "GANSpace: Discovering Interpretable GAN Controls", NeurIPS 2020).

    x_j = S⁻¹ Vᵀ (y_j − μ),  U = argmin Σ_j ‖U x_j − z_j‖²  (Section 3.2: of BigGAN)

    y_j are the features of the layer for z_j ~ N(0, I), V their principal components, and S the
    standard deviations along these: a column u_k of U is the change of z that goes with one
    standard deviation of component k. An edit is z + α u_k. The paper takes the activations of a
    generator's first linear layer; here they are any layer's, its maps averaged over a grid.

    Up to 2²⁵ features are held and decomposed by scikit-learn's `PCA`; of more, batches go through
    its `IncrementalPCA`, and the generator runs twice.

    A direction's sign is such that its largest entry is positive.

    Args:
        generator: see `keras_cvaegan.networks.unconditional_network`.
        layer: one of `keras_cvaegan.networks.feature_layers`.
        count: number of directions; by default as many as z and the features allow.
        samples: number of draws of z, more than its dimensions.
        seed: seed of the samples.
        grid: see `keras_cvaegan.networks.feature_network`.

    Returns:
        `vectors` (count, d) and `shares` (count,).

    Raises:
        ValueError: for a generator or layer that `feature_network` does not take, features that
            are not finite, or vary along fewer than `count` directions, or too few samples.

    Example:

    >>> generator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, name="first")])
    >>> generator.set_weights([np.array([[0.0, 1.0, 0.0], [3.0, 0.0, 0.0]]), np.zeros(3)])
    >>> found = ganspace_directions(generator, "first", samples=1000)
    >>> print(abs(found.vectors).round(), found.shares.round(1))
    [[0. 1.]
     [1. 0.]] [0.9 0.1]
    """
    network = feature_network(generator, layer, grid)
    features = keras.Model(network.input, network.output["features"])
    latent_dim, width = int(features.input_shape[1]), int(features.output_shape[1])
    check_count("samples", samples, latent_dim + 2)
    most = min(latent_dim, width)
    wanted = most if count is None else check_count("count", count)
    if wanted > most:
        raise ValueError(
            f"count must be from 1 to {most}: z has {latent_dim} dimensions and the layer {width} "
            f"features. Received: {count}."
        )

    def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        # A component for each of fewer rows than components IncrementalPCA cannot find.
        rows = max(BATCH_SIZE, min(8 * wanted, samples))
        for start in range(0, samples, rows):
            # The last batch is not left with too few either.
            stop = samples if start + 2 * rows > samples else start + rows
            yield _drawn(features, latent_dim, np.arange(start, stop), seed)
            if stop == samples:
                return

    held = samples * width <= _HELD
    # Of features that do not vary scikit-learn divides 0 by 0; they are refused below.
    with np.errstate(invalid="ignore"):
        pca, pairs = (_held if held else _streamed)(batches, wanted)
    return _directions(pca, pairs, count)


Batches = Callable[[], Iterator[tuple[np.ndarray, np.ndarray]]]


def _drawn(
    features: keras.Model, latent_dim: int, rows: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Latents and their features, float64."""
    z = random.normal(rows, latent_dim, seed=seed, stream=GANSPACE_STREAM)
    z = np.asarray(keras.ops.convert_to_numpy(z))
    parts = [
        features.predict_on_batch(z[start : start + BATCH_SIZE])
        for start in range(0, len(z), BATCH_SIZE)
    ]
    found = np.concatenate(parts).astype(np.float64)
    if not np.isfinite(found).all():
        raise ValueError(
            f"The features of {features.name!r} must be finite. Received: "
            f"{np.isfinite(found).mean():.0%} of them finite."
        )
    return z.astype(np.float64), found


def _held(batches: Batches, count: int) -> tuple[PCA, Batches]:
    z, found = (np.concatenate(parts) for parts in zip(*batches(), strict=True))
    return PCA(count, random_state=0).fit(found), lambda: iter([(z, found)])


def _streamed(batches: Batches, count: int) -> tuple[IncrementalPCA, Batches]:
    pca = IncrementalPCA(count)
    for _, found in batches():
        pca.partial_fit(found)
    return pca, batches


def _directions(pca: PCA | IncrementalPCA, pairs: Batches, count: int | None) -> GanspaceDirections:
    deviations = np.sqrt(pca.explained_variance_)
    present = int(np.sum(deviations > _ROUNDING * deviations[0]))
    if not deviations[0] > 0 or (count or 0) > present:
        raise ValueError(
            f"The features vary along {present if deviations[0] > 0 else 0} directions only. "
            f"Received: count={count}. Take fewer, another layer or a finer grid."
        )
    # The normal equations, in parts.
    moments, products = 0.0, 0.0
    for z, found in pairs():
        x = pca.transform(found)[:, :present] / deviations[:present]
        moments, products = moments + x.T @ x, products + x.T @ z
    vectors = np.linalg.solve(moments, products)
    largest = vectors[np.arange(len(vectors)), np.abs(vectors).argmax(axis=1)]
    vectors *= np.sign(largest)[:, np.newaxis]
    return GanspaceDirections(
        vectors.astype(np.float32), pca.explained_variance_ratio_[:present].astype(np.float32)
    )

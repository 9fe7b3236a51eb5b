"""What the clusters of each layer of an unconditional generator are."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence

import keras
import numpy as np
from keras import ops

from keras_cvaegan import pictures
from keras_cvaegan.metrics.attribute_clusters import mutual_information
from keras_cvaegan.metrics.clusters import cluster_means, count_different, find_clusters
from keras_cvaegan.models.arguments import check_count
from keras_cvaegan.networks.generator_features import feature_layers, layers_network
from keras_cvaegan.ops import random

SURVEY_STREAM = 1400
BATCH_SIZE = 128

Read = Callable[[np.ndarray], Mapping[str, np.ndarray]]


@dataclasses.dataclass(frozen=True, eq=False)
class LayerClusters:
    """The clusters of the features of one layer; the largest is the first.

    Args:
        name: name of the layer.
        features: count of the numbers that it gives of a picture.
        sizes: int64 (k,), how many pictures each cluster has.
        silhouette: clearness of the clusters in [−1, 1]: see `Clusters`.
        outliers: bool (k,), which clusters are made of outliers or too small.
        means: uint8 (k, height, width, channels), the mean picture of each cluster; of points
            float32.
        mutual_information: information that the clusters share with each attribute by name, in [0,
            1]; None where no attributes are read.
    """

    name: str
    features: int
    sizes: np.ndarray
    silhouette: float
    outliers: np.ndarray
    means: np.ndarray
    mutual_information: Mapping[str, float] | None = None


def layer_survey(
    generator: keras.Model,
    *,
    n_clusters: int = 2,
    count: int = 5000,
    layers: Sequence[str] | None = None,
    read: Read | None = None,
    grid: int = 1,
    seed: int = 0,
) -> list[LayerClusters]:
    """Clusters the features of every layer of a generator, of the same pictures.

    Pictures are drawn, and their attributes read, once: one pass of the generator gives the
    features of all layers. They stay in memory, 4 bytes a number and picture: 5,000 pictures
    by layers of 3,000 channels in all are 60 MB, and `grid` multiplies that by its square. So do
    the pictures, as uint8.

    Args:
        generator: see `keras_cvaegan.networks.unconditional_network`.
        n_clusters: k of k-means.
        count: pictures to draw, at least k.
        layers: names, some of `keras_cvaegan.networks.feature_layers`; all by default.
        read: function of pictures, uint8 (n, height, width, channels) (points are floats), to
            attributes by name, as `mutual_information` takes them: such as the `read` of an
            `AttributeReader`.
        grid: cells along each side of a map whose means are features; 1 for those of all of it.
        seed: seed of z and of k-means.

    Returns:
        What is found of each layer, in order of computation, or as `layers` has them. Layers whose
        features are too few different ones for k clusters, such as those of a constant, are left
        out unless they are asked for.

    Raises:
        ValueError: for a generator or layers that `feature_network` does not take, fewer pictures
            than clusters, or layers asked for whose features cannot be clustered.

    Example:

    >>> from keras_cvaegan.models import GAN
    >>> from keras_cvaegan.networks import mlp_discriminator, mlp_generator
    >>> gan = GAN(mlp_generator(num_classes=1, latent_dim=4), mlp_discriminator())
    >>> [(each.name, each.features) for each in layer_survey(gan, count=100)][-2:]
    [('block_3', 64), ('images', 2)]
    """
    check_count("n_clusters", n_clusters)
    check_count("count", count, n_clusters)
    names = feature_layers(generator) if layers is None else list(layers)
    if not names:
        raise ValueError("At least one layer is needed. Received: none.")
    network = layers_network(generator, names, grid)
    drawn, features, attributes = _draw(network, count, seed, read)
    return [
        _layer_clusters(name, values, n_clusters, seed, drawn, attributes)
        for name, values in zip(names, features, strict=True)
        if layers is not None or count_different(values, n_clusters) == n_clusters
    ]


def _layer_clusters(
    name: str,
    features: np.ndarray,
    n_clusters: int,
    seed: int,
    drawn: np.ndarray,
    attributes: Mapping[str, np.ndarray] | None,
) -> LayerClusters:
    try:
        clusters = find_clusters(features, n_clusters, seed=seed)
    except ValueError as error:
        raise ValueError(f"The features of layer {name!r} cannot be clustered: {error}") from error
    shares = None if attributes is None else mutual_information(clusters.labels, attributes)
    return LayerClusters(
        name=name,
        features=features.shape[1],
        sizes=clusters.sizes,
        silhouette=clusters.silhouette,
        outliers=clusters.outliers,
        means=cluster_means(_batches(drawn, clusters.labels), n_clusters),
        mutual_information=shares,
    )


def _draw(
    network: keras.Model, count: int, seed: int, read: Read | None
) -> tuple[np.ndarray, list[np.ndarray], dict[str, np.ndarray] | None]:
    """Pictures, the features of each layer, and what is read from the pictures."""
    z = _latents(count, network.input_shape[1], seed)
    image_shape, widths = network.output[0].shape[1:], [x.shape[1] for x in network.output[1]]
    is_points = len(image_shape) == 1
    drawn = np.zeros((count, *image_shape), np.float32 if is_points else np.uint8)
    features = [np.zeros((count, width), np.float32) for width in widths]
    attributes = []
    for start in range(0, count, BATCH_SIZE):
        rows = slice(start, start + BATCH_SIZE)
        images, found = network.predict_on_batch(z[rows])
        drawn[rows] = images if is_points else pictures.to_uint8(images)
        for whole, part in zip(features, found, strict=True):
            whole[rows] = part
        if read is not None:
            attributes.append(read(drawn[rows]))
    if read is None:
        return drawn, features, None
    joined = {name: np.concatenate([each[name] for each in attributes]) for name in attributes[0]}
    return drawn, features, joined


def _latents(count: int, latent_dim: int, seed: int) -> np.ndarray:
    """z ~ N(0, I), float32 (count, latent_dim); each row depends on its number and seed alone."""
    return ops.convert_to_numpy(
        random.normal(np.arange(count), latent_dim, seed=seed, stream=SURVEY_STREAM)
    )


def _batches(images: np.ndarray, labels: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for start in range(0, len(images), BATCH_SIZE):
        rows = slice(start, start + BATCH_SIZE)
        yield images[rows], labels[rows]

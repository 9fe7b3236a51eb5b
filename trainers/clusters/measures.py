"""What is measured of pictures that were asked for by cluster: attributes, coverage, variety."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from keras_cvaegan import metrics
from keras_cvaegan.metrics.attribute_clusters import ClusterReader
from keras_cvaegan.metrics.code_coverage import code_coverage

if TYPE_CHECKING:
    from keras_cvaegan.models import ClusterGuidedGenerator

Values = dict[str, np.ndarray]
"""The values of attributes by name, `(n, k)` each."""
SAMPLES_SEED, SELECTION_SEED, HELD_OUT_SEED, REFERENCE_SEED = (n * 10**6 for n in range(1, 5))
# As many pictures of a cluster are compared with each other.
DIVERSITY_PICTURES = 50


@dataclasses.dataclass(frozen=True)
class Attribute:
    """One attribute, and which cluster its values speak for.

    Args:
        name: name of the attribute.
        read: function of uint8 images to the values of all attributes, by name.
        reader: reader of clusters from its values, fitted.
    """

    name: str
    read: Callable[[np.ndarray], Values]
    reader: ClusterReader

    def accuracy(self, images: np.ndarray, clusters: np.ndarray) -> float:
        """Returns the share of pictures whose attribute is that of the cluster asked for."""
        return self.reader.accuracy(self.read(images)[self.name], clusters)["overall"]


def each_cluster(n_clusters: int, count: int) -> np.ndarray:
    """Returns the clusters of `count` pictures of each, int32 `(n_clusters · count,)`.

    Example:

    >>> each_cluster(2, 3).tolist()
    [0, 0, 0, 1, 1, 1]
    """
    return np.repeat(np.arange(n_clusters, dtype=np.int32), count)


def measure(
    guided: ClusterGuidedGenerator, attribute: Attribute, z: np.ndarray, clusters: np.ndarray
) -> dict[str, float]:
    """Returns what pictures of codes show of the clusters they were asked for.

    Args:
        guided: model whose generator paints them, and whose clusters are asked for.
        attribute: attribute of the clusters.
        z: codes `(n, d)`.
        clusters: cluster that each was asked for, `(n,)`.

    Returns:
        "attribute": the share whose attribute is right; "cluster": whose features are in the
        cluster; "diversity" of the pictures within a cluster, 1 − MS-SSIM.
    """
    images, features = guided.paint(z)
    diversity = metrics.IntraClassDiversity(guided.num_classes, DIVERSITY_PICTURES)
    diversity.update_state(images, clusters)
    return {
        "attribute": attribute.accuracy(images, clusters),
        "cluster": float(np.mean(guided.nearest_centers(features) == clusters)),
        "diversity": diversity.result()["intra_class_diversity"],
    }


def real_codes(
    guided: ClusterGuidedGenerator, count: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns random codes, at most so many of each cluster, and their clusters.

    Args:
        guided: model whose clusters they are of.
        count: number of codes of each cluster; four times as many are drawn.
        seed: seed of the codes.
    """
    z = guided.codes(4 * count * guided.num_classes, seed)
    clusters = guided.clusters_of(z)
    rows = np.concatenate(
        [np.flatnonzero(clusters == cluster)[:count] for cluster in range(guided.num_classes)]
    )
    return z[rows], clusters[rows]


def edited(z: np.ndarray, clusters: np.ndarray, direction: np.ndarray, amount: float) -> np.ndarray:
    """Returns codes moved along a direction for cluster 1, and against it for cluster 0.

    Example:

    >>> edited(np.zeros((2, 2)), np.array([0, 1]), np.array([1.0, 0.0]), 0.5).tolist()
    [[-0.5, 0.0], [0.5, 0.0]]
    """
    signs = np.where(np.asarray(clusters) == 1, 1.0, -1.0)[:, None]
    return z + amount * signs * direction


def best_direction(
    guided: ClusterGuidedGenerator,
    attribute: Attribute,
    directions: np.ndarray,
    amount: float,
    count: int,
    seed: int,
) -> np.ndarray:
    """Returns the direction, or its opposite, that changes the attribute as it is asked for.

    The paper chooses directions by eye; here they are chosen by the attribute's accuracy on codes
    that are not measured.

    Args:
        guided: model of two clusters.
        attribute: attribute of the clusters.
        directions: directions to choose from, `(k, d)`.
        amount: length by which codes are moved.
        count: number of codes of each cluster to choose by.
        seed: seed of the codes.
    """
    clusters = each_cluster(2, count)
    z = guided.codes(len(clusters), seed)
    found = []
    for direction in [*directions, *-directions]:
        images, _ = guided.paint(edited(z, clusters, direction, amount))
        found.append((attribute.accuracy(images, clusters), direction))
    return max(found, key=lambda each: each[0])[1]


def coverage(
    held_out: tuple[np.ndarray, np.ndarray],
    reference: tuple[np.ndarray, np.ndarray],
    mapped: np.ndarray,
) -> dict[str, float | None]:
    """Returns how mapped codes cover those of the clusters: means of `metrics.code_coverage`.

    Clusters with too few codes for a distance between them are left out.

    Args:
        held_out: codes that no mapping has learned, and their clusters.
        reference: other codes and their clusters, to tell what real codes would cover.
        mapped: code of the cluster of each held-out one.

    Returns:
        "coverage", "ceiling" and "spread", the variance of mapped codes over that of held-out ones.
    """
    z, clusters = held_out
    found = [
        code_coverage(
            z[clusters == cluster],
            mapped[clusters == cluster],
            reference=reference[0][reference[1] == cluster],
        )
        for cluster in np.unique(clusters)
        if np.sum(clusters == cluster) > 1 and np.any(reference[1] == cluster)
    ]
    if not found:
        return dict.fromkeys(("coverage", "ceiling", "spread"))
    return {
        "coverage": float(np.mean([each.covered for each in found])),
        "ceiling": float(np.mean([each.ceiling for each in found])),
        "spread": float(np.mean([each.spread / each.held_out_spread for each in found])),
    }

"""Clusters of features: k-means, how clear they are, and which hold outliers."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.metrics import silhouette_samples
from threadpoolctl import threadpool_limits

from keras_cvaegan.metrics.metric import check_count, check_labels, check_rows
from keras_cvaegan.metrics.neighbours import squared_distances

# Above so many samples k-means goes by batches.
MAX_WHOLE = 20_000
MAX_SILHOUETTES = 5000
MIN_SHARE = 0.05
MAX_SPREAD = 2.0


@dataclasses.dataclass(frozen=True, eq=False)
class Clusters:
    """What `find_clusters` finds; the largest cluster is the first.

    Args:
        centers: float32 (k, f).
        labels: int64 (n,), the cluster of each sample.
        sizes: int64 (k,), how many samples each has.
        silhouette: measure in [−1, 1], the mean over samples of how much nearer a sample is to its
            own cluster than to the next (Rousseeuw 1987); 0 of one cluster.
        silhouettes: float (k,), the means over each cluster.
        outliers: bool (k,), which are made of outliers or too small.
    """

    centers: np.ndarray
    labels: np.ndarray
    sizes: np.ndarray
    silhouette: float
    silhouettes: np.ndarray
    outliers: np.ndarray

    def assign(self, features: np.ndarray) -> np.ndarray:
        """The cluster whose center is nearest to each sample.

        Args:
            features: (n, f).

        Returns:
            int64 (n,).

        Raises:
            ValueError: for features of another number, or not finite.
        """
        return nearest_centers(features, self.centers)


def find_clusters(
    features: np.ndarray,
    n_clusters: int = 2,
    *,
    seed: int = 0,
    min_share: float = MIN_SHARE,
    max_spread: float = MAX_SPREAD,
) -> Clusters:
    """Clusters samples by k-means.

    It is the best of ten runs of scikit-learn's k-means; of more than 20,000 samples, of its
    variant by batches. Silhouettes are measured on at most 5,000 samples by lot, as many of each
    cluster as there are, and weighted by the clusters' sizes.

    k-means is sensitive to outliers. A cluster counts as made of outliers or too small, when

    - it has one sample alone, beside other clusters, or less than `min_share` of n / k, what it
      would have of n samples if all k were of one size; or
    - it has less than half of n / k, and its samples are scattered: the median distance to their
      center is above `max_spread` times that of all the other samples to theirs.

    Args:
        features: (n, f), at least `n_clusters` different ones.
        n_clusters: k, at least 1.
        seed: seed of k-means and of the samples by lot.
        min_share: share in [0, 1]. Defaults to 0.05.
        max_spread: spread above 0. Defaults to 2.

    Raises:
        ValueError: for features of another shape, not finite, or fewer different ones than
            clusters; or an argument out of its range.

    Example:

    >>> features = np.concatenate([np.random.default_rng(0).normal(size=(300, 2)), [[99.0, 0.0]]])
    >>> found = find_clusters(features, 2)
    >>> found.sizes.tolist(), found.outliers.tolist()
    ([300, 1], [False, True])
    """
    check_count("n_clusters", n_clusters)
    if not 0 <= min_share <= 1 or not max_spread > 0:
        raise ValueError(
            "min_share must be in [0, 1], and max_spread above 0. Received: "
            f"min_share={min_share}, max_spread={max_spread}."
        )
    features = check_rows("features", features).astype(np.float32)
    _check_different(features, n_clusters)
    kind = KMeans if len(features) <= MAX_WHOLE else MiniBatchKMeans
    # Its threads wait for each other: beside another process they took up to 25 times as long.
    with threadpool_limits(1):
        centers = kind(n_clusters, n_init=10, random_state=seed).fit(features).cluster_centers_
    labels = nearest_centers(features, centers)
    order = np.argsort(-np.bincount(labels, minlength=n_clusters), kind="stable")
    centers, labels = centers[order].astype(np.float32), np.argsort(order)[labels]
    sizes = np.bincount(labels, minlength=n_clusters)
    silhouettes = _silhouettes(features, labels, sizes, seed)
    return Clusters(
        centers=centers,
        labels=labels,
        sizes=sizes,
        silhouette=float(silhouettes @ sizes / len(labels)),
        silhouettes=silhouettes,
        outliers=_outliers(features, centers, labels, sizes, min_share, max_spread),
    )


def nearest_centers(features: np.ndarray, centers: np.ndarray) -> np.ndarray:
    """The center that is nearest to each sample.

    Args:
        features: (n, f).
        centers: (k, f).

    Returns:
        int64 (n,).

    Raises:
        ValueError: for features of another number, or not finite.

    Example:

    >>> nearest_centers(np.array([[1.0], [9.0]]), np.array([[8.0], [2.0]])).tolist()
    [1, 0]
    """
    features = check_rows("features", features, centers.shape[1])
    labels = np.zeros(len(features), np.int64)
    for rows, distances in squared_distances(features, centers):
        labels[rows] = distances.argmin(axis=1)
    return labels


def cluster_means(batches: Iterable[tuple[np.ndarray, np.ndarray]], n_clusters: int) -> np.ndarray:
    """The mean image of each cluster, from sums of one batch after the other.

    Args:
        batches: batches of images (n, …) and their clusters (n,); of arrays, `[(images, labels)]`.
        n_clusters: number of clusters.

    Returns:
        (n_clusters, …): of uint8 images uint8, rounded; of points float32. That of an empty cluster
        is 0.

    Raises:
        ValueError: for no images, or labels that are not of a cluster for each.

    Example:

    >>> images = np.full((3, 1, 1, 1), [[[[10]]], [[[20]]], [[[7]]]], np.uint8)
    >>> cluster_means([(images, np.array([0, 0, 1]))], 2).ravel().tolist()
    [15, 7]
    """
    check_count("n_clusters", n_clusters)
    sums, counts, kind = None, np.zeros(n_clusters), None
    for images, labels in batches:
        images = np.asarray(images)
        labels = check_labels(labels, len(images), n_clusters)
        if sums is None:
            sums, kind = np.zeros((n_clusters, *images.shape[1:])), images.dtype
        for label in np.unique(labels):
            sums[label] += images[labels == label].sum(axis=0, dtype=np.float64)
        counts += np.bincount(labels, minlength=n_clusters)
    if sums is None:
        raise ValueError("At least one image is needed. Received: no batches.")
    means = sums / np.maximum(counts, 1).reshape(-1, *[1] * (sums.ndim - 1))
    return np.rint(means).astype(np.uint8) if kind == np.uint8 else means.astype(np.float32)


def count_different(features: np.ndarray, most: int) -> int:
    """How many different rows there are, counted up to `most`.

    Example:

    >>> count_different(np.array([[1.0], [2.0], [1.0]]), 5)
    2
    """
    rest, different = features, 0
    while len(rest) and different < most:
        rest, different = rest[(rest != rest[0]).any(axis=1)], different + 1
    return different


def _check_different(features: np.ndarray, n_clusters: int) -> None:
    different = count_different(features, n_clusters)
    if different < n_clusters:
        raise ValueError(
            f"{n_clusters} clusters need at least as many different samples. Received: "
            f"{len(features)} samples of which {different} differ. Take fewer clusters, more "
            "samples, or features of another layer."
        )


def _silhouettes(
    features: np.ndarray, labels: np.ndarray, sizes: np.ndarray, seed: int
) -> np.ndarray:
    """The mean silhouette of each cluster; 0 where there is no other."""
    if np.count_nonzero(sizes) < 2:
        return np.zeros(len(sizes))
    chosen = np.arange(len(labels))
    if len(labels) > MAX_SILHOUETTES:
        rng = np.random.default_rng(seed)
        share = max(2, MAX_SILHOUETTES // len(sizes))
        chosen = np.concatenate(
            [rng.permutation(np.flatnonzero(labels == k))[:share] for k in range(len(sizes))]
        )
    labels = labels[chosen]
    if np.unique(labels).size == len(labels):
        return np.zeros(len(sizes))
    each = silhouette_samples(features[chosen], labels)
    return np.array([each[labels == k].mean() if size else 0.0 for k, size in enumerate(sizes)])


def _outliers(
    features: np.ndarray,
    centers: np.ndarray,
    labels: np.ndarray,
    sizes: np.ndarray,
    min_share: float,
    max_spread: float,
) -> np.ndarray:
    """Which clusters are too small, or small and scattered: see `find_clusters`."""
    even = len(labels) / len(sizes)
    distances = np.linalg.norm(features - centers[labels], axis=1)
    small = (sizes <= 1) | (sizes < min_share * even)
    if len(sizes) == 1:
        return np.zeros(1, bool)
    for cluster in np.flatnonzero(~small & (sizes < even / 2)):
        own = labels == cluster
        small[cluster] = np.median(distances[own]) > max_spread * np.median(distances[~own])
    return small

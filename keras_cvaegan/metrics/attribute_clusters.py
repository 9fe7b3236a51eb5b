"""What clusters of pictures have to do with the pictures' attributes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from sklearn.metrics import mutual_info_score
from sklearn.metrics.cluster import contingency_matrix, expected_mutual_information
from sklearn.tree import DecisionTreeClassifier

from keras_cvaegan.metrics.attribute_distances import is_angle, turns
from keras_cvaegan.metrics.metric import check_count, check_rows
from keras_cvaegan.metrics.recognition import top1_by_class

BINS = 16
# Leaves of a reader's tree for each cluster: an angle's part of the circle has two ends, which lie
# across both coordinates.
LEAVES, LEAVES_OF_ANGLES = 2, 6


def mutual_information(
    clusters: np.ndarray, values: Mapping[str, np.ndarray], *, bins: int = BINS
) -> dict[str, float]:
    """How much of the clusters each attribute tells, corrected for chance.

    With I the mutual information of a picture's cluster C with its attribute A, and Ī what clusters
    of the same sizes, shuffled, would have in the mean (Vinh et al. 2010, "Information theoretic
    measures for clusterings comparison"):

        (I(C; A) − Ī) / (H(C) − Ī), at least 0

    Numbers are sorted into bins of equal frequency, angles likewise by their turn; integers, and
    numbers of no more different values than bins, are taken as they are. Where a threshold decides
    between two clusters, the bin that it lies in hides at most 1 / bins of a bit.

    Args:
        clusters: integers (n,).
        values: attributes by name, (n,) or (n, 1); (n, 2) for the cosine and sine of an angle.
        bins: number of bins of numbers, at least 2.

    Returns:
        By name in [0, 1]: 0 for an attribute that is independent, 1 for one that decides the
        cluster; 0 where all clusters are one.

    Raises:
        ValueError: for attributes of another number or shape, or not finite.

    Example:

    >>> x = np.random.default_rng(0).normal(size=(2, 2000))
    >>> found = mutual_information(x[0] > np.median(x[0]), {"it": x[0], "another": x[1]})
    >>> {name: round(share, 2) for name, share in found.items()}
    {'it': 1.0, 'another': 0.0}
    """
    check_count("bins", bins, 2)
    clusters = _checked_clusters(clusters)
    found = {}
    for name, each in values.items():
        discrete = _discrete(_checked(name, each, len(clusters)), bins)
        found[name] = _adjusted(clusters, discrete)
    return found


class ClusterReader:
    """Tells from an attribute of a picture which cluster it speaks for.

    It is a small decision tree, such as a threshold on the size of what is shown; all clusters
    weigh the same in its training, however large they are.

    Args:
        seed: seed of the order in which the tree looks at coordinates that are as good.

    Example:

    >>> reader = ClusterReader().fit([1.0, 2.0, 8.0, 9.0], [0, 0, 1, 1])
    >>> reader.predict([0.0, 7.0]).tolist()
    [0, 1]
    >>> reader.accuracy([0.0, 7.0, 9.0, 1.0], [0, 1, 1, 1])
    {'overall': 0.75, 'by_cluster': [1.0, 0.6666666666666666]}
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._tree: DecisionTreeClassifier | None = None
        self._largest = 0

    def fit(self, values: np.ndarray, clusters: np.ndarray) -> ClusterReader:
        """Learns which values each cluster has.

        Args:
            values: (n,) or (n, k); (n, 2) for the cosine and sine of an angle, of any length.
            clusters: integers (n,), of at least two clusters.

        Returns:
            The reader itself.

        Raises:
            ValueError: for values of another number or not finite, or fewer than two clusters.
        """
        clusters = _checked_clusters(clusters)
        values = _coordinates(_checked("values", values, len(clusters)))
        present = np.unique(clusters)
        if len(present) < 2:
            raise ValueError(
                f"A reader learns to tell at least two clusters apart. Received: {len(present)}."
            )
        self._largest = int(present[-1])
        leaves = LEAVES if values.shape[1] == 1 else LEAVES_OF_ANGLES
        self._tree = DecisionTreeClassifier(
            max_leaf_nodes=leaves * len(present), class_weight="balanced", random_state=self.seed
        ).fit(values, clusters)
        return self

    def predict(self, values: np.ndarray) -> np.ndarray:
        """The cluster that each value speaks for, int64 (n,).

        Args:
            values: values as `fit` takes them.

        Raises:
            ValueError: for values of another shape, not finite, or before `fit`.
        """
        if self._tree is None:
            raise ValueError("The reader has learned nothing yet: call fit first.")
        values = _coordinates(_checked("values", values, len(values)))
        if values.shape[1] != self._tree.n_features_in_:
            raise ValueError(
                f"The reader takes {self._tree.n_features_in_} numbers a picture. Received: "
                f"{values.shape[1]}."
            )
        if not len(values):
            return np.zeros(0, np.int64)
        return self._tree.predict(values).astype(np.int64)

    def accuracy(
        self, values: np.ndarray, clusters: np.ndarray
    ) -> dict[str, float | list[float | None]]:
        """The share of pictures whose attribute is of the cluster they were generated for.

        Args:
            values: values as `fit` takes them, of the generated pictures, at least one.
            clusters: integers (n,), which they should be of.

        Returns:
            "overall", over all pictures; "by_cluster", of each up to the last, None for one that no
            picture was generated for.

        Raises:
            ValueError: see `predict`; for values of another number, or none.
        """
        clusters = _checked_clusters(clusters)
        predicted = self.predict(_checked("values", values, len(clusters)))
        count = int(max(clusters.max(), self._largest)) + 1
        return {
            "overall": float(np.mean(predicted == clusters)),
            "by_cluster": top1_by_class(predicted, clusters, count),
        }


def _checked_clusters(clusters: np.ndarray) -> np.ndarray:
    clusters = np.asarray(clusters)
    if clusters.ndim != 1 or not len(clusters) or clusters.dtype.kind not in "iub":
        raise ValueError(
            "clusters must be integers of shape (n,), at least one. Received: "
            f"{clusters.dtype} of shape {clusters.shape}."
        )
    clusters = clusters.astype(np.int64)
    if clusters.min() < 0:
        raise ValueError(f"clusters must be at least 0. Received: {clusters.min()}.")
    return clusters


def _checked(name: str, values: np.ndarray, count: int) -> np.ndarray:
    """Values as (n, k), of their own type."""
    values = np.asarray(values)
    values = values[:, np.newaxis] if values.ndim == 1 else values
    check_rows(name, values)
    if len(values) != count or not values.shape[1]:
        raise ValueError(
            f"{name} must have a value for each of {count} pictures. Received: {values.shape}."
        )
    return values


def _coordinates(values: np.ndarray) -> np.ndarray:
    """Values as float64 (n, k), those of an angle on the unit circle."""
    values = values.astype(np.float64)
    if not is_angle(values):
        return values
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    return values / np.where(lengths > 0, lengths, 1)


def _discrete(values: np.ndarray, bins: int) -> np.ndarray:
    """The bin of each value, integers (n,)."""
    if values.shape[1] > 2:
        raise ValueError(
            "An attribute must be one number, or the cosine and sine of an angle. Received: "
            f"{values.shape[1]} numbers."
        )
    whole = values.dtype.kind in "iub"
    numbers = turns(values) if is_angle(values) else values[:, 0]
    different, places = np.unique(numbers, return_inverse=True)
    if len(different) <= bins or (whole and values.shape[1] == 1):
        return places
    edges = np.quantile(numbers, np.arange(1, bins) / bins)
    return np.searchsorted(edges, numbers, side="right")


def _adjusted(clusters: np.ndarray, discrete: np.ndarray) -> float:
    table = contingency_matrix(clusters, discrete, sparse=True)
    by_chance = expected_mutual_information(table, len(clusters))
    possible = mutual_info_score(clusters, clusters) - by_chance
    # As many values as pictures tell everything by chance: then there is nothing to be learned.
    if possible < 1e-9:
        return 0.0
    information = mutual_info_score(clusters, discrete)
    return float(np.clip((information - by_chance) / possible, 0, 1))

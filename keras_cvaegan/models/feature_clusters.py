"""Codes of a generator, and the clusters that the features of their pictures fall into."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
import numpy as np
from keras import ops

from keras_cvaegan import pictures
from keras_cvaegan.ops import random
from keras_cvaegan.training.model_part import ModelPart

if TYPE_CHECKING:
    from keras_cvaegan.metrics.clusters import Clusters

CODES_STREAM = 1600
# Codes whose pictures are in memory at a time.
PART = 1024


class FeatureClusters(ModelPart):
    """What a `ClusterGuidedGenerator` knows of clusters before any mapping is trained.

    Attributes:
        generator: network of codes z to pictures.
        features: network of codes z to {"images", "features"}.
        centers: variable of the clusters' centers, (k, features); NaN until they are found.
    """

    generator: keras.Model
    features: keras.Model
    centers: keras.Variable
    _found: tuple[np.ndarray, np.ndarray] | None = None

    def codes(self, count: int, seed: int = 0) -> np.ndarray:
        """Draws codes z ~ N(0, I) of the generator.

        Args:
            count: number of codes.
            seed: seed of the draw; the first codes are the same whatever the count.

        Returns:
            float32 (count, d).
        """
        dimensions = self.generator.input.shape[-1]
        return ops.convert_to_numpy(
            random.normal(ops.arange(count), dimensions, seed=seed, stream=CODES_STREAM)
        )

    def paint(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the pictures of codes and the features that are clustered, from one pass.

        Args:
            z: (n, d).

        Returns:
            uint8 (n, height, width, channels); of points float. float32 (n, features).
        """
        found = self._in_batches(self.features, np.asarray(z, np.float32))
        images = found["images"]
        return images if self._are_points else pictures.to_uint8(images), found["features"]

    def find_clusters(self, count: int = 10_000) -> Clusters:
        """Finds the clusters, by k-means of the features of random codes.

        The codes are those that `fit` learns by default.

        Args:
            count: number of codes, at least k.

        Returns:
            Labels, sizes, silhouettes, and which clusters are made of outliers.

        Raises:
            ValueError: for too few codes, or features that are all the same.
        """
        from keras_cvaegan.metrics.clusters import find_clusters

        z = self.codes(count, self.seed)
        clusters = find_clusters(self._features_of(z), self.num_classes, seed=self.seed)
        self.centers.assign(clusters.centers)
        self._found = z, clusters.labels.astype(np.int32)
        return clusters

    def clusters_of(self, z: np.ndarray) -> np.ndarray:
        """Returns the cluster to whose center the features of each code are nearest.

        Args:
            z: (n, d).

        Returns:
            int32 (n,).

        Raises:
            ValueError: where clusters are not yet found.
        """
        return self.nearest_centers(self._features_of(z))

    def _features_of(self, z: np.ndarray) -> np.ndarray:
        """The features of codes; their pictures are never all in memory."""
        parts = range(0, max(len(z), 1), PART)
        return np.concatenate([self.paint(z[start : start + PART])[1] for start in parts])

    def nearest_centers(self, features: np.ndarray) -> np.ndarray:
        """Returns the cluster of each row of features (n, features), int32 (n,).

        Raises:
            ValueError: where clusters are not yet found, or for features of another number.
        """
        from keras_cvaegan.metrics.clusters import nearest_centers

        if not self._has_clusters:
            raise ValueError("The clusters are not found yet: call find_clusters first.")
        return nearest_centers(features, ops.convert_to_numpy(self.centers)).astype(np.int32)

    @property
    def _has_clusters(self) -> bool:
        return bool(np.isfinite(ops.convert_to_numpy(self.centers)).all())

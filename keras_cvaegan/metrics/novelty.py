"""How far samples are from the training pictures: whether a model draws or copies."""

import dataclasses
from typing import Any

import numpy as np
from sklearn.neighbors import NearestNeighbors

from keras_cvaegan.metrics.extractors import FeatureExtractor
from keras_cvaegan.metrics.metric import Figures, Metric, check_count, check_images
from keras_cvaegan.metrics.sampling import Reservoir

_SMALLEST_PERCENT = 1
# A distance below this share of the norm is rounding: zero.
_ROUNDING = 1e-6


@dataclasses.dataclass(frozen=True)
class Neighbours:
    """The nearest training pictures of some pictures, nearest first.

    Args:
        distances: float32 `(n, k)`.
        indices: int64 `(n, k)`, into the training pictures.
    """

    distances: np.ndarray
    indices: np.ndarray


class NearestNeighbourNovelty(Metric):
    """Distances of samples to their nearest training pictures, in pixels and in features.

    d(x) = min_{x_t of the training set} ‖φ(x) − φ(x_t)‖₂    (Section S9, Bao et al. 2017)

    φ are the pixels as numbers in [0, 1], or the features of an extractor. Beside stands the same
    for training pictures and their nearest other one: a model that copies is far below it. As
    models also draw smoother pictures than cameras take, distances in pixels alone can mislead.

    At most `max_samples` samples are held, chosen by lot; `result` reads the training set once, in
    blocks.

    Args:
        training: uint8 `(n, height, width, channels)`, two or more; a memory map does as well.
        extractor: gives features; None for pixels alone.
        k: neighbours of each sample to find.
        max_samples: the most samples, and the most training pictures, of which neighbours are
            sought.
        block_size: training pictures in memory at a time.
        seed: of the lots.

    Results, for "pixel" and, with an extractor, "feature": `nearest_pixel_distance`, the median
    over samples; `nearest_pixel_distance_of_training`, the median over training pictures; and
    `nearest_pixel_copies`, the share of samples that are as near as the nearest one percent of the
    training pictures are: about 0.01 is to be expected. None without samples.

    After `result`, `samples` are the samples held, and `neighbours["pixel"]` and
    `neighbours["feature"]` their `Neighbours`, for showing.

    Example:

    >>> training = np.random.default_rng(0).integers(0, 256, (50, 8, 8, 3), np.uint8)
    >>> metric = NearestNeighbourNovelty(training, k=2)
    >>> metric.update_state(training[[7, 3]])
    >>> metric.result()["nearest_pixel_copies"]
    1.0
    >>> metric.neighbours["pixel"].indices[:, 0].tolist()
    [7, 3]
    """

    inputs = ("images",)

    def __init__(
        self,
        training: np.ndarray,
        extractor: FeatureExtractor | None = None,
        k: int = 5,
        max_samples: int = 500,
        block_size: int = 1_000,
        seed: int = 0,
    ) -> None:
        self._training = check_images(training)
        self._k = check_count("k", k)
        if len(training) <= k:
            raise ValueError(
                f"training must have more than k={k} pictures. Received: {len(training)}."
            )
        self._extractor = extractor
        self._block_size = check_count("block_size", block_size)
        self._seed = seed
        self._sample = Reservoir(max_samples, seed)
        self.reset_state()

    def reset_state(self) -> None:
        self._sample.reset()
        self.samples: np.ndarray | None = None
        self.neighbours: dict[str, Neighbours] = {}

    def update_state(self, images: np.ndarray) -> None:
        """Takes a batch of images, `uint8 (n, height, width, channels)`."""
        images = check_images(images)
        if images.shape[1:] != self._training.shape[1:]:
            raise ValueError(
                f"Samples must be of the training pictures' shape, {self._training.shape[1:]}. "
                f"Received: {images.shape[1:]}."
            )
        self._sample.add(images)

    def result(self) -> Figures:
        spaces = ["pixel"] if self._extractor is None else ["pixel", "feature"]
        samples = self._sample.rows
        if samples is None:
            return {
                f"nearest_{space}_{what}": None
                for space in spaces
                for what in ("distance", "distance_of_training", "copies")
            }
        chosen = np.random.default_rng((self._seed, 1)).choice(
            len(self._training), min(len(self._training), self._sample.capacity), replace=False
        )
        chosen.sort()
        # Of a training picture the nearest is itself; one more neighbour is sought.
        queries = np.concatenate([samples, self._training[chosen]])
        found = self._nearest(queries, spaces)
        self.samples, figures = samples.copy(), {}
        for space, (distances, indices) in found.items():
            of_samples = slice(0, len(samples))
            self.neighbours[space] = Neighbours(
                distances[of_samples, : self._k], indices[of_samples, : self._k]
            )
            own = indices[len(samples) :] == chosen[:, None]
            # Where many copies of a picture are nearer than itself, the last one is left out.
            own[~own.any(axis=1), -1] = True
            others = distances[len(samples) :][~own].reshape(len(chosen), -1)[:, 0]
            nearest = distances[of_samples, 0]
            figures |= {
                f"nearest_{space}_distance": float(np.median(nearest)),
                f"nearest_{space}_distance_of_training": float(np.median(others)),
                f"nearest_{space}_copies": float(
                    np.mean(nearest <= np.percentile(others, _SMALLEST_PERCENT))
                ),
            }
        return figures

    def _nearest(
        self, queries: np.ndarray, spaces: list[str]
    ) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Distances and indices, `(n, k + 1)` each, of the nearest training pictures."""
        queries = self._spaces(queries)
        best = {
            space: (np.zeros((len(queries[space]), 0)), np.zeros((len(queries[space]), 0), int))
            for space in spaces
        }
        for start in range(0, len(self._training), self._block_size):
            block = self._spaces(self._training[start : start + self._block_size])
            for space, points in block.items():
                search = NearestNeighbors(
                    n_neighbors=min(self._k + 1, len(points)), algorithm="brute"
                ).fit(points)
                distances, indices = search.kneighbors(queries[space])
                norms = np.linalg.norm(queries[space], axis=1, keepdims=True)
                distances[distances < _ROUNDING * norms] = 0
                distances = np.hstack([best[space][0], distances])
                indices = np.hstack([best[space][1], indices + start])
                order = np.argsort(distances, axis=1, kind="stable")[:, : self._k + 1]
                best[space] = (
                    np.take_along_axis(distances, order, axis=1),
                    np.take_along_axis(indices, order, axis=1),
                )
        return best

    def _spaces(self, images: np.ndarray) -> dict[str, np.ndarray]:
        points = {"pixel": images.reshape(len(images), -1).astype(np.float32) / np.float32(255)}
        if self._extractor is not None:
            points["feature"] = self._extractor(images)[0]
        return points

    def describe(self) -> dict[str, Any]:
        return {
            "extractor": None if self._extractor is None else self._extractor.describe(),
            "k": self._k,
            "samples": min(self._sample.seen, self._sample.capacity),
            "training_pictures": len(self._training),
            "training_pictures_sought": min(len(self._training), self._sample.capacity),
            "seed": self._seed,
        }

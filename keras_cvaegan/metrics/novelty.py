"""How far samples are from the training pictures: whether a model draws or copies."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.neighbors import NearestNeighbors

from keras_cvaegan.metrics.extractors import FeatureExtractor
from keras_cvaegan.metrics.metric import Figures, Metric, check_count, check_images
from keras_cvaegan.metrics.sampling import Reservoir

_SMALLEST_PERCENT = 1
# A distance below this share of the norm is rounding: zero.
_ROUNDING = 1e-6
# Of features that are kept: those of half a million pictures with 128 each.
_MAX_BYTES = 2**28

Found = tuple[np.ndarray, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Neighbours:
    """The nearest training pictures of some pictures, nearest first.

    Args:
        distances: float32 `(n, k)`.
        indices: int64 `(n, k)`, into the training pictures.
    """

    distances: np.ndarray
    indices: np.ndarray


class TrainingPictures:
    """What several `NearestNeighbourNovelty` search: what is found of it once serves them all.

    Args:
        images: uint8 `(n, height, width, channels)`; a memory map does as well.
        extractor: source of features; None for pixels alone.
        max_bytes: most bytes of features to keep; more are computed anew by each search.
    """

    def __init__(
        self,
        images: np.ndarray,
        extractor: FeatureExtractor | None = None,
        max_bytes: int = _MAX_BYTES,
    ) -> None:
        self.images = check_images(images)
        self.extractor = extractor
        self.spaces = ["pixel"] if extractor is None else ["pixel", "feature"]
        # By what chose some of them: their distances to the nearest other one, by space.
        self.own_distances: dict[tuple[int, int], dict[str, np.ndarray]] = {}
        self._features: np.ndarray | None = None
        self._known = np.zeros(0, bool)
        if extractor is not None and 4 * len(images) * extractor.feature_dim <= max_bytes:
            self._features = np.empty((len(images), extractor.feature_dim), np.float32)
            self._known = np.zeros(len(images), bool)

    def keep(self, start: int, features: np.ndarray) -> None:
        """Takes the features of the pictures from `start` on, where they were computed anyway."""
        if self._features is not None:
            self._features[start : start + len(features)] = features
            self._known[start : start + len(features)] = True

    @property
    def features(self) -> np.ndarray | None:
        """The features of all pictures, (n, d); None while some are not known, or are not kept."""
        return self._features if self._known.size and self._known.all() else None

    def known(self, start: int, stop: int) -> np.ndarray | None:
        """Returns the features of some of the pictures, (n, d); None while some are not known."""
        if self._features is None or not self._known[start:stop].all():
            return None
        return self._features[start:stop]

    def points(self, start: int, stop: int) -> dict[str, np.ndarray]:
        """Returns some of the pictures as points of each space."""
        images, features = self.images[start:stop], self.known(start, stop)
        if features is None:
            points = self.points_of(images)
            self.keep(start, points.get("feature", images[:0]))
            return points
        return {"pixel": _pixels(images), "feature": features}

    def points_of(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Returns any pictures as points of each space."""
        points = {"pixel": _pixels(images)}
        if self.extractor is not None:
            points["feature"] = self.extractor(images)[0]
        return points


def _pixels(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1).astype(np.float32) / np.float32(255)


def nearest_training(
    training: TrainingPictures,
    images: np.ndarray,
    k: int,
    block_size: int = 1_000,
    progress: Callable[[int], None] = lambda searched: None,
) -> dict[str, Found]:
    """Finds the training pictures that are nearest to some pictures, exactly, a block at a time.

    Args:
        training: pictures to search in.
        images: uint8 `(n, height, width, channels)`.
        k: number of neighbours to find; of fewer training pictures all are.
        block_size: training pictures in memory at a time.
        progress: function that is called with the number of training pictures that were searched.

    Returns:
        Distances and indices, `(n, k)` each, nearest first, by space.

    Example:

    >>> pictures = np.random.default_rng(0).integers(0, 256, (50, 8, 8, 3), np.uint8)
    >>> found = nearest_training(TrainingPictures(pictures), pictures[7:8], k=2)
    >>> distances, indices = found["pixel"]
    >>> indices.shape, int(indices[0, 0]), float(distances[0, 0])
    ((1, 2), 7, 0.0)
    """
    queries, count = training.points_of(images), len(training.images)
    best = {
        space: (np.zeros((len(points), 0)), np.zeros((len(points), 0), int))
        for space, points in queries.items()
    }
    for start in range(0, count, block_size):
        stop = min(start + block_size, count)
        block = training.points(start, stop)
        for space, points in block.items():
            search = NearestNeighbors(n_neighbors=min(k, len(points)), algorithm="brute")
            distances, indices = search.fit(points).kneighbors(queries[space])
            norms = np.linalg.norm(queries[space], axis=1, keepdims=True)
            distances[distances < _ROUNDING * norms] = 0
            distances = np.hstack([best[space][0], distances])
            indices = np.hstack([best[space][1], indices + start])
            order = np.argsort(distances, axis=1, kind="stable")[:, :k]
            best[space] = (
                np.take_along_axis(distances, order, axis=1),
                np.take_along_axis(indices, order, axis=1),
            )
        progress(stop)
    return best


class NearestNeighbourNovelty(Metric):
    """Distances of samples to their nearest training pictures, in pixels and in features.

    d(x) = min_{x_t of the training set} ‖φ(x) − φ(x_t)‖₂    (Section S9, Bao et al. 2017)

    φ are the pixels as numbers in [0, 1], or the features of an extractor. Beside stands the same
    for training pictures and their nearest other one: a model that copies is far below it. As
    models also draw smoother pictures than cameras take, distances in pixels alone can mislead.

    At most `max_samples` samples are held, chosen by lot; `result` reads the training set once, in
    blocks. Features of it are kept while they fit a quarter of a gigabyte.

    Args:
        training: uint8 `(n, height, width, channels)`, more than k; a memory map does as well. Or
            `TrainingPictures`, which metrics of several samples share.
        extractor: source of features; None for pixels alone. That of `TrainingPictures` where they
            are given.
        k: neighbours of each sample to find.
        max_samples: the most samples, and the most training pictures, of which neighbours are
            sought.
        block_size: training pictures in memory at a time.
        seed: seed of the lots.

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
        training: np.ndarray | TrainingPictures,
        extractor: FeatureExtractor | None = None,
        k: int = 5,
        max_samples: int = 500,
        block_size: int = 1_000,
        seed: int = 0,
    ) -> None:
        if not isinstance(training, TrainingPictures):
            training = TrainingPictures(training, extractor)
        elif extractor is not None:
            raise ValueError("TrainingPictures have an extractor of their own: leave it out.")
        self._training = training
        self._k = check_count("k", k)
        if len(training.images) <= k:
            raise ValueError(
                f"training must have more than k={k} pictures. Received: {len(training.images)}."
            )
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
        expected = self._training.images.shape[1:]
        if images.shape[1:] != expected:
            raise ValueError(
                f"Samples must be of the training pictures' shape, {expected}. "
                f"Received: {images.shape[1:]}."
            )
        self._sample.add(images)

    def result(self) -> Figures:
        samples = self._sample.rows
        if samples is None:
            return {
                f"nearest_{space}_{what}": None
                for space in self._training.spaces
                for what in ("distance", "distance_of_training", "copies")
            }
        found = self._search(samples)
        self.samples = samples.copy()
        figures: Figures = {}
        for space, others in self._own_distances.items():
            distances, indices = (best[:, : self._k] for best in found[space])
            self.neighbours[space] = Neighbours(distances, indices)
            nearest = distances[:, 0]
            figures |= {
                f"nearest_{space}_distance": float(np.median(nearest)),
                f"nearest_{space}_distance_of_training": float(np.median(others)),
                f"nearest_{space}_copies": float(
                    np.mean(nearest <= np.percentile(others, _SMALLEST_PERCENT))
                ),
            }
        return figures

    @property
    def _own_distances(self) -> dict[str, np.ndarray]:
        """Distances of some training pictures to their nearest other one."""
        return self._training.own_distances.setdefault((self._sample.capacity, self._seed), {})

    def _search(self, samples: np.ndarray) -> dict[str, Found]:
        """The nearest training pictures of samples; in the same pass `_own_distances`, if new."""
        if self._own_distances:
            return self._nearest(samples)
        images = self._training.images
        chosen = np.random.default_rng((self._seed, 1)).choice(
            len(images), min(len(images), self._sample.capacity), replace=False
        )
        chosen.sort()
        found = self._nearest(np.concatenate([samples, images[chosen]]))
        for space, (distances, indices) in found.items():
            own = indices[len(samples) :] == chosen[:, None]
            # Where many copies of a picture are nearer than itself, the last one is left out.
            own[~own.any(axis=1), -1] = True
            others = distances[len(samples) :][~own].reshape(len(chosen), -1)
            self._own_distances[space] = others[:, 0]
        return {
            space: (distances[: len(samples)], indices[: len(samples)])
            for space, (distances, indices) in found.items()
        }

    def _nearest(self, images: np.ndarray) -> dict[str, Found]:
        # Of a training picture the nearest is itself: hence one more than k.
        return nearest_training(self._training, images, self._k + 1, self._block_size)

    def describe(self) -> dict[str, Any]:
        extractor, count = self._training.extractor, len(self._training.images)
        return {
            "extractor": None if extractor is None else extractor.describe(),
            "k": self._k,
            "samples": min(self._sample.seen, self._sample.capacity),
            "training_pictures": count,
            "training_pictures_sought": min(count, self._sample.capacity),
            "seed": self._seed,
        }

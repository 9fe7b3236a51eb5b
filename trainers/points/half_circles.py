"""The half circles of a toy example: points of three classes, and how well others lie on them."""

import dataclasses
import math

import numpy as np

CLASSES = 3
# Purposes of random numbers.
TRAINING, MEASURING = 1, 2
# Fresh points for each that is measured, so that the noise of measures is that of these alone.
FRESH = 10


@dataclasses.dataclass(frozen=True)
class HalfCircles:
    """Points near a half circle for each class (Zheng & Sun 2019, Section 4.1 and B.1).

    x = (cos t + interval · c, sin t) + noise · ε  for t ~ U[0, π] and ε ~ N(0, I)

    x₁ is what the label decides, x₂ is free of it.

    Args:
        interval: distance from one class to the next.
        noise: standard deviation of both coordinates.

    Raises:
        ValueError: for values out of range.

    Example:

    >>> data = HalfCircles()
    >>> points, labels = data.training_set(300, seed=0)
    >>> points.shape, np.bincount(labels).tolist()
    ((300, 2), [100, 100, 100])
    """

    interval: float = 2.2
    noise: float = 0.15

    def __post_init__(self) -> None:
        if not (0 <= self.interval < math.inf and 0 <= self.noise < math.inf):
            raise ValueError(
                "Half circles need an interval and a noise of at least 0. Received: "
                f"interval={self.interval}, noise={self.noise}."
            )

    def points(self, labels: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Draws a point of each label, float32 `(*labels.shape, 2)`."""
        angle = random.uniform(0, math.pi, labels.shape)
        exact = np.stack([np.cos(angle) + self.interval * labels, np.sin(angle)], axis=-1)
        return random.normal(exact, self.noise).astype(np.float32)

    def training_set(self, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns points `(count, 2)` and their labels, as many of each class."""
        labels = np.arange(count) % CLASSES
        return self.points(labels, np.random.default_rng((seed, TRAINING))), labels

    def fresh(self, count: int, seed: int = 0) -> np.ndarray:
        """Returns points that are in no training set, by class: `(CLASSES, count, 2)`."""
        return self.points(labels_by_class(count), np.random.default_rng((seed, MEASURING)))

    def measure(self, points: np.ndarray) -> dict[str, float]:
        """Measures points by class against `FRESH` times as many fresh ones.

        Args:
            points: points of each class, `(CLASSES, n, 2)`.

        Returns:
            Means over the classes. "spread": standard deviation of x₂ over that of the data, 1 for
            data and below where points keep together; "spread_error": how far it is from 1 in
            either direction, which classes that err in opposite ones do not even out; "range":
            likewise the range from the 5th to the 95th percentile of x₂; "distance_x" and
            "distance_y": Wasserstein distances of x₁ and of x₂, which no spread makes small that
            is not in the right place.
        """
        points = np.asarray(points, np.float64)
        real = np.float64(self.fresh(FRESH * points.shape[1]))
        spread = points[..., 1].std(axis=1) / real[..., 1].std(axis=1)
        measures = {
            "spread": spread,
            "spread_error": np.abs(spread - 1),
            "range": _range(points[..., 1]) / _range(real[..., 1]),
            "distance_x": _wasserstein_distance(points[..., 0], real[..., 0]),
            "distance_y": _wasserstein_distance(points[..., 1], real[..., 1]),
        }
        return {name: float(of_classes.mean()) for name, of_classes in measures.items()}


def labels_by_class(count: int) -> np.ndarray:
    """Returns labels of `count` points of each class, `(CLASSES, count)`.

    Example:

    >>> labels_by_class(2).tolist()
    [[0, 0], [1, 1], [2, 2]]
    """
    return np.repeat(np.arange(CLASSES)[:, np.newaxis], count, axis=1)


def _range(values: np.ndarray) -> np.ndarray:
    low, high = np.percentile(values, (5, 95), axis=1)
    return high - low


def _wasserstein_distance(few: np.ndarray, many: np.ndarray) -> np.ndarray:
    """The mean distance of numbers of one rank, where each of the few stands for several."""
    each = many.shape[1] // few.shape[1]
    ranks = np.repeat(np.sort(few, axis=1), each, axis=1)
    return np.abs(ranks - np.sort(many, axis=1)).mean(axis=1)

"""How many samples look real, and how much of the real data they cover: two pairs of figures."""

import warnings
from typing import Any

import numpy as np

from keras_cvaegan.metrics.metric import (
    FewSamplesWarning,
    Figures,
    Metric,
    check_count,
    check_rows,
)
from keras_cvaegan.metrics.neighbours import nearest_squared_distances, squared_distances
from keras_cvaegan.metrics.sampling import Reservoir

# Distances that differ by no more than the rounding of float32 features are equal.
_EQUAL = 1 + 1e-6


class _NeighbourhoodMetric(Metric):
    """What both pairs share: real features, radii of their neighbourhoods, held samples."""

    inputs = ("features",)
    _names: tuple[str, str]

    def __init__(
        self,
        reference: np.ndarray,
        k: int,
        max_samples: int,
        seed: int,
        neighbours: np.ndarray | None,
    ) -> None:
        self._reference = check_rows("reference", reference)
        self._k = check_count("k", k)
        # Without as many features there is no figure.
        self._squared_radii = np.zeros(0)
        if len(self._reference) > k:
            if neighbours is None:
                neighbours = nearest_squared_distances(self._reference, k)
            if neighbours.shape[0] != len(self._reference) or neighbours.shape[1] < k:
                raise ValueError(
                    f"neighbours must have {len(self._reference)} rows, one of each real feature, "
                    f"and {k} columns or more. Received: {neighbours.shape}."
                )
            self._squared_radii = neighbours[:, k - 1]
        self._sample = Reservoir(check_count("max_samples", max_samples), seed)

    def reset_state(self) -> None:
        self._sample.reset()

    def update_state(self, features: np.ndarray) -> None:
        """Takes a batch of features `(n, d)`."""
        features = check_rows("features", features, self._reference.shape[1])
        self._sample.add(features.astype(np.float32, copy=False))

    def result(self) -> Figures:
        features = self._sample.rows
        if features is None:
            return dict.fromkeys(self._names)
        if min(len(features), len(self._reference)) <= self._k:
            warnings.warn(
                f"{' and '.join(self._names)} need more than {self._k} samples and real images. "
                f"Received: {len(features)} and {len(self._reference)}.",
                FewSamplesWarning,
                stacklevel=2,
            )
            return dict.fromkeys(self._names)
        return dict(zip(self._names, self._figures(features), strict=True))

    def _figures(self, features: np.ndarray) -> tuple[float, float]:
        raise NotImplementedError

    def describe(self) -> dict[str, Any]:
        return {
            "k": self._k,
            "samples": min(self._sample.seen, self._sample.capacity),
            "reference_samples": len(self._reference),
            "seed": self._sample.seed,
        }


class PrecisionRecall(_NeighbourhoodMetric):
    """The share of samples within the real data's manifold, and of real data within the samples'.

    f(φ, Φ) = 1 where ‖φ − φ'‖ ≤ ‖φ' − its k-th nearest in Φ‖ for some φ' of Φ, else 0
    precision = E_g f(φ_g, Φ_r);  recall = E_r f(φ_r, Φ_g)    (Kynkäänniemi et al. 2019, Eq. 1, 2)

    Both depend on the number of samples: compare them only where it is the same. One outlier of
    the real data can raise precision by much; see `DensityCoverage`.

    Args:
        reference: real features `(n, d)`.
        k: number of the neighbour whose distance is the radius of a neighbourhood; the paper's 3.
        max_samples: the most generated features to hold, chosen by lot.
        seed: seed of the lots.
        neighbours: `nearest_squared_distances` of the reference, where they are known.

    Results: `precision` and `recall` in [0, 1], None unless both sides have more than k.

    Example:

    >>> random = np.random.default_rng(0)
    >>> metric = PrecisionRecall(random.uniform(size=(200, 2)))
    >>> metric.update_state(random.uniform(size=(200, 2)) * [0.4, 1.0])  # Two fifths of it.
    >>> {name: round(value, 1) for name, value in metric.result().items()}
    {'precision': 1.0, 'recall': 0.4}
    """

    _names = ("precision", "recall")

    def __init__(
        self,
        reference: np.ndarray,
        k: int = 3,
        max_samples: int = 10_000,
        seed: int = 0,
        *,
        neighbours: np.ndarray | None = None,
    ) -> None:
        super().__init__(reference, k, max_samples, seed, neighbours)

    def _figures(self, features: np.ndarray) -> tuple[float, float]:
        squared_radii = nearest_squared_distances(features, self._k)[:, -1]
        covered = np.zeros(len(self._reference), bool)
        inside = np.zeros(len(features), bool)
        for rows, distances in squared_distances(features, self._reference):
            inside[rows] = np.any(distances <= self._squared_radii * _EQUAL, axis=1)
            covered |= np.any(distances <= squared_radii[rows, None] * _EQUAL, axis=0)
        return float(inside.mean()), float(covered.mean())


class DensityCoverage(_NeighbourhoodMetric):
    """How many real neighbourhoods a sample lies in, and the share of them that has a sample.

    density = 1 / (k m) Σ_j Σ_i 1[y_j in B_i];  coverage = 1 / n Σ_i 1[some y_j in B_i]
    with B_i the ball around the real x_i up to its k-th nearest real one    (Naeem et al. 2020)

    Unlike precision and recall they are near 1 and 1 − 2⁻ᵏ where nothing differs, whatever the
    number of samples, if it is equal on both sides. Density may exceed 1.

    Args:
        reference: real features `(n, d)`.
        k: number of the neighbour whose distance is the radius of a neighbourhood; the paper's 5.
        max_samples: the most generated features to hold, chosen by lot.
        seed: seed of the lots.
        neighbours: `nearest_squared_distances` of the reference, where they are known.

    Results: `density` of 0 or more and `coverage` in [0, 1], None unless both sides have more than
    k.

    Example:

    >>> random = np.random.default_rng(0)
    >>> metric = DensityCoverage(random.uniform(size=(200, 2)))
    >>> metric.update_state(random.uniform(size=(200, 2)) * [0.4, 1.0])  # Two fifths of it.
    >>> {name: round(value, 1) for name, value in metric.result().items()}
    {'density': 1.1, 'coverage': 0.4}
    """

    _names = ("density", "coverage")

    def __init__(
        self,
        reference: np.ndarray,
        k: int = 5,
        max_samples: int = 10_000,
        seed: int = 0,
        *,
        neighbours: np.ndarray | None = None,
    ) -> None:
        super().__init__(reference, k, max_samples, seed, neighbours)

    def _figures(self, features: np.ndarray) -> tuple[float, float]:
        covered = np.zeros(len(self._reference), bool)
        balls = 0
        for _, distances in squared_distances(features, self._reference):
            inside = distances <= self._squared_radii * _EQUAL
            balls += int(np.count_nonzero(inside))
            covered |= inside.any(axis=0)
        return float(balls / (self._k * len(features))), float(covered.mean())

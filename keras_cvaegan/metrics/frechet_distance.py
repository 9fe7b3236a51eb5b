"""The Fréchet distance between normal distributions fitted to real and generated features."""

import functools
import warnings
from typing import Any

import numpy as np

from keras_cvaegan.metrics.metric import FewSamplesWarning, Figures, Metric, check_rows


class FeatureMoments:
    """Mean and covariance of a stream of features, in float64.

    Batches are merged by the update of Chan, Golub & LeVeque (1983), which does not lose digits
    where the mean is large beside the spread.

    Example:

    >>> moments = FeatureMoments()
    >>> moments.add(np.array([[1.0, 0.0]]))
    >>> moments.add(np.array([[3.0, 0.0]]))
    >>> moments.count, moments.mean.tolist(), moments.covariance.round(6).tolist()
    (2, [2.0, 0.0], [[2.0, 0.0], [0.0, 0.0]])
    """

    def __init__(self) -> None:
        self.count = 0
        self._mean: np.ndarray | None = None
        self._scatter = np.zeros((0, 0))

    @classmethod
    def of(cls, features: np.ndarray) -> "FeatureMoments":
        """Returns the moments of features `(n, d)`."""
        moments = cls()
        moments.add(features)
        return moments

    @classmethod
    def from_covariance(
        cls, count: int, mean: np.ndarray, covariance: np.ndarray
    ) -> "FeatureMoments":
        """Returns moments that are known: of `count` samples, `(d,)` and `(d, d)`."""
        moments = cls()
        moments.count, moments._mean = int(count), np.asarray(mean, np.float64)
        moments._scatter = np.asarray(covariance, np.float64) * (moments.count - 1)
        return moments

    def add(self, features: np.ndarray) -> None:
        """Takes the next features of the stream, `(n, d)`."""
        known = None if self._mean is None else len(self._mean)
        features = check_rows("features", features, known)
        if len(features) == 0:
            return
        self.__dict__.pop("root", None)
        features = features.astype(np.float64)
        if self._mean is None:
            self._mean = np.zeros(features.shape[1])
            self._scatter = np.zeros((features.shape[1],) * 2)
        before, n = self.count, len(features)
        self.count = before + n
        mean = features.mean(axis=0)
        shift = mean - self._mean
        # The shift of the mean joins the deviations as one more row, for a single product.
        rows = np.vstack([features - mean, shift * np.sqrt(before * n / self.count)])
        self._scatter += rows.T @ rows
        self._mean += shift * (n / self.count)

    @property
    def mean(self) -> np.ndarray:
        """The mean, `(d,)`; it needs a sample.

        Raises:
            ValueError: where there is none.
        """
        if self._mean is None:
            raise ValueError("Moments need features: call add first. Received none.")
        return self._mean

    @property
    def covariance(self) -> np.ndarray:
        """The unbiased covariance, `(d, d)`; it needs two samples."""
        return self._scatter / (self.count - 1)

    @functools.cached_property
    def root(self) -> np.ndarray:
        """A matrix R with RᵀR = covariance, of fewer rows where samples are few."""
        values, vectors = np.linalg.eigh(self.covariance)
        largest = slice(-min(len(values), self.count - 1), None)
        return np.sqrt(np.maximum(values[largest], 0))[:, None] * vectors.T[largest]


def frechet_distance(
    mean_1: np.ndarray, root_1: np.ndarray, mean_2: np.ndarray, root_2: np.ndarray
) -> float:
    """Returns the squared Fréchet (2-Wasserstein) distance between two normal distributions.

    ‖μ₁ − μ₂‖² + tr(C₁ + C₂ − 2 (C₁C₂)^½)    (Dowson & Landau 1982)

    With C = RᵀR, tr (C₁C₂)^½ is the sum of the singular values of R₁R₂ᵀ. That needs no square
    root of a matrix that is not symmetric, and loses no digits where a covariance is singular.

    Args:
        mean_1, mean_2: `(d,)`.
        root_1, root_2: any matrices `(r, d)` with RᵀR the covariance.

    Example:

    >>> frechet_distance(np.zeros(2), np.eye(2), np.ones(2), 2 * np.eye(2))
    4.0
    """
    shared = np.linalg.svd(root_1 @ root_2.T, compute_uv=False).sum()
    distance = np.sum((mean_1 - mean_2) ** 2) + np.sum(root_1**2) + np.sum(root_2**2) - 2 * shared
    return max(0.0, float(distance))


class FrechetDistance(Metric):
    """The Fréchet distance between real and generated features; FID with Inception-v3's.

    d² = ‖μ_r − μ_g‖² + tr(C_r + C_g − 2 (C_r C_g)^½)    (Heusel et al. 2017)

    The value depends on the extractor, the number of samples and the real split: compare it only
    where these are the same. It is too large, by the more, the fewer the samples are. With no more
    of them than features a covariance is singular: `result` then gives a `FewSamplesWarning`.

    Args:
        reference: moments of the real features, of two samples or more.

    Results: `frechet_distance`, None with fewer than two samples.

    Example:

    >>> random = np.random.default_rng(0)
    >>> metric = FrechetDistance(FeatureMoments.of(random.normal(size=(500, 2))))
    >>> metric.update_state(random.normal(3.0, size=(500, 2)))
    >>> 16 < metric.result()["frechet_distance"] < 20
    True
    """

    inputs = ("features",)

    def __init__(self, reference: FeatureMoments) -> None:
        if reference.count < 2:
            raise ValueError(
                "reference must hold the moments of two samples or more. "
                f"Received: {reference.count}."
            )
        self._reference = reference
        self.reset_state()

    def reset_state(self) -> None:
        self._moments = FeatureMoments()

    def update_state(self, features: np.ndarray) -> None:
        """Takes a batch of features `(n, d)`."""
        self._moments.add(check_rows("features", features, len(self._reference.mean)))

    def result(self) -> Figures:
        if self._moments.count < 2:
            return {"frechet_distance": None}
        feature_dim = len(self._reference.mean)
        if min(self._moments.count, self._reference.count) <= feature_dim:
            warnings.warn(
                f"frechet_distance rests on {self._moments.count} samples beside "
                f"{self._reference.count} real ones, for {feature_dim} features: a covariance is "
                f"singular and the distance too large. Use more than {feature_dim} of both.",
                FewSamplesWarning,
                stacklevel=2,
            )
        of, to = self._moments, self._reference
        return {"frechet_distance": frechet_distance(of.mean, of.root, to.mean, to.root)}

    def describe(self) -> dict[str, Any]:
        return {"samples": self._moments.count, "reference_samples": self._reference.count}

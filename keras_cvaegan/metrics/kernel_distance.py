"""The kernel distance between real and generated features, unbiased with few samples."""

from typing import Any

import numpy as np

from keras_cvaegan.metrics.metric import Figures, Metric, check_count, check_rows
from keras_cvaegan.metrics.sampling import Reservoir


class KernelDistance(Metric):
    """The squared maximum mean discrepancy under a cubic kernel; KID with Inception-v3's features.

    k(x, y) = (xᵀy / d + 1)³
    MMD² = Σ_{i≠j} k(x_i, x_j) / (m (m − 1)) + Σ_{i≠j} k(y_i, y_j) / (m (m − 1))
           − 2 Σ_{ij} k(x_i, y_j) / m²    (Bińkowski et al. 2018)

    The estimate is unbiased whatever the number of samples, hence slightly negative where there is
    no difference. It is the mean over random subsets of both sides; its standard deviation over
    subsets stands beside. Of the generated features at most `max_samples` are held, by lot.

    Args:
        reference: real features `(n, d)`, two or more.
        subsets: number of random subsets.
        subset_size: samples of each side in a subset; fewer where a side has fewer.
        max_samples: the most generated features to hold.
        seed: seed of the lots.

    Results: `kernel_distance` and `kernel_distance_std`, None with fewer than two samples.

    Example:

    >>> random = np.random.default_rng(0)
    >>> metric = KernelDistance(random.normal(size=(500, 2)), subsets=10, subset_size=250)
    >>> metric.update_state(random.normal(size=(500, 2)))
    >>> abs(metric.result()["kernel_distance"]) < 0.1
    True
    """

    inputs = ("features",)

    def __init__(
        self,
        reference: np.ndarray,
        subsets: int = 100,
        subset_size: int = 1_000,
        max_samples: int = 10_000,
        seed: int = 0,
    ) -> None:
        self._reference = check_rows("reference", reference)
        if len(reference) < 2:
            raise ValueError(f"reference must have two rows or more. Received: {len(reference)}.")
        self._subsets = check_count("subsets", subsets)
        self._subset_size = check_count("subset_size", subset_size, 2)
        self._seed = seed
        self._sample = Reservoir(check_count("max_samples", max_samples, 2), seed)

    def reset_state(self) -> None:
        self._sample.reset()

    def update_state(self, features: np.ndarray) -> None:
        """Takes a batch of features `(n, d)`."""
        features = check_rows("features", features, self._reference.shape[1])
        self._sample.add(features.astype(np.float32, copy=False))

    def result(self) -> Figures:
        features = self._sample.rows
        if features is None or len(features) < 2:
            return {"kernel_distance": None, "kernel_distance_std": None}
        random = np.random.default_rng((self._seed, 1))
        size = min(self._subset_size, len(features), len(self._reference))
        distances = [
            kernel_distance(
                *(
                    rows[random.choice(len(rows), size, replace=False)]
                    for rows in (self._reference, features)
                )
            )
            for _ in range(self._subsets)
        ]
        return {
            "kernel_distance": float(np.mean(distances)),
            "kernel_distance_std": float(np.std(distances)),
        }

    def describe(self) -> dict[str, Any]:
        held = min(self._sample.seen, self._sample.capacity)
        return {
            "subsets": self._subsets,
            "subset_size": min(self._subset_size, held, len(self._reference)),
            "samples": held,
            "reference_samples": len(self._reference),
            "seed": self._seed,
        }


def kernel_distance(x: np.ndarray, y: np.ndarray) -> float:
    """Returns the unbiased MMD² between features `(n, d)` and `(m, d)`: see `KernelDistance`.

    Example:

    >>> kernel_distance(np.array([[0.0], [1.0]]), np.array([[0.0], [1.0]]))
    -3.5
    """
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    return _mean_of_pairs(x) + _mean_of_pairs(y) - 2 * float(_kernel(x, y).mean())


def _kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    kernel = x @ y.T / x.shape[1] + 1
    return kernel * kernel * kernel  # Many times faster than the power.


def _mean_of_pairs(x: np.ndarray) -> float:
    """The mean of the kernel over pairs of two different samples."""
    kernel = _kernel(x, x)
    return float((kernel.sum() - np.trace(kernel)) / (len(x) * (len(x) - 1)))

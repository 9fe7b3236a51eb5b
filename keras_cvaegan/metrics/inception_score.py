"""How sure a classifier is of each sample, and how evenly it spreads all of them over classes."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from keras_cvaegan.metrics.metric import Figures, Metric, check_count, check_rows


class InceptionScore(Metric):
    """The exponential of the mean divergence of p(y|x) from p(y).

    IS = exp(E_x KL(p(y|x) ‖ p(y)))    (Salimans et al. 2016)

    It is computed for each of several disjoint parts of the samples, with the part's own p(y), and
    reported as mean and standard deviation over the parts. Of every `splits` consecutive samples
    each part gets one, by lot, so that neither sorted nor alternating labels matter. The "realism"
    of Table 1 of Bao et al. (2017) is the same expression over all samples at once; with few
    samples a part, `inception_score` is the lower of the two.

    Any classifier may say p: the name is that of the first one used. With K classes the score lies
    in [1, K].

    Args:
        splits: number of parts; those without a sample are left out.
        seed: seed of the lots.

    Results: `inception_score`, `inception_score_std` and `realism`, None without samples.

    Example:

    >>> metric = InceptionScore(splits=1)
    >>> metric.update_state(np.eye(4))
    >>> round(metric.result()["inception_score"], 6)
    4.0
    """

    inputs = ("probabilities",)

    def __init__(self, splits: int = 10, seed: int = 0) -> None:
        self._splits, self._seed = check_count("splits", splits), seed
        self.reset_state()

    def reset_state(self) -> None:
        self._parts = _lots(self._splits, self._seed)
        self._counts = np.zeros(self._splits)
        self._negative_entropies = np.zeros(self._splits)
        self._sums: np.ndarray | None = None

    def update_state(self, probabilities: np.ndarray) -> None:
        """Takes a batch of probabilities `(n, k)`, of which each row sums to 1."""
        p = check_rows(
            "probabilities", probabilities, None if self._sums is None else self._sums.shape[1]
        ).astype(np.float64)
        if np.any(p < 0) or not np.allclose(p.sum(axis=1), 1, atol=1e-3):
            raise ValueError(
                "probabilities must not be negative, and each row must sum to 1. Received others; "
                "take the softmax of logits first."
            )
        if self._sums is None:
            self._sums = np.zeros((self._splits, p.shape[1]))
        parts = np.array([next(self._parts) for _ in range(len(p))], np.int64)
        np.add.at(self._counts, parts, 1)
        np.add.at(self._negative_entropies, parts, _x_log_x(p).sum(axis=1))
        np.add.at(self._sums, parts, p)

    def result(self) -> Figures:
        used = self._counts > 0
        if self._sums is None or not used.any():
            return {"inception_score": None, "inception_score_std": None, "realism": None}
        scores = _score(self._counts[used], self._negative_entropies[used], self._sums[used])
        everything = _score(
            self._counts.sum(keepdims=True),
            self._negative_entropies.sum(keepdims=True),
            self._sums.sum(axis=0, keepdims=True),
        )
        return {
            "inception_score": float(scores.mean()),
            "inception_score_std": float(scores.std()),
            "realism": float(everything[0]),
        }

    def describe(self) -> dict[str, Any]:
        return {"splits": self._splits, "seed": self._seed}


def _lots(splits: int, seed: int) -> Iterator[int]:
    """Yields the part of each sample: a new permutation of the parts for every `splits` of them."""
    random = np.random.default_rng(seed)
    while True:
        yield from random.permutation(splits)


def _x_log_x(x: np.ndarray) -> np.ndarray:
    return x * np.log(np.maximum(x, np.finfo(x.dtype).tiny))


def _score(counts: np.ndarray, negative_entropies: np.ndarray, sums: np.ndarray) -> np.ndarray:
    """The score of each part from its number of samples, sum of Σ p log p, and sum of p."""
    marginals = sums / counts[:, None]
    return np.exp(negative_entropies / counts - _x_log_x(marginals).sum(axis=1))

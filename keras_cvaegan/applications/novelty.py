"""Tells whether a model copies its training pictures, by the measure of held-out ones."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

SIGNIFICANCE = 0.001


@dataclasses.dataclass(frozen=True, eq=False)
class Copies:
    """What `find_copies` found.

    Args:
        ratios: float64 (n,), of the samples: see `find_copies`.
        held_out_ratios: float64 (m,), likewise.
        threshold: samples whose ratio is not above it are taken for copies.
        false_alarms: share of new pictures of the data for which that would be said.
        p_value: probability of so many samples or more below the threshold, were they new
            pictures of the data.
    """

    ratios: np.ndarray
    held_out_ratios: np.ndarray
    threshold: float
    false_alarms: float
    p_value: float

    @property
    def flagged(self) -> np.ndarray:
        """Which samples are taken for copies, bool (n,)."""
        return self.ratios <= self.threshold

    @property
    def memorised(self) -> bool:
        """Whether samples are copies more often than chance has it."""
        return self.p_value < SIGNIFICANCE


def find_copies(
    distances: np.ndarray, held_out_distances: np.ndarray, *, level: float = 0.01
) -> Copies:
    """Flags samples that are nearer to one training picture than new pictures would be.

    Distances alone mislead: pictures that are smoother than real ones, as those of a variational
    auto-encoder, are near to many training pictures and copies of none. So a sample's distance to
    the nearest training picture is compared with those to the next ones (after Carlini et al.
    2023, "Extracting Training Data from Diffusion Models"):

    r(x) = d₁(x) / mean(d₂(x), …, d_k(x))

    The threshold is the j-th smallest of the m held-out pictures' ratios, with j = level (m + 1),
    rounded down but at least 1. A new picture of the data is below it with probability
    j / (m + 1), and the number of n new ones is beta-binomial, with j and m + 1 − j: the p-value
    counts that the threshold is itself of few pictures.

    Args:
        distances: distances of samples to their k nearest training pictures, (n, k), nearest
            first; k at least 2. The next ones should be more than a picture has duplicates: 50 of
            them do.
        held_out_distances: those of pictures that the model was not trained on, (m, k), drawn by
            lot. Where the data have pictures twice, leave out those at distance 0.
        level: the share of new pictures that may be flagged.

    Raises:
        ValueError: for distances of other shapes, not in ascending order, negative or none, or a
            level outside (0, 1).

    Example:

    >>> training, new = np.random.default_rng(0).normal(size=(2, 200, 8))
    >>> def nearest(x):
    ...     return np.sort(np.linalg.norm(x[:, None] - training, axis=2))[:, :20]
    >>> found = find_copies(nearest(training[:50] + 0.1), nearest(new))
    >>> int(found.flagged.sum()), found.memorised
    (50, True)
    """
    ratios, held_out = (
        _ratios("samples", distances),
        _ratios("held-out pictures", held_out_distances),
    )
    if np.shape(distances)[1] != np.shape(held_out_distances)[1]:
        raise ValueError(
            "Samples and held-out pictures must have equally many neighbours. Received: "
            f"{np.shape(distances)[1]} and {np.shape(held_out_distances)[1]}."
        )
    if not 0 < level < 1:
        raise ValueError(f"level must be a number between 0 and 1. Received: {level!r}.")
    total = len(held_out) + 1
    rank = max(1, math.floor(level * total))
    threshold = float(np.sort(held_out)[rank - 1])
    below = int(np.sum(ratios <= threshold))
    return Copies(
        ratios,
        held_out,
        threshold,
        rank / total,
        _beta_binomial_tail(below, len(ratios), rank, total - rank),
    )


def _ratios(of: str, distances: np.ndarray) -> np.ndarray:
    distances = np.asarray(distances, np.float64)
    if distances.ndim != 2 or distances.shape[1] < 2 or not len(distances):
        raise ValueError(
            f"Distances of {of} must have the shape (n, k), n at least 1 and k at least 2. "
            f"Received: {distances.shape}."
        )
    if not (distances[:, 0] >= 0).all() or (np.diff(distances, axis=1) < 0).any():
        raise ValueError(
            f"Distances of {of} must be at least 0, each row in ascending order. Received: from "
            f"{distances.min():.3g} to {distances.max():.3g}."
        )
    nearest, others = distances[:, 0], distances[:, 1:].mean(axis=1)
    # Where all are at 0, the nearest is.
    return np.divide(nearest, others, out=np.zeros_like(nearest), where=others > 0)


def _beta_binomial_tail(least: int, count: int, a: int, b: int) -> float:
    """P(X ≥ least), X ~ beta-binomial of `count` draws."""

    def log_beta(x: float, y: float) -> float:
        return math.lgamma(x) + math.lgamma(y) - math.lgamma(x + y)

    logs = [
        log_beta(number + a, count - number + b)
        - log_beta(number + 1, count - number + 1)
        - math.log(count + 1)
        for number in range(least, count + 1)
    ]
    return min(1.0, math.fsum(math.exp(each - log_beta(a, b)) for each in logs))

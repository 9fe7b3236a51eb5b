"""Whether two pictures are of the same class, by the cosine similarity of their features."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Verification:
    """How well pairs of pictures are told apart.

    Args:
        accuracy: mean over the folds.
        standard_error: standard error of that mean, by the spread over the folds.
        by_fold: accuracy on each fold.
        thresholds: similarity from which on pairs of the fold counted as the same.
    """

    accuracy: float
    standard_error: float
    by_fold: tuple[float, ...]
    thresholds: tuple[float, ...]


def cosine_similarities(features: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Returns x · y / (|x| |y|) of each pair of rows, `float64 (n,)`; 0 where one is the origin.

    Args:
        features: `(n, d)`.
        others: `(n, d)`.

    Raises:
        ValueError: for other shapes.

    Example:

    >>> cosine_similarities(np.array([[1.0, 0.0], [2.0, 2.0]]), np.array([[0.0, 3.0], [1.0, 1.0]]))
    array([0., 1.])
    """
    features, others = np.asarray(features, np.float64), np.asarray(others, np.float64)
    if features.ndim != 2 or features.shape != others.shape:
        raise ValueError(
            "Features must be two arrays of one shape (n, d). "
            f"Received: {features.shape} and {others.shape}."
        )
    norms = np.linalg.norm(features, axis=1) * np.linalg.norm(others, axis=1)
    products = np.sum(features * others, axis=1)
    return np.divide(products, norms, out=np.zeros_like(products), where=norms > 0)


def best_threshold(similarities: np.ndarray, same: np.ndarray) -> float:
    """Returns the threshold that is right most often, where pairs from it on count as the same.

    Thresholds lie half-way between neighbouring similarities, or beyond all of them; of several
    that are equally good, the middle one is taken.

    Args:
        similarities: `(n,)`, one or more.
        same: bool `(n,)`.

    Example:

    >>> best_threshold(np.array([0.1, 0.4, 0.6, 0.9]), np.array([False, False, True, True]))
    0.5
    """
    order = np.argsort(similarities)
    values, is_same = np.asarray(similarities, np.float64)[order], np.asarray(same, bool)[order]
    # Below threshold i are the first i pairs.
    right = np.concatenate([[0], np.cumsum(~is_same)]) + np.concatenate(
        [np.cumsum(is_same[::-1])[::-1], [0]]
    )
    between = (values[1:] + values[:-1]) / 2
    thresholds = np.concatenate([[values[0] - 1], between, [values[-1] + 1]])
    # No threshold parts equal similarities.
    possible = np.concatenate([[True], values[1:] > values[:-1], [True]])
    best = thresholds[possible & (right == right[possible].max())]
    return float(best[len(best) // 2])


def verify(similarities: np.ndarray, same: np.ndarray, folds: np.ndarray) -> Verification:
    """Measures how well a threshold tells same from different, on pairs that did not choose it.

    The protocol of Labeled Faces in the Wild (Huang et al. 2007): for each fold, the threshold is
    that of `best_threshold` on all other folds, and the accuracy that on the fold.

    Args:
        similarities: similarities of pairs, `(n,)`.
        same: whether they are of the same class, bool `(n,)`.
        folds: number of the fold that each is in, integers `(n,)`.

    Raises:
        ValueError: for fewer than two folds, or arrays of other lengths.

    Example:

    >>> similarities = np.array([0.9, 0.2, 0.8, 0.1, 0.3, 0.4])
    >>> verify(similarities, np.array([1, 0, 1, 0, 1, 0]), np.array([0, 0, 1, 1, 2, 2])).by_fold
    (1.0, 1.0, 0.5)
    """
    similarities, folds = np.asarray(similarities, np.float64), np.asarray(folds)
    same = np.asarray(same, bool)
    if similarities.ndim != 1 or not similarities.shape == same.shape == folds.shape:
        raise ValueError(
            "similarities, same and folds must have one number a pair. Received: "
            f"{similarities.shape}, {same.shape} and {folds.shape}."
        )
    names = np.unique(folds)
    if len(names) < 2:
        raise ValueError(
            "Two folds or more are needed: the others choose one's threshold. "
            f"Received: {len(names)}."
        )
    thresholds = [best_threshold(similarities[folds != f], same[folds != f]) for f in names]
    by_fold = [
        float(np.mean((similarities[folds == fold] >= threshold) == same[folds == fold]))
        for fold, threshold in zip(names, thresholds, strict=True)
    ]
    return Verification(
        float(np.mean(by_fold)),
        float(np.std(by_fold, ddof=1) / np.sqrt(len(by_fold))),
        tuple(by_fold),
        tuple(thresholds),
    )

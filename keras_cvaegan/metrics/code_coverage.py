"""How much of a cluster of codes a mapping reaches."""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy.special import gammaln

from keras_cvaegan.metrics.metric import check_rows
from keras_cvaegan.metrics.neighbours import nearest_squared_distances, squared_distances


@dataclasses.dataclass(frozen=True)
class CodeCoverage:
    """How many held-out codes have a mapped code near by, and what real codes would reach.

    Args:
        covered: share of held-out codes with a mapped one within `radius`.
        ceiling: the share that as many real codes of the same cluster reach.
        codes: numbers of mapped and of real codes that the two shares are of.
        radius: the median distance of a held-out code to its nearest other.
        spread: mean variance of a dimension, of the mapped codes.
        held_out_spread: spread of the held-out ones.
    """

    covered: float
    ceiling: float
    codes: int
    radius: float
    spread: float
    held_out_spread: float


def code_coverage(
    held_out: np.ndarray, mapped: np.ndarray, *, reference: np.ndarray | None = None
) -> CodeCoverage:
    """Measures whether mapped codes are as near to held-out ones as real codes of the cluster are.

    A held-out code is covered where a mapped code lies within the radius: the median over held-out
    codes of the distance to the nearest other one. More codes cover more. So both shares are of k
    codes, k the lesser of the numbers of mapped and of real ones; where there are more, the share
    is the mean over all choices of k of them, which needs no lot:

    covered = mean_i (1 − C(m − m_i, k) / C(m, k)),  m_i of m codes within the radius of code i

    Real codes are the reference's. Without a reference they are the held-out ones themselves, each
    of which is compared with the others: at k = n − 1 that is about ½, by the radius' definition.
    Real codes of an own sample are better, at least as many as mapped ones.

    In many dimensions the middle of a cluster is nearer to most codes than they are to each other:
    a mapping that shrinks to it covers more than real codes do, and shows in a `spread` far below
    `held_out_spread`. Read `covered` beside both.

    Args:
        held_out: codes of the cluster that the mapping never saw, (n, d), at least 2.
        mapped: codes that it gives for the cluster, (m, d); of none, nothing is covered.
        reference: other codes of the cluster, (r, d), at least 1.

    Returns:
        See `CodeCoverage`.

    Raises:
        ValueError: for fewer codes, unequal dimensions, or codes that are not finite.

    Example:

    >>> rng = np.random.default_rng(0)
    >>> codes, others = rng.normal(size=(2, 1000, 3))
    >>> found = code_coverage(codes, others / 2, reference=others)
    >>> found.codes, round(found.covered, 2), round(found.ceiling, 2), round(found.spread, 2)
    (1000, 0.36, 0.47, 0.25)
    """
    held_out = check_rows("held_out", held_out)
    mapped = check_rows("mapped", mapped, held_out.shape[1])
    if len(held_out) < 2:
        raise ValueError(
            "held_out must have at least 2 codes, or there is no distance between them. "
            f"Received: {len(held_out)}."
        )
    if reference is not None:
        reference = check_rows("reference", reference, held_out.shape[1])
        if not len(reference):
            raise ValueError("reference must have at least one code, or be None. Received: none.")
    radius = float(np.median(nearest_squared_distances(held_out, 1)))
    real = len(held_out) - 1 if reference is None else len(reference)
    count = min(len(mapped), real)
    near_real = _near(held_out, held_out if reference is None else reference, radius)
    if reference is None:
        near_real -= 1  # Itself.
    return CodeCoverage(
        covered=_covered(_near(held_out, mapped, radius), len(mapped), count),
        ceiling=_covered(near_real, real, count),
        codes=count,
        radius=radius**0.5,
        spread=_spread(mapped),
        held_out_spread=_spread(held_out),
    )


def _near(codes: np.ndarray, others: np.ndarray, radius: float) -> np.ndarray:
    """How many of the others lie within a squared radius of each code."""
    near = np.zeros(len(codes), np.int64)
    if len(others):
        # The radius itself counts, however its square was rounded.
        for rows, distances in squared_distances(codes, others):
            near[rows] = np.sum(distances <= radius * (1 + 1e-9), axis=1)
    return near


def _covered(near: np.ndarray, codes: int, count: int) -> float:
    """The mean share of rows that have one of their near codes among `count` of the codes."""
    if count == 0:
        return 0.0
    far = codes - near
    # Of fewer far codes than are chosen, one chosen is near.
    possible = np.maximum(far, count)
    missed = np.exp(
        gammaln(possible + 1)
        - gammaln(possible - count + 1)
        - gammaln(codes + 1)
        + gammaln(codes - count + 1)
    )
    return float(np.mean(np.where(far < count, 1.0, 1.0 - missed)))


def _spread(codes: np.ndarray) -> float:
    return float(np.mean(np.var(codes, axis=0, dtype=np.float64))) if len(codes) else 0.0

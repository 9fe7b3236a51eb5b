"""The nearest of many points: exact, on any back end, a block of distances at a time."""

from __future__ import annotations

from typing import Any

from keras import backend, ops

from keras_cvaegan.ops.precision import full_precision

KEPT = 4
"""Candidates of a block that are compared by their differences."""
_NO_INDEX = 2**31 - 1


def nearest(
    queries: Any,
    candidates: Any,
    *,
    query_groups: Any = None,
    candidate_groups: Any = None,
    block_size: int = 1024,
) -> tuple[Any, Any]:
    """Finds for each query x the nearest candidate y in Euclidean distance.

    ‖x − y‖² − ‖x‖² = ‖y‖² − 2 x·y

    The right side is one matrix product for a block of queries and candidates; both are centred on
    the queries' mean first. Its rounding may swap near ties, so the `KEPT` best of each block are
    compared by Σ (x − y)² of the points as they are. Of equal distances the lowest index wins.

    What rounding remains: let e be the largest error of the product form, about u √d times
    ‖y‖² + 2 ‖x‖ ‖y‖ of the centred points, with u = 2⁻²⁴. The result is the nearest unless `KEPT`
    others of its block are within 2e of its squared distance, and then the squared distance of the
    result exceeds the smallest by at most 2e. Where a GPU rounds the factors of products to
    TensorFloat-32, u is 2⁻¹¹.

    No gradient flows. At most block_size² distances and `KEPT` · block_size candidates are held at
    a time, whatever the number of points. Queries, candidates and groups are arrays or tensors of
    `tf.function` and `jax.jit`, of numbers of rows that need not be known when TensorFlow traces.

    Args:
        queries: x, (n, d).
        candidates: y, (m, d).
        query_groups: integers (n,); with `candidate_groups` only candidates of the query's group
            count.
        candidate_groups: integers (m,).
        block_size: rows of a block, of queries and of candidates.

    Returns:
        int32 (n,), the indices, and float32 (n,), the squared distances: −1 and infinity of a
        query without a candidate of its group. Rows with a number that is not finite, or so far
        away that the square of a distance leaves float32, count as absent.

    Raises:
        ValueError: for shapes that do not fit together, groups of one side alone or that are not
            integers, or a block_size below 1.

    Example:

    >>> import numpy as np
    >>> indices, squared = nearest(np.array([[0.0], [3.0]]), np.array([[5.0], [1.0], [9.0]]))
    >>> np.array(indices).tolist(), np.array(squared).tolist()
    ([1, 0], [1.0, 4.0])
    """
    queries, candidates = (
        ops.stop_gradient(full_precision(points)) for points in (queries, candidates)
    )
    groups = _checked_groups(queries, candidates, query_groups, candidate_groups)
    if isinstance(block_size, bool) or not isinstance(block_size, int) or block_size < 1:
        raise ValueError(f"block_size must be an integer of at least 1. Received: {block_size!r}.")
    count = ops.shape(queries)[0]
    best = ops.full((count,), -1, "int32"), ops.full((count,), float("inf"), "float32")
    if 0 in (*queries.shape, candidates.shape[0]):
        return best
    search = _Search(queries, candidates, groups, block_size)

    def step(block: Any, indices: Any, distances: Any) -> tuple[Any, Any, Any]:
        start = search.start(block, search.query_block, count)
        found, squared = search.of_block(start)
        return (
            block + 1,
            ops.slice_update(indices, [start], found),
            ops.slice_update(distances, [start], squared),
        )

    blocks = _blocks(count, search.query_block)
    _, indices, distances = ops.while_loop(
        lambda block, *_: block < blocks, step, (ops.zeros((), "int32"), *best)
    )
    return ops.stop_gradient(indices), ops.stop_gradient(distances)


class _Search:
    """What the blocks share."""

    def __init__(self, queries: Any, candidates: Any, groups: tuple[Any, Any], block_size: int):
        self.queries, self.candidates = queries, candidates
        self.query_groups, self.candidate_groups = groups
        self.count = ops.shape(candidates)[0]
        self.query_block = _least(block_size, ops.shape(queries)[0])
        self.block = _least(block_size, self.count)
        self.kept = _least(KEPT, self.block)
        finite = ops.all(ops.isfinite(queries), axis=1, keepdims=True)
        centre = ops.sum(ops.where(finite, queries, 0.0), axis=0, keepdims=True) / ops.maximum(
            ops.sum(ops.cast(finite, queries.dtype)), 1.0
        )
        self.centred_queries = ops.cast(queries - centre, "float32")
        present = ops.all(ops.isfinite(candidates), axis=1)
        centred = ops.cast(candidates - ops.cast(centre, candidates.dtype), "float32")
        self.centred_candidates = ops.where(present[:, None], centred, 0.0)
        # An absent candidate's norm is infinite: it is never among the best, without a mask.
        self.norms = ops.where(
            present, ops.sum(ops.square(self.centred_candidates), axis=1), float("inf")
        )

    def start(self, block: Any, size: Any, count: Any) -> Any:
        """First row of a block: the last one overlaps the one before, so that all are whole."""
        return ops.minimum(block * size, count - size)

    def of_block(self, start: Any) -> tuple[Any, Any]:
        """Indices and squared distances of the nearest to a block of queries."""
        rows = _rows(self.queries, start, self.query_block)
        doubled = 2.0 * _rows(self.centred_queries, start, self.query_block)
        groups = None
        if self.query_groups is not None:
            groups = _rows(self.query_groups, start, self.query_block)

        def step(block: Any, indices: Any, distances: Any) -> tuple[Any, Any, Any]:
            first = self.start(block, self.block, self.count)
            found, squared = self.in_block(rows, doubled, groups, first)
            closer = squared < distances
            return (
                block + 1,
                ops.where(closer, found, indices),
                ops.where(closer, squared, distances),
            )

        blocks = _blocks(self.count, self.block)
        _, indices, distances = ops.while_loop(
            lambda block, *_: block < blocks,
            step,
            (
                ops.zeros((), "int32"),
                ops.full((self.query_block,), -1, "int32"),
                ops.full((self.query_block,), float("inf"), "float32"),
            ),
        )
        return indices, distances

    def in_block(self, rows: Any, doubled: Any, groups: Any, first: Any) -> tuple[Any, Any]:
        """The nearest in one block of candidates."""
        products = ops.matmul(
            doubled, ops.transpose(_rows(self.centred_candidates, first, self.block))
        )
        closeness = products - _rows(self.norms, first, self.block)
        if groups is not None:
            same = groups[:, None] == _rows(self.candidate_groups, first, self.block)[None]
            closeness = ops.where(same, closeness, -float("inf"))
        closeness, kept = ops.top_k(closeness, self.kept)
        kept = ops.cast(kept, "int32") + first
        difference = rows[:, None] - ops.cast(ops.take(self.candidates, kept, axis=0), rows.dtype)
        squared = ops.cast(ops.sum(ops.square(difference), axis=-1), "float32")
        squared = ops.where(ops.isfinite(closeness), squared, float("inf"))
        least = ops.min(squared, axis=1)
        return ops.min(ops.where(squared == least[:, None], kept, _NO_INDEX), axis=1), least


def _rows(x: Any, start: Any, count: Any) -> Any:
    """Some rows of a matrix, or numbers of a vector."""
    rest = list(ops.shape(x)[1:])
    return ops.slice(x, [start, *[0 for _ in rest]], [count, *rest])


def _least(limit: Any, count: Any) -> Any:
    """The lesser of two numbers, at least 1: an integer where both are known."""
    if isinstance(limit, int) and isinstance(count, int):
        return max(1, min(limit, count))
    return ops.maximum(ops.minimum(count, limit), 1)


def _blocks(count: Any, size: Any) -> Any:
    return (count + size - 1) // size


def _checked_groups(
    queries: Any, candidates: Any, query_groups: Any, candidate_groups: Any
) -> tuple[Any, Any]:
    if len(queries.shape) != 2 or len(candidates.shape) != 2:
        raise ValueError(
            "queries and candidates must have the shapes (n, d) and (m, d). Received: "
            f"{tuple(queries.shape)} and {tuple(candidates.shape)}."
        )
    if queries.shape[1] != candidates.shape[1]:
        raise ValueError(
            "queries and candidates must have as many dimensions. Received: "
            f"{queries.shape[1]} and {candidates.shape[1]}."
        )
    if (query_groups is None) != (candidate_groups is None):
        raise ValueError(
            "query_groups and candidate_groups come together: one of each row of both. Received: "
            f"only {'candidate_groups' if query_groups is None else 'query_groups'}."
        )
    if query_groups is None:
        return None, None
    return (
        _checked("query_groups", query_groups, queries),
        _checked("candidate_groups", candidate_groups, candidates),
    )


def _checked(name: str, groups: Any, points: Any) -> Any:
    groups = ops.convert_to_tensor(groups)
    kind = backend.standardize_dtype(groups.dtype)
    length = groups.shape[0] if len(groups.shape) == 1 else None
    known = None not in (length, points.shape[0])
    if "int" not in kind or len(groups.shape) != 1 or (known and length != points.shape[0]):
        raise ValueError(
            f"{name} must be integers, one of each of {points.shape[0]} rows. Received: {kind} of "
            f"the shape {tuple(groups.shape)}."
        )
    return ops.cast(groups, "int32")

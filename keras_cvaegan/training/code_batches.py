"""Batches of codes and labels, in an order that a run can go on from anywhere."""

from __future__ import annotations

import keras
import numpy as np


class RowOrder:
    """Which rows each batch has: each epoch is a permutation, batches run on across its end.

    Args:
        count: rows, at least 1.
        batch_size: rows a batch.
        seed: seed of the permutations.

    Raises:
        ValueError: for no rows, or an empty batch.

    Example:

    >>> order = RowOrder(3, batch_size=2, seed=0)
    >>> sorted(np.concatenate([order.rows(0), order.rows(1), order.rows(2)]).tolist())
    [0, 0, 1, 1, 2, 2]
    """

    def __init__(self, count: int, batch_size: int, seed: int) -> None:
        if count < 1 or batch_size < 1:
            raise ValueError(
                "Batches need at least one row each, and one to take. Received: "
                f"count={count}, batch_size={batch_size}."
            )
        self._count, self._batch_size, self._seed = count, batch_size, seed
        self._last: tuple[int, np.ndarray] = -1, np.zeros(0, np.int64)

    def rows(self, index: int) -> np.ndarray:
        """Returns the rows of the batch of this number, int64 (batch_size,)."""
        positions = np.arange(index * self._batch_size, (index + 1) * self._batch_size)
        epochs, offsets = np.divmod(positions, self._count)
        return np.concatenate(
            [self._permutation(epoch)[offsets[epochs == epoch]] for epoch in np.unique(epochs)]
        )

    def _permutation(self, epoch: int) -> np.ndarray:
        if self._last[0] != epoch:
            random = np.random.default_rng([self._seed, int(epoch)])
            self._last = int(epoch), random.permutation(self._count)
        return self._last[1]


class CodeBatches(keras.utils.PyDataset):
    """Batches of codes and their labels for `fit` with shuffle=False, on any back end.

    Without that Keras takes them in an order of its own, which no other run goes on from.
    `ClusterGuidedGenerator.fit` sees to it.

    Args:
        codes: (n, …).
        labels: (n,).
        batch_size: codes a batch; where it is above n, some come again in the same one.
        steps: number of batches.
        start: number of the first one, as many as a run has taken: what follows is what would have.
        seed: seed of the order.

    Example:

    >>> batches = CodeBatches(np.eye(3), np.arange(3), batch_size=2, steps=5)
    >>> later = CodeBatches(np.eye(3), np.arange(3), batch_size=2, steps=3, start=2)
    >>> np.array_equal(batches[2][1], later[0][1])
    True
    """

    def __init__(
        self,
        codes: np.ndarray,
        labels: np.ndarray,
        *,
        batch_size: int,
        steps: int,
        start: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self._codes, self._labels, self._steps, self._start = codes, labels, steps, start
        self._order = RowOrder(len(labels), batch_size, seed)

    def __len__(self) -> int:
        return self._steps

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        rows = self._order.rows(self._start + index)
        return self._codes[rows], self._labels[rows]

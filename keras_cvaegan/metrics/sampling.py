"""A bounded sample of a stream, whatever its length."""

import numpy as np

from keras_cvaegan.metrics.metric import check_count


class Reservoir:
    """A uniform sample without replacement of the rows of a stream.

    "Algorithm R" of Vitter (1985, "Random sampling with a reservoir"): the row of index i replaces
    a random earlier one with probability capacity / (i + 1). The sample depends on the seed and
    the stream, not on how the stream was divided into batches.

    Args:
        capacity: the most rows to keep; a shorter stream is kept whole and in order.
        seed: an integer, or a sequence of them.

    Example:

    >>> reservoir = Reservoir(capacity=3)
    >>> for batch in np.split(np.arange(10), 5):
    ...     reservoir.add(batch)
    >>> reservoir.seen, len(reservoir.rows)
    (10, 3)
    """

    def __init__(self, capacity: int, seed: int | tuple[int, ...] = 0) -> None:
        self.capacity = check_count("capacity", capacity)
        self.seed = seed
        self.reset()

    def reset(self) -> None:
        """Forgets all rows."""
        self.seen = 0
        self._random = np.random.default_rng(self.seed)
        self._rows: np.ndarray | None = None

    @property
    def rows(self) -> np.ndarray | None:
        """The sample, `(min(seen, capacity), …)`; None before the first row."""
        return None if self._rows is None else self._rows[: min(self.seen, self.capacity)]

    def add(self, rows: np.ndarray) -> None:
        """Takes the next rows of the stream, `(n, …)`, all of one shape and type."""
        rows = np.asarray(rows)
        if len(rows) == 0:
            return
        if self._rows is None:
            # Memory that is never written to is never used.
            self._rows = np.empty((self.capacity, *rows.shape[1:]), rows.dtype)
        held = self._rows
        indices = self.seen + np.arange(len(rows))
        slots = (self._random.random(len(rows)) * (indices + 1)).astype(np.int64)
        slots = np.where(indices < self.capacity, indices, slots)
        self.seen += len(rows)
        # The last row for a slot stays in it.
        unique, last = np.unique(slots[::-1], return_index=True)
        kept = unique < self.capacity
        held[unique[kept]] = rows[::-1][last[kept]]


class ClassReservoir:
    """A uniform sample of the rows of each class of a stream.

    Args:
        num_classes: number of classes.
        capacity: the most rows to keep of a class.
        seed: an integer; each class has a sequence of its own.

    Example:

    >>> reservoir = ClassReservoir(num_classes=3, capacity=2)
    >>> reservoir.add(np.arange(5), np.array([0, 0, 0, 2, 2]))
    >>> [len(rows) for rows in reservoir.rows_by_class()]
    [2, 0, 2]
    """

    def __init__(self, num_classes: int, capacity: int, seed: int = 0) -> None:
        self._classes = [
            Reservoir(capacity, (seed, label))
            for label in range(check_count("num_classes", num_classes))
        ]

    def reset(self) -> None:
        """Forgets all rows."""
        for reservoir in self._classes:
            reservoir.reset()

    def add(self, rows: np.ndarray, labels: np.ndarray) -> None:
        """Takes the next rows of the stream, `(n, …)`, of the classes `labels`, `(n,)`."""
        for label in np.unique(labels):
            self._classes[label].add(rows[labels == label])

    def rows_by_class(self) -> list[np.ndarray]:
        """Returns the sample of each class, without rows for an absent one."""
        return [
            np.zeros((0,)) if reservoir.rows is None else reservoir.rows
            for reservoir in self._classes
        ]

    @property
    def seen(self) -> list[int]:
        """How many rows of each class the stream had."""
        return [reservoir.seen for reservoir in self._classes]

"""Reads rows of the cache for `tf.data`, in memory that does not grow with the data."""

import atexit
import math
import os
import threading
import time
import weakref

import numpy as np

_QUIET_SECONDS = 0.2
_LONGEST_WAIT_SECONDS = 20


class Reader:
    """Reads the same rows of several arrays: the function of a `tf.numpy_function`.

    Any number of threads may call at once. Where a data set was derived with `prefetch`, threads of
    `tf.data` run ahead of whoever takes the batches, and one that calls Python when the interpreter
    ends blocks that end for ever. So the end waits until they are as far ahead as they may be:
    until no call is under way and none came for a while.

    Args:
        *arrays: arrays of shape `(n, …)`, in memory or as `np.load(…, mmap_mode="r")` gives them.

    Raises:
        OSError: when a mapped file is gone or has become shorter.

    Example:

    >>> Reader(np.array([5, 6, 7]), np.array([0, 1, 0]))(np.array([2, 0]))
    [array([7, 5]), array([0, 0])]
    """

    _lock = threading.Lock()
    _under_way = 0
    _last_end = -math.inf

    def __init__(self, *arrays: np.ndarray) -> None:
        self._arrays = [_File(array) if isinstance(array, np.memmap) else array for array in arrays]

    def __call__(self, rows: np.ndarray) -> list[np.ndarray]:
        with self._lock:
            Reader._under_way += 1
        try:
            return [array[rows] for array in self._arrays]
        finally:
            with self._lock:
                Reader._under_way -= 1
                Reader._last_end = time.monotonic()

    @classmethod
    def wait_for_quiet(cls) -> None:
        """Waits until the threads have paused."""
        deadline = time.monotonic() + _LONGEST_WAIT_SECONDS
        while time.monotonic() < deadline and (
            cls._under_way or time.monotonic() < cls._last_end + _QUIET_SECONDS
        ):
            time.sleep(_QUIET_SECONDS / 10)


atexit.register(Reader.wait_for_quiet)


class _File:
    """Reads rows of a mapped array from its file.

    The pages of a map that were touched once count as the process's memory.
    """

    def __init__(self, array: np.memmap) -> None:
        self._path, self._first, self._dtype = array.filename, array.offset, array.dtype
        self._row_shape = array.shape[1:]
        self._row_bytes = array.itemsize * math.prod(self._row_shape)
        self._descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        weakref.finalize(self, os.close, self._descriptor)

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        result = np.empty((len(rows), self._row_bytes), np.uint8)
        starts = (self._first + rows * self._row_bytes).tolist()
        if hasattr(os, "posix_fadvise"):
            # The disk fetches what is not in memory all at once, not a row after the other.
            for start in starts:
                os.posix_fadvise(self._descriptor, start, self._row_bytes, os.POSIX_FADV_WILLNEED)
        for start, place in zip(starts, result, strict=True):
            if os.preadv(self._descriptor, [place], start) != self._row_bytes:
                raise OSError(
                    f"{str(self._path)!r} has become shorter. Remove its folder, and it will be "
                    "made anew."
                )
        return result.view(self._dtype).reshape(len(rows), *self._row_shape)

"""Shows how far a stream of batches is: images done, images/s, time left."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from keras_cvaegan.training.status_line import StatusLine, duration

Batch = tuple[np.ndarray, ...]


def counted(
    title: str, batches: Iterable[Batch], total: int, line: StatusLine | None = None
) -> Iterator[Batch]:
    """Yields the batches, and shows how far they are.

    Args:
        title: what is counted.
        batches: tuples of arrays with a row an image.
        total: images in all of them.
        line: shows it; by default a new one on stdout.

    Example:

    >>> for images, labels in counted("images", [(np.zeros(2), np.zeros(2))], total=2):
    ...     pass
    images: 2 of 2, ... images/s, 0:00 in all
    """
    line = line or StatusLine()
    began = first_end = time.monotonic()
    done = first = 0
    for batch in batches:
        yield batch
        done, now = done + len(batch[0]), time.monotonic()
        if not first:
            # The first batch contains the compilation: it does not tell the speed of the others.
            first, first_end = done, now
        elif done < total:
            rate = (done - first) / max(now - first_end, 1e-9)
            left = duration((total - done) / max(rate, 1e-9))
            line.show(f"{title}: {done:,} of {total:,}, {rate:,.0f} images/s, {left} left")
    seconds = time.monotonic() - began
    rate, taken = done / max(seconds, 1e-9), duration(seconds)
    line.show(f"{title}: {done:,} of {total:,}, {rate:,.0f} images/s, {taken} in all", last=True)


def time_left(taken: Mapping[str, Sequence[float]], to_do: Sequence[str]) -> float | None:
    """Returns the seconds that pieces of work will take, as long each as those of its kind did.

    Args:
        taken: seconds of the pieces that are done, by kind.
        to_do: the kinds of those that are not; one of which none is done counts as a mean one.

    Example:

    >>> time_left({"a": [1.0, 3.0], "b": [5.0]}, ["a", "b", "b"])
    12.0
    >>> time_left({}, ["a"])
    """
    all_taken = [seconds for kind in taken.values() for seconds in kind]
    if not all_taken:
        return None
    return float(sum(_mean(taken.get(kind) or all_taken) for kind in to_do))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)

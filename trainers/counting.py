"""Shows how far a stream of batches is: images done, images/s, time left."""

import time
from collections.abc import Iterable, Iterator

import numpy as np

from trainers.status import StatusLine, duration

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

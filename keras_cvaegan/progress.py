"""One line that says how far a long piece of work is: done, speed, time left."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO

import numpy as np
from tqdm import tqdm
from tqdm.utils import disp_trim

Batch = tuple[np.ndarray, ...]


class Progress(tqdm):
    """A progress bar of tqdm's, as one line of text.

    On a terminal the line is written over and over; elsewhere, as in a log file, a whole line is
    written every few seconds and at the end. `update(count)` says that more is done,
    `set_postfix_str(text, refresh=False)` what stands behind the time left.

    Args:
        title: words before the count, such as "step" or "Samples:".
        total: number of all there are to do.
        unit: name of what the speed is counted in, in the plural.
        initial: number of those done before, which do not count for the speed.
        per_step: units in each of what is done, such as the images of a step.
        stream: file to write to; stdout by default.
        seconds_between: least time between lines that are not on a terminal.
        delay: seconds before anything is shown; work that is done by then shows nothing.
        disable: whether nothing is shown at all.

    Example:

    >>> with Progress("Samples:", total=30) as progress:
    ...     for batch in range(3):
    ...         _ = progress.update(10)
    Samples: 30/30  ... images/s  0:00 in all
    """

    # No thread of tqdm's: lines are written where the work is done.
    monitor_interval = 0

    def __init__(
        self,
        title: str,
        total: int,
        unit: str = "images",
        *,
        initial: int = 0,
        per_step: int = 1,
        stream: IO[str] | None = None,
        seconds_between: float = 5.0,
        delay: float = 0.0,
        disable: bool = False,
    ) -> None:
        stream = stream or sys.stdout
        self.later = 0.0
        """Seconds of the work that follows, which count as time left too."""
        self._per_step = per_step
        self._terminal = stream.isatty()
        self._ended = False
        self._first: tuple[int, float] | None = None
        super().__init__(
            desc=title,
            total=total,
            unit=unit,
            initial=initial,
            file=stream,
            mininterval=0.1 if self._terminal else seconds_between,
            miniters=1,
            delay=delay,
            disable=disable,
            dynamic_ncols=True,
            leave=self._terminal,
            position=0,
        )

    def update(self, n: float = 1) -> bool | None:
        """Counts `n` more, and shows them where a line is due."""
        shown = super().update(n)
        if self._first is None and not self.disable:
            # The first contains the compilation: it does not tell the speed of the others.
            self._first = self.n, self.format_dict["elapsed"]
        return shown

    def display(self, msg: str | None = None, pos: int | None = None) -> bool:
        """Writes the line: on a terminal over the last one, elsewhere below it."""
        if self._terminal:
            self.sp(str(self) if msg is None else msg)
            return True
        due = self._ended or self.initial < self.n < self.total
        if due and msg is None and self.format_dict["elapsed"] >= self.delay:
            self.fp.write(f"{self}\n")
            self.fp.flush()
        return False

    def close(self) -> None:
        """Writes the last line, which stays."""
        if not getattr(self, "disable", True):
            self._ended = True
            if not self._terminal:
                self.display()
        super().close()

    def __str__(self) -> str:
        about = self.format_dict
        parts = [f"{self.desc} {self.n:,}/{self.total:,}"]
        rate = self._rate(about["elapsed"])
        if rate:
            speed = rate * self._per_step
            parts.append(f"{speed:{',.0f' if speed >= 10 else '.2g'}} {self.unit}/s")
        if self._ended:
            parts.append(f"{duration(about['elapsed'])} in all")
        elif rate:
            parts.append(f"{duration((self.total - self.n) / rate + self.later)} left")
        text = "  ".join([*parts, self.postfix] if self.postfix else parts)
        columns = about["ncols"] or 0
        # Some terminals do not tell their width.
        return disp_trim(text, columns) if self._terminal and columns > 0 else text

    def _rate(self, elapsed: float) -> float | None:
        """Returns how many are done in a second, once more than the first are."""
        done, since = self._first or (self.n, 0.0)
        if self.n > done and elapsed > since:
            return (self.n - done) / (elapsed - since)
        return (self.n - self.initial) / elapsed if self._ended and elapsed else None


def counted(title: str, batches: Iterable[Batch], total: int) -> Iterator[Batch]:
    """Yields the batches, and shows how many of their images are done.

    Args:
        title: name of what they are.
        batches: tuples of arrays with a row an image.
        total: images in all of them.

    Example:

    >>> for images, labels in counted("Samples", [(np.zeros(2), np.zeros(2))], total=2):
    ...     pass
    Samples: 2/2  ... images/s  0:00 in all
    """
    with Progress(f"{title}:", total) as progress:
        for batch in batches:
            yield batch
            progress.update(len(batch[0]))


def duration(seconds: float) -> str:
    """Returns minutes and seconds, or hours too.

    Example:

    >>> duration(83), duration(3_725)
    ('1:23', '1:02:05')
    """
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def time_left(taken: Mapping[str, Sequence[float]], to_do: Sequence[str]) -> float | None:
    """Returns the seconds that pieces of work will take, as long each as those of its kind did.

    Args:
        taken: seconds of the pieces that are done, by kind.
        to_do: kinds of those that are not; one of which none is done counts as a mean one.

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

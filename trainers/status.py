"""One line that says how far a long piece of work is."""

import math
import os
import sys
import time
from collections.abc import Mapping, Sequence
from typing import IO


class StatusLine:
    """On a terminal a line that is written over and over; elsewhere a line every few seconds.

    Args:
        stream: where to write; stdout by default.
        seconds_between: of lines that are not on a terminal.

    Example:

    >>> StatusLine().show("3 of 3", last=True)
    3 of 3
    """

    def __init__(self, stream: IO[str] | None = None, seconds_between: float = 5.0) -> None:
        self._stream = stream or sys.stdout
        self._seconds_between = seconds_between
        self._latest = -math.inf

    def show(self, text: str, last: bool = False) -> None:
        """Shows a line, where one is due; the last one stays."""
        terminal, now = self._stream.isatty(), time.monotonic()
        if not (terminal or last or now >= self._latest + self._seconds_between):
            return
        self._latest = now
        if terminal:
            columns = os.get_terminal_size(self._stream.fileno()).columns
            text = f"\r\x1b[K{text[: columns - 1]}"
        self._stream.write(text if terminal and not last else f"{text}\n")
        self._stream.flush()


def duration(seconds: float) -> str:
    """Returns a duration to be read.

    Example:

    >>> duration(75), duration(3675)
    ('1:15', '1:01:15')
    """
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


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

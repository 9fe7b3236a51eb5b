"""One line that says how far a long piece of work is."""

import math
import os
import sys
import time
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
        self._open = False

    def show(self, text: str, last: bool = False) -> None:
        """Shows a line, where one is due; the last one stays."""
        terminal, now = self._stream.isatty(), time.monotonic()
        if not (terminal or last or now >= self._latest + self._seconds_between):
            return
        self._latest = now
        if terminal:
            columns = os.get_terminal_size(self._stream.fileno()).columns
            text = f"\r\x1b[K{text[: columns - 1]}"
        self._open = terminal and not last
        self._stream.write(text if self._open else f"{text}\n")
        self._stream.flush()

    def close(self) -> None:
        """Lets stand what is shown, where no last line came."""
        if self._open:
            self._open = False
            self._stream.write("\n")
            self._stream.flush()


def duration(seconds: float) -> str:
    """Returns minutes and seconds, or hours too.

    Example:

    >>> duration(83), duration(3_725)
    ('1:23', '1:02:05')
    """
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"

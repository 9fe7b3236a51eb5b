"""What can go wrong between a client and a server, and the server's words without their noise."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

Result = TypeVar("Result")

MALFORMED = (KeyError, TypeError, ValueError, AttributeError)
"""What is raised when an answer is read as something that it is not."""


class ServingError(Exception):
    """A request that was not fulfilled; each kind below is one, too."""


class BadRequest(ServingError):
    """The server refused the inputs, or has no such signature: asking again is no use."""


class NotFound(ServingError):
    """The server has no model of that name, or no such version."""


class Unavailable(ServingError):
    """The server could not be reached, or was too busy, each time that it was tried."""


class DeadlineExceeded(ServingError):
    """No answer came in time."""


def read_as(read: Callable[[Any], Result], answer: Any) -> Result:
    """Returns what is read of an answer.

    Args:
        read: function of the answer.
        answer: answer as a server sent it.

    Raises:
        ServingError: when it is none that `read` can read.

    Example:

    >>> read_as(lambda answer: answer["outputs"], {"outputs": [1, 2]})
    [1, 2]
    """
    try:
        return read(answer)
    except MALFORMED as error:
        start = " ".join(str(answer).split())[:200]
        raise ServingError(
            f"The answer is not what was asked for ({type(error).__name__}: {error}): {start}"
        ) from error


_ASSERTION = "assertion failed: ["
_HEADINGS = (
    re.compile(r"^Graph execution error:\s*"),
    re.compile(r"^Detected at node .*?(?:<stack traces unavailable>|\n\n)\s*", re.DOTALL),
    re.compile(r"^\d+ root error\(s\) found\.\s*\(0\) \w+(?: \w+)?: "),
)
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_TRAILERS = (
    re.compile(r"\n\s*\(1\) .*", re.DOTALL),
    re.compile(r"\n\s*\[\[[^\n]*\]\]"),
    re.compile(r"\s*\[Op:\w+\].*"),
)


def clean(message: str) -> str:
    """Returns a server's message without what only TensorFlow's developers need.

    Args:
        message: message as a server sent it.

    Example:

    >>> clean("Graph execution error:\\n\\nassertion failed: [labels must be 0. Received:] [7]"
    ...       "\\n\\t [[{{node Assert_2/AssertGuard/Assert}}]]")
    'labels must be 0. Received: 7'
    """
    for noise in (*_HEADINGS, *_TRAILERS):
        message = noise.sub("", message)
    start, is_assertion, parts = message.partition(_ASSERTION)
    if is_assertion:
        message = start + _said(parts.rpartition("]")[0] or parts)
    return " ".join(message.split())


def _said(parts: str) -> str:
    """The parts of an assertion, `text] [values`, as one sentence."""
    sentence = " ".join(part.strip() for part in re.split(r"\]\s+\[", parts))
    return unescape(sentence.encode()).replace(" ,", ",")


def unescape(text: bytes) -> str:
    """Returns a text that was escaped as in C, each byte beyond ASCII as an octal number.

    Example:

    >>> unescape(b"caf\\\\303\\\\251")
    'café'
    """

    def byte(found: re.Match[bytes]) -> bytes:
        code = found[1]
        return bytes([int(code, 8) & 255]) if len(code) == 3 else _ESCAPES.get(code, code)

    return re.sub(rb"\\([0-7]{3}|.)", byte, text).decode("utf-8", "replace")

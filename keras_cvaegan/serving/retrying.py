"""Trying again, with ever longer waits, what a server may only have been too busy for."""

import itertools
import random
import time
from collections.abc import Callable
from typing import TypeVar

from keras_cvaegan.serving.errors import DeadlineExceeded, Unavailable

FIRST_WAIT = 0.2

Answer = TypeVar("Answer")


def with_retries(ask: Callable[[float], Answer], timeout: float, retries: int) -> Answer:
    """Asks until the server is available.

    Waits double from try to try, and are up to a half longer or shorter at random, so that
    clients which failed together do not come back together.

    Args:
        ask: function of the seconds that are left, which raises `Unavailable` when it may be tried
            again.
        timeout: seconds for all tries together.
        retries: tries after the first.

    Returns:
        What `ask` returns.

    Raises:
        Unavailable: when the last try did.
        DeadlineExceeded: when the time was up.

    Example:

    >>> with_retries(lambda seconds: seconds <= 10, timeout=10, retries=3)
    True
    """
    end = time.monotonic() + timeout
    for tries in itertools.count(1):
        try:
            return ask(end - time.monotonic())
        except Unavailable as error:
            wait = FIRST_WAIT * 2 ** (tries - 1) * random.uniform(0.5, 1.5)
            if tries > retries or time.monotonic() + wait >= end:
                times = "once" if tries == 1 else f"{tries} times"
                raise Unavailable(f"{error} Tried {times}.") from error
        except DeadlineExceeded as error:
            raise DeadlineExceeded(
                f"No answer within {timeout:g} s, tries included. Allow more by timeout=, or ask "
                f"for fewer rows at once by batch_size=. {error}".strip()
            ) from error
        time.sleep(wait)
    raise AssertionError  # Counting does not end.

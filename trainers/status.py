"""How far a long piece of work is, and how long it will take."""

from collections.abc import Mapping, Sequence

from keras_cvaegan.training.status_line import StatusLine, duration

__all__ = ["StatusLine", "duration", "time_left"]


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

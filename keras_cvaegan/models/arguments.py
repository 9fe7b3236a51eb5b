"""Checks of the arguments of models."""

import numbers
import operator
from collections.abc import Iterable


def check_weight(name: str, value: float) -> float:
    """Returns an objective's weight as a float, or raises a ValueError unless it is ≥ 0."""
    if not _is_number(value) or not 0 <= value < 1e12:
        raise ValueError(f"{name} must be a number of at least 0. Received: {value!r}")
    return float(value)


def check_positive(name: str, value: float) -> float:
    """Returns a number above 0 as a float, or raises a ValueError."""
    if not _is_number(value) or not 0 < value < 1e12:
        raise ValueError(f"{name} must be a number above 0. Received: {value!r}")
    return float(value)


def check_share(name: str, value: float) -> float:
    """Returns a share or a strength as a float, or raises a ValueError unless it is in [0, 1]."""
    if not _is_number(value) or not 0 <= value <= 1:
        raise ValueError(f"{name} must be a number in [0, 1]. Received: {value!r}")
    return float(value)


def check_decay(name: str, value: float) -> float:
    """Returns the decay of a moving average as a float, or raises unless it is in [0, 1)."""
    if not _is_number(value) or not 0 <= value < 1:
        raise ValueError(f"{name} must be a number in [0, 1). Received: {value!r}")
    return float(value)


def _is_number(value: object) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def check_count(name: str, value: int, least: int = 1) -> int:
    """Returns a count as an int, or raises a ValueError unless it is an integer ≥ `least`."""
    try:
        count = least - 1 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        count = least - 1
    if count < least:
        raise ValueError(f"{name} must be an integer of at least {least}. Received: {value!r}")
    return count


def check_choice(name: str, value: str, choices: Iterable[str]) -> str:
    """Returns a word that is one of some choices, or raises a ValueError."""
    choices = tuple(choices)
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}. Received: {value!r}")
    return value


def check_switch(name: str, value: bool) -> bool:
    """Returns True or False, or raises a ValueError: "false" and 0.5 would count as true."""
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be True or False. Received: {value!r}")
    return value

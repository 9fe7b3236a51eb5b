"""What the programs share on the command line: flags under headed sections, and clear errors.

Nothing here imports TensorFlow, so that `--help` and a mistyped flag answer at once.
"""

import dataclasses
import math
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from absl import flags

import datasets
from trainers.command_line.command import Command

T = TypeVar("T")


JUDGES = ("efficientnet_lite1", "efficientnet_lite0", "trained")
"""What `trainers.evaluation.judge.open_judge` makes."""


def data_flags(command: Command) -> None:
    """Defines which pictures, at which size."""
    with command.section("Data"):
        docs = [f"{name}: {datasets.get(name).doc}" for name in datasets.names()]
        command.enum("dataset", "petals", datasets.names(), "\n".join(["pictures to take", *docs]))
        command.string("data_dir", None, "folder of the pictures, or of downloaded data")
        command.integer("num_classes", None, "petals only: number of species (default: 10)")
        command.boolean("crop_to_box", False, "birds only: crop pictures to the bird's box")
        command.integer(
            "min_images",
            None,
            "lfw and facescrub only: leave out people with fewer pictures (default: 20)",
            lower_bound=1,
        )
        command.integer("image_size", None, "side in pixels (default: the preset's)", lower_bound=1)


def dataset_options(values: flags.FlagValues) -> dict[str, Any]:
    """Returns the data set's own options among the flags that were given.

    Raises:
        ValueError: when one was given that the data set does not have.
    """
    given = {
        "num_classes": values.num_classes,
        "crop_to_box": values.crop_to_box or None,
        "min_images": values.min_images,
    }
    given = {name: value for name, value in given.items() if value is not None}
    known = datasets.get(values.dataset).options
    for name in given:
        if name not in known:
            raise ValueError(f"--{name} is not for the data set {values.dataset!r}.")
    return {name: given.get(name, default) for name, default in known.items()}


def run_dir_flag(command: Command) -> None:
    """Defines where a run lies."""
    with command.section("Run"):
        command.string("run_dir", None, "folder of a run of trainers.fit (required)")


def required_run_dir(values: flags.FlagValues) -> str:
    """Returns `--run_dir`.

    Raises:
        ValueError: when it was not given.
    """
    if not values.run_dir:
        raise ValueError("--run_dir is missing: the folder of a run of trainers.fit.")
    return values.run_dir


def judge_flag(command: Command) -> None:
    """Adds `--judge` to a program that measures pictures."""
    command.enum(
        "judge",
        JUDGES[0],
        JUDGES,
        "classifier that judges the pictures and gives the features that are compared\n"
        "efficientnet_lite1: a network trained on ImageNet, at 128 px, under a logistic regression "
        "on the training pictures; no model here is trained against it\n"
        "efficientnet_lite0: likewise; the preset photo is trained against it\n"
        "trained: a network that learns these classes from nothing, as in the papers",
    )


def seed_flag(command: Command, doc: str) -> None:
    """Defines `--seed`, a number of 32 bits.

    Args:
        command: program that draws.
        doc: help on what is drawn.
    """
    command.integer("seed", 0, doc, lower_bound=0, upper_bound=2**32 - 1)


def choices(text: str, flag: str, allowed: Iterable[str]) -> list[str]:
    """Returns the names that a flag's text lists, each once.

    Raises:
        ValueError: for a name that is not allowed.

    Example:

    >>> choices("b, a,b", "letters", "abc")
    ['b', 'a']
    """
    names = list(dict.fromkeys(part.strip() for part in text.split(",")))
    for name in names:
        if name not in allowed:
            raise ValueError(f"--{flag} takes {', '.join(allowed)}. Received: {name!r}.")
    return names


def assignments(texts: Sequence[str], flag: str) -> dict[str, str]:
    """Returns `{"a": "1", "b": "2"}` for `["a=1,b=2"]`.

    Raises:
        ValueError: for text of another form.
    """
    pairs = {}
    for part in (part for text in texts for part in text.split(",")):
        name, separator, value = part.partition("=")
        if not separator or not name or not value:
            raise ValueError(f"--{flag} takes name=value. Received: --{flag}={part}.")
        pairs[name.strip()] = value.strip()
    return pairs


def integers(text: str, flag: str, least: int = 1) -> list[int]:
    """Returns the integers that a flag's text lists, each once, in ascending order.

    Raises:
        ValueError: for what is no integer of at least `least`.

    Example:

    >>> integers("5, 1,5", "rounds")
    [1, 5]
    """
    numbers = {to_integer(part, f"--{flag}") for part in text.split(",")}
    if min(numbers) < least:
        raise ValueError(f"--{flag} takes numbers of at least {least}. Received: {min(numbers)}.")
    return sorted(numbers)


def to_dataclass(values: flags.FlagValues, kind: type[T]) -> T:
    """Returns a dataclass whose fields have the values of the flags of their names.

    Args:
        values: flags of a program, which has one for each field.
        kind: dataclass to make.

    Raises:
        ValueError: for a value that the dataclass refuses.

    Example:

    >>> @dataclasses.dataclass
    ... class Settings:
    ...     count: int
    >>> command = Command("trainers.example", "Counts.")
    >>> with command.section("Counting"):
    ...     command.integer("count", 3, "apples to count")
    >>> to_dataclass(command.parse(["--count=4"]), Settings)
    Settings(count=4)
    """
    return kind(**{field.name: values[field.name].value for field in dataclasses.fields(kind)})


def to_integer(text: str, name: str) -> int:
    """Returns the integer that a text is.

    Raises:
        ValueError: when it is none.
    """
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{name} takes an integer. Received: {text!r}.") from None


def to_number(text: str, name: str) -> float:
    """Returns the finite number that a text is.

    Raises:
        ValueError: when it is none.
    """
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{name} takes a number. Received: {text!r}.")
    return number


def parse_labels(text: str | None, class_names: Sequence[str], flag: str = "labels") -> list[int]:
    """Returns the labels that a flag names; without a text all.

    Raises:
        ValueError: for a class that the model does not have.

    Example:

    >>> parse_labels("1,rose", ("daisy", "tulip", "rose"))
    [1, 2]
    """
    if text is None:
        return list(range(len(class_names)))
    labels = []
    for part in (part.strip() for part in text.split(",")):
        if part in class_names:
            labels.append(class_names.index(part))
        elif part.isdecimal() and int(part) < len(class_names):
            labels.append(int(part))
        else:
            names = ", ".join(class_names[:20]) + (", …" if len(class_names) > 20 else "")
            raise ValueError(
                f"--{flag} takes numbers from 0 to {len(class_names) - 1}, or names: {names}. "
                f"Received: {part!r}."
            )
    return list(dict.fromkeys(labels))

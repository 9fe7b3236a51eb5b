"""Pictures of chosen classes as files: which ones, where they lie, what is said of them."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from keras_cvaegan import pictures
from trainers import command_line

_SEED_STEP = 1_000_003


def picture_flags(command: command_line.Command, output: str) -> None:
    """Defines which pictures, and where they go.

    Args:
        command: the program.
        output: what the folder is by default.
    """
    with command.section("Pictures"):
        command.string("labels", None, "classes, by number or name, as in 0,3 (default: all)")
        command.integer("count", 8, "pictures a class", lower_bound=1)
        command.integer(
            "seed", 0, "another seed, other pictures", lower_bound=0, upper_bound=2**32 - 1
        )
        command.string("output", None, f"folder to write (default: {output})")


def parse_labels(text: str | None, class_names: Sequence[str]) -> list[int]:
    """Returns the labels that `--labels` names.

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
                f"--labels takes numbers from 0 to {len(class_names) - 1}, or names: {names}. "
                f"Received: {part!r}."
            )
    return list(dict.fromkeys(labels))


def picture_seeds(seed: int, count: int) -> list[int]:
    """Returns the seed of each picture of a class, for `--seed` and `--count`.

    Picture k depends on seed and k alone; programs that draw with these seeds draw the same.

    Example:

    >>> picture_seeds(0, count=3)
    [0, 1, 2]
    """
    return [(seed * _SEED_STEP + number) % 2**32 for number in range(count)]


def write_pictures(rows: Mapping[str, np.ndarray], output: str | os.PathLike, seed: int) -> None:
    """Writes a folder a class and a grid with a row a class, and says so.

    A folder a class, so that `--dataset=folder --data_dir=OUTPUT` reads the pictures back.

    Args:
        rows: the pictures of each class by its name, uint8 `(count, height, width, 3)`.
        output: where they go; made when missing.
        seed: that they were drawn with.

    Raises:
        OSError: when they cannot be written.
    """
    output = Path(output)
    for name, row in rows.items():
        folder = output / _folder_name(name)
        folder.mkdir(parents=True, exist_ok=True)
        for number, image in enumerate(row):
            pictures.write_png(folder / f"seed_{seed}_{number:04d}.png", image)
    pictures.write_png(output / "grid.png", pictures.grid(list(rows.values())))
    count = sum(map(len, rows.values()))
    kinds = "1 class" if len(rows) == 1 else f"{len(rows)} classes"
    print(f"{count} pictures of {kinds}: {output}\nGrid: {output / 'grid.png'}")


def _folder_name(class_name: str) -> str:
    """A class's name as that of a folder within another."""
    name = class_name.replace("/", "_").replace("\0", "_")
    return name if name.strip(".") else f"_{name}"

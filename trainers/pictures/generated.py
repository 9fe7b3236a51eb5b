"""Generated pictures of chosen classes: from which seeds, where they lie, what is said of them."""

import itertools
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from keras_cvaegan import pictures

_SEED_STEP = 1_000_003
_GRID = "grid.png"


def picture_seeds(seed: int, count: int) -> list[int]:
    """Returns the seed of each picture of a class, for `--seed` and `--count`.

    Picture k depends on seed and k alone; programs that draw with these seeds draw the same.

    Example:

    >>> picture_seeds(0, count=3)
    [0, 1, 2]
    """
    return [(seed * _SEED_STEP + number) % 2**32 for number in range(count)]


def draw_rows(
    decode: Callable[[np.ndarray, np.ndarray], np.ndarray],
    z: np.ndarray,
    labels: Sequence[int],
    class_names: Sequence[str],
) -> dict[str, np.ndarray]:
    """Draws the same latents under each of some classes.

    Args:
        decode: function of latents and as many labels that returns their pictures.
        z: latents, (count, latent_dim).
        labels: classes to draw them under.
        class_names: names of all classes, by label.

    Returns:
        The pictures of each class by its name, (count, height, width, channels).

    Example:

    >>> draw_rows(lambda z, labels: z[:, 0] + labels, np.zeros((2, 1)), [2, 0], ("a", "b", "c"))
    {'c': array([2., 2.]), 'a': array([0., 0.])}
    """
    images = decode(np.tile(z, (len(labels), 1)), np.repeat(labels, len(z)))
    rows = images.reshape(len(labels), len(z), *images.shape[1:])
    return dict(zip((class_names[label] for label in labels), rows, strict=True))


def write_pictures(rows: Mapping[str, np.ndarray], output: str | os.PathLike, seed: int) -> None:
    """Writes a folder a class and a grid with a row a class, and says so.

    A folder a class, so that `--dataset=folder --data_dir=OUTPUT` reads the pictures back.

    Args:
        rows: pictures of each class by its name, uint8 `(count, height, width, 3)`.
        output: folder to write to; made when missing.
        seed: seed that they were drawn with.

    Raises:
        OSError: when they cannot be written.
    """
    output = Path(output)
    for folder, row in zip(folder_names(rows), rows.values(), strict=True):
        (output / folder).mkdir(parents=True, exist_ok=True)
        for number, image in enumerate(row):
            pictures.write_png(output / folder / f"seed_{seed}_{number:04d}.png", image)
    pictures.write_png(output / _GRID, pictures.grid(list(rows.values())))
    count = sum(map(len, rows.values()))
    kinds = "1 class" if len(rows) == 1 else f"{len(rows)} classes"
    print(f"{count} pictures of {kinds}: {output}\nGrid: {output / _GRID}")


def folder_names(class_names: Iterable[str]) -> list[str]:
    """Returns a folder's name for each class, none of them another's or that of the grid.

    Example:

    >>> folder_names(["rose", "a/b", "a_b"])
    ['rose', 'a_b', 'a_b_2']
    """
    folders: list[str] = []
    for name in map(_folder_name, class_names):
        numbered = (f"{name}_{number}" for number in itertools.count(2))
        candidates = itertools.chain([name], numbered)
        folders.append(next(each for each in candidates if each not in (*folders, _GRID)))
    return folders


def _folder_name(class_name: str) -> str:
    """A class's name as that of a folder within another."""
    name = class_name.replace("/", "_").replace("\0", "_")
    return name if name.strip(".") else f"_{name}"

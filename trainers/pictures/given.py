"""Pictures from files that the user names, and their labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from datasets.reading import files
from keras_cvaegan import pictures
from trainers.command_line.flags import parse_labels
from trainers.pictures.flags import FILES_OR_FOLDERS
from trainers.pictures.named import NamedPictures

if TYPE_CHECKING:
    from keras_cvaegan.models import GenerativeModel


def picture_paths(texts: Sequence[str], flag: str) -> list[Path]:
    """Returns the files that a flag names, those of a folder in natural order.

    Args:
        texts: values of the flag: each a file, a folder, or several of them with commas between.
        flag: name of the flag, for messages.

    Raises:
        ValueError: for what is not there, or a folder without pictures.

    Example:

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("2.png", "10.png", "notes.txt"):
    ...         Path(folder, name).touch()
    ...     [path.name for path in picture_paths([folder, f"{folder}/2.png"], "pictures")]
    ['2.png', '10.png', '2.png']
    """
    found = []
    for name in (name for text in texts for name in _names(text)):
        path = Path(name).expanduser()
        if not name or not path.exists():
            raise ValueError(
                f"--{flag} takes {FILES_OR_FOLDERS}. There is no file or folder {name!r}."
            )
        of_path = [path]
        if path.is_dir():
            of_path = [path / below for below in files.pictures_below(path, path)]
        if not of_path:
            raise ValueError(
                f"--{flag}: the folder {name!r} has no pictures ({' '.join(files.EXTENSIONS)})."
            )
        found += of_path
    return found


def _names(text: str) -> Iterator[str]:
    """Yields the paths in a text; one that is there may have commas itself."""
    if Path(text).expanduser().exists():
        yield text
    else:
        yield from (part.strip() for part in text.split(","))


def picture_side(model: GenerativeModel) -> int:
    """Returns height and width of a model's pictures, to which files are cropped and resized.

    Raises:
        ValueError: for a model of anything but square pictures in colour.
    """
    shape = model.image_shape
    if len(shape) != 3 or shape[0] != shape[1] or shape[2] != 3:
        raise ValueError(
            "Pictures can be given to a model of square ones in colour, (side, side, 3). Received: "
            f"a model of data of the shape {shape}."
        )
    return shape[0]


def read_pictures(
    texts: Sequence[str], flag: str, model: GenerativeModel, max_pictures: int | None = None
) -> NamedPictures:
    """Reads the pictures that a flag names, at a model's size.

    Args:
        texts: values of the flag, see `picture_paths`.
        flag: name of the flag, for messages.
        model: model whose pictures these are to be like: the largest centred square is resized.
        max_pictures: number of pictures that the flag takes; None for any number.

    Returns:
        At least one picture, without labels.

    Raises:
        ValueError: for files that are missing or no pictures, and it names the file; or for more.
    """
    paths, side = picture_paths(texts, flag), picture_side(model)
    if not paths:
        raise ValueError(f"--{flag} is missing: {FILES_OR_FOLDERS}.")
    if max_pictures is not None and len(paths) > max_pictures:
        raise ValueError(f"--{flag} takes at most {max_pictures} pictures. Received: {len(paths)}.")
    images = [pictures.read_picture(path, side) for path in paths]
    return NamedPictures(np.stack(images), [str(path) for path in paths])


def labels_of_pictures(
    text: str | None, count: int, class_names: Sequence[str]
) -> np.ndarray | None:
    """Returns the labels of pictures that `--labels` gives: one for all, or one for each.

    Raises:
        ValueError: for another number of labels, or a class that the model does not have.

    Example:

    >>> labels_of_pictures("1,0,rose", 3, ("daisy", "rose")), labels_of_pictures("1", 2, "ab")
    (array([1, 0, 1]), array([1, 1]))
    """
    if text is None:
        return None
    labels = [parse_labels(part, class_names)[0] for part in text.split(",")]
    if len(labels) not in (1, count):
        raise ValueError(
            f"--labels takes one label for all pictures, or one for each of the {count}. "
            f"Received: {len(labels)}."
        )
    return np.resize(labels, count)

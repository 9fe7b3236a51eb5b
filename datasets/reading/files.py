"""Pictures in files: which there are, which split has them, how they become a `Source`."""

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from datasets.pipeline.registry import Batch, Source, Unreadable, in_batches
from keras_cvaegan import pictures

EXTENSIONS = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp")
HELD_OUT_SHARE = 0.1

Item = TypeVar("Item")


def existing(dataset: str, data_dir: str | os.PathLike | None, layout: str) -> Path:
    """Returns the folder `data_dir`.

    Args:
        dataset: name of the data set, for the message.
        data_dir: path that the user gave, if any.
        layout: contents that the folder must have, for the message.

    Raises:
        ValueError: when there is no such folder.
    """
    if not data_dir:
        raise ValueError(f"The data set {dataset!r} needs a data_dir with {layout}.")
    root = Path(data_dir).expanduser()
    if not root.is_dir():
        what = "is not a folder" if root.exists() else "does not exist"
        raise ValueError(f"data_dir {str(root)!r} {what}. It must hold {layout}.")
    return root


def natural(name: str) -> tuple[list[str | int], str]:
    """A key that sorts 2 before 10.

    Example:

    >>> sorted(["b10", "b2", "A"], key=natural)
    ['A', 'b2', 'b10']
    """
    parts = re.split("([0-9]+)", name.casefold())
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], name


def subfolders(parent: Path) -> list[Path]:
    """Returns the visible folders in `parent`, in natural order."""
    found = [path for path in parent.iterdir() if _is_visible(path.name) and path.is_dir()]
    return sorted(found, key=lambda path: natural(path.name))


def pictures_below(parent: Path, root: Path) -> Iterator[str]:
    """Gives the pictures anywhere below `parent`, as paths from `root`, in natural order."""
    for directory, folders, names in os.walk(parent):
        folders[:] = sorted(filter(_is_visible, folders), key=natural)
        for name in sorted(filter(_is_visible, names), key=natural):
            if name.lower().endswith(EXTENSIONS):
                yield (Path(directory) / name).relative_to(root).as_posix()


def _is_visible(name: str) -> bool:
    return not name.startswith((".", "__MACOSX"))


def share(names: Sequence[str], split: str) -> list[str]:
    """Returns those of a class's pictures that a split has, by a hash of their names.

    A tenth is for testing, a tenth for validation (each at least one picture) and the rest for
    training. Of two pictures, none is for validation; a single one is for training.

    Args:
        names: names that tell the pictures apart, such as paths.
        split: name of the split, "train", "validation" or "test".

    Returns:
        Names, in natural order.

    Example:

    >>> share(["1.jpg", "2.jpg", "3.jpg", "4.jpg"], "train")
    ['3.jpg', '4.jpg']
    """
    ranked = sorted(names, key=lambda name: hashlib.sha256(os.fsencode(name)).digest())
    held_out = max(1, round(HELD_OUT_SHARE * len(names)))
    test = held_out if len(names) > 1 else 0
    validation = held_out if len(names) > 2 else 0
    shares = {
        "test": ranked[:test],
        "validation": ranked[test : test + validation],
        "train": ranked[test + validation :],
    }
    return sorted(shares[split], key=natural)


def content_key(root: Path, paths: Sequence[str]) -> str:
    """Hashes the paths, sizes and times of change of files in `root`."""
    digest = hashlib.sha256()
    for path in paths:
        try:
            status = (root / path).stat()
            found = f"{status.st_size} {status.st_mtime_ns}"
        except OSError:
            found = "unreadable"
        digest.update(os.fsencode(path) + b"\0" + found.encode() + b"\0")
    return digest.hexdigest()


def source(root: Path, classes: Mapping[str, Sequence[str]], image_size: int) -> Source:
    """Returns the pictures of one split.

    Args:
        root: folder of the pictures.
        classes: paths from `root`, by the name of the class, in label order.
        image_size: height and width, in pixels, that pictures are cropped and resized to.
    """

    def read(path: str) -> np.ndarray | Unreadable:
        try:
            return pictures.read_picture(root / path, image_size)
        except pictures.PictureError as error:
            return Unreadable(path, error.reason)

    paths = [path for of_class in classes.values() for path in of_class]
    return source_of(classes, read, content_key(root, paths))


def source_of(
    classes: Mapping[str, Sequence[Item]], read: Callable[[Item], np.ndarray | Unreadable], key: str
) -> Source:
    """Returns one split of things that become pictures one by one.

    Args:
        classes: things of each class, by its name, in label order.
        read: function that returns the picture of one.
        key: key of the `Source`.
    """
    examples = [(item, label) for label, items in enumerate(classes.values()) for item in items]

    def read_batch(indices: range) -> Batch:
        items, labels = zip(*(examples[index] for index in indices), strict=True)
        return Batch([read(item) for item in items], labels)

    return Source(tuple(classes), len(examples), key, in_batches(len(examples), read_batch))

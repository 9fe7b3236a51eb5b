"""`folder`: one's own pictures, in a folder for each class."""

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from datasets.registry import Batch, Source, Unreadable, in_batches, register
from keras_cvaegan import pictures

EXTENSIONS = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp")
SPLIT_NAMES = {
    "train": ("train", "training"),
    "validation": ("validation", "val", "valid"),
    "test": ("test", "testing"),
}
HELD_OUT_SHARE = 0.1

_LAYOUT = "DATA_DIR/daisy/1.jpg, DATA_DIR/tulip/1.jpg or DATA_DIR/train/daisy/1.jpg and so on"

Classes = dict[str, list[str]]


@register("folder", doc="your own pictures: a data_dir with a folder for each class")
def folder(split: str, image_size: int, data_dir: str | os.PathLike | None = None) -> Source:
    """Returns one split of a folder of pictures.

    The pictures of a class are the files with one of `EXTENSIONS` anywhere below its folder.
    Labels follow the natural order of the class folders' names: 2 before 10. Hidden files and
    folders are skipped.

    With the layout `data_dir/class/…`, each class is split by a hash of its files' paths: a tenth
    for testing, a tenth for validation (each at least one picture) and the rest for training. Of
    two pictures, none is for validation; a single one is for training. With the layout
    `data_dir/split/class/…` (see `SPLIT_NAMES`) the splits are the folders'. Where only one of
    validation and test is there, it serves as both; where neither is, the training folder is
    split by the hash.

    Args:
        split: "train", "validation" or "test".
        image_size: height and width, in pixels, that pictures are cropped and resized to.
        data_dir: the folder.

    Raises:
        ValueError: when `data_dir` is not such a folder, has one class only, or has a class or a
            split without pictures.
    """
    root = _existing(data_dir)
    classes = _classes_of_split(root, split)
    if len(classes) < 2:
        raise ValueError(
            f"{str(root)!r} has one class only, {next(iter(classes))!r}, but two or more are "
            f"needed, in a folder each: {_LAYOUT}."
        )
    examples = [(path, label) for label, paths in enumerate(classes.values()) for path in paths]
    if not examples:
        raise ValueError(
            f"The split {split!r} of {str(root)!r} is empty: no class has enough pictures to "
            f"spare. Add pictures, or make a folder for the split: {_LAYOUT}."
        )

    def read(indices: range) -> Batch:
        chosen = [examples[index] for index in indices]
        images = [_read(root, path, image_size) for path, _ in chosen]
        return Batch(images, [label for _, label in chosen])

    key = _content_key(root, [path for path, _ in examples])
    return Source(tuple(classes), len(examples), key, in_batches(len(examples), read))


def _existing(data_dir: str | os.PathLike | None) -> Path:
    if not data_dir:
        raise ValueError(f"The data set 'folder' needs a data_dir with pictures like {_LAYOUT}.")
    root = Path(data_dir).expanduser()
    if not root.is_dir():
        what = "is not a folder" if root.exists() else "does not exist"
        raise ValueError(f"data_dir {str(root)!r} {what}. It must hold pictures like {_LAYOUT}.")
    return root


def _read(root: Path, path: str, image_size: int) -> np.ndarray | Unreadable:
    try:
        return pictures.read_picture(root / path, image_size)
    except pictures.PictureError as error:
        return Unreadable(path, error.reason)


def _content_key(root: Path, paths: list[str]) -> str:
    """Hashes the paths, sizes and times of change of the files."""
    digest = hashlib.sha256()
    for path in paths:
        try:
            status = (root / path).stat()
            found = f"{status.st_size} {status.st_mtime_ns}"
        except OSError:
            found = "unreadable"
        digest.update(os.fsencode(path) + b"\0" + found.encode() + b"\0")
    return digest.hexdigest()


def _classes_of_split(root: Path, split: str) -> Classes:
    """Returns the paths of the pictures of every class in a split, relative to `root`."""
    folders = _split_folders(root)
    if not folders:
        return _by_hash(_classes(root, root), split, root)
    held_out = [name for name in ("validation", "test") if name in folders]
    if not held_out:
        return _by_hash(_classes(folders["train"], root), split, root)
    if split not in folders:
        split = held_out[0]
    found = {name: _classes(parent, root) for name, parent in folders.items()}
    names = sorted({name for classes in found.values() for name in classes}, key=_natural)
    _refuse_empty({name: found["train"].get(name, []) for name in names}, folders["train"])
    return {name: found[split].get(name, []) for name in names}


def _split_folders(root: Path) -> dict[str, Path]:
    """Returns the folders named after splits, or nothing where the folders in `root` are classes.

    A folder is a split's when it has the name and its pictures lie in folders of their own.
    """
    folders = _subfolders(root)
    splits = {}
    for split, aliases in SPLIT_NAMES.items():
        named = [path for path in folders if path.name.lower() in aliases and _subfolders(path)]
        if len(named) > 1:
            both = " and ".join(path.name for path in named)
            raise ValueError(f"{str(root)!r} has {both} for the split {split!r}. Keep one of them.")
        if named:
            splits[split] = named[0]
    others = [
        path.name
        for path in folders
        if path.name.lower() not in sum(SPLIT_NAMES.values(), ())
        and next(_pictures_below(path, root), None)
    ]
    if "train" in splits and others:
        raise ValueError(
            f"{str(root)!r} mixes folders of splits ({splits['train'].name}, …) with others "
            f"({', '.join(others[:5])}). Move the others away, or give them the splits' folders."
        )
    if splits and not others and "train" not in splits:
        raise ValueError(
            f"{str(root)!r} has a folder for the split {' and '.join(splits)} but none for "
            f"training. Name it train: {_LAYOUT}."
        )
    return splits if "train" in splits else {}


def _classes(parent: Path, root: Path) -> Classes:
    """Returns the pictures of every class folder in `parent`."""
    classes = {path.name: list(_pictures_below(path, root)) for path in _subfolders(parent)}
    if not any(classes.values()):
        loose = any(path.name.lower().endswith(EXTENSIONS) for path in parent.iterdir())
        raise ValueError(
            f"{str(parent)!r} has pictures but no folders of classes: move each picture into a "
            f"folder named after its class: {_LAYOUT}."
            if loose
            else f"{str(parent)!r} has no pictures ({' '.join(EXTENSIONS)}) in folders of "
            f"classes: {_LAYOUT}."
        )
    return classes


def _refuse_empty(classes: Classes, parent: Path) -> None:
    empty = [name for name, paths in classes.items() if not paths]
    if empty:
        raise ValueError(
            f"{str(parent)!r} has no pictures ({' '.join(EXTENSIONS)}) of the class "
            f"{', '.join(map(repr, empty))}: add some, or remove the class's folder."
        )


def _by_hash(classes: Classes, split: str, root: Path) -> Classes:
    """Splits every class by a hash of its pictures' paths."""
    _refuse_empty(classes, root)
    return {name: _share(paths, split) for name, paths in classes.items()}


def _share(paths: list[str], split: str) -> list[str]:
    ranked = sorted(paths, key=lambda path: hashlib.sha256(os.fsencode(path)).digest())
    held_out = max(1, round(HELD_OUT_SHARE * len(paths)))
    test = held_out if len(paths) > 1 else 0
    validation = held_out if len(paths) > 2 else 0
    shares = {
        "test": ranked[:test],
        "validation": ranked[test : test + validation],
        "train": ranked[test + validation :],
    }
    return sorted(shares[split], key=_natural)


def _natural(name: str) -> tuple[list[str | int], str]:
    """A key that sorts 2 before 10."""
    parts = re.split("([0-9]+)", name.casefold())
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], name


def _is_visible(name: str) -> bool:
    return not name.startswith((".", "__MACOSX"))


def _subfolders(parent: Path) -> list[Path]:
    """Returns the visible folders in `parent`, in natural order."""
    found = [path for path in parent.iterdir() if _is_visible(path.name) and path.is_dir()]
    return sorted(found, key=lambda path: _natural(path.name))


def _pictures_below(parent: Path, root: Path) -> Iterator[str]:
    """Gives the pictures anywhere below `parent`, as paths from `root`, in natural order."""
    for directory, folders, names in os.walk(parent):
        folders[:] = sorted(filter(_is_visible, folders), key=_natural)
        for name in sorted(filter(_is_visible, names), key=_natural):
            if name.lower().endswith(EXTENSIONS):
                yield (Path(directory) / name).relative_to(root).as_posix()

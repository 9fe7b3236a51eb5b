"""`folder`: one's own pictures, in a folder for each class."""

import os
from pathlib import Path

from datasets.pipeline.registry import Source, register
from datasets.reading import files
from datasets.reading.files import EXTENSIONS

SPLIT_NAMES = {
    "train": ("train", "training"),
    "validation": ("validation", "val", "valid"),
    "test": ("test", "testing"),
}

_LAYOUT = "DATA_DIR/daisy/1.jpg, DATA_DIR/tulip/1.jpg or DATA_DIR/train/daisy/1.jpg and so on"

Classes = dict[str, list[str]]


@register("folder", doc="your own pictures: a data_dir with a folder for each class")
def folder(split: str, image_size: int, data_dir: str | os.PathLike | None = None) -> Source:
    """Returns one split of a folder of pictures.

    The pictures of a class are the files with one of `EXTENSIONS` anywhere below its folder.
    Labels follow the natural order of the class folders' names: 2 before 10. Hidden files and
    folders are skipped.

    With the layout `data_dir/class/…`, each class is split by a hash of its files' paths: see
    `files.share`. With the layout `data_dir/split/class/…` (see `SPLIT_NAMES`) the splits are the
    folders'. Where only one of validation and test is there, it serves as both; where neither is,
    the training folder is split by the hash.

    Args:
        split: name of the split, "train", "validation" or "test".
        image_size: height and width, in pixels, that pictures are cropped and resized to.
        data_dir: folder of the pictures.

    Raises:
        ValueError: when `data_dir` is not such a folder, has one class only, or has a class or a
            split without pictures.
    """
    root = files.existing("folder", data_dir, f"pictures like {_LAYOUT}")
    classes = _classes_of_split(root, split)
    if len(classes) < 2:
        raise ValueError(
            f"{str(root)!r} has one class only, {next(iter(classes))!r}, but two or more are "
            f"needed, in a folder each: {_LAYOUT}."
        )
    if not any(classes.values()):
        raise ValueError(
            f"The split {split!r} of {str(root)!r} is empty: no class has enough pictures to "
            f"spare. Add pictures, or make a folder for the split: {_LAYOUT}."
        )
    return files.source(root, classes, image_size)


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
    names = sorted({name for classes in found.values() for name in classes}, key=files.natural)
    _refuse_empty({name: found["train"].get(name, []) for name in names}, folders["train"])
    return {name: found[split].get(name, []) for name in names}


def _split_folders(root: Path) -> dict[str, Path]:
    """Returns the folders named after splits, or nothing where the folders in `root` are classes.

    A folder is a split's when it has the name and its pictures lie in folders of their own.
    """
    folders = files.subfolders(root)
    splits = {}
    for split, aliases in SPLIT_NAMES.items():
        named = [
            path for path in folders if path.name.lower() in aliases and files.subfolders(path)
        ]
        if len(named) > 1:
            both = " and ".join(path.name for path in named)
            raise ValueError(f"{str(root)!r} has {both} for the split {split!r}. Keep one of them.")
        if named:
            splits[split] = named[0]
    others = [
        path.name
        for path in folders
        if path.name.lower() not in sum(SPLIT_NAMES.values(), ())
        and next(files.pictures_below(path, root), None)
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
    classes = {
        path.name: list(files.pictures_below(path, root)) for path in files.subfolders(parent)
    }
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
    return {name: files.share(paths, split) for name, paths in classes.items()}

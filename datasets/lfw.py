"""`lfw`: 13,233 pictures of 5,749 people (Huang et al., 2007: Labeled Faces in the Wild)."""

import os
import re
from pathlib import Path

from datasets.pipeline.registry import Source, register
from datasets.reading import archives, files, people, tfds_source

# The data set as it was, and in two alignments, of which each has both an archive and a folder.
_VARIANTS = ("lfw", "lfw-deepfunneled", "lfw-funneled", "lfw_funneled")
_LAYOUT = (
    "pictures like DATA_DIR/lfw/Ann_Example/Ann_Example_0001.jpg (or lfw-deepfunneled/…), or the "
    "archive DATA_DIR/lfw.tgz"
)

People = dict[str, list[str]]


@register("lfw", doc="Labeled Faces in the Wild: 13,233 pictures of 5,749 people")
def lfw(
    split: str,
    image_size: int,
    data_dir: str | os.PathLike | None = None,
    min_images: int = 20,
) -> Source:
    """Returns one split of the people of whom there are enough pictures.

    Splits are by `files.share`: the same wherever the pictures lie, and for every alignment.

    Args:
        split: "train", "validation" or "test".
        image_size: height and width, in pixels, that pictures are resized to.
        data_dir: the folder with a folder for each person, or the folder around it, or that of an
            archive (`lfw.tgz`, `lfw-funneled.tgz`, `lfw-deepfunneled.tgz`), which is unpacked
            there. By default TFDS downloads the archive into its own folder, as it does into a
            `data_dir` that has a folder `downloads`.
        min_images: a person with fewer pictures, of all splits together, is left out. 20 leaves
            62 people, 1 all of them.

    Raises:
        ValueError: when there are no such pictures, or fewer than two people with so many; when an
            archive is damaged.
        ConnectionError: when the archive cannot be downloaded.

    Example:

    >>> import tempfile
    >>> import numpy as np
    >>> from keras_cvaegan import pictures
    >>> with tempfile.TemporaryDirectory() as root:
    ...     for name in ("Ann_Example", "Bob_Example"):
    ...         (Path(root) / name).mkdir()
    ...         for number in range(1, 6):
    ...             path = Path(root) / name / f"{name}_{number:04d}.jpg"
    ...             pictures.write_png(path, np.zeros((250, 250, 3), np.uint8))
    ...     source = lfw("train", 64, root, min_images=5)
    >>> source.class_names, source.count
    (('Ann Example', 'Bob Example'), 6)
    """
    root, found = people_in(data_dir)
    found = {name.replace("_", " "): paths for name, paths in found.items()}
    classes = people.of_split(found, split, min_images, repr(str(root)))
    return files.source(root, classes, image_size)


def people_in(data_dir: str | os.PathLike | None) -> tuple[Path, People]:
    """Returns the folder of the people's folders, and what is in them."""
    if data_dir:
        folder = files.existing("lfw", data_dir, _LAYOUT)
        located = _located(folder)
        if located:
            return located
        archive = next(filter(Path.is_file, (folder / f"{name}.tgz" for name in _VARIANTS)), None)
        if archive:
            archives.unpack(archive, folder / archive.stem)
        elif (folder / "downloads").is_dir():
            folder = tfds_source.unpacked_archive("lfw", folder)
    else:
        folder = tfds_source.unpacked_archive("lfw")
    located = _located(folder)
    if not located:
        raise ValueError(
            f"{str(folder)!r} does not hold the data set 'lfw'. It must hold {_LAYOUT}. Without a "
            "data_dir, the archive is downloaded."
        )
    return located


def _located(folder: Path) -> tuple[Path, People] | None:
    """Returns where the people's folders are (`folder` or a little below) and what is in them."""
    found = _in(folder)
    if found:
        return folder, found
    # Archives have a folder of their own name in them.
    named = [folder / variant for variant in _VARIANTS]
    named += [path / variant for path in named for variant in _VARIANTS]
    below = {path: found for path in named if path.is_dir() and (found := _in(path))}
    if len(below) > 1:
        listed = " and ".join(str(path.relative_to(folder)) for path in below)
        raise ValueError(f"{str(folder)!r} holds {listed}. Give one of them as data_dir.")
    return next(iter(below.items()), None)


def _in(root: Path) -> People:
    """Returns the paths of every person's pictures, as in Ann_Example/Ann_Example_0001.jpg."""
    result = {}
    for folder in files.subfolders(root):
        pattern = re.compile(re.escape(folder.name) + "_[0-9]{4}")
        paths = [path for path in folder.iterdir() if path.name.lower().endswith(files.EXTENSIONS)]
        paths = [f"{folder.name}/{path.name}" for path in paths if pattern.fullmatch(path.stem)]
        if paths:
            result[folder.name] = paths
    return result

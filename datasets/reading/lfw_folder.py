"""Where the pictures of Labeled Faces in the Wild lie: in folders, in an archive, or downloaded."""

import os
import re
from pathlib import Path

from datasets.reading import archives, files, tfds_source

# The data set as it was, and in two alignments, of which each has both an archive and a folder.
_VARIANTS = ("lfw", "lfw-deepfunneled", "lfw-funneled", "lfw_funneled")
_LAYOUT = (
    "pictures like DATA_DIR/lfw/Ann_Example/Ann_Example_0001.jpg (or lfw-deepfunneled/…), or the "
    "archive DATA_DIR/lfw.tgz"
)

People = dict[str, list[str]]


def people_in(data_dir: str | os.PathLike | None) -> tuple[Path, People]:
    """Returns the folder of the people's folders, and the pictures of each, as paths from it.

    Args:
        data_dir: folder, as the data set `lfw` takes it.

    Raises:
        ValueError: when there are no such folders, or an archive is damaged.
        ConnectionError: when the archive cannot be downloaded.
    """
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

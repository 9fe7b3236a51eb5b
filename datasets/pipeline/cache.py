"""Decodes a data set once, into arrays on disk that are then mapped into memory."""

import dataclasses
import hashlib
import json
import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from datasets.pipeline.decoding import decode
from datasets.pipeline.description import Description
from datasets.pipeline.registry import Source
from keras_cvaegan.files import replacing_folder

# Increase when the same source would be cached as other bytes.
_FORMAT = 1
_ABANDONED_SECONDS = 24 * 3600


@dataclasses.dataclass(frozen=True)
class Prepared:
    """One split of a data set, decoded.

    Args:
        images: pictures, array `uint8 (n, image_size, image_size, 3)`, mapped from disk,
            read-only. What is touched of it stays in memory; the batches of `datasets.load` are
            read another way.
        labels: labels, array `int32 (n,)`.
        attributes: arrays `float32 (n,)` by name, of every attribute that the data set has.
        description: names, counts, shape.
    """

    images: np.ndarray
    labels: np.ndarray
    attributes: dict[str, np.ndarray]
    description: Description


def decoded(
    source: Source,
    name: str,
    split: str,
    image_size: int,
    *,
    cache_dir: str | os.PathLike | None = None,
    part: tuple[int, int] = (0, 1),
) -> Prepared:
    """Returns a source as arrays, decoding it when that was not done before.

    Args:
        source: split of a data set.
        name: name of the data set.
        split: name of the split, "train", "validation" or "test".
        image_size: height and width of the pictures, in pixels.
        cache_dir, part: arguments of `datasets.prepare`.

    Raises:
        ValueError: for a part that cannot be, or data that cannot be used.
        OSError: when the cache cannot be written.
    """
    part = check_piece("part", part)
    if part[1] > max(source.count, 1):
        raise ValueError(
            f"The split {split!r} of {name!r} has {source.count} pictures, too few for "
            f"{part[1]} parts. Received: part={part}."
        )
    root = Path(cache_dir or os.environ.get("KERAS_CVAEGAN_CACHE") or "~/.cache/keras_cvaegan")
    root = root.expanduser()
    key = [_FORMAT, name, split, image_size, source.class_names, source.key]
    key = json.dumps(key if part[1] == 1 else [*key, part])
    digest = hashlib.sha256(key.encode()).hexdigest()[:16]
    entry = root / f"{name}-{split}-{image_size}px-{digest}"
    prepared = _read(entry)
    if prepared is None:
        try:
            _write(entry, source, name, split, image_size, part)
        except OSError as error:
            raise OSError(
                f"Cannot keep decoded pictures in {str(root)!r}: {error.strerror or error}. "
                "Choose another folder with cache_dir or the environment variable "
                "KERAS_CVAEGAN_CACHE."
            ) from error
        prepared = _read(entry)
        if prepared is None:
            raise OSError(f"The decoded pictures in {str(entry)!r} cannot be read back.")
    return prepared


def check_piece(name: str, piece: Sequence[int]) -> tuple[int, int]:
    """Returns `(index, count)` of an argument that says which of how many pieces.

    Args:
        name: name of the argument, for the message.
        piece: value of the argument.

    Raises:
        ValueError: when there is no such piece.
    """
    if not (
        isinstance(piece, Sequence)
        and len(piece) == 2
        and all(isinstance(number, int) for number in piece)
        and 0 <= piece[0] < piece[1]
    ):
        raise ValueError(
            f"{name} is (index, count) with 0 <= index < count, such as (0, 4) for the first of "
            f"four. Received: {name}={piece!r}."
        )
    return int(piece[0]), int(piece[1])


def _read(entry: Path) -> Prepared | None:
    """Returns what `_write` wrote, or None when it is missing, partial or damaged."""
    try:
        values = json.loads((entry / "description.json").read_text("utf-8"))
        description = Description.from_dict(values)
        images = np.load(entry / "images.npy", mmap_mode="r")
        labels = np.load(entry / "labels.npy")
        attributes = {
            name: np.load(entry / f"attribute-{name}.npy") for name in values["attributes"]
        }
    except (OSError, EOFError, ValueError, KeyError, TypeError):
        return None
    count = description.num_images
    whole = images.shape == (count, *description.image_shape) and images.dtype == np.uint8
    columns = [labels, *attributes.values()]
    if not whole or any(column.shape != (count,) for column in columns):
        return None
    return Prepared(images, labels, attributes, description)


def _write(
    entry: Path, source: Source, name: str, split: str, image_size: int, part: tuple[int, int]
) -> None:
    """Decodes the source into a folder that then becomes `entry`, unless another process did so."""
    _remove_abandoned(entry.parent)
    with replacing_folder(entry, keep=lambda found: _read(found) is not None) as partial:
        values = decode(partial, source, name, split, image_size, part)
        (partial / "description.json").write_text(json.dumps(values, indent=2), "utf-8")


def _remove_abandoned(root: Path) -> None:
    """Removes what a killed process left behind long ago."""
    for partial in root.glob(".*.partial"):
        try:
            age = time.time() - max(path.stat().st_mtime for path in [partial, *partial.iterdir()])
        except OSError:
            continue
        if age > _ABANDONED_SECONDS:
            shutil.rmtree(partial, ignore_errors=True)

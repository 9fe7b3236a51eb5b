"""Decodes a data set once, into arrays on disk that are then mapped into memory."""

import array
import collections
import concurrent.futures
import dataclasses
import hashlib
import json
import logging
import os
import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from datasets.pipeline.description import Description
from datasets.pipeline.registry import Batch, Source, Unreadable
from keras_cvaegan import pictures
from keras_cvaegan.files import replacing_folder
from keras_cvaegan.progress import Progress

# Increase when the same source would be cached as other bytes.
_FORMAT = 1
_ABANDONED_SECONDS = 24 * 3600
_THREADS = min(16, os.cpu_count() or 1)

_logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Prepared:
    """One split of a data set, decoded.

    Args:
        images: `uint8 (n, image_size, image_size, 3)`, mapped from disk, read-only. What is
            touched of it stays in memory; the batches of `datasets.load` are read another way.
        labels: `int32 (n,)`.
        attributes: `float32 (n,)` for every attribute that the data set has.
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
        source: one split of a data set.
        name: the data set's name.
        split: "train", "validation" or "test".
        image_size: height and width of the pictures, in pixels.
        cache_dir, part: as `datasets.prepare` takes them.

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
    """Returns `(index, count)` of the argument `name`, which says which of how many pieces.

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
        values = _decode(partial, source, name, split, image_size, part)
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


def _decode(
    folder: Path, source: Source, name: str, split: str, image_size: int, part: tuple[int, int]
) -> dict[str, Any]:
    """Writes the arrays of one source, and returns the contents of its description.json."""
    image_shape = (image_size, image_size, 3)
    indices = range(source.count)[part[0] :: part[1]]
    labels, unreadable, lost_labels = array.array("i"), [], []
    attributes = collections.defaultdict(lambda: array.array("f"))
    title = f"{name} {split} at {image_size} px:"
    with (
        (folder / "images.npy").open("wb") as file,
        Progress(title, len(indices), "pictures", stream=sys.stderr, delay=2) as progress,
    ):
        _write_header(file, (len(indices), *image_shape))
        for batch in _in_parallel(source.batches(indices), image_size):
            for position, (image, label) in enumerate(zip(batch.images, batch.labels, strict=True)):
                if isinstance(image, Unreadable):
                    unreadable.append((image.path, image.reason))
                    lost_labels.append(int(label))
                    continue
                file.write(np.ascontiguousarray(image))
                labels.append(int(label))
                for attribute, column in batch.attributes.items():
                    attributes[attribute].append(float(column[position]))
            progress.update(len(batch.labels))
        file.seek(0)
        _write_header(file, (len(labels), *image_shape))
        file.flush()
        os.fsync(file.fileno())
    counts = np.bincount(labels, minlength=len(source.class_names))
    _refuse_lost_classes(source.class_names, counts, lost_labels, unreadable, part)
    if unreadable:
        _logger.warning(
            "%s %s: %d of %d pictures could not be read and are left out; the first is %s (%s).",
            *(name, split, len(unreadable), len(indices), *unreadable[0]),
        )
    np.save(folder / "labels.npy", np.asarray(labels, np.int32))
    for attribute, column in attributes.items():
        np.save(folder / f"attribute-{attribute}.npy", np.asarray(column, np.float32))
    description = Description(
        name=name,
        split=split,
        class_names=source.class_names,
        image_shape=image_shape,
        class_counts=tuple(counts.tolist()),
        unreadable=tuple(unreadable),
        part=part,
    )
    return description.to_dict() | {"attributes": sorted(attributes)}


def _write_header(file: BinaryIO, shape: tuple[int, ...]) -> None:
    """Writes the header of a uint8 .npy file; its length does not depend on the first dimension."""
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)


def _in_parallel(tasks: Iterable, image_size: int) -> Iterator[Batch]:
    """Runs the tasks of a source in threads, a few ahead, and gives their batches in order."""

    def run(task) -> Batch:
        batch = task()
        fitting = [_fit(image, image_size) for image in batch.images]
        return dataclasses.replace(batch, images=fitting)

    with concurrent.futures.ThreadPoolExecutor(_THREADS) as pool:
        pending = collections.deque()
        try:
            for task in tasks:
                pending.append(pool.submit(run, task))
                if len(pending) > 2 * _THREADS:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()


def _fit(image: np.ndarray | Unreadable, image_size: int) -> np.ndarray | Unreadable:
    if isinstance(image, Unreadable):
        return image
    if image.shape == (image_size, image_size, 3) and image.dtype == np.uint8:
        return image
    return pictures.resize_picture(image, image_size)


def _refuse_lost_classes(
    class_names: tuple[str, ...],
    counts: np.ndarray,
    lost_labels: list[int],
    unreadable: list[tuple[str, str]],
    part: tuple[int, int],
) -> None:
    """Refuses data without a readable picture of a class, or a part without any at all."""
    if part[1] > 1 and counts.any():
        return
    for label in sorted(set(lost_labels)):
        if counts[label] == 0:
            lost = [pair for pair, of in zip(unreadable, lost_labels, strict=True) if of == label]
            listed = "; ".join(f"{path} ({reason})" for path, reason in lost[:5])
            more = f"; and {len(lost) - 5} more" if len(lost) > 5 else ""
            raise ValueError(
                f"None of the {len(lost)} pictures of class {class_names[label]!r} can be read: "
                f"{listed}{more}. Replace them or remove the class."
            )

"""From a source's pictures, of any size, to arrays of one size in files."""

import array
import collections
import concurrent.futures
import dataclasses
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from datasets.pipeline import unreadable
from datasets.pipeline.description import Description
from datasets.pipeline.registry import Batch, Source, Unreadable
from keras_cvaegan import pictures
from keras_cvaegan.progress import Progress

_THREADS = min(16, os.cpu_count() or 1)


def decode(
    folder: Path, source: Source, name: str, split: str, image_size: int, part: tuple[int, int]
) -> dict[str, Any]:
    """Writes the arrays of one source, and returns the contents of its description.json.

    Args:
        folder: empty folder.
        source: split of a data set.
        name: name of the data set.
        split: name of the split.
        image_size: height and width of the pictures, in pixels.
        part: pair `(index, count)`, which of how many parts of the split.

    Raises:
        ValueError: when no picture of a class can be read.
        OSError: when the folder cannot be written.
    """
    image_shape = (image_size, image_size, 3)
    indices = range(source.count)[part[0] :: part[1]]
    labels: array.array[int] = array.array("i")
    lost: list[unreadable.Lost] = []
    attributes = collections.defaultdict(lambda: array.array("f"))
    title = f"{name} {split} at {image_size} px:"
    with (
        (folder / "images.npy").open("wb") as file,
        Progress(title, len(indices), "pictures", stream=sys.stderr, delay=2) as progress,
    ):
        _write_header(file, (len(indices), *image_shape))
        for batch in in_parallel(source.batches(indices), image_size):
            for position, (image, label) in enumerate(zip(batch.images, batch.labels, strict=True)):
                if isinstance(image, Unreadable):
                    lost.append((int(label), image.path, image.reason))
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
    if part[1] == 1 or not counts.any():
        unreadable.refuse_lost_classes(source.class_names, counts, lost)
    unreadable.warn(f"{name} {split}", lost, len(indices))
    np.save(folder / "labels.npy", np.asarray(labels, np.int32))
    for attribute, column in attributes.items():
        np.save(folder / f"attribute-{attribute}.npy", np.asarray(column, np.float32))
    description = Description(
        name=name,
        split=split,
        class_names=source.class_names,
        image_shape=image_shape,
        class_counts=tuple(counts.tolist()),
        unreadable=tuple((path, reason) for _, path, reason in lost),
        part=part,
    )
    return description.to_dict() | {"attributes": sorted(attributes)}


def _write_header(file: BinaryIO, shape: tuple[int, ...]) -> None:
    """Writes the header of a uint8 .npy file; its length does not depend on the first dimension."""
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)


def in_parallel(tasks: Iterable[Callable[[], Batch]], image_size: int) -> Iterator[Batch]:
    """Runs the tasks of a source in threads, a few ahead, and gives their batches in order.

    Args:
        tasks: functions that `Source.batches` gives.
        image_size: height and width, in pixels, to which pictures of another size are brought.
    """

    def run(task: Callable[[], Batch]) -> Batch:
        batch = task()
        fitting = [fit(image, image_size) for image in batch.images]
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


def fit(image: np.ndarray | Unreadable, image_size: int) -> np.ndarray | Unreadable:
    """Returns a picture cropped and resized, where it has another size.

    Args:
        image: picture, or what stands for one that cannot be read and stays as it is.
        image_size: height and width, in pixels.

    Raises:
        ValueError: for what is no picture.
    """
    if isinstance(image, Unreadable):
        return image
    if image.shape == (image_size, image_size, 3) and image.dtype == np.uint8:
        return image
    return pictures.resize_picture(image, image_size)

"""A worker that reads the cache of decoded pictures with Grain."""

from pathlib import Path

import grain
import numpy as np

from benchmarks import measuring
from benchmarks.workers import Channel


class Pictures:
    """The decoded pictures of a split, one by one, as Grain asks for them.

    Args:
        folder: folder of the split in the cache.
    """

    def __init__(self, folder: str) -> None:
        self._images = np.load(Path(folder) / "images.npy", mmap_mode="r")
        self._labels = np.load(Path(folder) / "labels.npy")

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.int32]:
        return np.array(self._images[index]), self._labels[index]


def as_floats(batch: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Returns a batch with images in [−1, 1], as `datasets.load` gives them."""
    images, labels = batch
    return images.astype(np.float32) / 127.5 - 1.0, labels


def serve(channel: Channel, folder: str, batch_size: int) -> None:
    """Answers "batches", of seconds, with images a second of an endless, shuffled stream.

    Args:
        channel: connection to the program.
        folder: folder of the split in the cache.
        batch_size: number of images a batch.
    """
    stream = grain.MapDataset.source(Pictures(folder)).seed(0).shuffle().repeat()
    batches = iter(stream.batch(batch_size, drop_remainder=True).map(as_floats).to_iter_dataset())
    next(batches)

    def images_a_second(seconds: float) -> float:
        return batch_size * measuring.rate(lambda: next(batches), seconds)

    channel.answer({})
    channel.serve({"batches": images_a_second})

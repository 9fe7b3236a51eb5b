"""One call, for who reads a data set once: `open_dataset` and what is then read."""

import inspect
import os
from typing import TYPE_CHECKING, Any

from datasets.pipeline.cache import Prepared
from datasets.pipeline.open_dataset import OpenDataset, open_dataset

if TYPE_CHECKING:
    import tensorflow as tf

_LOADING = frozenset(inspect.signature(OpenDataset.load).parameters) - {"self"}


def load(
    name: str,
    split: str = "train",
    image_size: int = 32,
    batch_size: int = 64,
    seed: int = 0,
    *,
    data_dir: str | os.PathLike | None = None,
    cache_dir: str | os.PathLike | None = None,
    **options: Any,
) -> "tf.data.Dataset":
    """Opens a data set and returns batches of a split: see `OpenDataset.load`.

    Args:
        name: name from `datasets.names()`.
        split: name of the split, "train", "validation" or "test".
        image_size: height and width of the images, in pixels.
        batch_size: number of images in a batch.
        seed: seed of the order of the examples, and of what is drawn by lot.
        data_dir, cache_dir: arguments of `open_dataset`.
        **options: other arguments of `OpenDataset.load`, and options of the data set itself.

    Raises:
        ValueError, OSError: as `OpenDataset.load` does.

    Example:

    >>> dataset = load("petals", "test", image_size=32, batch_size=8)
    >>> images, labels = next(iter(dataset))
    >>> images.shape, labels.shape, dataset.description.num_classes
    (TensorShape([8, 32, 32, 3]), TensorShape([8]), 10)
    >>> second_half = load("petals", "test", image_size=32, batch_size=8, shard=(1, 2))
    >>> bool((next(iter(second_half))[0] == images[4:]).numpy().all())
    True
    """
    loading = {option: options.pop(option) for option in _LOADING & options.keys()}
    opened = open_dataset(name, image_size, data_dir=data_dir, cache_dir=cache_dir, **options)
    return opened.load(split, batch_size, seed, **loading)


def prepare(
    name: str,
    split: str = "train",
    image_size: int = 32,
    *,
    data_dir: str | os.PathLike | None = None,
    cache_dir: str | os.PathLike | None = None,
    part: tuple[int, int] = (0, 1),
    **options: Any,
) -> Prepared:
    """Opens a data set and returns a split as arrays: see `OpenDataset.prepare`.

    Args:
        name: name from `datasets.names()`.
        split: name of the split, "train", "validation" or "test".
        image_size: height and width of the pictures, in pixels.
        data_dir, cache_dir: arguments of `open_dataset`.
        part: pair `(index, count)`, which of how many parts of the split; by default all of it.
        **options: options of the data set itself.

    Raises:
        ValueError, OSError: as `OpenDataset.prepare` does.

    Example:

    >>> prepared = prepare("petals", "test", image_size=32)
    >>> prepared.images.shape == (prepared.description.num_images, 32, 32, 3)
    True
    >>> prepare("petals", "test", image_size=32, part=(1, 8)).description.num_images
    250
    """
    opened = open_dataset(name, image_size, data_dir=data_dir, cache_dir=cache_dir, **options)
    return opened.prepare(split, part)

"""A data set that a program opens once, and what is read from it."""

import hashlib
import json
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from datasets.pipeline.batches import batches
from datasets.pipeline.cache import Prepared, check_piece, decoded
from datasets.pipeline.registry import Dataset, Source, get
from datasets.pipeline.semi_supervised import Labels, alternating

if TYPE_CHECKING:
    import tensorflow as tf

# Far from the seeds of other runs: two streams of as many pictures are not to go in step.
_OTHER_ORDER = 2**40


def open_dataset(
    name: str,
    image_size: int = 32,
    *,
    data_dir: str | os.PathLike | None = None,
    cache_dir: str | os.PathLike | None = None,
    **options: Any,
) -> "OpenDataset":
    """Returns a data set, of which each part is found and decoded once, when it is first needed.

    Args:
        name: name from `datasets.names()`.
        image_size: height and width of the pictures, in pixels.
        data_dir: folder where the data set lies, or is downloaded to; for `folder`, the folder.
        cache_dir: folder where decoded pictures are kept. By default the environment variable
            `KERAS_CVAEGAN_CACHE`, else `~/.cache/keras_cvaegan`.
        **options: options of the data set itself.

    Raises:
        ValueError: for a name or an image size that cannot be.

    Example:

    >>> petals = open_dataset("petals", image_size=16, count=40)
    >>> petals.class_names[0], petals.source("train").count
    ('round_7_hue_000', 40)
    >>> petals.prepare("test").images.shape
    (40, 16, 16, 3)
    >>> images, labels = next(iter(petals.load("train", batch_size=8, seed=3)))
    """
    return OpenDataset(
        get(name), image_size, data_dir=data_dir, cache_dir=cache_dir, options=options
    )


class OpenDataset:
    """One data set at one image size: what `open_dataset` returns.

    Args:
        dataset: registered data set.
        image_size, data_dir, cache_dir: arguments of `open_dataset`.
        options: options of the data set itself.

    Raises:
        ValueError: for an image size that cannot be.
    """

    def __init__(
        self,
        dataset: Dataset,
        image_size: int,
        *,
        data_dir: str | os.PathLike | None = None,
        cache_dir: str | os.PathLike | None = None,
        options: dict[str, Any] | None = None,
    ) -> None:
        if isinstance(image_size, bool) or not isinstance(image_size, int) or image_size < 1:
            raise ValueError(
                f"image_size must be a whole number of pixels, 1 or more. Received: {image_size!r}."
            )
        self._dataset = dataset
        self._image_size = image_size
        self._data_dir = data_dir
        self._cache_dir = cache_dir
        self._options = dict(options or {})
        self._sources: dict[str, Source] = {}
        self._prepared: dict[tuple[str, tuple[int, int]], Prepared] = {}
        self._folders: dict[str, OpenDataset] = {}

    @property
    def name(self) -> str:
        """Name of the data set."""
        return self._dataset.name

    @property
    def image_size(self) -> int:
        """Height and width of the pictures, in pixels."""
        return self._image_size

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the labels; no picture is decoded for them."""
        return self.source("train").class_names

    def source(self, split: str = "train") -> Source:
        """Returns a split before it is decoded: its class names, its count, its key.

        Args:
            split: name of the split, "train", "validation" or "test".

        Raises:
            ValueError: for a split or an option that the data set does not have, or data that
                cannot be used.
        """
        if split not in self._sources:
            self._sources[split] = self._dataset.source(
                split, self._image_size, self._data_dir, **self._options
            )
        return self._sources[split]

    def prepare(self, split: str = "train", part: tuple[int, int] = (0, 1)) -> Prepared:
        """Returns a split as arrays, decoding it when that was not done before.

        With `part=(index, count)`, only the examples `index`, `index + count`, … of the split are
        decoded and kept, so that data larger than one disk spread over `count` workers. Labels and
        class names are those of the whole data set; a part may lack some of its classes.

        Args:
            split: name of the split, "train", "validation" or "test".
            part: pair `(index, count)`, which of how many parts of the split; by default all of it.

        Raises:
            ValueError: for a split or a part that the data set does not have, or data that cannot
                be used.
            OSError: when the cache cannot be written.
        """
        part = check_piece("part", part)
        if (split, part) not in self._prepared:
            self._prepared[split, part] = decoded(
                self.source(split),
                self.name,
                split,
                self._image_size,
                cache_dir=self._cache_dir,
                part=part,
            )
        return self._prepared[split, part]

    def key(self, split: str = "train") -> dict[str, Any]:
        """Returns what changes whenever a split's pictures do, wherever they lie.

        Args:
            split: name of the split, "train", "validation" or "test".

        Example:

        >>> sorted(open_dataset("petals", 16).key("test"))
        ['dataset', 'digest', 'image_size']
        """
        source = self.source(split)
        digest = hashlib.sha256(json.dumps([source.class_names, source.key]).encode())
        return {
            "dataset": self.name,
            "image_size": self._image_size,
            "digest": digest.hexdigest()[:16],
        }

    def about(self, split: str = "train") -> dict[str, Any]:
        """Returns what a split is and where it lies, as JSON has it.

        Args:
            split: name of the split, "train", "validation" or "test".
        """
        return {
            "name": self.name,
            "image_size": self._image_size,
            "data_dir": None if self._data_dir is None else os.fspath(self._data_dir),
            **self._options,
            "key": self.source(split).key,
        }

    def load(
        self,
        split: str = "train",
        batch_size: int = 64,
        seed: int = 0,
        *,
        shuffle: bool | None = None,
        repeat: bool = False,
        start: int = 0,
        drop_remainder: bool | None = None,
        with_attributes: bool = False,
        dtype: str = "float32",
        shard: tuple[int, int] = (0, 1),
        part: tuple[int, int] = (0, 1),
        images_per_class: int | None = None,
        labelled_share: float = 1.0,
        unlabelled_rest: bool = False,
        unlabelled_data_dir: str | os.PathLike | None = None,
        batches_per_step: int = 1,
    ) -> "tf.data.Dataset":
        """Returns batches of images and labels; `description` of the result says what they are.

        Epoch `e` is the permutation of the data that `(seed, e)` determines. With `repeat`, batches
        run on across the ends of epochs, and `start = k * batch_size` continues an earlier run of
        the same seed after its batch `k`, bit for bit.

        `shard` and `part`, `(index, count)` both, divide the data among workers. With `shard`,
        every worker has the whole cache and reads its piece of every batch: `batch_size` and
        `start` are those of the whole batch, of which the pieces are equal and consecutive, so that
        a run sees the same batches on any number of workers. With `part`, a worker decodes, keeps
        and draws from every `count`-th example alone, which suits data larger than one disk:
        `batch_size`, epochs, `start` and `description` are those of the part, the order is its own,
        and a class may be absent. Given both, batches are drawn from the part and then divided.

        Of the training pictures some may come without labels, for semi-supervised training: they
        have the label −1. In each batch, images with and without a label alternate then:
        `batches_per_step` with, then as many without, and so on.

        Args:
            split: name of the split, "train", "validation" or "test".
            batch_size: number of images in a batch, with and without labels.
            seed: seed of the order of the examples, and of what is drawn by lot.
            shuffle: whether the order is random. By default only for the split "train".
            repeat: whether the data set goes on for ever. Otherwise it ends with the epoch in which
                `start` lies.
            start: number of examples that were consumed before.
            drop_remainder: whether a last, smaller batch is left out. By default as `shuffle`.
            with_attributes: whether a dictionary of the examples' attributes comes third.
            dtype: dtype of the images: "float32", in [-1, 1], or "uint8", a quarter of the bytes,
                which models take as well.
            shard: pair `(index, count)`, which of how many equal pieces of every batch. A last,
                smaller batch is divided as evenly as it can be, into pieces that may be empty, so
                that every worker gets the same number of batches.
            part: pair `(index, count)`, which of how many parts of the split: see `prepare`.
            images_per_class: number of training pictures of each class that are taken, drawn by
                lot; a class that has fewer gives all. Fewer are among more. None takes all.
            labelled_share: share of each class's training pictures that keep their label, in
                (0, 1], drawn by lot; at least one picture does.
            unlabelled_rest: whether the other ones come without labels; else they are left out.
            unlabelled_data_dir: folder of pictures without labels, of the same or of other classes.
            batches_per_step: number of parts of a model's step. Part i of P takes the rows i,
                i + P, … of a batch, and half of these have labels where some have none.

        Returns:
            A `tf.data.Dataset` of `(images, labels)` or `(images, labels, attributes)`: images of
            the dtype `(b, image_size, image_size, 3)`, labels int32 `(b,)`, every attribute float32
            `(b,)`. Its attribute `description` is a `datasets.Description` of the split, with all
            its labels; a data set derived from this one (`map`, `take`, …) does not have it.

        Raises:
            ValueError: for an argument outside what the data set has, arguments that make no sense
                together, data that cannot be used, a batch that the data cannot fill, or one that
                cannot be divided among the shards.
            OSError: when the cache cannot be written.

        Example:

        >>> petals = open_dataset("petals", 16, count=40)
        >>> some = {"labelled_share": 0.1, "unlabelled_rest": True}
        >>> images, labels = next(iter(petals.load(batch_size=6, repeat=True, **some)))
        >>> images.shape, labels.numpy()[1::2]
        (TensorShape([6, 16, 16, 3]), array([-1, -1, -1], dtype=int32))
        """
        labels = Labels(labelled_share, unlabelled_rest, unlabelled_data_dir, images_per_class)
        labels.check_stream(split=split, repeat=repeat, with_attributes=with_attributes, part=part)
        if shuffle is None:
            shuffle = split == "train"
        stream = {
            "shuffle": shuffle,
            "repeat": repeat,
            "drop_remainder": shuffle if drop_remainder is None else drop_remainder,
            "dtype": dtype,
            "shard": check_piece("shard", shard),
        }
        prepared = self.prepare(split, part)
        kept, rest = None, None
        if labels.drawn or labels.some_unlabelled:
            kept, rest = labels.rows(prepared.labels, prepared.description.num_classes, seed)
        if not labels.some_unlabelled:
            stream |= {"start": start, "with_attributes": with_attributes}
            return batches(prepared, batch_size, seed, rows=kept, **stream)
        least = 2 * batches_per_step * shard[1]
        if batch_size % least or start % batch_size:
            raise ValueError(
                "Half of the images have labels, in each part of a step and on each worker: "
                f"batch_size must be a multiple of {least}, start of batch_size. "
                f"Received: batch_size={batch_size}, start={start}."
            )
        others = prepared
        if unlabelled_data_dir:
            others = self._unlabelled(unlabelled_data_dir).prepare("train", part)
            rest = np.arange(len(others.labels))
        size, stream["start"] = batch_size // 2, start // 2
        dataset = alternating(
            batches(prepared, size, seed, rows=kept, **stream),
            batches(others, size, seed + _OTHER_ORDER, rows=rest, **stream),
            batches_per_step,
        )
        dataset.description = prepared.description
        return dataset

    def _unlabelled(self, folder: str | os.PathLike) -> "OpenDataset":
        """Returns the pictures of a folder, opened once."""
        folder = os.fspath(folder)
        if folder not in self._folders:
            self._folders[folder] = open_dataset(
                "pictures",
                self._image_size,
                data_dir=folder,
                cache_dir=self._cache_dir,
                hold_out=False,
            )
        return self._folders[folder]

"""The input pipeline: a data position is one integer, so that a run can go on where it stopped."""

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from datasets.pipeline.cache import Prepared, check_piece, prepare
from datasets.pipeline.devices import leave_to_jax
from datasets.pipeline.reader import Reader

if TYPE_CHECKING:
    import tensorflow as tf

DTYPES = ("float32", "uint8")


def load(
    name: str,
    split: str = "train",
    image_size: int = 32,
    batch_size: int = 64,
    seed: int = 0,
    *,
    data_dir: str | os.PathLike | None = None,
    cache_dir: str | os.PathLike | None = None,
    shuffle: bool | None = None,
    repeat: bool = False,
    start: int = 0,
    drop_remainder: bool | None = None,
    with_attributes: bool = False,
    dtype: str = "float32",
    shard: tuple[int, int] = (0, 1),
    part: tuple[int, int] = (0, 1),
    **options: Any,
) -> "tf.data.Dataset":
    """Returns batches of images and labels; `description` of the result says what they are.

    Epoch `e` is the permutation of the data that `(seed, e)` determines. With `repeat`, batches
    run on across the ends of epochs, and `start = k * batch_size` continues an earlier run of the
    same seed after its batch `k`, bit for bit.

    `shard` and `part`, `(index, count)` both, divide the data among workers. With `shard`, every
    worker has the whole cache and reads its piece of every batch: `batch_size` and `start` are
    those of the whole batch, of which the pieces are equal and consecutive, so that a run sees the
    same batches on any number of workers. With `part`, a worker decodes, keeps and draws from every
    `count`-th example alone, which suits data larger than one disk: `batch_size`, epochs, `start`
    and `description` are those of the part, the order is its own, and a class may be absent. Given
    both, batches are drawn from the part and then divided.

    Args:
        name: a name from `datasets.names()`.
        split: "train", "validation" or "test".
        image_size: height and width of the images, in pixels.
        batch_size: images in a batch.
        seed: determines the order of the examples.
        data_dir: where the data set lies, or is downloaded to; for `folder`, the folder.
        cache_dir: where decoded pictures are kept: see `datasets.prepare`.
        shuffle: whether the order is random. By default only for the split "train".
        repeat: whether the data set goes on for ever. Otherwise it ends with the epoch in which
            `start` lies.
        start: number of examples that were consumed before.
        drop_remainder: whether a last, smaller batch is left out. By default as `shuffle`.
        with_attributes: whether a dictionary of the examples' attributes comes third.
        dtype: of the images: "float32", in [-1, 1], or "uint8", a quarter of the bytes, which
            models take as well.
        shard: `(index, count)`: which of how many equal pieces of every batch. A last, smaller
            batch is divided as evenly as it can be, into pieces that may be empty, so that every
            worker gets the same number of batches.
        part: `(index, count)`: which of how many parts of the split: see `datasets.prepare`.
        **options: the data set's own options.

    Returns:
        A `tf.data.Dataset` of `(images, labels)` or `(images, labels, attributes)`: images of the
        dtype `(b, image_size, image_size, 3)`, labels int32 `(b,)`, every attribute float32
        `(b,)`. Its attribute `description` is a `datasets.Description`; a data set derived from
        this one (`map`, `take`, …) does not have it.

    Raises:
        ValueError: for an argument outside what the data set has, data that cannot be used, a
            batch that the data cannot fill, or one that cannot be divided among the shards.
        OSError: when the cache cannot be written.

    Example:

    >>> dataset = load("petals", "test", image_size=32, batch_size=8)
    >>> images, labels = next(iter(dataset))
    >>> images.shape, labels.shape, dataset.description.num_classes
    (TensorShape([8, 32, 32, 3]), TensorShape([8]), 10)
    >>> second_half = load("petals", "test", image_size=32, batch_size=8, shard=(1, 2))
    >>> bool((next(iter(second_half))[0] == images[4:]).numpy().all())
    True
    """
    prepared = prepare(
        name, split, image_size, data_dir=data_dir, cache_dir=cache_dir, part=part, **options
    )
    shuffle = split == "train" if shuffle is None else shuffle
    return batches(
        prepared,
        batch_size,
        seed,
        shuffle=shuffle,
        repeat=repeat,
        start=start,
        drop_remainder=shuffle if drop_remainder is None else drop_remainder,
        with_attributes=with_attributes,
        dtype=dtype,
        shard=shard,
    )


def batches(
    prepared: Prepared,
    batch_size: int,
    seed: int,
    *,
    shuffle: bool,
    repeat: bool,
    start: int,
    drop_remainder: bool,
    with_attributes: bool = False,
    dtype: str = "float32",
    shard: tuple[int, int] = (0, 1),
    rows: np.ndarray | None = None,
) -> "tf.data.Dataset":
    """Returns batches of arrays that are already there: see `load`.

    Of all examples, or of those at the indices `rows`, which a batch may have several times.
    """
    description = prepared.description
    count = description.num_images if rows is None else len(rows)
    if batch_size < 1 or start < 0:
        raise ValueError(
            "batch_size must be at least 1 and start at least 0. "
            f"Received: batch_size={batch_size}, start={start}."
        )
    if batch_size > count and (repeat or drop_remainder) and rows is None:
        of_part = f", part {description.part}" if description.part[1] > 1 else ""
        raise ValueError(
            f"A batch of {batch_size} is larger than the data: {description.name!r} has {count} "
            f"pictures in its split {description.split!r}{of_part}. Choose a batch_size "
            f"of at most {count}."
        )
    if with_attributes and not prepared.attributes:
        raise ValueError(
            f"Data set {description.name!r} has no attributes: load it without with_attributes."
        )
    if dtype not in DTYPES:
        raise ValueError(f"Images come as {' or '.join(DTYPES)}. Received: dtype={dtype!r}.")
    shard = check_piece("shard", shard)
    if batch_size % shard[1]:
        raise ValueError(
            f"batch_size is that of all shards together, and a multiple of their number. "
            f"Received: batch_size={batch_size} for shard={shard}. Choose "
            f"batch_size={-(-batch_size // shard[1]) * shard[1]}."
        )
    leave_to_jax()

    import tensorflow as tf

    dataset = _positions(count, batch_size, start, repeat, drop_remainder, shard)
    # Parts in the same order would bring neighbours, often of one class, into the same batch.
    first_epoch = description.part[0] << 40
    epochs = 2 + (batch_size - 1) // count
    dataset = dataset.map(
        lambda positions: _indices(positions, count, seed, shuffle, first_epoch, epochs)
    )
    if rows is not None:
        dataset = dataset.map(lambda indices: tf.gather(tf.constant(rows, tf.int64), indices))
    dataset = dataset.map(lambda indices: _gather(prepared, indices, dtype, with_attributes))
    dataset = dataset.with_options(_without_threads())
    dataset.description = description
    return dataset


def _without_threads() -> "tf.data.Options":
    """Returns options with which no thread of `tf.data` runs ahead.

    Where Python drops an iterator, it waits for such threads without letting go of its lock, which
    the reader needs in them: it would wait for ever. A batch takes less than a millisecond to read.
    """
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False
    options.experimental_optimization.map_parallelization = False
    options.experimental_optimization.inject_prefetch = False
    return options


def _positions(
    count: int,
    batch_size: int,
    start: int,
    repeat: bool,
    drop_remainder: bool,
    shard: tuple[int, int],
) -> "tf.data.Dataset":
    """Returns a shard's successive positions: `p` is example `p % count` of epoch `p // count`."""
    import tensorflow as tf

    index, shards = shard
    end = (start // count + 1) * count

    def piece(first: tf.Tensor) -> tf.Tensor:
        size = batch_size if repeat or drop_remainder else tf.minimum(end - first, batch_size)
        return first + tf.range(
            index * size // shards, (index + 1) * size // shards, dtype=tf.int64
        )

    if repeat:
        return tf.data.Dataset.counter(start, batch_size).map(piece)
    beyond = end - batch_size + 1 if drop_remainder else end
    return tf.data.Dataset.range(start, beyond, batch_size).map(piece)


def _indices(
    positions: "tf.Tensor", count: int, seed: int, shuffle: bool, first_epoch: int, most: int = 2
) -> "tf.Tensor":
    """Returns the indices of the examples at these positions, which touch `most` epochs at most.

    Epochs are numbered from `first_epoch` on.
    """
    import tensorflow as tf

    offsets = positions % count
    if not shuffle:
        return offsets
    epochs = positions // count
    # The piece of a shard may be empty: it has no epochs[0], and index_shuffle refuses it.
    first = tf.reduce_min(epochs)
    offsets = tf.pad(offsets, [[0, 1]])

    def permuted(epoch: tf.Tensor) -> tf.Tensor:
        # index_shuffle heeds the lowest 8 bits of each of its two seeds alone, so that plain
        # (seed, epoch) would repeat every 256 epochs: this draws 4 bytes and shuffles twice.
        position = tf.stack([tf.constant(seed, tf.int64), first_epoch + epoch])
        keys = tf.random.stateless_uniform([2, 2], position, 0, 256, tf.int64, alg="philox")
        once = tf.random.experimental.index_shuffle(offsets, keys[0], max_index=count - 1)
        return tf.random.experimental.index_shuffle(once, keys[1], max_index=count - 1)[:-1]

    indices = permuted(first)
    for later in range(1, most):
        indices = tf.where(epochs == first + later, permuted(first + later), indices)
    return indices


def _gather(prepared: Prepared, indices: "tf.Tensor", dtype: str, with_attributes: bool) -> tuple:
    """Returns the examples with these indices."""
    import tensorflow as tf

    attributes = prepared.attributes if with_attributes else {}
    images, labels, *columns = tf.numpy_function(
        Reader(prepared.images, prepared.labels, *attributes.values()),
        [indices],
        [tf.uint8, tf.int32, *[tf.float32] * len(attributes)],
        stateful=False,
    )
    images.set_shape([indices.shape[0], *prepared.description.image_shape])
    for column in (labels, *columns):
        column.set_shape(indices.shape)
    if dtype == "float32":
        images = tf.cast(images, tf.float32) / 127.5 - 1.0
    if not with_attributes:
        return images, labels
    return images, labels, dict(zip(attributes, columns, strict=True))

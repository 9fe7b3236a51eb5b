"""Batches of decoded pictures; a position is one integer, so that a run resumes where it was."""

from typing import TYPE_CHECKING

import numpy as np

from datasets.pipeline.cache import Prepared, check_piece
from datasets.pipeline.devices import leave_to_jax
from datasets.pipeline.reader import Reader

if TYPE_CHECKING:
    import tensorflow as tf

DTYPES = ("float32", "uint8")


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
    """Returns batches of arrays that are already there: see `OpenDataset.load`.

    Args:
        prepared: arrays of a split.
        batch_size, seed, shuffle, repeat, start, drop_remainder, with_attributes, dtype, shard:
            arguments of `OpenDataset.load`.
        rows: indices of the examples to take; a batch may have them several times. None for all.

    Raises:
        ValueError: for an argument that cannot be, or a batch that the data cannot fill.
    """
    description = prepared.description
    count = description.num_images if rows is None else len(rows)
    if batch_size < 1 or start < 0:
        raise ValueError(
            "batch_size must be at least 1 and start at least 0. "
            f"Received: batch_size={batch_size}, start={start}."
        )
    # Few chosen rows fill a batch several times; a whole data set that does so is a mistake.
    if batch_size > count and (rows is None if repeat else drop_remainder):
        chosen = "" if rows is None else "chosen "
        of_part = f", part {description.part}" if description.part[1] > 1 else ""
        raise ValueError(
            f"A batch of {batch_size} is larger than the data: {description.name!r} has {count} "
            f"{chosen}pictures in its split {description.split!r}{of_part}. Choose a batch_size "
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
    positions: "tf.Tensor",
    count: int,
    seed: int,
    shuffle: bool,
    first_epoch: int,
    max_epochs: int = 2,
) -> "tf.Tensor":
    """Returns the indices of the examples at these positions, of at most `max_epochs` epochs.

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
    for later in range(1, max_epochs):
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

"""Batches for semi-supervised training: half of each with labels, half without."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from datasets.pipeline.cache import Prepared, prepare
from datasets.pipeline.loading import batches

if TYPE_CHECKING:
    import tensorflow as tf

UNLABELLED = -1
# Far from the seeds of other runs: two streams of as many pictures are not to go in step.
_OTHER_ORDER = 2**40


def load_semi_supervised(
    name: str,
    image_size: int = 32,
    batch_size: int = 64,
    seed: int = 0,
    *,
    labelled_share: float = 1.0,
    unlabelled_rest: bool = False,
    unlabelled_data_dir: str | os.PathLike | None = None,
    data_dir: str | os.PathLike | None = None,
    cache_dir: str | os.PathLike | None = None,
    batches_per_step: int = 1,
    start: int = 0,
    dtype: str = "float32",
    shard: tuple[int, int] = (0, 1),
    part: tuple[int, int] = (0, 1),
    **options: Any,
) -> "tf.data.Dataset":
    """Returns endless batches of training images, of which some have labels and others none.

    Those without have the label `UNLABELLED`, −1. In each batch images with and without a label
    alternate: `batches_per_step` with, then as many without, and so on. Both streams go on from any
    `start`, bit for bit, and divide among workers, as those of `datasets.load`.

    Args:
        name: a name from `datasets.names()`.
        image_size: height and width of the images, in pixels.
        batch_size: images in a batch, with and without labels.
        seed: determines which pictures keep their label, and the order.
        labelled_share: share of each class's pictures that keep their label, in (0, 1]; at least
            one picture does.
        unlabelled_rest: whether the other ones come without labels; else they are left out.
        unlabelled_data_dir: a folder of pictures without labels, of the same or of other classes.
        batches_per_step: how many parts a model's step has. Part i of P takes the rows i, i + P, …
            of a batch, and half of these have labels.
        data_dir, cache_dir, start, dtype, shard, part, **options: see `datasets.load`.

    Returns:
        A `tf.data.Dataset` of `(images, labels)`. Its attribute `description` is that of the data
        set with all its labels. With neither kind of pictures without labels, all have one.

    Raises:
        ValueError: for an argument outside what the data set has, both kinds of pictures without
            labels, or an odd `batch_size` with them.
        OSError: when the cache cannot be written.

    Example:

    >>> rest = {"labelled_share": 0.1, "unlabelled_rest": True}
    >>> dataset = load_semi_supervised("petals", image_size=16, batch_size=6, count=40, **rest)
    >>> images, labels = next(iter(dataset))
    >>> images.shape, labels.numpy()[1::2]
    (TensorShape([6, 16, 16, 3]), array([-1, -1, -1], dtype=int32))
    """
    check_labels(labelled_share, unlabelled_rest, unlabelled_data_dir)
    keywords = {"cache_dir": cache_dir, "part": part}
    if labelled_share < 1.0 and part[1] > 1:
        raise ValueError(
            "Which pictures keep their label is drawn for all of them: a labelled_share below 1 "
            f"needs the whole data set on each worker. Received: part={part}."
        )
    prepared = prepare(name, "train", image_size, data_dir=data_dir, **keywords, **options)
    chosen = labelled_rows(
        prepared.labels, len(prepared.description.class_names), labelled_share, seed
    )
    unlabelled: tuple[Prepared, np.ndarray] | None = None
    if unlabelled_rest:
        rest = np.setdiff1d(np.arange(len(prepared.labels)), chosen)
        if not len(rest):
            raise ValueError(
                f"With labelled_share={labelled_share} all {len(chosen)} pictures keep their "
                "label: choose a smaller one."
            )
        unlabelled = prepared, rest
    elif unlabelled_data_dir:
        others = prepare(
            "pictures",
            image_size=image_size,
            data_dir=unlabelled_data_dir,
            hold_out=False,
            **keywords,
        )
        unlabelled = others, np.arange(len(others.labels))
    of_each = batch_size
    if unlabelled is not None:
        of_each, least = batch_size // 2, 2 * batches_per_step * shard[1]
        if batch_size % least or start % batch_size:
            raise ValueError(
                "Half of the images have labels, in each part of a step and on each worker: "
                f"batch_size must be a multiple of {least}, start of batch_size. "
                f"Received: batch_size={batch_size}, start={start}."
            )
    stream = {"shuffle": True, "repeat": True, "drop_remainder": True, "dtype": dtype}
    stream |= {"shard": shard, "start": start * of_each // batch_size}
    # Few labels fill a batch several times; a whole data set that does so is a mistake.
    rows = None if unlabelled is None and labelled_share == 1.0 else chosen
    dataset = batches(prepared, of_each, seed, rows=rows, **stream)
    if unlabelled is not None:
        others, rows = unlabelled
        without = batches(others, of_each, seed + _OTHER_ORDER, rows=rows, **stream)
        dataset = _alternating(dataset, without, batches_per_step)
    dataset.description = prepared.description
    return dataset


def check_labels(
    labelled_share: float,
    unlabelled_rest: bool,
    unlabelled_data_dir: str | os.PathLike | None,
) -> None:
    """Checks which pictures are to have labels: see `load_semi_supervised`.

    Raises:
        ValueError: for a choice that cannot be.
    """
    if not 0.0 < labelled_share <= 1.0:
        raise ValueError(f"labelled_share must be in (0, 1]. Received: {labelled_share}.")
    if unlabelled_rest and unlabelled_data_dir:
        raise ValueError(
            "Images without labels are the rest of the data set or those of unlabelled_data_dir. "
            "Choose one of them."
        )
    if unlabelled_rest and labelled_share == 1.0:
        raise ValueError("All pictures keep their label: choose a labelled_share below 1.")
    if unlabelled_data_dir and not Path(unlabelled_data_dir).expanduser().is_dir():
        raise ValueError(f"unlabelled_data_dir is no folder: {str(unlabelled_data_dir)!r}.")


def labelled_rows(
    labels: np.ndarray, num_classes: int, labelled_share: float, seed: int
) -> np.ndarray:
    """Returns which examples keep their label: the same share of each class, drawn by lot.

    Args:
        labels: integers `(n,)`.
        num_classes: of the data; a class may be absent.
        labelled_share: in (0, 1]; at least one of each class that is there.
        seed: of the lot; fewer are among more.

    Example:

    >>> labelled_rows(np.array([0, 1, 0, 1, 1, 1]), 2, 0.5, seed=0).shape
    (3,)
    """
    labels, chosen = np.asarray(labels), []
    for label in range(num_classes):
        rows = np.flatnonzero(labels == label)
        count = min(max(1, round(labelled_share * len(rows))), len(rows))
        lot = np.random.default_rng([seed, label]).permutation(rows)
        chosen.append(lot[:count])
    return np.sort(np.concatenate(chosen))


def _alternating(
    labelled: "tf.data.Dataset", unlabelled: "tf.data.Dataset", run: int
) -> "tf.data.Dataset":
    """Joins batches of two streams, `run` rows by `run` rows; the second ones lose their labels."""
    import tensorflow as tf

    def alternate(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        count, *shape = x.shape.as_list()
        runs = [tf.reshape(each, [-1, run, *shape]) for each in (x, y)]
        return tf.reshape(tf.stack(runs, axis=1), [2 * count, *shape])

    def join(of_labelled: tuple, of_unlabelled: tuple) -> tuple[tf.Tensor, tf.Tensor]:
        images, labels = of_labelled
        others, own_labels = of_unlabelled
        return alternate(images, others), alternate(labels, tf.fill(own_labels.shape, UNLABELLED))

    return tf.data.Dataset.zip(labelled, unlabelled).map(join)

"""Which training pictures a stream has, and which of them come without their label."""

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import tensorflow as tf

UNLABELLED = -1


@dataclasses.dataclass(frozen=True)
class Labels:
    """Which training pictures are taken, and which of them have labels.

    Args:
        labelled_share: share of each class's pictures that keep their label, in (0, 1]; at least
            one picture does.
        unlabelled_rest: whether the other ones come without labels; else they are left out.
        unlabelled_data_dir: folder of pictures without labels, of the same or of other classes.
        images_per_class: number of pictures of each class that are taken, drawn by lot; a class
            that has fewer gives all. `labelled_share` and `unlabelled_rest` speak of these. None
            takes all.

    Raises:
        ValueError: for a choice that cannot be.
    """

    labelled_share: float = 1.0
    unlabelled_rest: bool = False
    unlabelled_data_dir: str | os.PathLike | None = None
    images_per_class: int | None = None

    def __post_init__(self) -> None:
        share, folder, count = self.labelled_share, self.unlabelled_data_dir, self.images_per_class
        if not 0.0 < share <= 1.0:
            raise ValueError(f"labelled_share must be in (0, 1]. Received: {share}.")
        if self.unlabelled_rest and folder:
            raise ValueError(
                "Images without labels are the rest of the data set or those of "
                "unlabelled_data_dir. Choose one of them."
            )
        if self.unlabelled_rest and share == 1.0:
            raise ValueError("All pictures keep their label: choose a labelled_share below 1.")
        if folder and not Path(folder).expanduser().is_dir():
            raise ValueError(f"unlabelled_data_dir is no folder: {str(folder)!r}.")
        if count is not None and not (isinstance(count, int) and count > 0):
            raise ValueError(
                f"images_per_class must be a whole number, 1 or more, or None. Received: {count!r}."
            )

    @property
    def some_unlabelled(self) -> bool:
        """Whether half of each batch comes without labels."""
        return bool(self.unlabelled_rest or self.unlabelled_data_dir)

    @property
    def drawn(self) -> bool:
        """Whether the pictures with labels are drawn by lot; otherwise they are all."""
        return self.labelled_share < 1.0 or self.images_per_class is not None

    def check_stream(
        self, *, split: str, repeat: bool, with_attributes: bool, part: tuple[int, int]
    ) -> None:
        """Checks that a stream of `OpenDataset.load` can have these pictures.

        Args:
            split, repeat, with_attributes, part: arguments of `OpenDataset.load`.

        Raises:
            ValueError: when it cannot.
        """
        if (self.drawn or self.some_unlabelled) and split != "train":
            raise ValueError(
                "Which pictures are taken and have labels is chosen of the training ones: leave "
                "labelled_share, images_per_class, unlabelled_rest and unlabelled_data_dir out, or "
                f"take the split 'train'. Received: split={split!r}."
            )
        if self.some_unlabelled and not repeat:
            raise ValueError(
                "Images with and without labels have epochs of different lengths, so that their "
                "batches never end: load them with repeat=True. Received: repeat=False."
            )
        if self.some_unlabelled and with_attributes:
            raise ValueError(
                "Images without labels have no attributes: load them without with_attributes."
            )
        if self.drawn and part[1] > 1:
            raise ValueError(
                "Which pictures keep their label is drawn for all of them: a labelled_share below "
                "1, or images_per_class, needs the whole data set on each worker. "
                f"Received: part={part}."
            )

    def rows(self, labels: np.ndarray, num_classes: int, seed: int) -> tuple[np.ndarray, ...]:
        """Returns the indices of the examples that keep their label, and of the rest.

        Args:
            labels: labels, integers `(n,)`.
            num_classes: number of classes of the data; one may be absent.
            seed: seed of the draw.

        Raises:
            ValueError: when the rest is wanted, and there is none.
        """
        taken = labelled_rows(labels, num_classes, 1.0, seed, self.images_per_class)
        kept = labelled_rows(labels, num_classes, self.labelled_share, seed, self.images_per_class)
        rest = np.setdiff1d(taken, kept)
        if self.unlabelled_rest and not len(rest):
            raise ValueError(
                f"With labelled_share={self.labelled_share} all {len(kept)} pictures keep their "
                "label: choose a smaller one."
            )
        return kept, rest


def labelled_rows(
    labels: np.ndarray,
    num_classes: int,
    labelled_share: float,
    seed: int,
    per_class: int | None = None,
) -> np.ndarray:
    """Returns which examples keep their label: the same share of each class, drawn by lot.

    Args:
        labels: labels, integers `(n,)`.
        num_classes: number of classes of the data; one may be absent.
        labelled_share: share of each class, in (0, 1]; at least one of each class that is there.
        seed: seed of the draw; fewer are among more.
        per_class: number of examples of each class of which the share is taken; a class that has
            fewer gives all. None for all.

    Returns:
        Their indices, in ascending order.

    Example:

    >>> labels = np.array([0, 1, 0, 1, 1, 1])
    >>> labelled_rows(labels, 2, 0.5, seed=0).shape
    (3,)
    >>> np.bincount(labels[labelled_rows(labels, 2, 1.0, seed=0, per_class=2)])
    array([2, 2])
    """
    labels, chosen = np.asarray(labels), []
    for label in range(num_classes):
        rows = np.flatnonzero(labels == label)
        drawn = np.random.default_rng([seed, label]).permutation(rows)[:per_class]
        count = min(max(1, round(labelled_share * len(drawn))), len(drawn))
        chosen.append(drawn[:count])
    return np.sort(np.concatenate(chosen))


def alternating(
    labelled: "tf.data.Dataset", unlabelled: "tf.data.Dataset", run: int
) -> "tf.data.Dataset":
    """Joins batches of two streams, some rows by some rows; the second ones lose their labels.

    Args:
        labelled: batches of images and labels.
        unlabelled: batches of images and labels, as large as the first ones.
        run: number of rows of one stream that come before those of the other.
    """
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

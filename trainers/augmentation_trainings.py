"""The trainings that `trainers.augmentation_study` compares: generators, recognition networks."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_cvaegan import pictures
from keras_cvaegan.applications import augmentation as augmenting
from keras_cvaegan.metrics import recognition
from keras_cvaegan.models import GenerativeModel
from keras_cvaegan.training.code_batches import RowOrder
from trainers.augment import replacing_folder
from trainers.counting import counted

Part = tuple[np.ndarray, np.ndarray]
"""Images, uint8 `(n, height, width, 3)`, mapped from a file or not, and labels `(n,)`."""


def lot(labels: np.ndarray, num_classes: int, per_class: int | None, seed: int) -> np.ndarray:
    """Returns rows of so many pictures of each class, drawn by lot; None for all.

    A class that has fewer gives all of them. Fewer are among more.

    Example:

    >>> labels = np.array([0, 1, 0, 1, 0, 1])
    >>> np.bincount(labels[lot(labels, 2, 2, seed=0)])
    array([2, 2])
    >>> lot(labels, 2, None, seed=0)
    array([0, 1, 2, 3, 4, 5])
    """
    labels = np.asarray(labels)
    if per_class is None:
        return np.arange(len(labels))
    chosen = [
        np.random.default_rng([seed, label]).permutation(np.flatnonzero(labels == label))[
            :per_class
        ]
        for label in range(num_classes)
    ]
    return np.sort(np.concatenate(chosen))


def write_folder(root: Path, train: Part, test: Path, class_names: Sequence[str]) -> None:
    """Leaves pictures as `--dataset=folder` reads them, with their classes in the same order.

    Args:
        root: where; what is there already is kept.
        train: the pictures.
        test: another such folder, of held-out ones, which `root` links to.
        class_names: by label.
    """
    if root.exists():
        return
    with replacing_folder(root) as partial:
        write_classes(partial / "train", train, class_names)
        (partial / "test").symlink_to(os.path.relpath(test, root))


def write_classes(root: Path, part: Part, class_names: Sequence[str]) -> None:
    """Writes a folder of PNG files for each class, named such that they sort as the labels do."""
    for label, name in enumerate(class_names):
        folder = root / f"{label:05d}_{re.sub(r'[^0-9A-Za-z_-]', '_', name)}"
        folder.mkdir(parents=True)
        for row in np.flatnonzero(np.asarray(part[1]) == label).tolist():
            pictures.write_png(folder / f"{row:06d}.png", part[0][row])


def generate(
    model: GenerativeModel,
    counts: Sequence[int] | np.ndarray,
    mixes: Sequence[augmenting.Mix],
    *,
    seed: int,
    min_confidence: float | None,
    folder: Path,
    title: str,
) -> tuple[Part, str]:
    """Returns generated pictures, in a file, and what is said of classes with too few.

    Args:
        model: the generator.
        counts: pictures of each class and mix.
        mixes: new classes.
        seed: of the pictures.
        min_confidence: as `augment` takes it.
        folder: where the file comes; it is needed as long as the pictures are.
        title: what is counted.
    """
    asked = augmenting.augment(model, counts, mixes=mixes, seed=seed, min_confidence=min_confidence)
    total, done = int(asked.counts.sum()), 0
    # As many as there are, since of random pictures none compresses.
    images = np.lib.format.open_memmap(
        folder / f"{title}.npy", "w+", np.uint8, (total, *model.image_shape)
    )
    labels = np.zeros(total, np.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", augmenting.FewAcceptedWarning)
        for batch, of_batch in counted(f"Pictures of {title} classes", asked, total):
            images[done : done + len(batch)], labels[done : done + len(batch)] = batch, of_batch
            done += len(batch)
    return (images[:done], labels[:done]), asked.few()


class Stream(keras.utils.PyDataset):
    """Random batches of several parts together, each picture as often as any other.

    Batches run on across the ends of epochs; each epoch is a permutation of all pictures.

    Args:
        parts: one or more, not all empty.
        updates: how many batches.
        batch_size: images in each.
        seed: of the order.

    Example:

    >>> part = np.zeros((3, 8, 8, 3), np.uint8), np.array([0, 1, 2])
    >>> images, labels = Stream([part], updates=1, batch_size=6, seed=0)[0]
    >>> images.shape, np.bincount(labels)
    ((6, 8, 8, 3), array([2, 2, 2]))
    """

    def __init__(self, parts: Sequence[Part], updates: int, batch_size: int, seed: int) -> None:
        super().__init__()
        self._parts, self._updates = parts, updates
        self._ends = np.cumsum([len(labels) for _, labels in parts])
        self._order = RowOrder(int(self._ends[-1]), batch_size, seed)

    def __len__(self) -> int:
        return self._updates

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        taken = [self._row(row) for row in self._order.rows(index).tolist()]
        images, labels = zip(*taken, strict=True)
        return pictures.from_uint8(np.stack(images)), np.array(labels, np.int32)

    def _row(self, row: int) -> tuple[np.ndarray, int]:
        part = int(np.searchsorted(self._ends, row, side="right"))
        images, labels = self._parts[part]
        own = row - self._ends[part] + len(labels)
        return images[own], labels[own]


def train_recognition(
    parts: Sequence[Part],
    num_classes: int,
    *,
    updates: int,
    batch_size: int = 64,
    seed: int = 0,
    show: Callable[[str], None] | None = None,
) -> keras.Model:
    """Trains the recognition network of `metrics.recognition` for a number of updates.

    Training pictures are shifted and mirrored. There is no early end and no choice of weights, so
    that trainings on other pictures have as many updates.

    Args:
        parts: pictures to train with, of which one is drawn as often as another.
        num_classes: of the softmax.
        updates: how many.
        batch_size: images an update.
        seed: of weights, order and augmentation.
        show: told in a line how far it is.

    Returns:
        A model of images in [−1, 1] to logits.
    """
    keras.config.set_dtype_policy("float32")
    keras.utils.set_random_seed(seed)
    model = recognition.recognition_network(parts[0][0].shape[1:], num_classes, True, seed)
    # As `train_classifier` has it.
    warm_up = max(1, updates // 60)
    rate = keras.optimizers.schedules.CosineDecay(
        2e-4, updates, warmup_target=2e-3, warmup_steps=warm_up
    )
    model.compile(
        keras.optimizers.Adam(rate), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    tell = []
    if show is not None:
        tell = [
            keras.callbacks.LambdaCallback(
                on_train_batch_end=lambda update, logs: show(
                    f"{update + 1:,} of {updates:,} updates, loss {logs['loss']:.3f}"
                )
            )
        ]
    stream = Stream(parts, updates, batch_size, seed)
    model.fit(stream, epochs=1, shuffle=False, verbose=0, callbacks=tell)
    return model


def outputs(model: keras.Model, images: np.ndarray, batch_size: int = 256) -> np.ndarray:
    """Returns a network's outputs for uint8 images, some at a time."""
    parts = [
        keras.ops.convert_to_numpy(
            model(pictures.from_uint8(images[start : start + batch_size]), training=False)
        )
        for start in range(0, len(images), batch_size)
    ]
    return np.concatenate(parts)


def accuracy(model: keras.Model, part: Part, num_classes: int) -> float:
    """Returns the share of pictures that are recognised, among the first `num_classes` classes.

    The others are new classes, of which it is known that no picture is.
    """
    logits = outputs(model, part[0])[:, :num_classes]
    return float(np.mean(logits.argmax(axis=1) == np.asarray(part[1])))


def features_of(model: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    """Returns what gives a recognition network's features of uint8 images."""
    network = keras.Model(model.input, model.get_layer("features").output)
    return lambda images: outputs(network, images)


def describe_lot(labels: np.ndarray, num_classes: int) -> dict[str, Any]:
    """Returns how many pictures of a class there are, at least, at most and in all.

    Example:

    >>> describe_lot(np.array([0, 0, 1]), 2)
    {'pictures': 3, 'fewest': 1, 'most': 2}
    """
    counts = np.bincount(labels, minlength=num_classes)
    return {"pictures": len(labels), "fewest": int(counts.min()), "most": int(counts.max())}

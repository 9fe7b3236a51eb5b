"""What applications keep and change of pictures whose attributes are known."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np

import datasets
from datasets.petals import species, visible
from keras_cvaegan import pictures
from keras_cvaegan.applications import LatentIndex, morph, transfer
from keras_cvaegan.metrics.attribute_distances import (
    columns,
    deviation,
    distances,
    is_angle,
    order_along_rows,
)
from keras_cvaegan.metrics.attribute_reader import AttributeReader
from keras_cvaegan.metrics.recognition import recognise
from keras_cvaegan.models import GenerativeModel
from keras_cvaegan.models.arguments import check_count

Values = Mapping[str, np.ndarray]
Figures = dict[str, dict[str, Any]]

BATCH_SIZE = 128
RANDOM_PAIRS = 10_000
# In turns: from there on it is not clear which arc of an angle is the shorter.
NEARLY_OPPOSITE = 0.45


@dataclasses.dataclass(frozen=True, eq=False)
class KnownPictures:
    """Pictures with the truth about them.

    Args:
        images: pictures, uint8 `(n, side, side, 3)`.
        labels: labels, integers `(n,)`.
        values: values of each attribute that pictures show beside the class, by name `(n, k)`; two
            numbers are cosine and sine of an angle.
        kinds: kind of each class, `(classes,)`, by name of an attribute that means the same only in
            classes of one kind.
    """

    images: np.ndarray
    labels: np.ndarray
    values: Values
    kinds: Values

    @classmethod
    def of(cls, prepared: datasets.Prepared) -> KnownPictures:
        """Returns a split with what is known of it.

        Raises:
            ValueError: for data without attributes.
        """
        name, values = prepared.description.name, prepared.attributes
        if not values:
            raise ValueError(
                f"Of the data set {name!r} no attributes are known, by which applications could be "
                "measured. Give a run on petals."
            )
        kinds = {}
        if name == "petals":
            values = visible(values)
            # The phase of seven petals says nothing of that of three.
            counts = [kind.count for kind in species(len(prepared.description.class_names))]
            kinds["rotation"] = np.array(counts)
        values = {name: columns(each) for name, each in values.items()}
        return cls(prepared.images, np.asarray(prepared.labels), values, kinds)

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: np.ndarray) -> KnownPictures:
        """Returns some of them."""
        values = {name: each[rows] for name, each in self.values.items()}
        return KnownPictures(np.asarray(self.images[rows]), self.labels[rows], values, self.kinds)

    def comparable(self, name: str, labels: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Whether an attribute means the same in the classes of each row, bool `(n,)`."""
        if name not in self.kinds:
            return np.ones(len(labels), bool)
        return self.kinds[name][labels] == self.kinds[name][others]

    def batches(self, rows: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, list[str]]]:
        """Yields images, labels and names of some rows, as `LatentIndex.build` takes them."""
        for [part] in _batches(rows):
            yield np.asarray(self.images[part]), self.labels[part], [str(row) for row in part]


def differences(
    known: KnownPictures, first: Values, labels: np.ndarray, last: Values, others: np.ndarray
) -> Figures:
    """Returns how far apart pairs are in each attribute, where it can be compared.

    Args:
        known: pictures that say where an attribute can be compared.
        first: values of one picture of each pair, by name `(n, k)`.
        labels: labels of these, `(n,)`.
        last: values of the other picture of each pair.
        others: labels of these.

    Returns:
        By name `mean`, of the distances, or None where there is no pair, and `pairs`, how many.
    """
    found = {}
    for name in known.values:
        rows = known.comparable(name, labels, others)
        apart = distances(first[name][rows], last[name][rows])
        found[name] = {"mean": float(apart.mean()) if len(apart) else None, "pairs": len(apart)}
    return found


def random_pairs(known: KnownPictures, seed: int) -> Figures:
    """Returns `differences` of pairs of different pictures, drawn by lot."""
    check_count("pictures", len(known), 2)
    rng = np.random.default_rng(seed)
    first = rng.integers(len(known), size=RANDOM_PAIRS)
    last = (first + rng.integers(1, len(known), RANDOM_PAIRS)) % len(known)
    values, others = ({n: v[rows] for n, v in known.values.items()} for rows in (first, last))
    return differences(known, values, known.labels[first], others, known.labels[last])


def transferred(
    model: GenerativeModel,
    judge: keras.Model,
    reader: AttributeReader,
    known: KnownPictures,
    seed: int,
) -> tuple[Figures, float]:
    """Shows each picture as another class, drawn by lot, and reads what is left of its attributes.

    Args:
        model: model with classes and an encoder.
        judge: classifier of images in [−1, 1] to logits of the classes.
        reader: reader of the attributes.
        known: pictures to show.
        seed: seed of the classes.

    Returns:
        `differences` of what is read from the truth of the picture, and the share of pictures that
        the judge takes for those of the class they are shown as.
    """
    num_classes = len(model.class_names)
    steps = np.random.default_rng(seed).integers(1, num_classes, len(known))
    targets = (known.labels + steps) % num_classes
    shown = np.concatenate(
        [
            pictures.to_uint8(transfer(model, images, to, labels))
            for images, labels, to in _batches(known.images, known.labels, targets)
        ]
    )
    share = float(np.mean(recognise(judge, shown) == targets))
    return differences(known, known.values, known.labels, reader.read(shown), targets), share


def retrieved(
    model: GenerativeModel, known: KnownPictures, searched: KnownPictures, rows: np.ndarray, k: int
) -> Figures:
    """Returns `differences` of pictures from the `k` that are nearest to them by their codes.

    Args:
        model: model with an encoder.
        known: pictures to search by.
        searched: pictures of which some are searched.
        rows: rows of these.
        k: number of pictures to find for each.
    """
    index = LatentIndex.build(model, searched.batches(rows))
    found = rows[index.query(np.asarray(known.images), known.labels, k=k).indices.ravel()]
    asked = np.repeat(np.arange(len(known)), k)
    values = {name: each[asked] for name, each in known.values.items()}
    others = {name: each[found] for name, each in searched.values.items()}
    return differences(known, values, known.labels[asked], others, searched.labels[found])


def pairs_within_classes(labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Returns pairs of different pictures of a class, drawn by lot: rows, `(count, 2)`.

    Raises:
        ValueError: when no class has two.

    Example:

    >>> pairs_within_classes(np.array([0, 1, 1]), count=2, seed=0).tolist()
    [[2, 1], [2, 1]]
    """
    rng = np.random.default_rng(seed)
    members = {label: np.flatnonzero(labels == label) for label in np.unique(labels)}
    able = np.flatnonzero([len(members[label]) > 1 for label in labels])
    if not len(able):
        raise ValueError("Two pictures of a class are needed. Received: at most one of each.")
    first = rng.choice(able, count)
    last = [rng.choice(of[of != row]) for row, of in ((r, members[labels[r]]) for r in first)]
    return np.stack([first, last], axis=1)


def morphed(
    model: GenerativeModel,
    reader: AttributeReader,
    known: KnownPictures,
    pairs: np.ndarray,
    steps: int,
) -> Figures:
    """Goes from picture to picture, and tells whether attributes that differ change in order.

    A pair counts where its ends differ by more than one deviation of the attribute, and angles are
    not nearly opposite.

    Args:
        model: model with an encoder.
        reader: reader of the attributes.
        known: pictures that morphs go between.
        pairs: rows of them, `(n, 2)`, two of a class.
        steps: pictures from end to end.

    Returns:
        By name `mean`, of `order_along_rows`, or None where no pair counts, and `pairs`, how many
        do.
    """
    read: dict[str, list[np.ndarray]] = {name: [] for name in known.values}
    for [part] in _batches(pairs, size=max(1, BATCH_SIZE // steps)):
        first, last = known.take(part[:, 0]), known.take(part[:, 1])
        rows = morph(model, first.images, last.images, first.labels, last.labels, steps=steps)
        flat = pictures.to_uint8(rows.reshape(-1, *rows.shape[2:]))
        for name, each in reader.read(flat).items():
            read[name].append(each.reshape(len(part), steps, -1))
    figures = {}
    for name, values in known.values.items():
        first, last = values[pairs[:, 0]], values[pairs[:, 1]]
        apart = distances(first, last)
        clear = apart > deviation(values)
        if is_angle(values):
            clear &= apart < NEARLY_OPPOSITE
        order = order_along_rows(np.concatenate(read[name])[clear], first[clear], last[clear])
        figures[name] = {"mean": float(order.mean()) if len(order) else None, "pairs": len(order)}
    return figures


def _batches(*arrays: np.ndarray, size: int = BATCH_SIZE) -> Iterator[list[np.ndarray]]:
    for start in range(0, len(arrays[0]), size):
        yield [array[start : start + size] for array in arrays]

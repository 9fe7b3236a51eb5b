"""The pictures of a run's data, read by their rows."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import numpy as np

from datasets.pipeline.reader import Reader
from keras_cvaegan.applications.inputs import check_data
from keras_cvaegan.models import GenerativeModel
from keras_cvaegan.training.run_directory import RunDirectory
from trainers.pictures.named import NamedPictures
from trainers.runs.data import open_data, read_config


class RunPictures:
    """A split of the data that a run is of; what is asked for is read from disk.

    Args:
        run_dir: folder of a run of `trainers.fit`.
        split: name of the split, "train", "validation" or "test".

    Attributes:
        data: data set, opened.
        description: description of the split.
        labels: labels, integers `(n,)`.
        images: pictures, uint8 `(n, side, side, 3)`, mapped from disk.

    Raises:
        ValueError: when the folder is not one, or its data cannot be used.
        OSError: when decoded pictures cannot be kept.
    """

    def __init__(self, run_dir: str | os.PathLike, split: str) -> None:
        self.data = open_data(read_config(RunDirectory(run_dir)))
        prepared = self.data.prepare(split)
        self.description = prepared.description
        self.labels = np.asarray(prepared.labels)
        self.images = prepared.images
        self._read = Reader(prepared.images, prepared.labels)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.description.class_names

    def check_model(self, model: GenerativeModel) -> None:
        """Checks that a model is one of these data.

        Raises:
            ValueError: otherwise.
        """
        check_data(model, self.class_names, self.description.image_shape)

    def names(self, rows: np.ndarray) -> list[str]:
        """Returns what the pictures in these rows are called."""
        return [
            f"{self.description.split} {row} ({self.class_names[self.labels[row]]})"
            for row in np.asarray(rows).tolist()
        ]

    def take(self, rows: np.ndarray) -> NamedPictures:
        """Returns the pictures in these rows."""
        rows = np.asarray(rows, np.int64)
        images, labels = self._read(rows)
        return NamedPictures(images, self.names(rows), labels.astype(np.int64))

    def batches(
        self, rows: np.ndarray, size: int = 256
    ) -> Iterator[tuple[np.ndarray, np.ndarray, list[str]]]:
        """Yields images, labels and names of the pictures in these rows, some at a time."""
        for start in range(0, len(rows), size):
            found = self.take(rows[start : start + size])
            yield found.images, found.labels, list(found.names)


class HeldOut(RunPictures):
    """The pictures of a run's data set that it was not trained on: the split "test".

    Args:
        run_dir: folder of a run of `trainers.fit`.
        *models: models that must be of these data.

    Raises:
        ValueError: when the folder is not one, its data cannot be used, or a model is of others.
        OSError: when decoded pictures cannot be kept.
    """

    def __init__(self, run_dir: str | os.PathLike, *models: GenerativeModel) -> None:
        super().__init__(run_dir, "test")
        for model in models:
            self.check_model(model)

    def draw(self, count: int, seed: int) -> NamedPictures:
        """Returns pictures of any classes, by lot: `count`, or as many as there are.

        Those of a smaller count are the first of a larger one's.
        """
        return self.take(np.random.default_rng(seed).permutation(len(self))[:count])

    def draw_in_turn(
        self, labels: Sequence[int] | None, count: int, seed: int | Sequence[int]
    ) -> NamedPictures:
        """Returns different pictures of some classes in turn, by lot within each.

        Args:
            labels: classes, at least one; None for all of which there are pictures, by lot.
            count: number of pictures in all.
            seed: seed of the draw.

        Raises:
            ValueError: when a class has too few.
        """
        if labels is None:
            labels = np.random.default_rng(seed).permutation(np.unique(self.labels)).tolist()
        rng = np.random.default_rng(seed)
        shuffled = {
            label: iter(rng.permutation(np.flatnonzero(self.labels == label))) for label in labels
        }
        rows = [next(shuffled[labels[number % len(labels)]], None) for number in range(count)]
        if None in rows:
            label = labels[rows.index(None) % len(labels)]
            raise ValueError(
                f"Of {self.class_names[label]!r} there are {np.sum(self.labels == label)} pictures "
                f"held out, too few for {count} of {len(labels)} classes in turn. Ask for fewer "
                "pictures, or more classes."
            )
        return self.take(np.array(rows, np.int64))

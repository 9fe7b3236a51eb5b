"""The pictures that arms of a study of augmentation train with: real ones and generated ones."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import datasets
from keras_cvaegan.applications.augmentation import (
    FewAcceptedWarning,
    Mix,
    augment,
    new_classes,
)
from keras_cvaegan.metrics.recognition import Part
from keras_cvaegan.models import GenerativeModel
from keras_cvaegan.progress import counted
from trainers.augmentation.generators import Generators, drawn_rows
from trainers.augmentation.settings import ALL, KINDS, StudySettings


class ArmPictures:
    """The pictures of one number a class and one seed, generated when they are first needed.

    Args:
        settings: settings of the study.
        training: real training pictures.
        generators: generators of the study.
        size: number of real pictures a class.
        seed: seed of the training.
        folder: folder where generated pictures lie as long as they are needed.

    Attributes:
        few: sentences on classes with fewer generated pictures than asked for, by kind.
    """

    def __init__(
        self,
        settings: StudySettings,
        training: datasets.Prepared,
        generators: Generators,
        size: str,
        seed: int,
        folder: Path,
    ) -> None:
        self._settings, self._training, self._generators = settings, training, generators
        self._size, self._seed, self._folder = size, settings.pictures_seed(seed), folder
        self._parts: dict[str, Part] = {}
        self.few: dict[str, str] = {}

    def prepare(self, arm: str) -> bool:
        """Generates what an arm needs; returns False where a signal asked to stop."""
        for kind in KINDS[arm]:
            if kind not in self._parts:
                if self._generator is None:
                    return False
                self._generate(kind, self._generator)
        return True

    def parts(self, arm: str) -> list[Part]:
        """Returns images and labels: the real ones, and then those of an arm that is prepared."""
        return [self._real, *(self._parts[kind] for kind in KINDS[arm])]

    @functools.cached_property
    def _real(self) -> Part:
        training = self._training
        if self._size == ALL:  # Which may be many: they stay on disk.
            return training.images, training.labels
        rows = drawn_rows(training, self._size, self._seed)
        return training.images[rows], training.labels[rows]

    @functools.cached_property
    def _generator(self) -> GenerativeModel | None:
        return self._generators.open(self._size, self._seed)

    def _generate(self, kind: str, generator: GenerativeModel) -> None:
        settings, num_classes = self._settings, self._training.description.num_classes
        counts, mixes = [settings.per_class] * num_classes, []
        if kind == "new":
            mixes = new_classes(
                num_classes, settings.new_classes, weights=settings.mix_weights, seed=self._seed
            )
            counts = [0] * num_classes + [settings.new_per_class] * len(mixes)
        self._parts[kind], self.few[kind] = generate(
            generator,
            counts,
            mixes,
            seed=self._seed,
            min_confidence=settings.min_confidence,
            folder=self._folder,
            title=kind,
        )


def generate(
    model: GenerativeModel,
    counts: Sequence[int] | np.ndarray,
    mixes: Sequence[Mix],
    *,
    seed: int,
    min_confidence: float | None,
    folder: Path,
    title: str,
) -> tuple[Part, str]:
    """Returns generated pictures, in a file, and what is said of classes with too few.

    Args:
        model: generator of the pictures.
        counts: number of pictures of each class and mix.
        mixes: new classes.
        seed: seed of the pictures.
        min_confidence: probability of its class below which a picture is rejected; None for none.
        folder: folder of the file, which is needed as long as the pictures are.
        title: name of what is counted.
    """
    asked = augment(model, counts, mixes=mixes, seed=seed, min_confidence=min_confidence)
    total, done = int(asked.counts.sum()), 0
    # As many as there are, since of random pictures none compresses.
    images = np.lib.format.open_memmap(
        folder / f"{title}.npy", "w+", np.uint8, (total, *model.image_shape)
    )
    labels = np.zeros(total, np.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FewAcceptedWarning)
        for batch, of_batch in counted(f"Pictures of {title} classes", asked, total):
            images[done : done + len(batch)], labels[done : done + len(batch)] = batch, of_batch
            done += len(batch)
    return (images[:done], labels[:done]), asked.few()


def class_sizes(labels: np.ndarray, num_classes: int) -> dict[str, int]:
    """Returns how many pictures of a class there are, at least, at most and in all.

    Example:

    >>> class_sizes(np.array([0, 0, 1]), 2)
    {'pictures': 3, 'fewest': 1, 'most': 2}
    """
    counts = np.bincount(labels, minlength=num_classes)
    return {"pictures": len(labels), "fewest": int(counts.min()), "most": int(counts.max())}

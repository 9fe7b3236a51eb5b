"""The trainings that `trainers.augmentation_study` compares: generators, recognition networks."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_cvaegan import pictures
from keras_cvaegan.applications import augmentation as augmenting
from keras_cvaegan.files import replacing_folder
from keras_cvaegan.metrics.recognition import Part
from keras_cvaegan.models import GenerativeModel
from keras_cvaegan.progress import counted


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


def describe_lot(labels: np.ndarray, num_classes: int) -> dict[str, Any]:
    """Returns how many pictures of a class there are, at least, at most and in all.

    Example:

    >>> describe_lot(np.array([0, 0, 1]), 2)
    {'pictures': 3, 'fewest': 1, 'most': 2}
    """
    counts = np.bincount(labels, minlength=num_classes)
    return {"pictures": len(labels), "fewest": int(counts.min()), "most": int(counts.max())}

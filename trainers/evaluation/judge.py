"""The classifier of the real training pictures that judges samples, trained once and kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras

import datasets
from keras_cvaegan.metrics import recognition
from trainers.runs.kept_networks import kept_or_trained


def open_judge(path: Path, data: datasets.OpenDataset) -> tuple[keras.Model, dict[str, Any]]:
    """Returns the judge and what it is, trained where it is not kept yet.

    Args:
        path: path of the `.keras` file that keeps it: `RunDirectory.evaluation_classifier`.
        data: data set whose training pictures it learns from.

    Returns:
        A model of images in [−1, 1] to logits, and its "name", "version", "data" and
        "augmentation", as JSON has them.

    Raises:
        ValueError: for data that cannot be used.
        OSError: when it cannot be kept.
    """
    # Drawn flowers are many; of photographs there are few, so they are shifted and mirrored.
    augment = data.name != "petals"
    about = {
        "name": "residual network on the real training pictures",
        "version": recognition.VERSION,
        "data": data.about("train"),
        "augmentation": augment,
    }

    def train() -> keras.Model:
        count = data.source("train").count
        print(
            f"Training a classifier on {count:,} real pictures, until it no longer improves …",
            flush=True,
        )
        training, validation = (data.prepare(split) for split in ("train", "validation"))
        keras.config.set_dtype_policy("float32")
        return recognition.train_classifier(
            (training.images, training.labels),
            (validation.images, validation.labels),
            len(data.class_names),
            augment=augment,
            verbose=2,
        )

    return kept_or_trained(path, about, "classifier", train), about

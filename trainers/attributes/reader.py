"""The network that reads attributes from pictures, trained once and kept in the run."""

from __future__ import annotations

from typing import Any

import keras

import datasets
from keras_cvaegan.metrics import attribute_reader
from keras_cvaegan.metrics.attribute_reader import AttributeReader
from keras_cvaegan.training.run_directory import RunDirectory
from trainers.attributes.measures import KnownPictures
from trainers.runs.kept_networks import kept_or_trained


def open_reader(
    run: RunDirectory, data: datasets.OpenDataset, training: KnownPictures, epochs: int
) -> AttributeReader:
    """Returns the reader of a run's data, trained where it is not kept yet.

    Args:
        run: folder of the run, in which it is kept.
        data: data set of the run, opened.
        training: pictures to learn from.
        epochs: number of passes over them.

    Raises:
        ValueError: for pictures of a size that it does not take.
    """

    def train() -> AttributeReader:
        print(f"Training a reader of attributes on {len(training):,} real pictures …", flush=True)
        keras.config.set_dtype_policy("float32")
        return attribute_reader.train_reader(
            training.images, training.values, epochs=epochs, verbose=2
        )

    return kept_or_trained(
        run.path / "attribute_reader.keras",
        _about(data, attribute_reader.VERSION, epochs),
        "reader",
        train,
    )


def _about(data: datasets.OpenDataset, version: int, epochs: int) -> dict[str, Any]:
    """What the reader is, as JSON has it."""
    return {
        "name": "convolutional network on the real training pictures",
        "version": version,
        "data": data.about("train"),
        "epochs": epochs,
    }

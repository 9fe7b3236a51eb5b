"""The data of a run, opened once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import datasets
from datasets.pipeline.semi_supervised import Labels
from keras_cvaegan.training.configuration import TrainingConfig
from keras_cvaegan.training.run_directory import RunDirectory

if TYPE_CHECKING:
    import tensorflow as tf


def open_data(config: TrainingConfig) -> datasets.OpenDataset:
    """Returns the data set of a configuration.

    Raises:
        ValueError: for data that cannot be used.
    """
    return datasets.open_dataset(
        config.dataset, config.image_size, data_dir=config.data_dir, **config.dataset_options
    )


def read_config(run: RunDirectory) -> TrainingConfig:
    """Returns the configuration of a run of `trainers.fit`.

    Raises:
        ValueError: when the folder is not such a run.
    """
    return TrainingConfig.from_json(run.read_config()["config"])


class TrainingPictures:
    """The training pictures of a data set, as `keras_cvaegan.training.run` takes them.

    Args:
        config: configuration of the run.
        data: data set, opened.

    Raises:
        ValueError: for labels that cannot be.
    """

    def __init__(self, config: TrainingConfig, data: datasets.OpenDataset | None = None) -> None:
        self._config = config
        # A choice that cannot be is an error before anything is read or written.
        Labels(
            config.labelled_share,
            config.unlabelled_rest,
            config.unlabelled_data_dir,
            config.images_per_class,
        )
        self.data = open_data(config) if data is None else data

    @property
    def class_names(self) -> Sequence[str]:
        """Names of the classes, in the order of the labels."""
        return self.data.class_names

    @property
    def count(self) -> int:
        """Number of pictures, readable or not."""
        return self.data.source("train").count

    def batches(
        self, step: int, shard: tuple[int, int] = (0, 1), batches_per_step: int = 1
    ) -> tf.data.Dataset:
        """Returns the images of the steps that follow after `step`, or a worker's part of each.

        With `shard_data`, that part comes from the worker's own share of the data.

        Raises:
            ValueError: for data that cannot be used.
        """
        config = self._config
        batch_size = config.batch_size * batches_per_step
        piece: dict[str, Any] = {"shard": shard}
        if config.shard_data:
            batch_size, piece = batch_size // shard[1], {"part": shard}
        return self.data.load(
            "train",
            batch_size=batch_size,
            seed=config.seed,
            repeat=True,
            start=step * batch_size,
            dtype="uint8",
            labelled_share=config.labelled_share,
            unlabelled_rest=config.unlabelled_rest,
            unlabelled_data_dir=config.unlabelled_data_dir,
            images_per_class=config.images_per_class,
            batches_per_step=batches_per_step,
            **piece,
        )

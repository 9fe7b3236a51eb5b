"""The generators of a study of augmentation: runs that are given, or trained on few pictures."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

import datasets
import keras_cvaegan
from datasets.pipeline.semi_supervised import labelled_rows
from keras_cvaegan.applications.inputs import check_data
from keras_cvaegan.models import GenerativeModel
from keras_cvaegan.training.configuration import TrainingConfig
from keras_cvaegan.training.loop import run
from keras_cvaegan.training.run_directory import RunDirectory
from trainers.augmentation.settings import ALL, StudySettings
from trainers.runs.data import TrainingPictures, read_config

PICTURES_VERSION = 2
"""To be increased when a study would take other pictures for the same seed."""


def images_per_class(size: str) -> int | None:
    """Returns the number that `parse_sizes` gives, None for all.

    Example:

    >>> images_per_class("5"), images_per_class("all")
    (5, None)
    """
    return None if size == ALL else int(size)


def drawn_rows(prepared: datasets.Prepared, size: str, seed: int) -> np.ndarray:
    """Returns which pictures a training has: those that a run of the same seed has.

    Args:
        prepared: training pictures.
        size: number of each class, as `parse_sizes` gives it.
        seed: seed of the draw.
    """
    num_classes = prepared.description.num_classes
    return labelled_rows(prepared.labels, num_classes, 1.0, seed, images_per_class(size))


class Generators:
    """What generates pictures, for each number of real ones and each seed.

    Args:
        settings: settings of the study.
        config: configuration of the generators that are trained.
        data: data set, opened.
        output: folder of the study, in which they are trained: `OUTPUT/SIZE/seed_N/generator`.
        command: command that started the program.

    Attributes:
        notes: sentences on given runs that saw other pictures than the recognition network.

    Raises:
        ValueError: for a given run that is not finished, or is of other data.
    """

    def __init__(
        self,
        settings: StudySettings,
        config: TrainingConfig,
        data: datasets.OpenDataset,
        output: Path,
        command: str = "",
    ) -> None:
        self._settings, self._config, self._data = settings, config, data
        self._output, self._command = output, command
        self.notes: list[str] = []
        for size, path in settings.runs.items():
            self._check_given(size, RunDirectory(path))

    def _check_given(self, size: str, given: RunDirectory) -> None:
        """Refuses a run of other data, and notes where it saw others than the network."""
        given.finished_model()
        config = read_config(given)
        ours, theirs = _data_of(self._config), _data_of(config)
        if ours != theirs:
            raise ValueError(
                f"The run {str(given.path)!r} must be of the study's data, or it may have seen its "
                f"held-out pictures: {theirs} is not {ours}."
            )
        training = self._data.prepare("train")
        taken = labelled_rows(
            training.labels,
            training.description.num_classes,
            config.labelled_share,
            config.seed,
            config.images_per_class,
        )
        same = config.init_from is None and config.unlabelled_data_dir is None
        seeds = {self._settings.pictures_seed(seed) for seed in range(self._settings.seeds)}
        if same and all(np.array_equal(taken, drawn_rows(training, size, each)) for each in seeds):
            return
        self.notes.append(
            f"the generator of {size} pictures a class is {given.path!s}, which saw "
            f"{len(taken):,} training pictures, and others or more than the recognition network: "
            "a favour to augmentation"
        )

    def open(self, size: str, seed: int) -> GenerativeModel | None:
        """Returns a generator, trained where it is not; None where a signal asked to stop.

        Args:
            size: number of real pictures a class, as `parse_sizes` gives it.
            seed: seed of the training, and of the choice of its pictures.

        Raises:
            ValueError: when the training does not come to its end, or a given run is of other
                classes.
        """
        if size not in self._settings.runs:
            return self._train(size, seed)
        model = keras_cvaegan.load(self._settings.runs[size])
        description = self._data.prepare("train").description
        check_data(model, description.class_names, description.image_shape)
        return model

    def _train(self, size: str, seed: int) -> GenerativeModel | None:
        count = len(drawn_rows(self._data.prepare("train"), size, seed))
        batch_size = self._config.batch_size
        if self._settings.smaller_batches:
            # Of few pictures none fills the preset's batch; half of some batches are of one kind.
            batch_size = max(min(batch_size, count // 2 * 2), 1)
        config = self._config.replace(
            images_per_class=images_per_class(size), seed=seed, batch_size=batch_size, export=False
        )
        folder = self._output / size / f"seed_{seed}" / "generator"
        print(f"Generator of {count:,} pictures: {folder}", flush=True)
        keras.utils.clear_session()
        pictures = TrainingPictures(config, self._data)
        try:
            trained = run(config, pictures, folder, command=self._command)
        except ValueError as error:
            message = f"The generator in {str(folder)!r} did not come to its end: {error}"
            raise ValueError(message) from error
        return trained.model if trained.complete else None


def _data_of(config: TrainingConfig) -> dict[str, object]:
    """The values that say of which pictures a run is."""
    names = ("dataset", "image_size", "data_dir", "dataset_options")
    return {name: value for name, value in config.to_json().items() if name in names}

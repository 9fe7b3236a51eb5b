"""Runs: trainings in a folder, which go on where they stopped, record what happens, and finish."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

import keras_cvaegan
from keras_cvaegan.export import export_saved_model
from keras_cvaegan.files import replacing
from keras_cvaegan.models import MODELS, GenerativeModel
from keras_cvaegan.training import workers
from keras_cvaegan.training.callbacks import (
    Checkpoint,
    LossScale,
    ProgressLine,
    Speed,
    TensorBoard,
)
from keras_cvaegan.training.checkpoints import latest_checkpoint, restore_checkpoint, steps_taken
from keras_cvaegan.training.configuration import TrainingConfig
from keras_cvaegan.training.distribution import Distribution, open_distribution
from keras_cvaegan.training.initialization import initialize_from
from keras_cvaegan.training.metrics_log import MetricsWriter, truncate_metrics
from keras_cvaegan.training.run_configuration import RunConfig
from keras_cvaegan.training.run_data import ArrayData, RunData
from keras_cvaegan.training.run_directory import RunDirectory
from keras_cvaegan.training.sample_grids import SampleGrid, write_samples
from keras_cvaegan.training.stopping import StopOnNaN, StopOnSignal


@dataclasses.dataclass(frozen=True)
class Trained:
    """What `run` returns.

    Args:
        model: the model, as far as it is trained.
        directory: the run directory.
        complete: whether the run has come to its last step; False where a signal stopped it.
        exported: folder of the SavedModel that was written now, or None.
        is_chief: whether this process, of those that train together, is the one that writes.
        trained_now: whether steps were taken, or files written: False for a run that was complete.
    """

    model: GenerativeModel
    directory: RunDirectory
    complete: bool
    exported: Path | None = None
    is_chief: bool = True
    trained_now: bool = True


def run(
    config: TrainingConfig,
    dataset: RunData | tuple[Any, Any],
    run_dir: str | os.PathLike,
    *,
    command: str = "",
) -> Trained:
    """Trains a model in a folder, or goes on where it stopped, bit for bit.

    The folder gets `config.json`, `metrics.jsonl`, `samples/`, `tensorboard/`, `checkpoints/`, and
    in the end `model.keras` and `export/1/`. Ctrl-C and SIGTERM end the run after the steps of a
    line of the log, with a checkpoint; called again with the same arguments, it goes on.

    Args:
        config: all that shapes the run.
        dataset: images, uint8 or float in [−1, 1], `(n, height, width, channels)`, and their labels
            `(n,)`; or a `RunData` of more than memory holds, or with names of the classes.
        run_dir: folder of the run; made where missing.
        command: command that started it, for config.json and messages.

    Returns:
        The model and where it is.

    Raises:
        ValueError: for data that do not fit, a folder with a run of another configuration, or a
            training that diverges.
        OSError: when the folder cannot be written, or another process trains there.

    Example:

    >>> import tempfile
    >>> import numpy as np
    >>> images, labels = np.zeros((8, 16, 16, 3), np.uint8), np.arange(8) % 2
    >>> config = TrainingConfig(model="cvae", image_size=16, batch_size=4, steps=2, export=False)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     trained = run(config, (images, labels), folder)
    cvae (compact) on petals: 8 pictures of 2 classes, 16 px → ...
    >>> trained.model.generate([0, 1]).shape
    (2, 16, 16, 3)
    """
    data = dataset if isinstance(dataset, RunData) else ArrayData(*dataset, config=config)
    if config.strategy == "multi_worker":
        print("Waiting for all workers of TF_CONFIG.", flush=True)
    directory = RunDirectory(run_dir)
    if config.init_from and not directory.config.exists():
        RunDirectory(config.init_from).finished_model()  # Before anything is written.
    distribution = open_distribution(config.strategy, config.devices)
    if not distribution.is_chief:
        print(f"Worker {distribution.worker} of {distribution.num_workers}; worker 0 reports.")
    directory.create()
    with directory.lock() if distribution.is_chief else contextlib.nullcontext():
        return _run(config, data, directory, distribution, command)


def _run(
    config: TrainingConfig,
    data: RunData,
    directory: RunDirectory,
    distribution: Distribution,
    command: str,
) -> Trained:
    checkpoint = latest_checkpoint(directory.checkpoints)
    if checkpoint:
        config.refuse_other(directory.read_config(), data.class_names, directory.path)
    workers.check_workers(config, data, distribution)
    source = _source(config) if checkpoint is None else None
    with distribution.scope():
        model = config.build_model(data.class_names)
        step = restore_checkpoint(model, checkpoint) if checkpoint else 0
        taken = initialize_from(model, source) if source else None
    distribution.check_same(step)
    trained = Trained(model, directory, complete=True, is_chief=distribution.is_chief)
    if distribution.is_chief:
        print(_summary(config, data, directory, distribution))
    if checkpoint and step >= config.steps and directory.is_newer(directory.model, checkpoint):
        print(f"This run is complete, at step {step}; more steps would go on from there.")
        return dataclasses.replace(trained, trained_now=False)
    if checkpoint:
        print(f"Going on from step {step}.")
    if taken and distribution.is_chief:
        print(f"From {config.init_from}: {taken}.")
    batches = model.batches_per_step
    workers.check_shares(config, data.count, distribution.num_workers, batches)
    dataset = distribution.dataset(
        lambda shard: data.batches(step, shard, batches), config.batch_size, batches
    )
    if distribution.is_chief:
        directory.write_config(config.record(data.class_names, command))
    if step < config.steps:
        recording = recorders(model, config, directory) if distribution.is_chief else []
        stopped = fit(model, dataset, config, recording, distribution)
        if steps_taken(model) < config.steps:
            print(_stopped(steps_taken(model), stopped, distribution, command))
            return dataclasses.replace(trained, complete=False)
    if not distribution.is_chief:
        return trained
    return dataclasses.replace(trained, exported=finish(model, config, directory))


def _source(config: TrainingConfig) -> GenerativeModel | None:
    """The model whose weights a run starts from."""
    if config.init_from is None:
        return None
    model = keras_cvaegan.load(config.init_from)
    if not isinstance(model, GenerativeModel):
        raise ValueError(
            f"init_from takes a run of {', '.join(MODELS)}. Received: {config.init_from!r}, which "
            f"holds a {type(model).__name__}."
        )
    return model


def recorders(
    model: keras.Model,
    config: RunConfig,
    directory: RunDirectory,
    *,
    painter: keras.Model | None = None,
    unit: str = "images",
    checkpoints: bool = True,
    tensorboard: str | os.PathLike | None = None,
) -> list[keras.callbacks.Callback]:
    """Returns the callbacks that show and keep what a run does.

    Args:
        model: the model that is trained; what a run wrote after its step is cut off.
        config: intervals, length and batch size.
        directory: folder of the run.
        painter: model whose pictures are drawn; by default the one that is trained.
        unit: name of what is counted.
        checkpoints: whether checkpoints are kept.
        tensorboard: folder of TensorBoard's files; the run's by default, "" for none.
    """
    samples = SampleGrid(directory.samples, config.sample_every, painter=painter)
    examples = config.batch_size * getattr(model, "batches_per_step", 1)
    seconds = truncate_metrics(directory.metrics, steps_taken(model))
    found = [
        Speed(examples, seconds),
        LossScale(),
        ProgressLine(config.steps, examples, unit=unit),
        MetricsWriter(directory.metrics),
        samples,
    ]
    board = directory.tensorboard if tensorboard is None else tensorboard
    if board:
        found.append(TensorBoard(board, samples))
    if checkpoints:
        found.append(Checkpoint(directory.checkpoints, config.checkpoint_every))
    return found


def fit(
    model: keras.Model,
    batches: Any,
    config: RunConfig,
    callbacks: Sequence[keras.callbacks.Callback],
    distribution: Distribution | None = None,
    **arguments: Any,
) -> list[int]:
    """Trains a model from the step at which it stands to that of the configuration.

    Args:
        model: compiled model with a variable `step`.
        batches: batches of the steps that follow, as `Model.fit` takes them.
        config: length of the run, and steps a line of the log.
        callbacks: callbacks, such as `recorders`.
        distribution: distribution over devices; one by default.
        **arguments: more arguments for the model's `fit`.

    Returns:
        The workers that a signal stopped; [] where none did.

    Raises:
        ValueError: when the steps that are left are no multiple of `log_every`, or a loss is not
            finite.
    """
    distribution = distribution or Distribution()
    step, log_every = steps_taken(model), config.log_every
    left = config.steps - step
    if left % log_every:
        raise ValueError(
            f"The run stands at step {step}: the {left} steps to steps={config.steps} must be a "
            f"multiple of log_every={log_every}. Choose another of the two."
        )
    with StopOnSignal(distribution) as stop, distribution.watch():
        model.fit(
            batches,
            epochs=left // log_every,
            steps_per_epoch=log_every,
            shuffle=False,
            verbose=0,
            callbacks=[StopOnNaN(), *callbacks, stop],
            **arguments,
        )
    return stop.workers


def finish(model: keras.Model, config: RunConfig, directory: RunDirectory) -> Path | None:
    """Writes what remains of a run that has come to its last step: samples, model, SavedModel.

    Args:
        model: the model that samples are drawn with.
        config: configuration of the run.
        directory: folder of the run.

    Returns:
        The folder of the SavedModel, or None where none is to be written.
    """
    write_samples(model, directory.samples)
    exported = None
    # Last to get its name, since a model.keras newer than the checkpoint marks a run as complete.
    with replacing(directory.model, ending=".keras") as partial:
        model.save(partial)
        if config.export:
            # Loaded anew, outside the strategy of the training.
            exported = export_saved_model(
                keras_cvaegan.load(partial),
                directory.export,
                extra_config={"config": config.to_json()},
            )
    return exported


def _summary(
    config: TrainingConfig, data: RunData, directory: RunDirectory, distribution: Distribution
) -> str:
    spread = ""
    if config.strategy != "none":
        spread = f", {config.strategy} over {distribution.num_replicas} replicas"
    if config.shard_data:
        spread += f", data in {distribution.num_workers} shares"
    return (
        f"{config.model} ({config.preset}) on {config.dataset}: {data.count:,} pictures of "
        f"{len(data.class_names)} classes{_labels(config)}, {config.image_size} px{spread} "
        f"→ {directory.path}"
    )


def _labels(config: TrainingConfig) -> str:
    """Which pictures count, where not all do, and which have labels."""
    said = ""
    if config.images_per_class is not None:
        said = f" (of which {config.images_per_class:,} of each class, by lot)"
    if config.labelled_share < 1.0:
        said += f" (of {config.labelled_share:.3g} of them the label counts, the others are "
        said += "seen without)" if config.unlabelled_rest else "left out)"
    if config.unlabelled_data_dir:
        said += f" and pictures without labels from {config.unlabelled_data_dir}"
    return said


def _stopped(step: int, asked: Sequence[int], distribution: Distribution, command: str) -> str:
    """What a process says that was stopped, or whose peers `asked` were."""
    worker = distribution.worker
    because = "" if worker in asked or not asked else f", as worker {asked[0]} was asked to"
    if not distribution.is_chief:
        return f"Worker {worker} stopped after step {step}{because}."
    again = ", start all workers again" if distribution.num_workers > 1 else ""
    if not command:
        return f"\nStopped after step {step}{because}. Called again, it goes on{again}."
    return f"\nStopped after step {step}{because}. To go on{again}:\n  {command}"

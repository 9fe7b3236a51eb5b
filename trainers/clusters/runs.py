"""The run of `trainers.cluster`: the training of its mapping, kept, and gone on with."""

from __future__ import annotations

import os

import keras

from keras_cvaegan.models import ClusterGuidedGenerator
from keras_cvaegan.training.checkpoints import (
    latest_checkpoint,
    restore_checkpoint,
    steps_taken,
)
from keras_cvaegan.training.code_batches import CodeBatches
from keras_cvaegan.training.loop import finish, fit, recorders
from keras_cvaegan.training.run_directory import RunDirectory
from trainers.clusters.clustered_codes import ClusteredCodes, open_codes
from trainers.clusters.configuration import ClusterConfig
from trainers.clusters.sources import Source


class ClusterRun:
    """Trains the mapping of a `ClusterGuidedGenerator` in a run directory.

    Args:
        output: folder of the run; it need not exist yet.
        config: configuration; what it says of the generator is filled in.
        source: generator whose codes are learned.
        tensorboard: whether measures and samples are written for TensorBoard.
        command: command that started the program, for config.json and messages.

    Attributes:
        directory: directory of the run.
        config: configuration; its layer is that of the run that goes on, where none was given, and
            None until one is chosen.
        command: command that started the program.
    """

    def __init__(
        self,
        output: str | os.PathLike,
        config: ClusterConfig,
        source: Source,
        *,
        tensorboard: bool = True,
        command: str = "",
    ) -> None:
        self.directory = RunDirectory(output)
        self.command = command
        self._source, self._tensorboard = source, tensorboard
        self._checkpoint = latest_checkpoint(self.directory.checkpoints)
        self.config = config.replace(**source.about())
        if self.config.layer is None and self._checkpoint:
            self.take_layer(self.directory.read_config()["config"].get("layer"))

    def take_layer(self, layer: str | None) -> None:
        """Chooses the layer whose features are clustered."""
        self.config = self.config.replace(layer=layer)

    def open(self) -> tuple[ClusterGuidedGenerator, ClusteredCodes]:
        """Returns the model as it stands, and the codes that it learns.

        Raises:
            ValueError: for a run of another configuration, or features that cannot be clustered.
        """
        config = self.config
        keras.config.set_dtype_policy("float32")
        guided = ClusterGuidedGenerator(
            self._source.model,
            layer=config.layer,
            n_clusters=config.n_clusters,
            mapping=config.mapping,
            grid=config.grid,
            mapping_arguments=config.mapping_arguments,
            seed=config.seed,
        )
        if self._checkpoint:
            earlier = self.directory.read_config()
            config.refuse_other(earlier, guided.class_names, self.directory.path)
        guided.compile(steps_per_execution=config.log_every)
        codes = open_codes(self.directory.path, guided, config)
        if self._checkpoint:
            restore_checkpoint(guided.mapping, self._checkpoint)
        record = config.record(guided.class_names, self.command)
        self.directory.write_config({**record, "generator": str(self._source.path)})
        return guided, codes

    def train(self, guided: ClusterGuidedGenerator, codes: ClusteredCodes) -> bool:
        """Trains to the end, where that is not reached, and writes the model.

        Returns:
            False where a signal asked to stop, which is then said.

        Raises:
            ValueError: for a training that diverges, or whose rest is no whole number of lines of
                the log.
        """
        step, steps = steps_taken(guided), self.config.steps
        directory, checkpoint = self.directory, self._checkpoint
        if checkpoint and step >= steps and directory.is_newer(directory.model, checkpoint):
            print(f"This run is complete, at step {step}; more --steps would go on from there.")
            guided.calibrate(codes.z, codes.labels)
            return True
        if checkpoint:
            print(f"Going on from step {step}.")
        if step < steps:
            self._fit(guided, codes)
            step = steps_taken(guided)
            if step < steps:
                print(f"\nStopped after step {step}. To go on:\n  {self.command}")
                return False
        # Not by `fit`, so that a run that goes on ends as one that never stopped.
        guided.calibrate(codes.z, codes.labels)
        exported = finish(guided, self.config, directory)
        if exported is not None:
            print(f"SavedModel: {exported}")
        return True

    def _fit(self, guided: ClusterGuidedGenerator, codes: ClusteredCodes) -> None:
        config, step = self.config, steps_taken(guided)
        batches = CodeBatches(
            codes.z,
            codes.labels,
            batch_size=config.batch_size,
            steps=config.steps - step,
            start=step,
            seed=config.seed,
        )
        recording = recorders(
            guided,
            config,
            self.directory,
            painter=guided,
            unit="codes",
            tensorboard=None if self._tensorboard else "",
        )
        fit(guided, batches, config, recording, calibrate=False)

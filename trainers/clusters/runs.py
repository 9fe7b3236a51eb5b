"""The run of `trainers.cluster`: its clusters and training, kept, and gone on with."""

from __future__ import annotations

import dataclasses
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

import keras_cvaegan
from keras_cvaegan.export import export_saved_model
from keras_cvaegan.files import replacing
from keras_cvaegan.metrics.clusters import Clusters
from keras_cvaegan.models import ClusterGuidedGenerator
from keras_cvaegan.training import progress, records
from keras_cvaegan.training.checkpoints import (
    latest_checkpoint,
    restore_checkpoint,
    steps_taken,
)
from keras_cvaegan.training.code_batches import CodeBatches
from keras_cvaegan.training.run_directory import RunDirectory
from keras_cvaegan.training.stopping import StopOnNaN, StopOnSignal
from trainers import fit
from trainers.runs import configuration

if TYPE_CHECKING:
    from absl.flags import FlagValues

    from trainers.clusters.sources import Source

CLUSTERS = "clusters.npz"
INTERVALS = ("log_every", "sample_every", "checkpoint_every")


@dataclasses.dataclass(frozen=True, eq=False)
class Found:
    """Codes and the clusters of their features.

    Args:
        z: float32 (n, d).
        clusters: of them.
    """

    z: np.ndarray
    clusters: Clusters

    @property
    def labels(self) -> np.ndarray:
        """The cluster of each code, int32 (n,)."""
        return np.asarray(self.clusters.labels, np.int32)


class ClusterRun:
    """Trains the mapping of a `ClusterGuidedGenerator` in a run directory.

    Args:
        output: the folder; it need not exist yet.
        values: the flags.
        source: the generator.

    Attributes:
        directory: the run directory.
        layer: whose features are clustered: that of the flag, or of the run that goes on; until
            another is chosen, None.

    Raises:
        ValueError: for intervals that do not fit the steps.
    """

    def __init__(self, output: Path, values: FlagValues, source: Source) -> None:
        self.directory = RunDirectory(output)
        self._source, self._tensorboard = source, values.tensorboard
        self._checkpoint = latest_checkpoint(self.directory.checkpoints)
        self.layer = values.layer
        if self.layer is None and self._checkpoint:
            self.layer = self.directory.read_config()["config"].get("layer")
        self._config = _config(values, source)

    @property
    def config(self) -> dict[str, Any]:
        """What config.json says of the run, once it has a layer."""
        return {**self._config, "layer": self.layer}

    def open(self, command: str) -> tuple[ClusterGuidedGenerator, Found]:
        """Returns the model as it stands, and the codes that it learns.

        Args:
            command: that started the program, for config.json.

        Raises:
            ValueError: for a run of another configuration, or features that cannot be clustered.
        """
        config = self.config
        keras.config.set_dtype_policy("float32")
        guided = ClusterGuidedGenerator(
            self._source.model,
            layer=config["layer"],
            n_clusters=config["n_clusters"],
            mapping=config["mapping"],
            grid=config["grid"],
            mapping_arguments=config["mapping_arguments"],
            seed=config["seed"],
        )
        record = configuration.record(config, guided.class_names, command)
        record["generator"] = str(self._source.path)
        if self._checkpoint:
            self._refuse_other(record)
        guided.compile(steps_per_execution=config["log_every"])
        found = self._found(guided)
        if self._checkpoint:
            restore_checkpoint(guided.mapping, self._checkpoint)
        self.directory.write_config(record)
        return guided, found

    def _refuse_other(self, record: dict[str, Any]) -> None:
        earlier = self.directory.read_config()
        new = {**record, "config": configuration.ADDED_KEYS | record["config"]}
        differing = configuration.differences(earlier, new)
        if differing:
            raise ValueError(
                f"The run in {str(self.directory.path)!r} has another configuration: "
                f"{'; '.join(differing)}. Start it with its own flags "
                f"({earlier.get('command', 'see its config.json')}), or choose another --output."
            )

    def _found(self, guided: ClusterGuidedGenerator) -> Found:
        """The clusters that are kept, or else found now and kept."""
        path = self.directory.path / CLUSTERS
        names = ("layer", "n_clusters", "grid", "codes", "seed", "generator")
        about = json.dumps({name: self.config[name] for name in names}, sort_keys=True)
        found = kept_clusters(path, about)
        if found is None:
            count = self.config["codes"]
            print(f"Clustering the features of {count:,} codes …", flush=True)
            clusters = guided.find_clusters(count)
            found = Found(guided.codes(count, self.config["seed"]), clusters)
            with replacing(path, ending=".npz") as partial:
                np.savez(partial, about=about, z=found.z, **_fields(clusters))
        guided.centers.assign(found.clusters.centers)
        return found

    def train(self, guided: ClusterGuidedGenerator, found: Found, command: str) -> bool:
        """Trains to the end, where that is not reached, and writes the model.

        Returns:
            False where a signal asked to stop, which is then said.

        Raises:
            ValueError: for a training that diverges, or whose rest is no whole number of lines of
                the log.
        """
        step, steps = steps_taken(guided), self.config["steps"]
        run, checkpoint = self.directory, self._checkpoint
        if checkpoint and step >= steps and run.is_newer(run.model, checkpoint):
            print(f"This run is complete, at step {step}; more --steps would go on from there.")
            guided.calibrate(found.z, found.labels)
            return True
        if checkpoint:
            print(f"Going on from step {step}.")
        if step < steps:
            self._fit(guided, found, step)
            step = steps_taken(guided)
            if step < steps:
                print(f"\nStopped after step {step}. To go on:\n  {command}")
                return False
        # Not by `fit`, so that a run that goes on ends as one that never stopped.
        guided.calibrate(found.z, found.labels)
        self._finish(guided)
        return True

    def _fit(self, guided: ClusterGuidedGenerator, found: Found, step: int) -> None:
        config = self.config
        left, log_every = config["steps"] - step, config["log_every"]
        if left % log_every:
            raise ValueError(
                f"The run stands at step {step}: the {left} steps to --steps={config['steps']} "
                f"must be a multiple of --log_every={log_every}. Choose another of the two."
            )
        batches = CodeBatches(
            found.z,
            found.labels,
            batch_size=config["batch_size"],
            steps=left,
            start=step,
            seed=config["seed"],
        )
        with StopOnSignal() as stop:
            guided.fit(
                batches,
                calibrate=False,
                epochs=left // log_every,
                steps_per_epoch=log_every,
                shuffle=False,
                verbose=0,
                callbacks=[StopOnNaN(), *self._records(guided), stop],
            )

    def _records(self, guided: ClusterGuidedGenerator) -> list[keras.callbacks.Callback]:
        """What the run shows and keeps."""
        run, config = self.directory, self.config
        samples = records.SampleGrid(run.samples, config["sample_every"], painter=guided)
        seconds = records.truncate_metrics(run.metrics, steps_taken(guided))
        board = [records.TensorBoard(run.tensorboard, samples)] if self._tensorboard else []
        return [
            progress.Speed(config["batch_size"], seconds),
            progress.ProgressLine(config["steps"], config["batch_size"], unit="codes"),
            records.MetricsWriter(run.metrics),
            samples,
            *board,
            records.Checkpoint(run.checkpoints, config["checkpoint_every"]),
        ]

    def _finish(self, guided: ClusterGuidedGenerator) -> None:
        run = self.directory
        records.write_samples(guided, run.samples)
        # Last to get its name: as in `trainers.fit`, it marks a run as complete.
        with replacing(run.model, ending=".keras") as partial:
            guided.save(partial)
            if self.config["export"]:
                model = keras_cvaegan.load(partial)
                version = export_saved_model(
                    model, run.export, extra_config={"config": self.config}
                )
                print(f"SavedModel: {version}")


def _config(values: FlagValues, source: Source) -> dict[str, Any]:
    """All of the configuration but the layer."""
    given = [f"--{name}={values[name].value}" for name in INTERVALS if values[name].present]
    # Those of `trainers.fit`, with its checks.
    intervals = configuration.configure(fit.COMMAND.parse([f"--steps={values.steps}", *given]))
    mapping_arguments = {"candidates": values.candidates} if values.mapping == "imle" else {}
    return {
        "model": "cluster_guided",
        **source.about(),
        "n_clusters": values.n_clusters,
        "grid": values.grid,
        "codes": values.codes,
        "mapping": values.mapping,
        "mapping_arguments": mapping_arguments,
        "steps": values.steps,
        "batch_size": values.batch_size,
        "seed": values.seed,
        **{name: intervals[name] for name in INTERVALS},
        "export": values.export,
    }


def _fields(clusters: Clusters) -> dict[str, Any]:
    names = [field.name for field in dataclasses.fields(clusters)]
    return {name: getattr(clusters, name) for name in names}


def kept_clusters(path: Path, about: str) -> Found | None:
    """What is kept in a file, if it is of the same codes, layer and generator."""
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file, np.load(file) as kept:
            if str(kept["about"]) != about:
                return None
            names = [field.name for field in dataclasses.fields(Clusters)]
            arrays = {name: kept[name] for name in names}
            fields = {name: x if x.ndim else x.item() for name, x in arrays.items()}
            return Found(kept["z"], Clusters(**fields))
    except (ValueError, KeyError, TypeError, OSError, zipfile.BadZipFile):
        return None

"""The run of `trainers.cluster`: its clusters and training, kept, and gone on with."""

from __future__ import annotations

import dataclasses
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_cvaegan.files import replacing
from keras_cvaegan.metrics.clusters import Clusters
from keras_cvaegan.models import ClusterGuidedGenerator
from keras_cvaegan.training import loop
from keras_cvaegan.training.checkpoints import latest_checkpoint, restore_checkpoint, steps_taken
from keras_cvaegan.training.code_batches import CodeBatches
from keras_cvaegan.training.run_configuration import RunConfig
from keras_cvaegan.training.run_directory import RunDirectory
from trainers.clusters.sources import Source

CLUSTERS = "clusters.npz"


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


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClusterConfig(RunConfig):
    """Everything that shapes the training of a mapping.

    Args:
        model: name of what is trained, always "cluster_guided".
        dataset, data_dir, dataset_options, image_size, preset: values of the generator's run.
        generator: description of the generator, with its fingerprint.
        layer: name of the layer whose features are clustered; None until one is chosen.
        n_clusters: number of clusters.
        grid: cells a side over which spatial features are averaged.
        codes: number of random codes whose features are clustered.
        mapping: name of what learns the codes of the clusters: "imle", "gan" or "vae".
        mapping_arguments: arguments of the mapping, by name.
        steps, batch_size, seed, log_every, sample_every, checkpoint_every, export: as in
            `RunConfig`.
    """

    model: str = "cluster_guided"
    dataset: str | None = None
    data_dir: str | None = None
    dataset_options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    image_size: int | None = None
    preset: str | None = None
    generator: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    layer: str | None = None
    n_clusters: int = 2
    grid: int = 1
    codes: int = 10_000
    mapping: str = "imle"
    mapping_arguments: Mapping[str, Any] = dataclasses.field(default_factory=dict)


class ClusterRun:
    """Trains the mapping of a `ClusterGuidedGenerator` in a run directory.

    Args:
        output: folder of the run; it need not exist yet.
        source: generator whose codes are learned.
        config: configuration of the run; without a layer, that of the run that goes on is taken.
        tensorboard: whether measures and samples are written for TensorBoard.
        command: command that started the program, for config.json and messages.

    Attributes:
        directory: the run directory.
        config: configuration, once a layer is chosen, the whole one.
    """

    def __init__(
        self,
        output: Path,
        source: Source,
        config: ClusterConfig,
        *,
        tensorboard: bool = True,
        command: str = "",
    ) -> None:
        self.directory = RunDirectory(output)
        self.config = config
        self._source, self._tensorboard, self._command = source, tensorboard, command
        self._checkpoint = latest_checkpoint(self.directory.checkpoints)
        if config.layer is None and self._checkpoint:
            self.choose_layer(self.directory.read_config()["config"].get("layer"))

    @property
    def layer(self) -> str | None:
        """Name of the layer whose features are clustered; None until one is chosen."""
        return self.config.layer

    def choose_layer(self, name: str | None) -> None:
        """Chooses the layer whose features are clustered."""
        self.config = self.config.replace(layer=name)

    def open(self) -> tuple[ClusterGuidedGenerator, Found]:
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
            mapping_arguments=dict(config.mapping_arguments),
            seed=config.seed,
        )
        if self._checkpoint:
            earlier = self.directory.read_config()
            config.refuse_other(earlier, guided.class_names, self.directory.path)
        guided.compile(steps_per_execution=config.log_every)
        found = self._found(guided)
        if self._checkpoint:
            restore_checkpoint(guided.mapping, self._checkpoint)
        record = config.record(guided.class_names, self._command)
        self.directory.write_config({**record, "generator": str(self._source.path)})
        return guided, found

    def _found(self, guided: ClusterGuidedGenerator) -> Found:
        """The clusters that are kept, or else found now and kept."""
        path = self.directory.path / CLUSTERS
        names = ("layer", "n_clusters", "grid", "codes", "seed", "generator")
        told = self.config.to_json()
        about = json.dumps({name: told[name] for name in names}, sort_keys=True)
        found = kept_clusters(path, about)
        if found is None:
            count = self.config.codes
            print(f"Clustering the features of {count:,} codes …", flush=True)
            clusters = guided.find_clusters(count)
            found = Found(guided.codes(count, self.config.seed), clusters)
            with replacing(path, ending=".npz") as partial:
                np.savez(partial, about=about, z=found.z, **_fields(clusters))
        guided.centers.assign(found.clusters.centers)
        return found

    def train(self, guided: ClusterGuidedGenerator, found: Found) -> bool:
        """Trains to the end, where that is not reached, and writes the model.

        Returns:
            False where a signal asked to stop, which is then said.

        Raises:
            ValueError: when the training diverges.
        """
        config, directory, step = self.config, self.directory, steps_taken(guided)
        done = step >= config.steps and self._checkpoint
        if done and directory.is_newer(directory.model, self._checkpoint):
            print(f"This run is complete, at step {step}; more --steps would go on from there.")
            guided.calibrate(found.z, found.labels)
            return True
        if self._checkpoint:
            print(f"Going on from step {step}.")
        if step < config.steps:
            self._fit(guided, found)
            step = steps_taken(guided)
            if step < config.steps:
                print(f"\nStopped after step {step}. To go on:\n  {self._command}")
                return False
        # Not by `fit`, so that a run that goes on ends as one that never stopped.
        guided.calibrate(found.z, found.labels)
        exported = loop.finish(guided, config, directory)
        if exported:
            print(f"SavedModel: {exported}")
        return True

    def _fit(self, guided: ClusterGuidedGenerator, found: Found) -> None:
        config, step = self.config, steps_taken(guided)
        batches = CodeBatches(
            found.z,
            found.labels,
            batch_size=config.batch_size,
            steps=config.steps - step,
            start=step,
            seed=config.seed,
        )
        recording = loop.recorders(
            guided,
            config,
            self.directory,
            painter=guided,
            unit="codes",
            tensorboard=None if self._tensorboard else "",
        )
        loop.fit(guided, batches, config, recording, calibrate=False)


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

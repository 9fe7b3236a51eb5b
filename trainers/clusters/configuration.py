"""What a run of `trainers.cluster` is: its generator, its clusters, its mapping's training."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from keras_cvaegan.models.arguments import check_choice, check_count
from keras_cvaegan.names import CODE_MAPPINGS
from keras_cvaegan.training.run_configuration import RunConfig

if TYPE_CHECKING:
    from absl.flags import FlagValues

FROM_FLAGS = (
    *("n_clusters", "grid", "codes", "mapping", "steps", "batch_size", "seed", "layer"),
    *("log_every", "sample_every", "checkpoint_every", "export"),
)
"""Flags that have the names of the configuration's values."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClusterConfig(RunConfig):
    """Everything that shapes a run of `trainers.cluster`.

    Args:
        model: name of the model, which config.json of every run has.
        dataset, data_dir, dataset_options, image_size, preset: values of the generator's run; None
            without one.
        generator: model, dimensions of the codes and fingerprint of the generator.
        layer: layer whose features are clustered; None as long as none is chosen.
        n_clusters: number of clusters.
        grid: cells a side over which spatial features are averaged.
        codes: number of random codes whose features are clustered.
        mapping: name of what learns the codes, of `keras_cvaegan.names.CODE_MAPPINGS`.
        mapping_arguments: options of the mapping, by name.
        steps, batch_size, seed, log_every, sample_every, checkpoint_every, export: as in
            `RunConfig`; a batch is of codes.

    Raises:
        ValueError: for a value that is not allowed.

    Example:

    >>> ClusterConfig(n_clusters=3, steps=100, batch_size=32).replace(layer="relu").layer
    'relu'
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

    def _resolve(self) -> None:
        for name, least in (("n_clusters", 1), ("grid", 1), ("codes", 2)):
            check_count(name, getattr(self, name), least)
        check_choice("mapping", self.mapping, CODE_MAPPINGS)
        if self.n_clusters > self.codes:
            raise ValueError(
                f"n_clusters must be at most codes={self.codes}. Received: "
                f"n_clusters={self.n_clusters}."
            )
        super()._resolve()


def cluster_config(values: FlagValues) -> ClusterConfig:
    """Returns the configuration that flags of `trainers.cluster` describe, without its generator.

    Raises:
        ValueError: for a value that is not allowed.
    """
    return ClusterConfig(
        **{name: values[name].value for name in FROM_FLAGS},
        mapping_arguments={"candidates": values.candidates} if values.mapping == "imle" else {},
    )

"""Gives a generator without classes some: clusters of its features, which it then samples.

Georgopoulos et al., "Cluster-guided Image Synthesis with Unconditional Models", CVPR 2022: the
features of one layer fall into clusters, and a mapping learns the codes of each. Started again on
the same output, it goes on where it stopped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from keras_cvaegan.names import CODE_MAPPINGS, UNCONDITIONAL_MODELS
from trainers.command_line import flags
from trainers.command_line.command import INTERRUPTED, TRAINING_ENVIRONMENT, Command
from trainers.command_line.output import print_written
from trainers.command_line.training_flags import INTERVALS, TRAINING

if TYPE_CHECKING:
    from absl.flags import FlagValues

COMMAND = Command("trainers.cluster", __doc__, TRAINING_ENVIRONMENT)
with COMMAND.section("Generator"):
    COMMAND.string(
        "run_dir",
        None,
        f"folder of a finished run of trainers.fit of {', '.join(UNCONDITIONAL_MODELS)}",
    )
    COMMAND.string(
        "generator",
        None,
        ".keras file, instead of a run: a functional or sequential Keras model of latents (n, d) "
        "~ N(0, I) to RGB pictures in [−1, 1]",
    )
    COMMAND.boolean(
        "train",
        False,
        "train the generator in --run_dir first, or go on where its training stopped (default: "
        "runs/DATASET_MODEL); with the flags of the last two sections",
    )
with COMMAND.section("Clusters"):
    COMMAND.string(
        "layer",
        None,
        "layer whose features are clustered (default: of those whose clusters hold no outliers "
        "alone, the one with the highest silhouette, which a survey of all layers finds)",
    )
    COMMAND.integer("n_clusters", 2, "number of clusters", lower_bound=1)
    COMMAND.integer(
        "grid", 1, "cells a side over which spatial features are averaged", lower_bound=1
    )
    COMMAND.integer("codes", 10_000, "random codes whose features are clustered", lower_bound=2)
    COMMAND.boolean("survey", False, "survey all layers though --layer is given")
    COMMAND.integer(
        "reader_epochs",
        30,
        "runs of petals only: passes over the training pictures of the network that reads "
        "attributes for the survey; it is trained once and stays in the run",
        lower_bound=1,
    )
with COMMAND.section("Mapping"):
    COMMAND.enum(
        "mapping",
        "imle",
        CODE_MAPPINGS,
        "model that learns the codes of the clusters\n"
        "imle: the paper's, which leaves none out\n"
        "gan, vae: to compare",
    )
    COMMAND.integer("candidates", 16, "imle only: samples drawn for each code", lower_bound=1)
    COMMAND.integer("steps", 2_000, "length of the mapping's training", lower_bound=1)
    COMMAND.integer("batch_size", 256, "codes an update", lower_bound=1)
    COMMAND.integer(
        "seed",
        0,
        "seed of codes, clusters, weights and noise",
        lower_bound=0,
        upper_bound=2**31 - 2,
    )
    COMMAND.adopt(TRAINING, *INTERVALS)
    COMMAND.boolean("tensorboard", True, "write the mapping's measures and samples for TensorBoard")
with COMMAND.section("Results"):
    COMMAND.string(
        "output",
        None,
        "folder of the new run: model, report.html, clusters.json and PNG files (default: "
        "RUN_DIR/clusters, or NAME_clusters beside --generator=NAME.keras)",
    )
    COMMAND.boolean("export", False, "write a SavedModel at the end")
flags.data_flags(COMMAND)
with COMMAND.section("Training of the generator"):
    COMMAND.enum("model", "vae_gan", UNCONDITIONAL_MODELS, "model to train")
    COMMAND.adopt(TRAINING, "preset", "latent_dim", "set")
    COMMAND.integer(
        "generator_steps",
        None,
        "length of the generator's training (default: the preset's)",
        lower_bound=1,
    )
    COMMAND.integer(
        "generator_batch_size", None, "images an update (default: the preset's)", lower_bound=1
    )
    COMMAND.adopt(TRAINING, "learning_rate", "beta_1", "dtype_policy", "jit_compile")
    COMMAND.adopt(TRAINING, "horizontal_flip")
OF_GENERATOR = (
    *("dataset", "data_dir", "num_classes", "crop_to_box", "min_images", "image_size", "model"),
    *("preset", "latent_dim", "set", "generator_steps", "generator_batch_size", "learning_rate"),
    *("beta_1", "dtype_policy", "jit_compile", "horizontal_flip"),
)
"""Flags of the last two sections."""


def check_flags(values: FlagValues) -> None:
    """Checks what no flag can tell by itself.

    Raises:
        ValueError: for flags that exclude each other, or one that is missing.
    """
    given = [f"--{name}" for name in OF_GENERATOR if values[name].present]
    if given and not values.train:
        raise ValueError(f"{given[0]} is of the generator's training: give --train too.")
    if values.generator and (values.train or values.run_dir):
        other = "--train" if values.train else "--run_dir"
        raise ValueError(f"--generator is there instead of a run: leave out {other}.")
    if not (values.generator or values.train or values.run_dir):
        raise ValueError(
            "--run_dir is missing: the folder of a run of trainers.fit. Or give --generator=FILE, "
            "or --train."
        )
    if values["candidates"].present and values.mapping != "imle":
        raise ValueError(f"--candidates is of imle. Received: --mapping={values.mapping}.")


def main(values: FlagValues) -> int:
    check_flags(values)

    from trainers.clusters.clustering import cluster

    found = cluster(values, COMMAND.command, COMMAND.settings(values))
    if found is None:
        return INTERRUPTED
    directory = found.run.directory
    print_written(directory.path, [*found.written, directory.model.name])
    print(found.next_steps())
    return 0


if __name__ == "__main__":
    COMMAND.run(main)

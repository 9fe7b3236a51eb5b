"""Gives a generator without classes some: clusters of its features, which it then samples.

Georgopoulos et al., "Cluster-guided Image Synthesis with Unconditional Models", CVPR 2022: the
features of one layer fall into clusters, and a mapping learns the codes of each. Started again on
the same output, it goes on where it stopped.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from trainers import fit
from trainers.command_line import flags
from trainers.command_line.command import INTERRUPTED, TRAINING_ENVIRONMENT, Command

if TYPE_CHECKING:
    from absl.flags import FlagValues

    from trainers.clusters.sources import Source
    from trainers.clusters.surveys import Survey

UNCONDITIONAL = ("vae", "gan", "wgan", "fm_gan", "vae_gan")
MAPPINGS = ("imle", "gan", "vae")
SURVEY_CODES = 5_000

COMMAND = Command("trainers.cluster", __doc__, TRAINING_ENVIRONMENT)
with COMMAND.section("Generator"):
    COMMAND.string(
        "run_dir", None, f"folder of a finished run of trainers.fit of {', '.join(UNCONDITIONAL)}"
    )
    COMMAND.string(
        "generator",
        None,
        "instead of a run, a .keras file: a functional or sequential Keras model of latents (n, d) "
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
        "whose features are clustered (default: of those whose clusters hold no outliers alone, "
        "the one with the highest silhouette, which a survey of all layers finds)",
    )
    COMMAND.integer("n_clusters", 2, "how many", lower_bound=1)
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
        MAPPINGS,
        "what learns the codes of the clusters\n"
        "imle: the paper's, which leaves none out\n"
        "gan, vae: to compare",
    )
    COMMAND.integer("candidates", 16, "imle only: samples drawn for each code", lower_bound=1)
    COMMAND.integer("steps", 2_000, "length of its training", lower_bound=1)
    COMMAND.integer("batch_size", 256, "codes an update", lower_bound=1)
    COMMAND.integer(
        "seed", 0, "of codes, clusters, weights and noise", lower_bound=0, upper_bound=2**31 - 2
    )
    COMMAND.adopt(fit.COMMAND, "log_every", "sample_every", "checkpoint_every")
    COMMAND.boolean("tensorboard", True, "write its measures and samples for TensorBoard")
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
    COMMAND.enum("model", "vae_gan", UNCONDITIONAL, "which model")
    COMMAND.adopt(fit.COMMAND, "preset", "latent_dim", "set")
    COMMAND.integer(
        "generator_steps", None, "length of its training (default: the preset's)", lower_bound=1
    )
    COMMAND.integer(
        "generator_batch_size", None, "images an update (default: the preset's)", lower_bound=1
    )
    COMMAND.adopt(fit.COMMAND, "learning_rate", "beta_1", "dtype_policy", "jit_compile")
    COMMAND.adopt(fit.COMMAND, "horizontal_flip")
# Of the two last sections: flags of `trainers.fit` by their names there.
OF_GENERATOR = {
    **{name: name for name in ("dataset", "data_dir", "num_classes", "crop_to_box", "min_images")},
    **{name: name for name in ("image_size", "model", "preset", "latent_dim", "set")},
    "generator_steps": "steps",
    "generator_batch_size": "batch_size",
    **{name: name for name in ("learning_rate", "beta_1", "dtype_policy", "jit_compile")},
    "horizontal_flip": "horizontal_flip",
}


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
    if values.n_clusters > values.codes:
        raise ValueError(
            f"--n_clusters must be at most --codes={values.codes}. Received: "
            f"--n_clusters={values.n_clusters}."
        )
    if values["candidates"].present and values.mapping != "imle":
        raise ValueError(f"--candidates is of imle. Received: --mapping={values.mapping}.")


def generator_run(values: FlagValues) -> str:
    """Returns the folder of the generator's run."""
    return values.run_dir or f"runs/{values.dataset}_{values.model}"


def train_generator(values: FlagValues) -> int:
    """Trains the generator to its end, where it is not; returns the exit code of that."""
    settings = COMMAND.settings(values)
    arguments = [f"--model={values.model}"]
    for name, of_fit in OF_GENERATOR.items():
        if values[name].present and name != "model":
            value = settings[name]
            each = value if isinstance(value, list) else [value]
            arguments += [f"--{of_fit}={one}" for one in each]
    arguments += [f"--seed={values.seed}", "--noexport", f"--run_dir={generator_run(values)}"]
    code = fit.COMMAND.call(fit.main, arguments)
    if code == INTERRUPTED:
        print(f"To go on with the whole:\n  {COMMAND.command}")
    return code


def output_of(values: FlagValues) -> Path:
    """Returns the folder of the new run."""
    if values.output:
        return Path(values.output)
    if values.generator:
        path = Path(values.generator)
        return path.with_name(f"{path.stem}_clusters")
    return Path(generator_run(values)) / "clusters"


def survey_layers(values: FlagValues, source: Source, folder: Path, needed: bool) -> Survey | None:
    """Returns the survey that is kept, if any; where it is needed, prints it, or makes it first.

    Args:
        values: the flags.
        source: the generator.
        folder: where it is kept.
        needed: whether to make it.
    """
    from trainers.clusters import surveys

    settings = {
        "n_clusters": values.n_clusters,
        "count": min(values.codes, SURVEY_CODES),
        "grid": values.grid,
        "seed": values.seed,
    }
    if not needed:
        return surveys.kept(folder, source, settings, values.reader_epochs)
    survey = surveys.kept_or_made(folder, source, settings, values.reader_epochs)
    print(f"\n{surveys.table(survey)}\n")
    return survey


def main(values: FlagValues) -> int:
    check_flags(values)
    if values.train and (code := train_generator(values)):
        return code

    from trainers.clusters import report, sources, views
    from trainers.clusters.runs import ClusterRun

    if values.generator:
        source = sources.of_file(values.generator)
    else:
        source = sources.of_run(generator_run(values))
    if values.layer is not None:
        source.check_layer(values.layer)
    run = ClusterRun(output_of(values), values, source)
    run.directory.create()
    with run.directory.lock():
        needed = values.survey or not run.layer
        survey = survey_layers(values, source, run.directory.path, needed)
        if not run.layer:
            run.layer = survey.choice.name
            print(survey.reason)
        guided, found = run.open(COMMAND.command)
        print(report.describe_clusters(found, run.layer))
        if not run.train(guided, found, COMMAND.command):
            return INTERRUPTED
        measured = views.measure(guided, found, source.model, values.seed)
        print(f"\n{report.table(measured)}\n\n{report.summary(measured)}\n")
        written = report.write(run, guided, found, measured, survey, COMMAND, values)
    report.print_next(run, written)
    return 0


if __name__ == "__main__":
    COMMAND.run(main)

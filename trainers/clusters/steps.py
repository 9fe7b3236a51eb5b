"""What `trainers.cluster` does, step by step: generator, survey, run, report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from keras_cvaegan.training.loop import run
from trainers.clusters import report, sources, surveys, views
from trainers.clusters.runs import ClusterConfig, ClusterRun, Found
from trainers.clusters.sources import Source
from trainers.clusters.surveys import Survey
from trainers.runs.configuration import training_config
from trainers.runs.data import TrainingPictures

if TYPE_CHECKING:
    from absl.flags import FlagValues

    from keras_cvaegan.models import ClusterGuidedGenerator
    from trainers.command_line.command import Command

SURVEY_CODES = 5_000


def train_generator(values: FlagValues, run_dir: str, command: str) -> bool:
    """Trains the generator to its end, where it is not; returns False where a signal stopped it.

    Args:
        values: flags of `trainers.cluster`.
        run_dir: folder of the generator's run.
        command: command that started the program.

    Raises:
        ValueError: for flags or data that cannot be used.
    """
    config = training_config(
        values,
        steps=values.generator_steps,
        batch_size=values.generator_batch_size,
        log_every=None,
        sample_every=None,
        checkpoint_every=None,
        export=False,
    )
    return run(config, TrainingPictures(config), run_dir, command=command).complete


def open_source(values: FlagValues, run_dir: str) -> Source:
    """Returns the generator of `--generator`, or of a run.

    Args:
        values: flags of `trainers.cluster`.
        run_dir: folder of the generator's run, where there is no `--generator`.

    Raises:
        ValueError: for what is no such generator, or a layer that it does not have.
    """
    source = sources.of_file(values.generator) if values.generator else sources.of_run(run_dir)
    if values.layer is not None:
        source.check_layer(values.layer)
    return source


def open_run(values: FlagValues, source: Source, output: Path, command: str) -> ClusterRun:
    """Returns the run of the mapping, whose folder is there then.

    Args:
        values: flags of `trainers.cluster`.
        source: generator.
        output: folder of the run.
        command: command that started the program.

    Raises:
        ValueError: for intervals that do not fit the steps.
        OSError: when the folder cannot be written.
    """
    names = ("n_clusters", "grid", "codes", "mapping", "layer", "steps", "batch_size", "seed")
    names += ("log_every", "sample_every", "checkpoint_every", "export")
    config = ClusterConfig(
        **source.about(),
        **{name: getattr(values, name) for name in names},
        mapping_arguments={"candidates": values.candidates} if values.mapping == "imle" else {},
    )
    opened = ClusterRun(output, source, config, tensorboard=values.tensorboard, command=command)
    opened.directory.create()
    return opened


def choose_layer(values: FlagValues, source: Source, opened: ClusterRun) -> Survey | None:
    """Surveys the layers where that is needed, and chooses one; returns the survey, if any.

    Args:
        values: flags of `trainers.cluster`.
        source: generator.
        opened: run of the mapping, which gets a layer.

    Raises:
        ValueError: for features that cannot be clustered.
    """
    settings = {
        "n_clusters": values.n_clusters,
        "count": min(values.codes, SURVEY_CODES),
        "grid": values.grid,
        "seed": values.seed,
    }
    asked = opened.directory.path, source, settings, values.reader_epochs
    if opened.layer and not values.survey:
        return surveys.kept_survey(*asked)
    survey = surveys.open_survey(*asked)
    print(f"\n{surveys.table(survey)}\n")
    if not opened.layer:
        opened.choose_layer(survey.choice.name)
        print(survey.reason)
    return survey


def train_mapping(opened: ClusterRun) -> tuple[ClusterGuidedGenerator, Found] | None:
    """Trains the mapping to its end, where it is not; returns None where a signal stopped it.

    Args:
        opened: run of the mapping, with a layer.

    Raises:
        ValueError: for a run of another configuration, or a training that diverges.
    """
    guided, found = opened.open()
    print(report.describe_clusters(found, opened.layer))
    return (guided, found) if opened.train(guided, found) else None


def write_report(
    opened: ClusterRun,
    guided: ClusterGuidedGenerator,
    found: Found,
    source: Source,
    survey: Survey | None,
    command: Command,
    values: FlagValues,
) -> None:
    """Measures the mapping, and prints and writes what there is to see.

    Args:
        opened: run of the mapping.
        guided: model, trained.
        found: codes that it learned.
        source: generator.
        survey: survey of the generator's layers, if any.
        command: program, for its flags.
        values: flags of the program.
    """
    measured = views.measure(guided, found, source.model, values.seed)
    print(f"\n{report.table(measured)}\n\n{report.summary(measured)}\n")
    written = report.write(opened, guided, found, measured, survey, command, values)
    report.print_next(opened, written)

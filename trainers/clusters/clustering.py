"""What `trainers.cluster` does: a generator, its layers, clusters, a mapping, and a report."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_cvaegan.training.loop import run
from trainers.clusters import evaluation, report, sources, surveys
from trainers.clusters.configuration import cluster_config
from trainers.clusters.runs import ClusterRun
from trainers.command_line.training_config import training_config
from trainers.runs.data import TrainingPictures

if TYPE_CHECKING:
    from absl.flags import FlagValues

SURVEY_CODES = 5_000


@dataclasses.dataclass(frozen=True, eq=False)
class Clustering:
    """What `cluster` wrote.

    Args:
        run: run of the mapping, trained to its end.
        written: names of the files beside its model.
    """

    run: ClusterRun
    written: list[str]

    def next_steps(self) -> str:
        """Returns what one does next, to be read."""
        commands = report.next_commands(self.run.directory.path)
        return "\n".join(f"{'' if i else 'Next:':<6}{line}" for i, line in enumerate(commands))


def generator_run(values: FlagValues) -> str:
    """Returns the folder of the generator's run."""
    return values.run_dir or f"runs/{values.dataset}_{values.model}"


def output_folder(values: FlagValues) -> Path:
    """Returns the folder of the new run."""
    if values.output:
        return Path(values.output)
    if values.generator:
        path = Path(values.generator)
        return path.with_name(f"{path.stem}_clusters")
    return Path(generator_run(values)) / "clusters"


def train_generator(values: FlagValues, command: str) -> bool:
    """Trains the generator where it is not trained; returns False where a signal asked to stop.

    Args:
        values: flags of `trainers.cluster`, of which some are named as the mapping's are.
        command: command that started the program.

    Raises:
        ValueError: for flags or data that cannot be, or a training that diverges.
    """
    own = {"steps": values.generator_steps, "batch_size": values.generator_batch_size}
    intervals = dict.fromkeys(("log_every", "sample_every", "checkpoint_every"))
    config = training_config(values, **own, **intervals, export=False)
    return run(config, TrainingPictures(config), generator_run(values), command=command).complete


def cluster(values: FlagValues, command: str, flags: Mapping[str, Any]) -> Clustering | None:
    """Finds clusters, trains a mapping of them, and writes what it reaches.

    Args:
        values: flags of `trainers.cluster`.
        command: command that started the program.
        flags: values of the flags, for clusters.json.

    Returns:
        What was written, or None where a signal asked to stop, which is then said.

    Raises:
        ValueError: for flags, a generator or an output that cannot be.
        OSError: when the output cannot be written.
    """
    config = cluster_config(values)
    if values.train and not train_generator(values, command):
        print(f"To go on with the whole:\n  {command}")
        return None
    if values.generator:
        source = sources.of_file(values.generator)
    else:
        source = sources.of_run(generator_run(values))
    if values.layer is not None:
        source.check_layer(values.layer)
    new = ClusterRun(
        output_folder(values), config, source, tensorboard=values.tensorboard, command=command
    )
    new.directory.create()
    with new.directory.lock():
        survey = _survey(values, source, new)
        guided, codes = new.open()
        print(report.describe_clusters(codes, new.config.layer))
        if not new.train(guided, codes):
            return None
        found = evaluation.evaluate(guided, codes, source.model, values.seed)
        print(f"\n{report.table(found)}\n\n{report.summary(found)}\n")
        return Clustering(new, report.write(new, guided, found, survey, flags))


def _survey(values: FlagValues, source: sources.Source, new: ClusterRun) -> surveys.Survey | None:
    """The survey that is kept, if any; where it is asked for or needed, printed, or made first."""
    folder = new.directory.path
    settings = surveys.SurveySettings(
        n_clusters=values.n_clusters,
        count=min(values.codes, SURVEY_CODES),
        grid=values.grid,
        seed=values.seed,
        reader_epochs=values.reader_epochs,
    )
    if new.config.layer and not values.survey:
        return surveys.read_survey(folder, source, settings)
    survey = surveys.open_survey(folder, source, settings)
    print(f"\n{surveys.table(survey)}\n")
    if not new.config.layer:
        new.take_layer(survey.choice.name)
        print(survey.reason)
    return survey

"""What `trainers.cluster_study` does: a run and its layers, the study of one, and its results."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras_cvaegan
from keras_cvaegan import files
from keras_cvaegan.applications import layer_survey
from keras_cvaegan.training.run_directory import RunDirectory, write_json
from trainers.attributes.measures import KnownPictures
from trainers.attributes.reader import open_reader
from trainers.clusters import surveys, verdicts
from trainers.clusters.study import Study, StudySettings, most_telling
from trainers.command_line.flags import to_dataclass
from trainers.command_line.output import output_folder
from trainers.evaluation.judge import open_judge
from trainers.evaluation.real_side import RealSide
from trainers.runs.data import open_data, read_config
from trainers.sweeps.over_seeds import over_seeds

if TYPE_CHECKING:
    from absl.flags import FlagValues

FILES = ("cluster_study.json", "table.md")


@dataclasses.dataclass(frozen=True)
class StudyResults:
    """What a study found.

    Args:
        output: folder of its files, which is there.
        results: contents of cluster_study.json but for the flags.
    """

    output: Path
    results: dict[str, Any]

    def write(self, flags: Mapping[str, Any]) -> str:
        """Writes cluster_study.json and table.md; returns the text of table.md.

        Args:
            flags: flags of the program, for cluster_study.json.
        """
        text = verdicts.page(self.results)
        write_json(self.output / "cluster_study.json", {"flags": flags, **self.results})
        files.write_text(self.output / "table.md", f"{text}\n")
        return text


def study(run_dir: str, numbers: Sequence[int], values: FlagValues) -> StudyResults:
    """Compares ways to sample clusters of a run's generator.

    Args:
        run_dir: folder of the run.
        numbers: numbers of clusters.
        values: flags of `trainers.cluster_study`.

    Raises:
        ValueError: for a run, a layer or an attribute that cannot be.
        OSError: when the output cannot be written.
    """
    run = RunDirectory(run_dir)
    data = open_data(read_config(run))
    model = keras_cvaegan.load(run.finished_model())
    training = KnownPictures.of(data.prepare("train"))
    reader = open_reader(run, data, training, values.reader_epochs)
    judge, about = open_judge(run.evaluation_classifier, data)
    output = output_folder(values, "cluster_study", FILES)
    real_side = RealSide(data, judge, about, statistics=run.evaluation_statistics)

    survey = surveys.Survey(layer_survey(model, n_clusters=2, read=reader.read, grid=values.grid))
    print(f"\nTwo clusters of each layer:\n\n{surveys.table(survey)}\n")
    layer, attribute, share = most_telling(survey.layers, values.layer, values.attribute)
    print(f"Layer {layer!r} and {attribute!r}: {share:.2f} of what there is to tell.", flush=True)
    settings = to_dataclass(values, StudySettings)
    of_layer = Study(model, layer, attribute, reader.read, settings)
    found: dict[int, list[dict[str, Any]]] = {number: [] for number in numbers}
    alone = []
    for seed, number in itertools.product(range(values.seeds), numbers):
        found[number].append(of_layer.figures(number, seed))
        if number == numbers[-1]:
            alone.append(of_layer.one_cluster(seed, real_side))
    summary = {
        str(number): {name: over_seeds([each[name] for each in runs]) for name in runs[0]}
        for number, runs in found.items()
    }
    one_cluster = over_seeds(alone)
    results = {
        "layer": layer,
        "attribute": attribute,
        "survey": survey.figures(),
        "summary": summary,
        "one_cluster": one_cluster,
        "claims": verdicts.claims(summary, one_cluster),
    }
    return StudyResults(output, results)

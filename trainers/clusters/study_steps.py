"""What `trainers.cluster_study` does: reader, judge and survey are opened, ways are compared."""

from __future__ import annotations

import dataclasses
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
from trainers.clusters.study import Settings, Study, compare_all
from trainers.command_line.output import output_folder
from trainers.evaluation.judge import open_judge
from trainers.evaluation.real_side import RealSide
from trainers.runs.data import open_data, read_config
from trainers.sweeps.over_seeds import over_seeds

if TYPE_CHECKING:
    from absl.flags import FlagValues

FILES = ("cluster_study.json", "table.md")


def chosen(
    survey: Sequence[Any], layer: str | None, attribute: str | None
) -> tuple[str, str, float]:
    """Returns the layer and attribute that tell most of each other, and how much, in [0, 1].

    Layers with clusters of outliers are taken only where they are asked for.

    Args:
        survey: layers that `layer_survey` found.
        layer: name of the only one allowed, if any.
        attribute: name of the only one allowed, if any.

    Raises:
        ValueError: for a layer or an attribute that there is none of.
    """
    layers = {each.name: each for each in survey}
    if layer is not None and layer not in layers:
        raise ValueError(f"--layer must be one of {', '.join(layers)}. Received: {layer!r}.")
    known = next(iter(layers.values())).mutual_information
    if attribute is not None and attribute not in known:
        raise ValueError(f"--attribute must be one of {', '.join(known)}. Received: {attribute!r}.")
    sound = [each for each in survey if layer is None and not any(each.outliers)]
    pairs = [
        (share, each.name, name)
        for each in (sound or [layers[layer]] if layer else sound or survey)
        for name, share in each.mutual_information.items()
        if attribute in (None, name)
    ]
    share, found_layer, found_attribute = max(pairs)
    return found_layer, found_attribute, share


def run_study(
    run_dir: str, numbers: Sequence[int], values: FlagValues, told: Mapping[str, Any]
) -> tuple[Path, str]:
    """Compares the ways to sample clusters, and writes what they reach.

    Args:
        run_dir: folder of a finished run of a model without classes, on petals.
        numbers: numbers of clusters.
        values: flags of `trainers.cluster_study`.
        told: the flags as JSON has them, for cluster_study.json.

    Returns:
        The folder of the files, and the text of table.md.

    Raises:
        ValueError: for a folder that is no such run, or a layer or attribute that it has not.
        OSError: when the files cannot be written.
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
    layer, attribute, share = chosen(survey.layers, values.layer, values.attribute)
    print(f"Layer {layer!r} and {attribute!r}: {share:.2f} of what there is to tell.", flush=True)
    names = (field.name for field in dataclasses.fields(Settings))
    settings = Settings(**{name: getattr(values, name) for name in names})
    study = Study(model, layer, attribute, reader.read, settings)
    found, alone = compare_all(study, numbers, values.seeds, real_side)
    summary = {
        str(number): {name: over_seeds([each[name] for each in runs]) for name in runs[0]}
        for number, runs in found.items()
    }
    results = {
        "flags": told,
        "layer": layer,
        "attribute": attribute,
        "survey": survey.figures(),
        "summary": summary,
        "one_cluster": over_seeds(alone),
    }
    return output, _write(output, results)


def _write(output: Path, results: Mapping[str, Any]) -> str:
    lines = verdicts.verdicts(results["summary"], results["one_cluster"])
    tables = [
        f"{number} clusters:\n\n{verdicts.table(each)}"
        for number, each in results["summary"].items()
    ]
    text = "\n\n".join([*tables, "\n".join(lines)])
    write_json(output / FILES[0], {**results, "claims": lines})
    files.write_text(output / FILES[1], f"{text}\n")
    return text

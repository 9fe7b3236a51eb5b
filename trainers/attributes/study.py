"""What a run's applications keep and change of the attributes of pictures, measured and written."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

import keras_cvaegan
from keras_cvaegan.applications.inputs import check_data, need_network
from keras_cvaegan.metrics.attribute_distances import deviation, is_angle
from keras_cvaegan.metrics.attribute_reader import AttributeReader
from keras_cvaegan.models import GenerativeModel
from keras_cvaegan.training.run_directory import RunDirectory, read_json, write_json
from trainers.attributes import measures
from trainers.attributes.measures import KnownPictures
from trainers.attributes.reader import open_reader
from trainers.attributes.tables import claims, in_deviations, notes, table
from trainers.evaluation.judge import open_judge
from trainers.evaluation.real_side import some_rows
from trainers.runs.data import open_data, read_config


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """How much is measured.

    Args:
        count: number of held-out pictures to transfer and to search by.
        searched: largest number of training pictures to search.
        k: number of pictures to find for each.
        pairs: number of pairs of held-out pictures to morph.
        steps: pictures from end to end of a morph.
        seed: seed of which pictures are drawn, and of the classes that they are shown as.
        reader_epochs: passes of the reader of attributes over the training pictures.
    """

    count: int = 500
    searched: int = 10_000
    k: int = 5
    pairs: int = 500
    steps: int = 9
    seed: int = 0
    reader_epochs: int = 30


@dataclasses.dataclass(frozen=True, eq=False)
class Study:
    """What was measured of a run.

    Args:
        run: folder of the run.
        results: contents of attribute_study.json but for the flags.
        notes: lines on what the table does not say.
    """

    run: RunDirectory
    results: dict[str, Any]
    notes: list[str]

    def write(self, flags: Mapping[str, Any]) -> Path:
        """Writes attribute_study.json into the run; returns its path.

        Args:
            flags: flags of the program, for the file.

        Raises:
            OSError: when it cannot be written.
        """
        path = self.run.path / "attribute_study.json"
        write_json(path, {"flags": flags, **self.results})
        return path

    def text(self) -> str:
        """Returns the table, notes and claims, to be read."""
        lines = [*self.notes, *(claim["text"] for claim in self.results["claims"])]
        return "\n".join([f"\n{table(self.results)}\n", *lines])


def study(run_dir: str | os.PathLike, settings: Settings) -> Study:
    """Measures what a run's model keeps and changes of the attributes of its data's pictures.

    Args:
        run_dir: folder of a finished run; the reader of attributes and the judge stay in it.
        settings: numbers of pictures, pairs and passes.

    Raises:
        ValueError: for a folder that is no finished run, a model without an encoder, or data whose
            attributes are not known.
        OSError: when the folder cannot be written.
    """
    run = RunDirectory(run_dir)
    data = open_data(read_config(run))
    model = keras_cvaegan.load(run.finished_model())
    need_network(model, "encoder")
    prepared = {split: data.prepare(split) for split in ("train", "test")}
    description = prepared["test"].description
    check_data(model, description.class_names, description.image_shape)
    training, test = (KnownPictures.of(each) for each in prepared.values())
    reader = open_reader(run, data, training, settings.reader_epochs)
    judge, about = None, None
    if model.conditional:
        judge, about = open_judge(run.evaluation_classifier, data)
    measured = measure(model, reader, judge, training, test, settings)
    results = {
        "model": type(model).__name__,
        "reader": read_json(run.path / "attribute_reader.json"),
        "judge": about,
        **measured,
        "claims": claims(measured),
    }
    angles = [name for name, each in test.values.items() if is_angle(each)]
    return Study(run, results, notes(measured, angles, test.kinds))


def measure(
    model: GenerativeModel,
    reader: AttributeReader,
    judge: keras.Model | None,
    training: KnownPictures,
    test: KnownPictures,
    settings: Settings,
) -> dict[str, Any]:
    """Returns what applications keep and change.

    Args:
        model: model with an encoder.
        reader: reader of the attributes.
        judge: classifier of images in [−1, 1] to logits of the classes; None for a model without
            classes, which shows no picture as another class.
        training: pictures to search.
        test: held-out pictures.
        settings: numbers of pictures, pairs and passes.

    Returns:
        `attributes`, by name: `deviation`; `errors` of `random` pairs, of the `reader`, of pictures
        that were `transferred` and `retrieved`; the order of `morphed` ones; of each the `mean` and
        over how many `pairs`. `in_deviations`: the errors in the mean over attributes.
        `recognised`: the share that the judge takes for the class that they are shown as, or None.
    """
    rows = np.random.default_rng(settings.seed).permutation(len(test))[: settings.count]
    drawn = test.take(np.sort(rows))
    own = reader.errors(drawn.images, drawn.values)
    errors = {
        "random": measures.random_pairs(test, settings.seed),
        "reader": {name: {"mean": each, "pairs": len(drawn)} for name, each in own.items()},
    }
    recognised = None
    if judge is not None:
        print(f"Showing {len(drawn):,} pictures as other classes …", flush=True)
        errors["transferred"], recognised = measures.transferred(
            model, judge, reader, drawn, settings.seed
        )
    searched = some_rows(len(training), settings.searched)
    print(f"Searching {len(searched):,} pictures …", flush=True)
    errors["retrieved"] = measures.retrieved(model, drawn, training, searched, settings.k)
    pairs = measures.pairs_within_classes(test.labels, settings.pairs, settings.seed)
    print(f"Morphing {len(pairs):,} pairs …", flush=True)
    orders = measures.morphed(model, reader, test, pairs, settings.steps)
    by_name = {
        name: {
            "deviation": deviation(each),
            "errors": {of: figures[name] for of, figures in errors.items()},
            "morphed": orders[name],
        }
        for name, each in test.values.items()
    }
    return {
        "pictures": len(drawn),
        "attributes": by_name,
        "in_deviations": in_deviations(by_name),
        "recognised": recognised,
    }

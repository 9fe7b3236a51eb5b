"""Measures the model of a run, and leaves evaluation.json and report.html in it."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras_cvaegan
from keras_cvaegan.applications.inputs import check_data
from keras_cvaegan.metrics import InceptionExtractor
from keras_cvaegan.training.run_directory import RunDirectory, write_json
from trainers.evaluation import measuring
from trainers.evaluation.judge import beside_pictures, judged_side
from trainers.evaluation.real_side import RealSide
from trainers.reports import figures, run_report
from trainers.runs.data import open_data, read_config

MAX_CLASSES_SHOWN = 10


@dataclasses.dataclass(frozen=True)
class Evaluated:
    """What `evaluate` found.

    Args:
        results: contents of evaluation.json.
        path: path of evaluation.json.
        report: path of report.html.
    """

    results: dict[str, Any]
    path: Path
    report: Path

    @property
    def table(self) -> str:
        """The figures to be read: real beside generated."""
        return table(self.results)

    @property
    def compared_by(self) -> str:
        """Name of what gave the features that are compared."""
        return self.results["extractor"]["name"] if "extractor" in self.results else "pixels"


def evaluate(
    run_dir: str | os.PathLike,
    *,
    names: Sequence[str] | None = None,
    judge: str = "efficientnet_lite1",
    extractor: str = "classifier",
    inception_weights: str | None = None,
    samples_per_class: int = 100,
    max_test_images: int = 10_000,
    seed: int = 0,
    cas: bool = False,
) -> Evaluated:
    """Measures the model of a finished run beside held-out pictures.

    Args:
        run_dir: folder of the run.
        names: names of the measures, of `measuring.NAMES`; by default all that can be.
        judge: classifier that judges; see `open_judge`.
        extractor: source of the features that are compared: "classifier" or "inception".
        inception_weights: file of Keras with Inception-v3's weights; downloaded by default.
        samples_per_class: number of generated pictures of each class.
        max_test_images: largest number of held-out pictures to use.
        seed: seed of the generated pictures.
        cas: whether to train a classifier on the samples besides.

    Raises:
        ValueError: for a folder that is no finished run, data that are not those of its model, or
            names that have no meaning for it.
        OSError: when something cannot be written, or weights cannot be had.
    """
    run = RunDirectory(run_dir)
    config = read_config(run)
    model = keras_cvaegan.load(run.finished_model())
    data = open_data(config)
    test = data.prepare("test").description
    check_data(model, test.class_names, test.image_shape)
    names = measuring.possible_names(model, names, cas)
    needs_judge = cas or bool(set(names) - {measuring.RECONSTRUCTION})
    options: dict[str, Any] = {"max_test_images": max_test_images}
    if needs_judge and extractor == "inception":
        inception = open_inception(inception_weights)
        options["extractor"] = inception
        # Beside the decoded pictures, where other runs on them find it.
        options["statistics"] = beside_pictures(data, f"statistics-{inception.fingerprint}.npz")
        needs_judge = cas or bool({"top1_accuracy", "novelty", measuring.TRANSFER} & set(names))
    if needs_judge:
        real_side = judged_side(data, run, judge, **options)
    else:
        real_side = RealSide(data, None, None, **options)
    results = measuring.measure(
        model,
        real_side,
        names=names,
        samples_per_class=samples_per_class,
        seed=seed,
        cas=cas,
        pictures_dir=run.samples,
    )
    if model.trunk is not None and (real_side.about or {}).get("trunk") == model.trunk.name:
        results["notes"].append(
            f"The judge is {judge}, whose features the model was trained to match: its figures "
            "flatter. Another judge says more, such as --judge=efficientnet_lite1."
        )
    write_json(run.evaluation, results)
    return Evaluated(results, run.evaluation, run_report.write_report(run.path))


def open_inception(weights: str | None) -> InceptionExtractor:
    """Returns Inception-v3's features, from a file or downloaded.

    Raises:
        OSError: when the weights cannot be had.
    """
    try:
        return InceptionExtractor(weights or "imagenet")
    except OSError as error:
        raise OSError(
            "The weights of Inception-v3 cannot be had: give Keras' file, "
            "inception_v3_weights_tf_dim_ordering_tf_kernels.h5, with --inception_weights, or "
            f"use --extractor=classifier. Received: {error.__cause__}"
        ) from error


def table(results: dict[str, Any]) -> str:
    """Returns the figures of evaluation.json to be read: real beside generated."""
    lines = []

    def line(title: str, *cells: str) -> None:
        lines.append(f"{title:<38}" + "".join(f"{cell:>20}" for cell in cells))

    counts = results["samples"]
    line("", "real", "generated")
    line("pictures", f"{counts['real']:,}", f"{counts['generated']:,}")
    for figure in figures.present(results):
        line(figure.title, *(figure.text(results[side]) for side in ("real", "generated")))
    classes = figures.lowest_classes(results, MAX_CLASSES_SHOWN)
    if classes:
        total = len(results["generated"]["top1_accuracy_by_class"])
        few = f", lowest {len(classes)} of {total}" if len(classes) < total else ""
        lines += ["", f"Top-1 accuracy by class{few}"]
        for name, *shares in classes:
            line(f"  {name}", *shares)
    return "\n".join([*lines, *(f"Note: {note}" for note in results["notes"])])

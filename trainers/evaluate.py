"""Measures a trained model beside held-out pictures, and writes evaluation.json and report.html.

A classifier of the real training pictures, trained once and kept, is the judge.
"""

import json
import shlex
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import datasets
from trainers.command_line import flags
from trainers.command_line.command import Command
from trainers.evaluation import figures
from trainers.runs import configuration

if TYPE_CHECKING:
    import keras
    from absl.flags import FlagValues

    from keras_cvaegan.training.run_directory import RunDirectory
    from trainers.evaluation.real_side import Yardstick

METRICS = (
    *("top1_accuracy", "inception_score", "frechet_distance", "kernel_distance"),
    *("precision", "recall", "density", "coverage"),
    *("intra_class_frechet_distance", "intra_class_diversity", "novelty", "reconstruction"),
)
EXTRACTORS = ("classifier", "inception")
MAX_CLASSES_SHOWN = 10

COMMAND = Command("trainers.evaluate", __doc__)
flags.run_dir_flag(COMMAND)
with COMMAND.section("Samples"):
    COMMAND.integer("samples_per_class", 100, "generated pictures a class", lower_bound=1)
    COMMAND.integer("seed", 0, "of the generated pictures", lower_bound=0, upper_bound=2**32 - 1)
with COMMAND.section("Real pictures"):
    COMMAND.integer(
        "max_test_images",
        10_000,
        "most held-out pictures to use. They and the samples are both compared with all training "
        "pictures: what held-out ones reach is what a perfect model would with as many samples",
        lower_bound=1,
    )
with COMMAND.section("Measures"):
    COMMAND.string(
        "metrics",
        None,
        f"which, of {', '.join(METRICS)}; the others are left out of the file (default: all)",
    )
    COMMAND.enum(
        "extractor",
        "classifier",
        EXTRACTORS,
        "what gives the features that are compared\n"
        "classifier: the judge, made for these data; downloads nothing\n"
        "inception: Inception-v3 of ImageNet, for figures of the kind that papers report "
        "(downloads 96 MB; slow without a GPU)",
    )
    COMMAND.string("inception_weights", None, "Keras' file of them, where it is there already")
    COMMAND.boolean(
        "cas",
        False,
        "classification accuracy score besides: train a classifier on the samples alone, which "
        "takes minutes or more, and wants samples like the training pictures in number",
    )


def judge(
    run: "RunDirectory", config: dict[str, Any], num_classes: int
) -> tuple["keras.Model", dict[str, Any]]:
    """Returns the classifier of the real data and what it is, trained where it is not kept yet."""
    import keras

    from keras_cvaegan.files import replacing
    from keras_cvaegan.metrics import recognition
    from keras_cvaegan.training.run_directory import write_json

    source = configuration.data_source(config)
    # Drawn flowers are many; of photographs there are few, so they are shifted and mirrored.
    augment = config["dataset"] != "petals"
    about = {
        "name": "residual network on the real training pictures",
        "version": recognition.VERSION,
        "data": {**configuration.data_arguments(config), "key": source.key},
        "augmentation": augment,
    }
    about = json.loads(json.dumps(about))
    kept = _kept_judge(run, about)
    if kept is not None:
        return kept, about
    print(
        f"Training a classifier on {source.count:,} real pictures, until it no longer improves …",
        flush=True,
    )
    began = time.monotonic()
    real = {
        split: datasets.prepare(split=split, **configuration.data_arguments(config))
        for split in ("train", "validation")
    }
    keras.config.set_dtype_policy("float32")
    classifier = recognition.train_classifier(
        (real["train"].images, real["train"].labels),
        (real["validation"].images, real["validation"].labels),
        num_classes,
        augment=augment,
        verbose=2,
    )
    path, description = _judge_files(run)
    print(f"… done in {time.monotonic() - began:.0f} s: {path}")
    description.unlink(missing_ok=True)
    with replacing(path, ending=".keras") as partial:
        classifier.save(partial)
    write_json(description, about)
    return classifier, about


def _judge_files(run: "RunDirectory") -> tuple[Path, Path]:
    """Where the judge lies, and what it is."""
    return run.evaluation_classifier, run.evaluation_classifier.with_suffix(".json")


def _kept_judge(run: "RunDirectory", about: dict[str, Any]) -> "keras.Model | None":
    """The judge that is kept; None, said in a line, where it does not serve."""
    import keras

    from keras_cvaegan.training.run_directory import read_json

    path, description = _judge_files(run)
    if not (path.is_file() and description.is_file()):
        return None
    try:
        if read_json(description) == about:
            return keras.saving.load_model(path, compile=False)
    except (ValueError, TypeError, KeyError, OSError, zipfile.BadZipFile):
        print(f"The kept classifier cannot be read: training another. It was {str(path)!r}.")
        return None
    print("The kept classifier is of other data: training another.")
    return None


def open_yardstick(
    run: "RunDirectory", config: dict[str, Any], values: "FlagValues", names: Sequence[str]
) -> "Yardstick":
    """Returns the real side of the measurement, with the judge where one is needed."""
    from keras_cvaegan.metrics import InceptionExtractor
    from trainers.evaluation.real_side import Yardstick

    data = configuration.data_arguments(config)
    extractor = None
    statistics = run.evaluation_statistics
    needs_judge = values.cas or bool(set(names) - {"reconstruction"})
    if needs_judge and values.extractor == "inception":
        try:
            extractor = InceptionExtractor(values.inception_weights or "imagenet")
        except OSError as error:
            raise OSError(
                "The weights of Inception-v3 cannot be had: give Keras' file, "
                "inception_v3_weights_tf_dim_ordering_tf_kernels.h5, with --inception_weights, or "
                f"use --extractor=classifier. Received: {error.__cause__}"
            ) from error
        # Beside the decoded pictures, where other runs on them find it.
        folder = Path(datasets.prepare(split="train", **data).images.filename).parent
        statistics = folder / f"statistics-{extractor.fingerprint}.npz"
        needs_judge = values.cas or bool({"top1_accuracy", "novelty"} & set(names))
    num_classes = len(configuration.data_source(config).class_names)
    classifier, about = judge(run, config, num_classes) if needs_judge else (None, None)
    return Yardstick(
        data,
        classifier,
        about,
        extractor=extractor,
        statistics=statistics,
        max_test_images=values.max_test_images,
    )


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


def parse_metrics(text: str | None) -> tuple[str, ...] | None:
    """Returns the names in `--metrics`, or None where it was not given.

    Raises:
        ValueError: for a name that is not one of `METRICS`.
    """
    if text is None:
        return None
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in METRICS:
            raise ValueError(f"--metrics takes names of {', '.join(METRICS)}. Received: {name!r}.")
    return names


def main(values: "FlagValues") -> None:
    run_dir = flags.required_run_dir(values)
    names = parse_metrics(values.metrics)

    import keras_cvaegan
    from keras_cvaegan.applications import inputs
    from keras_cvaegan.training.run_directory import RunDirectory, write_json
    from trainers import report
    from trainers.evaluation import measuring

    run = RunDirectory(run_dir)
    config = run.read_config()["config"]
    model = keras_cvaegan.load(run.finished_model())
    test = datasets.prepare(split="test", **configuration.data_arguments(config)).description
    inputs.check_data(model, test.class_names, test.image_shape)
    names = measuring.possible_names(model, names, values.cas)
    began = time.monotonic()
    results = measuring.measure(
        model,
        open_yardstick(run, config, values, names),
        names=names,
        samples_per_class=values.samples_per_class,
        seed=values.seed,
        cas=values.cas,
        pictures_dir=run.samples,
    )
    write_json(run.evaluation, results)
    print(f"\n{table(results)}\n\nIn {time.monotonic() - began:.0f} s, compared by:", end=" ")
    print(results["extractor"]["name"] if "extractor" in results else "pixels")
    print(f"Written to {shlex.quote(str(run.evaluation))}")
    print(f"Report: {shlex.quote(str(report.write(run)))}")


if __name__ == "__main__":
    COMMAND.run(main)

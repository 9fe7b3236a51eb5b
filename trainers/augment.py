"""Generates pictures to train other networks with: of a model's classes, and of new ones.

Section 5.5 of Bao et al. 2017. Each class gets as many, or the rare ones as many as they lack; a
new class is a mix of three.
"""

import contextlib
import dataclasses
import json
import shlex
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_cvaegan.files import replacing_folder
from trainers.command_line import flags
from trainers.command_line.command import Command
from trainers.pictures.drawn import folder_names
from trainers.runs import configuration

if TYPE_CHECKING:
    import keras
    from absl.flags import FlagValues

    from keras_cvaegan.applications.augmentation import Augmentation, Mix
    from keras_cvaegan.models import GenerativeModel

PROGRAM = "trainers.augment"
MANIFEST = "manifest.json"

COMMAND = Command(PROGRAM, __doc__)
flags.run_dir_flag(COMMAND)
with COMMAND.section("Pictures"):
    COMMAND.integer("per_class", None, "pictures of each class", lower_bound=1)
    COMMAND.boolean(
        "fill", False, "as many as each class lacks to the one with most training pictures"
    )
    COMMAND.integer("new_classes", 0, "new classes, each a mix of three", lower_bound=0)
    COMMAND.integer("new_per_class", 100, "pictures of each new class", lower_bound=1)
    COMMAND.enum(
        "mix_weights",
        "equal",
        ("equal", "random"),
        "parts of the three classes in a new one, of which the paper says nothing",
    )
    COMMAND.integer("seed", 0, "another seed, other pictures", lower_bound=0, upper_bound=2**32 - 1)
with COMMAND.section("Judgement"):
    COMMAND.number(
        "min_confidence",
        None,
        "reject pictures to which the judge gives the class asked for a smaller probability, as in "
        "0.9 (default: none is rejected); those of new classes are not judged",
        lower_bound=1e-6,
        upper_bound=1.0,
    )
    COMMAND.enum(
        "judge",
        "model",
        ("model", "real"),
        "model: the model's own classifier, which it was trained to please\n"
        "real: a classifier of the real training pictures alone, as trainers.evaluate trains and "
        "keeps it",
    )
    COMMAND.integer(
        "max_tries", 10, "pictures to draw, for each that is asked for, at most", lower_bound=1
    )
with COMMAND.section("Results"):
    COMMAND.string(
        "output",
        None,
        "folder to make, or of an earlier call to replace, with manifest.json and "
        "train/CLASS/*.png as --dataset=folder reads them (default: RUN_DIR/augmented)",
    )
    COMMAND.boolean("tfrecords", False, "write TFRecord files besides, to OUTPUT/tfrecords")
    COMMAND.integer("shards", 4, "TFRecord files", lower_bound=1)


def check(values: "FlagValues") -> None:
    """Checks flags against each other.

    Raises:
        ValueError: where nothing, or two things for the same classes, are asked for.
    """
    if values.fill and values.per_class is not None:
        raise ValueError("--per_class and --fill both say how many pictures: choose one of them.")
    if not values.fill and values.per_class is None and not values.new_classes:
        raise ValueError(
            "Nothing is asked for: give --per_class=N or --fill, or --new_classes=M, or both kinds."
        )


def new_names(count: int, class_names: Sequence[str]) -> list[str]:
    """Returns names of new classes, none of which is another's.

    Example:

    >>> new_names(2, ["rose", "new_0000"])
    ['new_0001', 'new_0002']
    """
    taken, names, number = set(class_names), [], 0
    while len(names) < count:
        name = f"new_{number:04d}"
        number += 1
        if name not in taken:
            names.append(name)
    return names


def training_counts(config: Mapping[str, Any]) -> np.ndarray:
    """Returns how many training pictures of each class a run had, with their labels."""
    import datasets
    from datasets.pipeline.semi_supervised import labelled_rows

    prepared = datasets.prepare(split="train", **configuration.data_arguments(config))
    labels, num_classes = np.asarray(prepared.labels), prepared.description.num_classes
    share = config.get("labelled_share", 1.0)
    rows = labelled_rows(labels, num_classes, share, config["seed"])
    return np.bincount(labels[rows], minlength=num_classes)


def real_judge(run_dir: str, model: "GenerativeModel") -> Callable[[np.ndarray], np.ndarray]:
    """Returns the judge of `--judge=real`, of uint8 images to probabilities."""
    from keras_cvaegan.training.run_directory import RunDirectory
    from trainers import evaluate

    run = RunDirectory(run_dir)
    classifier, _ = evaluate.judge(run, run.read_config()["config"], len(model.class_names))
    return probabilities_of(classifier)


def probabilities_of(classifier: "keras.Model") -> Callable[[np.ndarray], np.ndarray]:
    """Returns a classifier's probabilities of uint8 images, as `augment` takes a judge."""
    import keras

    from keras_cvaegan import pictures

    def judge(images: np.ndarray) -> np.ndarray:
        logits = classifier(pictures.from_uint8(images), training=False)
        return keras.ops.convert_to_numpy(keras.ops.softmax(logits))

    return judge


def check_output(output: Path) -> None:
    """Refuses a folder that is there and is not one of this program.

    Raises:
        ValueError: for such a folder.
    """
    if not output.exists() or (output.is_dir() and not any(output.iterdir())):
        return
    with contextlib.suppress(OSError, ValueError):
        if json.loads((output / MANIFEST).read_text("utf-8"))["program"] == PROGRAM:
            return
    raise ValueError(
        f"{str(output)!r} is there already, and is not of {PROGRAM}: choose another --output, or "
        "remove it."
    )


def write_pictures(
    augmentation: "Augmentation", folders: Sequence[str], output: Path
) -> list[list[str]]:
    """Writes each picture into the folder of its class, and shows how far it is.

    Args:
        augmentation: the pictures.
        folders: of each label, in `output`.
        output: where they go; a class without pictures has no folder.

    Returns:
        The files of each label, from `output`.
    """
    from keras_cvaegan import pictures
    from keras_cvaegan.progress import counted

    paths: list[list[str]] = [[] for _ in folders]
    for images, labels in counted("Pictures", augmentation, int(augmentation.counts.sum())):
        for image, label in zip(images, labels.tolist(), strict=True):
            path = f"{folders[label]}/{len(paths[label]):05d}.png"
            if not paths[label]:
                (output / folders[label]).mkdir(parents=True)
            pictures.write_png(output / path, image)
            paths[label].append(path)
    return paths


def write_records(
    root: Path, classes: Mapping[str, Sequence[str]], image_size: int, shards: int, key: str
) -> None:
    """Writes the pictures as TFRecord files too, the same for the same pictures.

    Args:
        root: folder of the pictures; the records come into `tfrecords` in it.
        classes: files of each class, from `root`, in the order of their labels.
        image_size: side of the pictures in pixels.
        shards: how many files.
        key: changes whenever the pictures do.
    """
    from datasets import tfrecords
    from datasets.pipeline.registry import Source
    from datasets.reading import files

    class Generated(tfrecords.Records):
        def source(self, split: str) -> Source:
            return dataclasses.replace(files.source(root, classes, image_size), key=key)

    # The name of the folder's data set, since there they are read from.
    asked = Generated("folder", image_size, splits=("train",), shards=shards)
    tfrecords.write(root / "tfrecords", asked, verbose=True)


def describe(
    augmentation: "Augmentation",
    names: Sequence[str],
    folders: Sequence[str],
    mixes: "Sequence[Mix]",
) -> list[dict[str, Any]]:
    """Returns what the manifest says of each class, in the order of the labels."""
    first_new, classes = len(names) - len(mixes), []
    for label, (name, folder) in enumerate(zip(names, folders, strict=True)):
        drawn, accepted = int(augmentation.drawn[label]), int(augmentation.accepted[label])
        about = {
            "label": label,
            "name": name,
            "folder": folder if accepted else None,
            "asked": int(augmentation.counts[label]),
            "pictures": accepted,
            "rejected": drawn - accepted,
        }
        if label >= first_new:
            mix = mixes[label - first_new]
            about["mix"] = [
                {"label": part, "name": names[part], "weight": weight}
                for part, weight in zip(mix.labels, mix.weights, strict=True)
            ]
        classes.append(about)
    return classes


def summary(classes: Sequence[Mapping[str, Any]], output: Path) -> str:
    """Returns in a line what there is now.

    Example:

    >>> rose = {"pictures": 9, "rejected": 1}
    >>> new = {"pictures": 5, "rejected": 0, "mix": []}
    >>> print(summary([rose, new], Path("more")))
    14 pictures, 9 of 1 class and 5 of 1 new class; 1 of 10 judged ones rejected: more
    """

    def of(sort: str, some: Sequence[Mapping[str, Any]]) -> str:
        plural = f"{sort}es" if len(some) != 1 else sort
        return f"{sum(each['pictures'] for each in some):,} of {len(some):,} {plural}"

    old = [each for each in classes if "mix" not in each and each["pictures"]]
    new = [each for each in classes if "mix" in each]
    parts = [of(sort, some) for sort, some in (("class", old), ("new class", new)) if some]
    total = sum(each["pictures"] for each in classes)
    rejected = sum(each["rejected"] for each in classes)
    judged = sum(each["pictures"] for each in classes if "mix" not in each) + rejected
    said = f"; {rejected:,} of {judged:,} judged ones rejected" if rejected else ""
    return f"{total:,} pictures, {' and '.join(parts)}{said}: {shlex.quote(str(output))}"


def main(values: "FlagValues") -> int:
    run_dir = flags.required_run_dir(values)
    check(values)
    output = Path(values.output or Path(run_dir) / "augmented").expanduser()
    check_output(output)

    import keras_cvaegan
    from keras_cvaegan.applications import augmentation as augmenting
    from keras_cvaegan.training.run_directory import RunDirectory, write_json

    model = keras_cvaegan.load(run_dir)
    counts = np.zeros(len(model.class_names), np.int64)
    if values.fill:
        of_training = training_counts(RunDirectory(run_dir).read_config()["config"])
        counts = augmenting.plan(of_training, fill=True)
        if not (counts.any() or values.new_classes):
            raise ValueError(
                f"--fill has nothing to fill up: each class has {of_training.max():,} training "
                "pictures. Give --per_class=N."
            )
    elif values.per_class is not None:
        counts = augmenting.plan(counts, per_class=values.per_class)
    mixes = []
    if values.new_classes:
        mixes = augmenting.new_classes(
            len(counts), values.new_classes, weights=values.mix_weights, seed=values.seed
        )
    judge = None
    if values.min_confidence is not None and values.judge == "real":
        judge = real_judge(run_dir, model)
    augmentation = augmenting.augment(
        model,
        [*counts, *[values.new_per_class] * len(mixes)],
        mixes=mixes,
        seed=values.seed,
        min_confidence=values.min_confidence,
        judge=judge,
        max_tries=values.max_tries,
    )
    names = [*model.class_names, *new_names(len(mixes), model.class_names)]
    # Of a split, so that held-out pictures may be laid beside them, and so that records may.
    folders = [f"train/{folder}" for folder in folder_names(names)]
    with replacing_folder(output) as partial:
        with warnings.catch_warnings():
            # Said below, in a line of its own.
            warnings.simplefilter("ignore", augmenting.FewAcceptedWarning)
            paths = write_pictures(augmentation, folders, partial)
        classes = describe(augmentation, names, folders, mixes)
        manifest = {
            "program": PROGRAM,
            "version": keras_cvaegan.__version__,
            "model": {
                "run_dir": str(Path(run_dir).expanduser().absolute()),
                "name": type(model).__name__,
                "step": int(model.step),
            },
            "flags": COMMAND.settings(values),
            "seed": values.seed,
            "pictures": int(augmentation.accepted.sum()),
            "rejected": int((augmentation.drawn - augmentation.accepted).sum()),
            "few": augmentation.few() or None,
            "classes": classes,
        }
        if values.tfrecords and manifest["pictures"]:
            of_class = dict(zip(names, paths, strict=True))
            key = json.dumps([manifest["model"], manifest["flags"], classes])
            write_records(partial, of_class, model.image_shape[0], values.shards, key)
        write_json(partial / MANIFEST, manifest)
    print(summary(classes, output))
    if manifest["few"]:
        print(f"Note: {manifest['few']}")
    return 1 if manifest["few"] else 0


if __name__ == "__main__":
    COMMAND.run(main)

"""Pictures to train other networks with: which ones, who judges them, and the folder of them."""

import contextlib
import dataclasses
import json
import shlex
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

import datasets
from datasets import tfrecords
from datasets.pipeline.registry import Source
from datasets.pipeline.semi_supervised import labelled_rows
from datasets.reading import files
from keras_cvaegan import applications, pictures
from keras_cvaegan.applications.augmentation import Augmentation, FewAcceptedWarning, Mix
from keras_cvaegan.files import replacing_folder
from keras_cvaegan.models import GenerativeModel
from keras_cvaegan.progress import counted
from keras_cvaegan.training.run_directory import RunDirectory, write_json
from keras_cvaegan.version import __version__
from trainers import evaluate
from trainers.pictures.generated import folder_names
from trainers.runs import configuration

PROGRAM = "trainers.augment"
MANIFEST = "manifest.json"


def check_output(output: Path) -> None:
    """Refuses a folder that is there and was not written by `write`.

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


def class_counts(
    run_dir: str, num_classes: int, *, per_class: int | None, fill: bool, new_classes: int
) -> np.ndarray:
    """Returns how many pictures of each class are to be generated, integers (num_classes,).

    Args:
        run_dir: folder of the run.
        num_classes: number of the model's classes.
        per_class: number of each class; None for none.
        fill: whether each class gets as many as it lacks to the one with most training pictures.
        new_classes: number of new classes.

    Raises:
        ValueError: where no class lacks any, and there are no new ones.
    """
    if fill:
        of_training = training_counts(run_dir)
        counts = applications.plan(of_training, fill=True)
        if not (counts.any() or new_classes):
            raise ValueError(
                f"--fill has nothing to fill up: each class has {of_training.max():,} training "
                "pictures. Give --per_class=N."
            )
        return counts
    counts = np.zeros(num_classes, np.int64)
    return counts if per_class is None else applications.plan(counts, per_class=per_class)


def training_counts(run_dir: str) -> np.ndarray:
    """Returns how many training pictures of each class a run had, with their labels."""
    config = RunDirectory(run_dir).read_config()["config"]
    prepared = datasets.prepare(split="train", **configuration.data_arguments(config))
    labels, num_classes = np.asarray(prepared.labels), prepared.description.num_classes
    share = config.get("labelled_share", 1.0)
    rows = labelled_rows(labels, num_classes, share, config["seed"])
    return np.bincount(labels[rows], minlength=num_classes)


def real_judge(run_dir: str, num_classes: int) -> Callable[[np.ndarray], np.ndarray]:
    """Returns the classifier of a run's real pictures, of uint8 images to probabilities."""
    run = RunDirectory(run_dir)
    classifier, _ = evaluate.judge(run, run.read_config()["config"], num_classes)
    return probabilities_of(classifier)


def probabilities_of(classifier: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    """Returns a classifier's probabilities of uint8 images, as `augment` takes a judge."""

    def judge(images: np.ndarray) -> np.ndarray:
        logits = classifier(pictures.from_uint8(images), training=False)
        return keras.ops.convert_to_numpy(keras.ops.softmax(logits))

    return judge


def generate(
    model: GenerativeModel,
    counts: np.ndarray,
    *,
    new_classes: int,
    new_per_class: int,
    mix_weights: str,
    seed: int,
    min_confidence: float | None,
    judge: Callable[[np.ndarray], np.ndarray] | None,
    max_tries: int,
) -> tuple[Augmentation, Sequence[Mix]]:
    """Returns pictures of a model's classes and of new ones, and what the new ones are mixed of.

    Args:
        model: model with classes.
        counts: number of pictures of each of its classes.
        new_classes: number of new classes.
        new_per_class: number of pictures of each new class.
        mix_weights: parts of the three classes in a new one, see
            `keras_cvaegan.applications.new_classes`.
        seed: seed of the pictures.
        min_confidence: probability of its class below which a picture is rejected; None for none.
        judge: function of uint8 images to probabilities; None for the model's own classifier.
        max_tries: number of pictures to draw, for each that is asked for, at most.
    """
    mixes = []
    if new_classes:
        mixes = applications.new_classes(len(counts), new_classes, weights=mix_weights, seed=seed)
    augmentation = applications.augment(
        model,
        [*counts, *[new_per_class] * len(mixes)],
        mixes=mixes,
        seed=seed,
        min_confidence=min_confidence,
        judge=judge,
        max_tries=max_tries,
    )
    return augmentation, mixes


def write(
    augmentation: Augmentation,
    mixes: Sequence[Mix],
    class_names: Sequence[str],
    output: Path,
    about: Mapping[str, Any],
    *,
    image_size: int,
    shards: int | None,
) -> dict[str, Any]:
    """Writes a folder of pictures and the manifest, and returns the contents of this.

    Args:
        augmentation: pictures.
        mixes: mix of each new class.
        class_names: names of the other classes.
        output: folder to make, or to replace when the new one is whole.
        about: what the manifest says of model and settings, at least "model" and "flags".
        image_size: side of the pictures in pixels.
        shards: number of TFRecord files to write besides; None for none.

    Raises:
        OSError: when they cannot be written.
    """
    names = [*class_names, *new_names(len(mixes), class_names)]
    # Of a split, so that held-out pictures may be laid beside them, and so that records may.
    folders = [f"train/{folder}" for folder in folder_names(names)]
    with replacing_folder(output) as partial:
        with warnings.catch_warnings():
            # The manifest says so, and the program in a line of its own.
            warnings.simplefilter("ignore", FewAcceptedWarning)
            paths = write_pictures(augmentation, folders, partial)
        classes = describe(augmentation, names, folders, mixes)
        manifest = {
            "program": PROGRAM,
            "version": __version__,
            **about,
            "pictures": int(augmentation.accepted.sum()),
            "rejected": int((augmentation.drawn - augmentation.accepted).sum()),
            "few": augmentation.few() or None,
            "classes": classes,
        }
        if shards and manifest["pictures"]:
            of_class = dict(zip(names, paths, strict=True))
            key = json.dumps([about["model"], about["flags"], classes])
            write_records(partial, of_class, image_size, shards, key)
        write_json(partial / MANIFEST, manifest)
    return manifest


def new_names(count: int, class_names: Sequence[str]) -> list[str]:
    """Returns names of new classes, none of which is another's.

    Example:

    >>> new_names(2, ["rose", "new_0000"])
    ['new_0001', 'new_0002']
    """
    names = (f"new_{number:04d}" for number in range(count + len(class_names)))
    return [name for name in names if name not in class_names][:count]


def write_pictures(
    augmentation: Augmentation, folders: Sequence[str], output: Path
) -> list[list[str]]:
    """Writes each picture into the folder of its class, and shows how far it is.

    Args:
        augmentation: pictures.
        folders: folder of each label, in `output`; a class without pictures has none.
        output: folder to write to.

    Returns:
        The files of each label, from `output`.
    """
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
        shards: number of files.
        key: text that changes whenever the pictures do.
    """

    class Generated(tfrecords.Records):
        def source(self, split: str) -> Source:
            return dataclasses.replace(files.source(root, classes, image_size), key=key)

    # The name of the folder's data set, since there they are read from.
    asked = Generated("folder", image_size, splits=("train",), shards=shards)
    tfrecords.write(root / "tfrecords", asked, verbose=True)


def describe(
    augmentation: Augmentation,
    names: Sequence[str],
    folders: Sequence[str],
    mixes: Sequence[Mix],
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

    Args:
        classes: what the manifest says of each class.
        output: folder of the pictures.

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

"""The folder of generated pictures that others are trained with: its files and its manifest."""

import contextlib
import dataclasses
import json
import shlex
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from datasets import tfrecords
from datasets.pipeline.registry import Source
from datasets.reading import files
from keras_cvaegan import pictures
from keras_cvaegan.applications.augmentation import Augmentation, FewAcceptedWarning, Mix
from keras_cvaegan.files import replacing_folder
from keras_cvaegan.progress import counted
from keras_cvaegan.training.run_directory import write_json
from keras_cvaegan.version import __version__
from trainers.pictures.generated import folder_names

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
        about: entries of the manifest on model and settings, at least "model" and "flags".
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
        classes: entries of the manifest, one a class.
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
    rejections = f"; {rejected:,} of {judged:,} judged ones rejected" if rejected else ""
    return f"{total:,} pictures, {' and '.join(parts)}{rejections}: {shlex.quote(str(output))}"

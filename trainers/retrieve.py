"""Finds the pictures that are most like others in all that the label does not decide.

Section S8.2 of Bao et al. 2017: pose, colours, light and background are in z, so that pictures with
near z share them, whatever their class. An index of z is built once, and searched by any pictures.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trainers.command_line import flags
from trainers.command_line.command import Command
from trainers.command_line.output import output_folder, print_written
from trainers.pictures.encoding import encoding_flag, load_encoding
from trainers.pictures.given import (
    FILES_OR_FOLDER,
    labels_of_pictures,
    picture_paths,
    picture_side,
    read_pictures,
)
from trainers.pictures.held_out import HeldOut
from trainers.pictures.named import Pictures

if TYPE_CHECKING:
    from absl.flags import FlagValues

    from keras_cvaegan.applications import LatentIndex
    from keras_cvaegan.metrics.novelty import Neighbours
    from keras_cvaegan.models import GenerativeModel

BATCH_SIZE = 256
MOST = 100
FILE = "index.npz"

COMMAND = Command("trainers.retrieve", __doc__)
flags.run_dir_flag(COMMAND)
with COMMAND.section("Run"):
    encoding_flag(COMMAND)
with COMMAND.section("Index"):
    COMMAND.repeated(
        "pictures",
        f"those to find: {FILES_OR_FOLDER} (default: the training pictures of the run's data)",
    )
    COMMAND.string(
        "index",
        None,
        "file of their codes, .npz, or its folder; built where it is missing (default: "
        f"RUN_DIR/retrieve/{FILE})",
    )
    COMMAND.boolean("rebuild", False, "build it anew")
with COMMAND.section("Search"):
    COMMAND.repeated(
        "query", f"pictures to search by: {FILES_OR_FOLDER} (default: held-out ones of the data)"
    )
    COMMAND.string(
        "labels",
        None,
        "classes of --query, one for all or one for each, by number or name (default: guessed by "
        "the model's classifier, where it has one)",
    )
    COMMAND.integer("k", 5, "pictures to find for each", lower_bound=1)
    COMMAND.boolean("other_classes_only", False, "only pictures of other classes")
with COMMAND.section("Held-out pictures to search by, where none are given"):
    COMMAND.integer("count", 8, "how many", lower_bound=1, upper_bound=MOST)
    COMMAND.integer("seed", 0, "of which are drawn", lower_bound=0, upper_bound=2**32 - 1)
with COMMAND.section("Results"):
    COMMAND.string(
        "output", None, "folder of retrieved.png and retrieve.json (default: RUN_DIR/retrieve)"
    )


class TrainingSplit:
    """The training pictures of a run's data, to be indexed.

    Attributes:
        about: changes whenever they do.
    """

    def __init__(self, run_dir: str, model: GenerativeModel) -> None:
        from keras_cvaegan.training.run_directory import RunDirectory
        from trainers.pictures.held_out import RunPictures
        from trainers.runs import configuration

        self._pictures = RunPictures(run_dir, "train")
        self._pictures.check_model(model)
        config = RunDirectory(run_dir).read_config()["config"]
        self.about = {
            "dataset": config["dataset"],
            "split": "train",
            "key": configuration.data_source(config).key,
        }

    def __len__(self) -> int:
        return len(self._pictures)

    def batches(self) -> Iterator[tuple[np.ndarray, np.ndarray, list[str]]]:
        return self._pictures.batches(np.arange(len(self)), BATCH_SIZE)

    def take(self, index: LatentIndex, rows: np.ndarray) -> np.ndarray:
        """Returns pictures of an index of these, uint8 `(n, height, width, 3)`."""
        return self._pictures.take(rows).images


class Files:
    """Pictures in files, to be indexed; what cannot be read is left out.

    Attributes:
        about: changes whenever they do.
        unreadable: messages, of those that `batches` left out.
    """

    def __init__(self, paths: Sequence[Path], model: GenerativeModel) -> None:
        from datasets.reading import files

        self._paths, self._side = [path.resolve() for path in paths], picture_side(model)
        self.unreadable: list[str] = []
        self.about = {"files": files.content_key(Path("/"), [str(path) for path in self._paths])}

    def __len__(self) -> int:
        return len(self._paths)

    def batches(self) -> Iterator[tuple[np.ndarray, None, list[str]]]:
        from keras_cvaegan import pictures

        for start in range(0, len(self), BATCH_SIZE):
            images, names = [], []
            for path in self._paths[start : start + BATCH_SIZE]:
                try:
                    images.append(pictures.read_picture(path, self._side))
                    names.append(str(path))
                except pictures.PictureError as error:
                    self.unreadable.append(str(error))
            if images:
                yield np.stack(images), None, names

    def take(self, index: LatentIndex, rows: np.ndarray) -> np.ndarray:
        """Returns pictures of an index of these, uint8 `(n, height, width, 3)`."""
        from keras_cvaegan import pictures

        return np.stack([pictures.read_picture(index.names[row], self._side) for row in rows])


def index_path(values: FlagValues) -> Path:
    """Returns the file of the index."""
    path = Path(values.index or Path(values.run_dir) / "retrieve").expanduser()
    return path if path.suffix == ".npz" and not path.is_dir() else path / FILE


def open_index(
    values: FlagValues, model: GenerativeModel
) -> tuple[LatentIndex, TrainingSplit | Files]:
    """Returns the index, built where it is missing, and the pictures in it.

    Raises:
        ValueError: for pictures that cannot be read, or an index of others.
    """
    from keras_cvaegan.applications import LatentIndex

    path = index_path(values)
    kept = None if values.rebuild or not path.exists() else LatentIndex.load(path, model)
    if values.pictures:
        found = Files(picture_paths(values.pictures, "pictures"), model)
    elif kept is not None and "files" in kept.about:
        # What the index was built of stands in it.
        found = Files([Path(name) for name in kept.names], model)
        return kept, found
    else:
        found = TrainingSplit(values.run_dir, model)
    if kept is None:
        return build_index(path, model, found), found
    if kept.about != found.about:
        raise ValueError(
            f"The index {str(path)!r} is of other pictures, or they have changed. Build it anew "
            "with --rebuild, or give another --index."
        )
    return kept, found


def build_index(path: Path, model: GenerativeModel, found: TrainingSplit | Files) -> LatentIndex:
    """Returns the index of some pictures, and keeps it."""
    from keras_cvaegan.applications import LatentIndex
    from keras_cvaegan.progress import counted

    index = LatentIndex.build(model, counted("Index", found.batches(), len(found)), found.about)
    unreadable = getattr(found, "unreadable", [])
    if unreadable:
        print(f"Left out {len(unreadable)} of {len(found):,} pictures. The first: {unreadable[0]}")
    path.parent.mkdir(parents=True, exist_ok=True)
    index.save(path)
    print(f"Index of {len(index):,} pictures: {shlex.quote(str(path))}")
    return index


def open_queries(values: FlagValues, model: GenerativeModel) -> Pictures:
    """Returns the pictures to search by, with labels where they are known or can be guessed.

    Raises:
        ValueError: for pictures or labels that the model does not take.
    """
    from keras_cvaegan.applications.inputs import check_guessable, guess_labels

    if not values.query:
        if values.labels is not None:
            raise ValueError("--labels are those of --query; held-out pictures have their own.")
        held_out = HeldOut(values.run_dir)
        held_out.check_model(model)
        return held_out.draw(values.count, values.seed)
    found = read_pictures(values.query, "query", model, MOST)
    if values.labels is not None and not model.conditional:
        raise ValueError("--labels are for models with classes. This has none.")
    labels = labels_of_pictures(values.labels, len(found), model.class_names)
    names, how = found.names, ""
    if labels is None:
        check_guessable(model)
        labels, how = guess_labels(model, found.images), ", guessed"
    if labels is not None:
        names = [
            f"{name} ({model.class_names[label]}{how})"
            for name, label in zip(names, labels, strict=True)
        ]
    return Pictures(found.images, names, labels)


def print_found(queries: Pictures, index: LatentIndex, found: Neighbours) -> None:
    """Prints the pictures found for each query, with their distances."""
    for name, distances, rows in zip(queries.names, found.distances, found.indices, strict=True):
        print(name)
        for number, (distance, row) in enumerate(zip(distances, rows, strict=True), 1):
            print(f"{number:>4}. {distance:.3f}  {index.names[row]}")


def main(values: FlagValues) -> None:
    run_dir = flags.required_run_dir(values)

    from keras_cvaegan import pictures
    from keras_cvaegan.training.run_directory import write_json

    model = load_encoding(run_dir, values)
    queries = open_queries(values, model)
    index, indexed = open_index(values, model)
    found = index.query(
        queries.images,
        queries.labels,
        k=values.k,
        other_classes_only=values.other_classes_only,
    )
    rows = []
    for image, nearest in zip(queries.images, found.indices, strict=True):
        rows.append(np.stack([image, np.full_like(image, 255), *indexed.take(index, nearest)]))
    output = output_folder(values, "retrieve")
    pictures.write_png(output / "retrieved.png", pictures.grid(rows))
    results: dict[str, Any] = {
        "flags": COMMAND.settings(values),
        "model": type(model).__name__,
        "index": {"path": str(index_path(values)), "pictures": len(index)},
        "found": [
            {
                "query": name,
                "names": [index.names[row] for row in nearest],
                "distances": distances.tolist(),
            }
            for name, nearest, distances in zip(
                queries.names, found.indices, found.distances, strict=True
            )
        ],
    }
    write_json(output / "retrieve.json", results)
    print_found(queries, index, found)
    print("Rows of retrieved.png: the picture to search by, then those found, nearest first.")
    print_written(output, ["retrieved.png", "retrieve.json"])


if __name__ == "__main__":
    COMMAND.run(main)

"""An index of pictures by their codes, and the pictures that it is searched by."""

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from datasets.reading import files
from keras_cvaegan import pictures
from keras_cvaegan.applications import LatentIndex
from keras_cvaegan.applications.inputs import check_guessable, guess_labels
from keras_cvaegan.metrics.novelty import Neighbours
from keras_cvaegan.models import GenerativeModel
from keras_cvaegan.progress import counted
from trainers.pictures.given import (
    labels_of_pictures,
    picture_paths,
    picture_side,
    read_pictures,
)
from trainers.pictures.held_out import HeldOut, RunPictures
from trainers.pictures.named import NamedPictures

BATCH_SIZE = 256


class TrainingSplit:
    """The training pictures of a run's data, to be indexed.

    Args:
        run_dir: folder of the run.
        model: model of the run.

    Attributes:
        about: description that changes whenever they do.

    Raises:
        ValueError: for data that are not those of the model.
    """

    def __init__(self, run_dir: str, model: GenerativeModel) -> None:
        self._pictures = RunPictures(run_dir, "train")
        self._pictures.check_model(model)
        data = self._pictures.data
        self.about = {"dataset": data.name, "split": "train", "key": data.source("train").key}

    def __len__(self) -> int:
        return len(self._pictures)

    def batches(self) -> Iterator[tuple[np.ndarray, np.ndarray, list[str]]]:
        return self._pictures.batches(np.arange(len(self)), BATCH_SIZE)

    def take(self, index: LatentIndex, rows: np.ndarray) -> np.ndarray:
        """Returns pictures of an index of these, uint8 `(n, height, width, 3)`."""
        return self._pictures.take(rows).images


class PictureFiles:
    """Pictures in files, to be indexed; what cannot be read is left out.

    Args:
        paths: paths of the files.
        model: model that is to encode them.

    Attributes:
        about: description that changes whenever they do.
        unreadable: messages, of those that `batches` left out.
    """

    def __init__(self, paths: Sequence[Path], model: GenerativeModel) -> None:
        self._paths, self._side = [path.resolve() for path in paths], picture_side(model)
        self.unreadable: list[str] = []
        self.about = {"files": files.content_key(Path("/"), [str(path) for path in self._paths])}

    def __len__(self) -> int:
        return len(self._paths)

    def batches(self) -> Iterator[tuple[np.ndarray, None, list[str]]]:
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
        return np.stack([pictures.read_picture(index.names[row], self._side) for row in rows])


Indexed = TrainingSplit | PictureFiles


def open_index(
    path: Path, model: GenerativeModel, run_dir: str, texts: Sequence[str], *, rebuild: bool
) -> tuple[LatentIndex, Indexed]:
    """Returns the index, built where it is missing, and the pictures in it.

    Args:
        path: file of the index.
        model: model that encodes.
        run_dir: folder of its run, whose training pictures are indexed where no others are given.
        texts: values of `--pictures`, see `picture_paths`.
        rebuild: whether it is built where it is there, too.

    Raises:
        ValueError: for pictures that cannot be read, or an index of others.
    """
    kept = None if rebuild or not path.exists() else LatentIndex.load(path, model)
    if texts:
        found = PictureFiles(picture_paths(texts, "pictures"), model)
    elif kept is not None and "files" in kept.about:
        # What the index was built of stands in it.
        return kept, PictureFiles([Path(name) for name in kept.names], model)
    else:
        found = TrainingSplit(run_dir, model)
    if kept is None:
        return build_index(path, model, found), found
    if kept.about != found.about:
        raise ValueError(
            f"The index {str(path)!r} is of other pictures, or they have changed. Build it anew "
            "with --rebuild, or give another --index."
        )
    return kept, found


def build_index(path: Path, model: GenerativeModel, found: Indexed) -> LatentIndex:
    """Returns the index of some pictures, and keeps it."""
    index = LatentIndex.build(model, counted("Index", found.batches(), len(found)), found.about)
    unreadable = getattr(found, "unreadable", [])
    if unreadable:
        print(f"Left out {len(unreadable)} of {len(found):,} pictures. The first: {unreadable[0]}")
    path.parent.mkdir(parents=True, exist_ok=True)
    index.save(path)
    print(f"Index of {len(index):,} pictures: {shlex.quote(str(path))}")
    return index


def given_queries(
    model: GenerativeModel, texts: Sequence[str], labels: str | None, max_pictures: int
) -> NamedPictures:
    """Returns the pictures of files to search by, with labels where they are given or guessed.

    Args:
        model: model that is to encode them.
        texts: values of `--query`, see `picture_paths`.
        labels: value of `--labels`.
        max_pictures: number of pictures that the flag takes.

    Raises:
        ValueError: for pictures or labels that the model does not take.
    """
    found = read_pictures(texts, "query", model, max_pictures)
    if labels is not None and not model.conditional:
        raise ValueError("--labels are for models with classes. This has none.")
    known = labels_of_pictures(labels, len(found), model.class_names)
    names, suffix = found.names, ""
    if known is None:
        check_guessable(model)
        known, suffix = guess_labels(model, found.images), ", guessed"
    if known is not None:
        names = [
            f"{name} ({model.class_names[label]}{suffix})"
            for name, label in zip(names, known, strict=True)
        ]
    return NamedPictures(found.images, names, known)


def held_out_queries(run_dir: str, model: GenerativeModel, count: int, seed: int) -> NamedPictures:
    """Returns held-out pictures of a run's data to search by, see `HeldOut.draw`.

    Args:
        run_dir: folder of the run.
        model: model of the run.
        count: number of the pictures.
        seed: seed of the draw.

    Raises:
        ValueError: for data that are not those of the model.
    """
    return HeldOut(run_dir, model).draw(count, seed)


def retrieved_grid(
    queries: NamedPictures, found: Neighbours, index: LatentIndex, indexed: Indexed
) -> np.ndarray:
    """Returns rows of the picture to search by, then those found, nearest first.

    Args:
        queries: pictures to search by.
        found: distances and rows of what was found.
        index: index that was searched.
        indexed: pictures of the index.

    Returns:
        uint8 (grid_height, grid_width, 3).
    """
    rows = []
    for image, nearest in zip(queries.images, found.indices, strict=True):
        rows.append(np.stack([image, np.full_like(image, 255), *indexed.take(index, nearest)]))
    return pictures.grid(rows)

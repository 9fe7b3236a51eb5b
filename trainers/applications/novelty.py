"""Samples and held-out pictures beside the training pictures nearest to them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_cvaegan.applications import Copies, find_copies
from keras_cvaegan.metrics.novelty import TrainingPictures, nearest_training
from keras_cvaegan.models import GenerativeModel
from keras_cvaegan.progress import Progress, counted
from trainers.evaluation import measuring
from trainers.evaluation.real_side import some_rows
from trainers.pictures.held_out import HeldOut, RunPictures
from trainers.pictures.named import NamedPictures

# Of each picture so many neighbours are found: the nearest one's distance is compared with theirs.
NEIGHBOURS = 50
# Of the pictures that are searched by at a time, as floats.
MAX_BYTES = 2**28
HELD_OUT, GENERATED = "held out", "generated"


@dataclasses.dataclass(frozen=True, eq=False)
class PicturesWithNeighbours:
    """Pictures, and the training pictures nearest to each.

    Args:
        images: pictures, uint8 `(n, height, width, 3)`.
        names: names of the pictures.
        distances: distances of the nearest training pictures, `(n, k)`, nearest first.
        indices: rows of the training pictures, `(n, k)`.
    """

    images: np.ndarray
    names: Sequence[str]
    distances: np.ndarray
    indices: np.ndarray

    def __len__(self) -> int:
        return len(self.images)

    def take(self, rows: np.ndarray) -> PicturesWithNeighbours:
        """Returns some of them."""
        names = [self.names[row] for row in rows]
        return PicturesWithNeighbours(
            self.images[rows], names, self.distances[rows], self.indices[rows]
        )


@dataclasses.dataclass(frozen=True, eq=False)
class NoveltyStudy:
    """Samples and held-out pictures, compared with the training pictures.

    Args:
        training: training pictures.
        generated: samples and their neighbours.
        held_out: held-out pictures and theirs, without those that are training pictures, too.
        leaked: number of those that are.
        copies: judgement of the samples.
    """

    training: RunPictures
    generated: PicturesWithNeighbours
    held_out: PicturesWithNeighbours
    leaked: int
    copies: Copies

    @property
    def nearest(self) -> dict[str, np.ndarray]:
        """Distances to the nearest training picture, by side."""
        return {
            HELD_OUT: self.held_out.distances[:, 0],
            GENERATED: self.generated.distances[:, 0],
        }

    @property
    def ratios(self) -> dict[str, np.ndarray]:
        """The same over the distances to the next ones, by side."""
        return {HELD_OUT: self.copies.held_out_ratios, GENERATED: self.copies.ratios}

    def figures(self) -> dict[str, dict[str, float]]:
        """Returns `figures_of` each side."""
        return {
            side: figures_of(distances, self.ratios[side], self.copies.threshold)
            for side, distances in self.nearest.items()
        }


def compare(
    model: GenerativeModel, run_dir: str, *, samples: int, held_out: int, seed: int, level: float
) -> NoveltyStudy:
    """Compares samples and held-out pictures with training pictures, and shows how far it is.

    Args:
        model: model of a run.
        run_dir: folder of the run.
        samples: number of pictures to generate.
        held_out: number of held-out pictures that are drawn by lot where there are more.
        seed: seed of the samples.
        level: share of new pictures that may be taken for copies.

    Raises:
        ValueError: for data that are not those of the model, or no held-out picture that is not
            among the training pictures.
    """
    training, test = RunPictures(run_dir, "train"), HeldOut(run_dir, model)
    generated = generate(model, test.class_names, samples, seed)
    real = test.take(some_rows(len(test), held_out))
    of_real = search("Held-out pictures", real, training)
    of_samples = search("Samples", generated, training)
    # What is among the training pictures too is not held out.
    of_real = of_real.take(np.flatnonzero(of_real.distances[:, 0] > 0))
    if not len(of_real):
        raise ValueError(
            f"All of {len(real)} held-out pictures are among the training pictures: there is "
            "nothing to compare with."
        )
    copies = find_copies(of_samples.distances, of_real.distances, level=level)
    return NoveltyStudy(training, of_samples, of_real, len(real) - len(of_real), copies)


def generate(
    model: GenerativeModel, class_names: Sequence[str], total: int, seed: int
) -> NamedPictures:
    """Generates pictures of all classes in turn, and shows how far it is.

    Args:
        model: model of any kind.
        class_names: names of the classes of the data.
        total: number of the pictures.
        seed: seed of the pictures.
    """
    stream = counted("Samples", measuring.samples(model, class_names, total, seed), total)
    images, labels = zip(*stream, strict=True)
    names = [model.class_names[label] for label in np.concatenate(labels)]
    return NamedPictures(
        np.concatenate(images), [f"sample {row} ({name})" for row, name in enumerate(names)]
    )


def search(title: str, taken: NamedPictures, training: RunPictures) -> PicturesWithNeighbours:
    """Finds the nearest training pictures, and shows how far it is.

    Args:
        title: name of the pictures, to show how far it is.
        taken: pictures to search by, at least one.
        training: pictures to search.
    """
    searched, found = TrainingPictures(training.images), []
    size, total = max(1, MAX_BYTES // (4 * taken.images[0].size)), len(taken) * len(training)
    with Progress(f"{title}:", total, "distances") as progress:
        for start in range(0, len(taken), size):
            part = taken.images[start : start + size]

            def show(count: int, start: int = start, width: int = len(part)) -> None:
                progress.update(start * len(training) + width * count - progress.n)

            found.append(nearest_training(searched, part, NEIGHBOURS, progress=show)["pixel"])
    distances, indices = (np.concatenate(each) for each in zip(*found, strict=True))
    return PicturesWithNeighbours(taken.images, taken.names, distances, indices)


def figures_of(distances: np.ndarray, ratios: np.ndarray, threshold: float) -> dict[str, float]:
    """Returns how near pictures are to training pictures.

    Args:
        distances: distances to the nearest, `(n,)`.
        ratios: distances to the nearest over those to the next ones, `(n,)`.
        threshold: ratio up to which a picture is taken for a copy.

    Example:

    >>> figures_of(np.array([1.0, 3.0]), np.array([0.5, 0.9]), threshold=0.6)
    {'pictures': 2, 'distance_smallest': 1.0, 'distance_nearest_percent': 1.02,
     'distance_median': 2.0, 'ratio_smallest': 0.5, 'ratio_nearest_percent': 0.504,
     'ratio_median': 0.7, 'copies': 0.5}
    """
    results = {"pictures": len(distances)}
    for name, values in (("distance", distances), ("ratio", ratios)):
        results[f"{name}_smallest"] = float(values.min())
        results[f"{name}_nearest_percent"] = float(np.percentile(values, 1))
        results[f"{name}_median"] = float(np.median(values))
    return {**results, "copies": float(np.mean(ratios <= threshold))}


def describe(study: NoveltyStudy) -> dict[str, Any]:
    """Returns what novelty.json says of the comparison."""
    copies = study.copies
    return {
        "training_pictures": len(study.training),
        "held_out_in_training": study.leaked,
        "identical_to_training": int(np.sum(study.nearest[GENERATED] == 0)),
        "figures": study.figures(),
        "threshold": copies.threshold,
        "false_alarms": copies.false_alarms,
        "copies": [study.generated.names[row] for row in np.flatnonzero(copies.flagged)],
        "p_value": copies.p_value,
        "memorised": copies.memorised,
    }

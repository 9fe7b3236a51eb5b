"""Grids of pictures that show what figures say: samples beside training pictures, and the like."""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_cvaegan import pictures
from keras_cvaegan.metrics import NearestNeighbourNovelty

# Grids are to be looked at, and go into report.html: how many samples, and pixels a side at most.
SAMPLES, SIZE = 6, 96
_SPACES = {"pixel": "by pixels", "feature": "by features of the judge"}


@dataclasses.dataclass(frozen=True)
class PictureGrid:
    """Rows of pictures of one size.

    Args:
        rows: pictures of each row, uint8 `(n, height, width, 3)`.
        titles: titles of the rows.
        caption: sentences on what is to be seen.
    """

    rows: Sequence[np.ndarray]
    titles: Sequence[str]
    caption: str


def neighbours(
    novelty: NearestNeighbourNovelty,
    labels: np.ndarray,
    training: np.ndarray,
    class_names: Sequence[str],
) -> PictureGrid:
    """Returns samples, each in a row with the training pictures that are nearest to it.

    Args:
        novelty: metric after its `result`.
        labels: labels of its samples.
        training: training pictures that it searched.
        class_names: names of the classes by label.
    """
    rows = []
    for number, sample in enumerate(novelty.samples[:SAMPLES]):
        row = [sample]
        for found in novelty.neighbours.values():
            row += [np.full_like(sample, 255), *(training[i] for i in found.indices[number])]
        rows.append(np.stack(row))
    orders = ", then ".join(_SPACES[space] for space in novelty.neighbours)
    count = novelty.neighbours["pixel"].indices.shape[1]
    return PictureGrid(
        rows,
        [class_names[label] for label in labels[: len(rows)]],
        f"Each row: a random sample, then the {count} training pictures nearest to it {orders}.",
    )


def real_and_generated(
    real: Sequence[np.ndarray], generated: Sequence[np.ndarray], titles: Sequence[str]
) -> PictureGrid:
    """Returns rows of real pictures, each with generated ones to their right.

    Args:
        real: real pictures of each row, uint8 `(n, height, width, 3)`; rows may differ in length.
        generated: generated ones of each row.
        titles: titles of the rows.
    """
    most = max(len(row) for row in real)
    rows = []
    for left, right in zip(real, generated, strict=True):
        blank = np.full_like(right[:1], 255)
        rows.append(np.concatenate([left, *[blank] * (most - len(left) + 1), right]))
    return PictureGrid(
        rows,
        titles,
        "Left: random held-out pictures. Right: random samples, not picked.",
    )


def reconstructions(images: np.ndarray, reconstructed: np.ndarray) -> PictureGrid:
    """Returns pictures above their reconstructions, uint8 `(n, height, width, 3)` both."""
    return PictureGrid(
        [images, reconstructed],
        ["held out", "reconstructed"],
        "Random held-out pictures, and below each what the model makes of its encoding.",
    )


def transferred(
    images: np.ndarray, shown: Sequence[np.ndarray], titles: Sequence[str]
) -> PictureGrid:
    """Returns pictures above what they become under some classes, uint8 `(n, height, width, 3)`.

    Args:
        images: pictures.
        shown: what each becomes, by row.
        titles: titles of these rows.
    """
    return PictureGrid(
        [images, *shown],
        ["held out", *titles],
        "Random held-out pictures, and below each the same code under some random classes.",
    )


def write(
    grids: Mapping[str, PictureGrid], directory: str | os.PathLike
) -> dict[str, dict[str, Any]]:
    """Writes grids as PNG files, and returns titles and captions by file name.

    Args:
        grids: grids by file name.
        directory: folder to write to; made when missing.
    """
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    for name, grid in grids.items():
        rows = [
            np.stack([pictures.resize_picture(picture, SIZE) for picture in row])
            if max(row.shape[1:3]) > SIZE
            else row
            for row in grid.rows
        ]
        pictures.write_png(directory / name, pictures.grid(rows))
    return {
        name: {"titles": list(grid.titles), "caption": grid.caption} for name, grid in grids.items()
    }

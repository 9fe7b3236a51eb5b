"""Pictures that give the class and pictures that give the looks, and what is made of both."""

from collections.abc import Mapping, Sequence

import numpy as np

import keras_cvaegan
from keras_cvaegan import applications, pictures
from keras_cvaegan.applications.inputs import need_two_codes
from keras_cvaegan.models import GenerativeModel
from trainers.pictures.given import read_pictures
from trainers.pictures.held_out import HeldOut
from trainers.pictures.named import NamedPictures


def load_model(run_dir: str) -> GenerativeModel:
    """Returns a run's model, which has a code of the class and one of the looks.

    Raises:
        ValueError: for a run without a model, or a model of one code.
    """
    model = keras_cvaegan.load(run_dir)
    need_two_codes(model)
    return model


def open_pictures(
    run_dir: str,
    model: GenerativeModel,
    files: Mapping[str, Sequence[str]],
    labels: Mapping[str, Sequence[int] | None],
    *,
    count: int,
    seed: int,
    max_pictures: int,
) -> list[NamedPictures]:
    """Returns the pictures of each side: those of files, or held-out ones of the run's data.

    Args:
        run_dir: folder of the run.
        model: model of the run.
        files: values of the flag that names files, by its name; none for held-out pictures.
        labels: classes of held-out pictures in turn, by the same names; None for all, by lot.
        count: number of held-out pictures of a side.
        seed: seed of which are drawn.
        max_pictures: number of files that a side takes.

    Raises:
        ValueError: for pictures that cannot be read, or are too many or too few.
    """
    held_out = None if all(files.values()) else HeldOut(run_dir, model)
    # The sides are drawn apart: of one class, too, they are other pictures.
    return [
        read_pictures(texts, flag, model, max_pictures)
        if texts
        else held_out.draw_in_turn(labels[flag], count, [seed, number])
        for number, (flag, texts) in enumerate(files.items())
    ]


def recombined_grid(
    model: GenerativeModel, relevant: np.ndarray, irrelevant: np.ndarray
) -> np.ndarray:
    """Returns recombined pictures with the originals in the first column and the first row.

    Args:
        model: model of two codes.
        relevant: pictures of the rows, uint8 (m, height, width, 3).
        irrelevant: pictures of the columns, uint8 (n, height, width, 3).

    Returns:
        uint8 (grid_height, grid_width, 3).
    """
    images = pictures.to_uint8(applications.recombine(model, relevant, irrelevant))
    corner = np.full_like(irrelevant[:1], 255)
    rows = [np.concatenate([corner, irrelevant])]
    rows += [
        np.concatenate([original[np.newaxis], row])
        for original, row in zip(relevant, images, strict=True)
    ]
    return pictures.grid(rows)

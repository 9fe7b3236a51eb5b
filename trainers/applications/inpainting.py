"""Holes in pictures: where they are, how models fill them, and how near that comes."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from keras_cvaegan import pictures
from keras_cvaegan.applications import fill_holes, inpaint, masks
from keras_cvaegan.metrics.reconstruction import squared_errors_inside
from keras_cvaegan.models import GenerativeModel
from keras_cvaegan.progress import counted
from trainers.applications.restoration import BATCH_SIZE, rounds_text
from trainers.command_line.flags import to_number
from trainers.pictures.named import NamedPictures
from trainers.reports.tables import markdown, number

FILLED = "filled with the mean"
HOLE = "hole"
RECTANGLE = "rectangle:"
_GREY = np.uint8(128)


@dataclasses.dataclass(frozen=True)
class FilledHoles:
    """Pictures whose holes were filled, and how near that comes to what was there.

    Args:
        mean_errors: mean squared error inside, by hole, of holes filled with the mean colour.
        errors: mean squared error inside, by model, hole and rounds.
        rows: first pictures, uint8 `(n, height, width, 3)`, by hole and by what they show.
    """

    mean_errors: Mapping[str, float]
    errors: Mapping[str, Mapping[str, Mapping[int, float]]]
    rows: Mapping[str, Mapping[str, np.ndarray]]


def find_masks(
    texts: Sequence[str], count: int, image_shape: Sequence[int], seed: int
) -> dict[str, np.ndarray]:
    """Returns a mask for each picture, bool (count, height, width), by the name of the hole.

    Args:
        texts: values of `--mask`; none for all regions.
        count: number of the pictures.
        image_shape: shape of the pictures.
        seed: seed of random places.

    Raises:
        ValueError: for what is no mask, or one that leaves nothing of a picture.
    """
    found = {}
    for text in dict.fromkeys(texts or masks.REGIONS):
        name = text
        if text in masks.REGIONS:
            mask = masks.region_mask(text, image_shape)
        elif text == HOLE:
            mask = masks.hole_masks(count, image_shape, seed=seed)
        elif text.startswith(RECTANGLE):
            mask = masks.rectangle_mask(*_edges(text), image_shape)
            name = text.replace(":", "_").replace(",", "_")
        else:
            name, mask = Path(text).stem, _picture_mask(text, image_shape)
        if name in found:
            raise ValueError(f"--mask: two holes are named {name!r}. Rename a file.")
        found[name] = masks.check_masks(mask, count, image_shape)
    return found


def _edges(text: str) -> list[float]:
    parts = text.removeprefix(RECTANGLE).split(",")
    if len(parts) != 4:
        raise ValueError(f"--mask=rectangle:TOP,LEFT,BOTTOM,RIGHT takes four. Received: {text!r}.")
    return [to_number(part, "--mask=rectangle:") for part in parts]


def _picture_mask(text: str, image_shape: Sequence[int]) -> np.ndarray:
    path = Path(text).expanduser()
    if not path.is_file():
        raise ValueError(
            f"--mask takes {', '.join((*masks.REGIONS, HOLE))}, "
            f"rectangle:TOP,LEFT,BOTTOM,RIGHT, or a picture file. Received: {text!r}."
        )
    picture = pictures.read_picture(path)
    try:
        return masks.picture_mask(picture, image_shape)
    except ValueError as error:
        raise ValueError(f"--mask={text}: {error}") from None


def fill_and_measure(
    models: Mapping[str, GenerativeModel],
    taken: NamedPictures,
    holes: Mapping[str, np.ndarray],
    rounds: Sequence[int],
    shown: int,
) -> FilledHoles:
    """Fills holes with the mean colour of the rest and by each model, and shows how far it is.

    Args:
        models: models with an encoder, by what tables call them.
        taken: pictures without holes, with the labels that the models are given.
        holes: masks by name, bool (n, height, width).
        rounds: numbers of rounds after which the results are measured, in ascending order.
        shown: number of pictures to return.
    """
    exact, first = pictures.from_uint8(taken.images), taken.images[:shown]
    mean_errors, rows = {}, {}
    for name, mask in holes.items():
        filled = fill_holes(exact, mask)
        mean_errors[name] = float(squared_errors_inside(taken.images, filled, mask).mean())
        corrupted = np.where(mask[:shown, ..., np.newaxis], _GREY, first)
        rows[name] = {"original": first, "corrupted": corrupted}
    errors = {}
    for title, model in models.items():
        errors[title], examples = fill_all(model, title, taken, holes, rounds, shown)
        for name, of_hole in examples.items():
            for after, images in of_hole.items():
                rows[name][f"{title}, {rounds_text(after)}"] = images
    return FilledHoles(mean_errors, errors, rows)


def fill_all(
    model: GenerativeModel,
    title: str,
    taken: NamedPictures,
    holes: Mapping[str, np.ndarray],
    rounds: Sequence[int],
    shown: int,
) -> tuple[dict[str, dict[int, float]], dict[str, dict[int, np.ndarray]]]:
    """Fills all holes by a model, a batch at a time, and shows how far it is.

    Args:
        model: model with an encoder.
        title: name of the model, to show how far it is.
        taken: pictures without holes, with the labels that the model is given.
        holes: masks by name, bool (n, height, width).
        rounds: numbers of rounds after which the results are measured, in ascending order.
        shown: number of pictures to return.

    Returns:
        By hole and rounds the mean squared error inside, and the first pictures, uint8.
    """
    errors = {name: {after: [] for after in rounds} for name in holes}
    examples = {name: {} for name in holes}

    def parts() -> Iterator[tuple[np.ndarray, slice, str]]:
        for name in holes:
            for start in range(0, len(taken), BATCH_SIZE):
                rows = slice(start, start + BATCH_SIZE)
                yield taken.images[rows], rows, name

    for part, rows, name in counted(title, parts(), len(taken) * len(holes)):
        inside = holes[name][rows]
        labels = None if taken.labels is None else taken.labels[rows]
        for after, filled in inpaint(model, part, inside, labels, rounds=rounds).items():
            errors[name][after].append(squared_errors_inside(part, filled, inside))
            if rows.start == 0:
                examples[name][after] = pictures.to_uint8(filled[:shown])
    means = {
        name: {after: float(np.concatenate(each).mean()) for after, each in of_hole.items()}
        for name, of_hole in errors.items()
    }
    return means, examples


def table(
    mean_errors: Mapping[str, float], errors: Mapping[str, Mapping[str, Mapping[int, float]]]
) -> str:
    """Returns squared errors by model and rounds, and of each hole, as Markdown.

    Args:
        mean_errors: errors of holes filled with the mean, see `FilledHoles`.
        errors: errors of the models, see `FilledHoles`.

    Example:

    >>> print(table({"eyes": 0.5}, {"VAE": {"eyes": {1: 0.25, 5: 0.125}}}))
    |                      |  eyes |
    |:---------------------|------:|
    | filled with the mean | 0.500 |
    | VAE, 1 round         | 0.250 |
    | VAE, 5 rounds        | 0.125 |
    """
    rows = [[FILLED, *map(number, mean_errors.values())]]
    for title, by_hole in errors.items():
        for after in next(iter(by_hole.values())):
            of_rounds = (number(by_hole[name][after]) for name in mean_errors)
            rows.append([f"{title}, {rounds_text(after)}", *of_rounds])
    return markdown(["", *mean_errors], rows)

"""Pairs of pictures, and what lies between them: as rows and as an animation."""

import os
from collections.abc import Sequence

import numpy as np

from keras_cvaegan import applications, pictures
from keras_cvaegan.models import GenerativeModel
from trainers.command_line.flags import parse_labels
from trainers.pictures.given import labels_of_pictures, read_pictures
from trainers.pictures.held_out import HeldOut
from trainers.pictures.named import NamedPictures

# Smaller pictures of an animation are enlarged, as a whole number of times as comes to this side.
GIF_SIDE = 96
FRAME_MILLISECONDS, REST_MILLISECONDS = 100, 700

Pair = tuple[NamedPictures, NamedPictures]
"""The pictures on the left and as many on the right."""


def parse_between(text: str, class_names: Sequence[str]) -> tuple[int, int]:
    """Returns the two labels that `--between` names.

    Args:
        text: value of the flag.
        class_names: names of the classes by label.

    Raises:
        ValueError: for another number of them, or a class that the model does not have.

    Example:

    >>> parse_between("2,rose", ("rose", "daisy", "tulip"))
    (2, 0)
    """
    parts = text.split(",")
    if len(parts) != 2:
        raise ValueError(f"--between takes two classes, as in 0,3. Received: {text!r}.")
    first, second = (parse_labels(part, class_names, "between")[0] for part in parts)
    return first, second


def given_pairs(
    model: GenerativeModel,
    first: Sequence[str],
    second: Sequence[str],
    labels: str | None,
    between: str | None,
    max_pairs: int,
) -> Pair:
    """Returns the pictures of files, with labels where they are given.

    Args:
        model: model that is to encode them.
        first: values of `--first`, see `picture_paths`.
        second: values of `--second`.
        labels: value of `--labels`.
        between: value of `--between`.
        max_pairs: number of pairs that the flags take.

    Raises:
        ValueError: for pictures or labels that the model does not take.
    """
    left, right = (
        read_pictures(texts, flag, model) for flag, texts in (("first", first), ("second", second))
    )
    if len(left) != len(right) or len(left) > max_pairs:
        raise ValueError(
            "--first and --second take as many pictures as each other, at most "
            f"{max_pairs}. Received: {len(left)} and {len(right)}."
        )
    if (labels, between) != (None, None) and not model.conditional:
        raise ValueError(f"{type(model).__name__} has no classes: leave out --labels or --between.")
    of_left = of_right = None
    if between is not None:
        ends = parse_between(between, model.class_names)
        of_left, of_right = (np.full(len(left), label) for label in ends)
    elif labels is not None:
        of_left = of_right = labels_of_pictures(labels, len(left), model.class_names)
    return (
        NamedPictures(left.images, left.names, of_left),
        NamedPictures(right.images, right.names, of_right),
    )


def held_out_pairs(
    run_dir: str,
    model: GenerativeModel,
    labels: str | None,
    between: str | None,
    count: int,
    seed: int,
) -> Pair:
    """Returns held-out pictures of a run's data, by lot.

    Args:
        run_dir: folder of the run.
        model: model of the run.
        labels: value of `--labels`: classes of the pairs in turn; None for all, by lot.
        between: value of `--between`: class of the left and of the right.
        count: number of pairs.
        seed: seed of the draw.

    Raises:
        ValueError: for classes that the data do not have, or have too few pictures of.
    """
    held_out = HeldOut(run_dir, model)
    if between is not None:
        labels_in_turn = np.tile(parse_between(between, held_out.class_names), count)
    else:
        classes = parse_labels(labels, held_out.class_names)
        if labels is None:
            # Of a class with a single picture there is no pair.
            counts = np.bincount(held_out.labels, minlength=len(classes))
            several = np.flatnonzero(counts > 1)
            classes = np.random.default_rng(seed).permutation(several)
        labels_in_turn = np.repeat(np.resize(classes, count), 2)
    for label, taken in zip(*np.unique(labels_in_turn, return_counts=True), strict=True):
        there = int(np.sum(held_out.labels == label))
        if taken > there:
            raise ValueError(
                f"Of {held_out.class_names[label]!r} there are {there} pictures held out, and "
                f"{count} rows take {taken}. Ask for fewer rows, or more classes."
            )
    found = held_out.draw_in_turn(labels_in_turn.tolist(), len(labels_in_turn), seed)
    left, right = (
        NamedPictures(found.images[side::2], found.names[side::2], found.labels[side::2])
        for side in range(2)
    )
    return left, right


def morphs(model: GenerativeModel, pair: Pair, steps: int) -> np.ndarray:
    """Returns what lies between pairs of pictures, uint8 (rows, steps, height, width, 3)."""
    left, right = pair
    return pictures.to_uint8(
        applications.morph(model, left.images, right.images, left.labels, right.labels, steps=steps)
    )


def morph_grid(pair: Pair, images: np.ndarray) -> np.ndarray:
    """Returns rows of `morphs` with the pictures themselves at both ends."""
    left, right = pair
    return pictures.grid(
        [
            np.concatenate([[first], row, [last]])
            for first, row, last in zip(left.images, images, right.images, strict=True)
        ]
    )


def write_animation(path: str | os.PathLike, images: np.ndarray) -> None:
    """Writes an animation there and back of all rows at once, which rests at both ends.

    Args:
        path: file to write, in a folder that exists.
        images: pictures, uint8 (rows, steps, height, width, 3).

    Raises:
        OSError: when the file cannot be written.
    """
    times = max(1, GIF_SIDE // max(images.shape[2:4]))
    images = images.repeat(times, axis=2).repeat(times, axis=3)
    last = images.shape[1] - 1
    steps = [*range(last), *range(last, 0, -1)]
    frames = [pictures.grid(images[:, step]) for step in steps]
    rests = [REST_MILLISECONDS if step in (0, last) else FRAME_MILLISECONDS for step in steps]
    pictures.write_gif(path, frames, rests)

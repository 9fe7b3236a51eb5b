"""Draws what lies between pairs of pictures: Section 5.3 and Fig. 6 of Bao et al. 2017.

Each row goes from the picture on its left to the one on its right, which stand at its ends as they
are. Between them, and beginning and ending with their reconstructions, is what is decoded from the
line between their codes.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from trainers.command_line import flags
from trainers.command_line.command import Command
from trainers.command_line.flags import parse_labels
from trainers.command_line.output import output_folder, print_written
from trainers.pictures.encoding import encoding_flag, load_encoding
from trainers.pictures.given import (
    FILES_OR_FOLDER,
    labels_of_pictures,
    read_pictures,
    source_of_labels,
)
from trainers.pictures.held_out import HeldOut
from trainers.pictures.named import Pictures

if TYPE_CHECKING:
    from absl.flags import FlagValues

    from keras_cvaegan.models import GenerativeModel

MOST = 100
# Smaller pictures of an animation are enlarged, as a whole number of times as comes to this side.
GIF_SIDE = 96
FRAME_MS, REST_MS = 100, 700

COMMAND = Command("trainers.morph", __doc__)
flags.run_dir_flag(COMMAND)
with COMMAND.section("Run"):
    encoding_flag(COMMAND)
with COMMAND.section("Pictures"):
    COMMAND.repeated("first", f"those on the left: {FILES_OR_FOLDER}")
    COMMAND.repeated("second", "those on the right, as many, likewise")
    COMMAND.integer(
        "count",
        6,
        "rows, where no pictures are given: they are held-out ones of the run's data, by lot",
        lower_bound=1,
        upper_bound=MOST,
    )
    COMMAND.integer("seed", 0, "of which pictures are drawn", lower_bound=0, upper_bound=2**32 - 1)
with COMMAND.section("Classes, by number or name"):
    COMMAND.string(
        "labels",
        None,
        "those of the rows, in turn, as in 0,3 (default: all, by lot); of given pictures one for "
        "all rows or one for each (default: guessed by the model's classifier)",
    )
    COMMAND.string(
        "between", None, "two: that of pictures on the left, and on the right, as in 0,3"
    )
with COMMAND.section("Results"):
    COMMAND.integer("steps", 9, "pictures from end to end", lower_bound=2)
    COMMAND.boolean("gif", False, "write an animation there and back, too, of all rows at once")
    COMMAND.string(
        "output", None, "folder of morph.png, morph.gif and morph.json (default: RUN_DIR/morph)"
    )


def check(values: "FlagValues") -> None:
    """Checks that flags go together.

    Raises:
        ValueError: otherwise.
    """
    if bool(values.first) != bool(values.second):
        raise ValueError(
            "--first gives pictures on the left, --second those on the right: give both, or none "
            "for held-out pictures."
        )
    if values.labels is not None and values.between is not None:
        raise ValueError(
            "--labels gives classes to stay within, --between two to go from and to: give one of "
            "the two."
        )


def parse_between(text: str, class_names: Sequence[str]) -> tuple[int, int]:
    """Returns the two labels that `--between` names.

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


def open_pairs(values: "FlagValues", model: "GenerativeModel") -> tuple[Pictures, Pictures]:
    """Returns the pictures on the left and on the right, with labels where they are known.

    Raises:
        ValueError: for pictures or labels that the model does not take.
    """
    if values.first:
        return _given(values, model)
    held_out = HeldOut(values.run_dir)
    held_out.check_model(model)
    return _drawn(values, held_out)


def _given(values: "FlagValues", model: "GenerativeModel") -> tuple[Pictures, Pictures]:
    first, second = (read_pictures(values[f].value, f, model) for f in ("first", "second"))
    if len(first) != len(second) or len(first) > MOST:
        raise ValueError(
            f"--first and --second take as many pictures as each other, at most {MOST}. Received: "
            f"{len(first)} and {len(second)}."
        )
    labels = labels_b = None
    if (values.labels, values.between) != (None, None) and not model.conditional:
        raise ValueError(f"{type(model).__name__} has no classes: leave out --labels or --between.")
    if values.between is not None:
        ends = parse_between(values.between, model.class_names)
        labels, labels_b = (np.full(len(first), label) for label in ends)
    elif values.labels is not None:
        labels = labels_b = labels_of_pictures(values.labels, len(first), model.class_names)
    return (
        Pictures(first.images, first.names, labels),
        Pictures(second.images, second.names, labels_b),
    )


def _drawn(values: "FlagValues", held_out: HeldOut) -> tuple[Pictures, Pictures]:
    if values.between is not None:
        ends = parse_between(values.between, held_out.class_names)
        labels = np.tile(ends, values.count)
    else:
        classes = parse_labels(values.labels, held_out.class_names)
        if values.labels is None:
            # Of a class with a single picture there is no pair.
            counts = np.bincount(held_out.labels, minlength=len(classes))
            several = np.flatnonzero(counts > 1)
            classes = np.random.default_rng(values.seed).permutation(several)
        labels = np.repeat(np.resize(classes, values.count), 2)
    for label, taken in zip(*np.unique(labels, return_counts=True), strict=True):
        there = int(np.sum(held_out.labels == label))
        if taken > there:
            raise ValueError(
                f"Of {held_out.class_names[label]!r} there are {there} pictures held out, and "
                f"{values.count} rows take {taken}. Ask for fewer rows, or more classes."
            )
    found = held_out.draw_in_turn(labels.tolist(), len(labels), values.seed)
    first, second = (
        Pictures(found.images[side::2], found.names[side::2], found.labels[side::2])
        for side in range(2)
    )
    return first, second


def write_gif(path: Path, images: np.ndarray) -> None:
    """Writes an animation there and back of all rows at once, which rests at both ends.

    Args:
        path: of the file, in a folder that exists.
        images: uint8 (rows, steps, height, width, 3).

    Raises:
        OSError: when the file cannot be written.
    """
    from PIL import Image

    from keras_cvaegan import pictures
    from keras_cvaegan.files import replacing

    times = max(1, GIF_SIDE // max(images.shape[2:4]))
    images = images.repeat(times, axis=2).repeat(times, axis=3)
    last = images.shape[1] - 1
    steps = [*range(last), *range(last, 0, -1)]
    frames = [Image.fromarray(pictures.grid(images[:, step])) for step in steps]
    rests = [REST_MS if step in (0, last) else FRAME_MS for step in steps]
    with replacing(path, ending=".gif", durable=False) as partial:
        frames[0].save(partial, save_all=True, append_images=frames[1:], duration=rests, loop=0)


def main(values: "FlagValues") -> None:
    run_dir = flags.required_run_dir(values)
    check(values)

    from keras_cvaegan import pictures
    from keras_cvaegan.applications import morph
    from keras_cvaegan.training.run_directory import write_json

    model = load_encoding(run_dir, values)
    first, second = open_pairs(values, model)
    labels_from = source_of_labels(model, first.labels is not None)
    images = pictures.to_uint8(
        morph(model, first.images, second.images, first.labels, second.labels, steps=values.steps)
    )
    names = ["morph.png", "morph.gif", "morph.json"] if values.gif else ["morph.png", "morph.json"]
    output = output_folder(values, "morph", names, [*first.names, *second.names])
    rows = [
        np.concatenate([[left], row, [right]])
        for left, row, right in zip(first.images, images, second.images, strict=True)
    ]
    pictures.write_png(output / "morph.png", pictures.grid(rows))
    if values.gif:
        write_gif(output / "morph.gif", images)
    results = {
        "flags": COMMAND.settings(values),
        "model": type(model).__name__,
        "labels": labels_from,
        "rows": [list(pair) for pair in zip(first.names, second.names, strict=True)],
    }
    write_json(output / "morph.json", results)
    print(f"Labels: {labels_from}.")
    print(f"Rows from top to bottom: {'; '.join(' → '.join(pair) for pair in results['rows'])}")
    print_written(output, names)


if __name__ == "__main__":
    COMMAND.run(main)

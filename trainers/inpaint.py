"""Fills holes in pictures by trained models, and measures how near they come to what was there.

Section 4.5 of Zheng & Sun 2019 and 5.4 of Bao et al. 2017: what is left of a picture is encoded and
decoded, and the hole gets what comes out; further rounds begin with the result. Squared errors are
those inside the hole, beside a hole that is filled with the mean colour of the rest.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trainers.command_line import flags
from trainers.command_line.command import Command
from trainers.command_line.output import output_folder, print_written
from trainers.pictures import restoring
from trainers.pictures.encoding import encoding_flag
from trainers.pictures.given import FILES_OR_FOLDER
from trainers.reports import tables
from trainers.reports.tables import markdown

if TYPE_CHECKING:
    from absl.flags import FlagValues

    from keras_cvaegan.models import GenerativeModel

BATCH_SIZE = 128
FILLED = "filled with the mean"
HOLE = "hole"
RECTANGLE = "rectangle:"
REGIONS = ("right_half", "eyes", "nose_and_mouth", "bottom_half")

COMMAND = Command("trainers.inpaint", __doc__)
with COMMAND.section("Runs"):
    COMMAND.string("run_dir", None, "folder of a run of trainers.fit (required)")
    COMMAND.repeated(
        "against", "that of another run on the same data, to compare with; may be given again"
    )
    encoding_flag(COMMAND)
with COMMAND.section("Pictures"):
    COMMAND.repeated("pictures", f"{FILES_OR_FOLDER} (default: held-out ones of the run's data)")
    COMMAND.string(
        "labels", None, "classes of --pictures, one for all or one for each, by number or name"
    )
    COMMAND.integer("count", 200, "held-out pictures to measure, drawn by lot", lower_bound=1)
    COMMAND.integer("shown", 8, "pictures of the PNG files", lower_bound=1, upper_bound=100)
    COMMAND.integer(
        "seed",
        0,
        "of which pictures are drawn, and where holes are",
        lower_bound=0,
        upper_bound=2**32 - 1,
    )
with COMMAND.section("Holes"):
    COMMAND.repeated(
        "mask",
        f"which; may be given again (default: {', '.join(REGIONS)})\n"
        f"{', '.join(REGIONS)}: of aligned faces\n"
        "hole: 50/128 of height and width, elsewhere in each picture\n"
        "rectangle:TOP,LEFT,BOTTOM,RIGHT: as shares of height and width\n"
        "a picture file of the pictures' size: white is the hole",
    )
with COMMAND.section("Filling"):
    COMMAND.string("rounds", "1,5,10", "after which the results are measured")
    COMMAND.boolean(
        "labels_given",
        True,
        "models that reconstruct under a label are given that of the picture; if not, or where it "
        "is not known, their own classifier guesses it",
    )
with COMMAND.section("Results"):
    COMMAND.string(
        "output", None, "folder of inpaint.json and a PNG file a hole (default: RUN_DIR/inpaint)"
    )


def find_masks(
    texts: Sequence[str], count: int, image_shape: Sequence[int], seed: int
) -> dict[str, np.ndarray]:
    """Returns a mask for each picture, bool (count, height, width), by the name of the hole.

    Args:
        texts: as of `--mask`.
        count: pictures.
        image_shape: theirs.
        seed: of random places.

    Raises:
        ValueError: for what is no mask, or one that leaves nothing of a picture.
    """
    from keras_cvaegan.applications import masks

    found = {}
    for text in dict.fromkeys(texts or REGIONS):
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
    return [flags.to_number(part, "--mask=rectangle:") for part in parts]


def _picture_mask(text: str, image_shape: Sequence[int]) -> np.ndarray:
    from keras_cvaegan import pictures
    from keras_cvaegan.applications import masks

    path = Path(text).expanduser()
    if not path.is_file():
        raise ValueError(
            f"--mask takes {', '.join((*REGIONS, HOLE))}, rectangle:TOP,LEFT,BOTTOM,RIGHT, or a "
            f"picture file. Received: {text!r}."
        )
    picture = pictures.read_picture(path)
    try:
        return masks.picture_mask(picture, image_shape)
    except ValueError as error:
        raise ValueError(f"--mask={text}: {error}") from None


def errors_inside(images: np.ndarray, filled: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Returns the mean squared error inside each picture's hole in units of [−1, 1], `(n,)`.

    Args:
        images: what was there, uint8 `(n, height, width, 3)`.
        filled: the same outside the hole, in [−1, 1].
        masks: bool `(n, height, width)`.

    Example:

    >>> left = np.array([[[True, False]]])
    >>> images = np.array([[[[0, 0, 0], [255, 255, 255]]]], np.uint8)
    >>> errors_inside(images, np.array([[[[0, -1, -1], [1, 1, 1]]]], np.float32), left)
    array([0.33333333])
    """
    from keras_cvaegan.metrics import reconstruction

    # Outside there is no error.
    return reconstruction.squared_errors(images, filled) / masks.mean(axis=(1, 2))


def fill_all(
    model: "GenerativeModel",
    title: str,
    images: np.ndarray,
    labels: np.ndarray | None,
    masks: Mapping[str, np.ndarray],
    rounds: Sequence[int],
    shown: int,
) -> tuple[dict[str, dict[int, float]], dict[str, dict[int, np.ndarray]]]:
    """Fills all holes by a model, a batch at a time, and shows how far it is.

    Args:
        model: with an encoder.
        title: of the model.
        images: uint8 (n, height, width, 3).
        labels: see `inpaint`.
        masks: by name, bool (n, height, width).
        rounds: in ascending order.
        shown: how many pictures to return.

    Returns:
        By hole and rounds the mean squared error inside, and the first pictures, uint8.
    """
    from keras_cvaegan import pictures
    from keras_cvaegan.applications import inpaint
    from keras_cvaegan.progress import counted

    errors = {name: {number: [] for number in rounds} for name in masks}
    examples = {name: {} for name in masks}

    def parts() -> Iterator[tuple[np.ndarray, slice, str]]:
        for name in masks:
            for start in range(0, len(images), BATCH_SIZE):
                rows = slice(start, start + BATCH_SIZE)
                yield images[rows], rows, name

    for part, rows, name in counted(title, parts(), len(images) * len(masks)):
        inside = masks[name][rows]
        of_part = None if labels is None else labels[rows]
        for number, filled in inpaint(model, part, inside, of_part, rounds=rounds).items():
            errors[name][number].append(errors_inside(part, filled, inside))
            if rows.start == 0:
                examples[name][number] = pictures.to_uint8(filled[:shown])
    means = {
        name: {number: float(np.concatenate(each).mean()) for number, each in of_hole.items()}
        for name, of_hole in errors.items()
    }
    return means, examples


def table(
    filled: Mapping[str, float], by_model: Mapping[str, Mapping[str, Mapping[int, float]]]
) -> str:
    """Returns squared errors by model and rounds, and of each hole, as Markdown.

    Args:
        filled: by hole, of holes filled with the mean.
        by_model: by model, hole and rounds.

    Example:

    >>> print(table({"eyes": 0.5}, {"VAE": {"eyes": {1: 0.25, 5: 0.125}}}))
    |                      |  eyes |
    |:---------------------|------:|
    | filled with the mean | 0.500 |
    | VAE, 1 round         | 0.250 |
    | VAE, 5 rounds        | 0.125 |
    """
    rows = [[FILLED, *(tables.number(error) for error in filled.values())]]
    for title, by_hole in by_model.items():
        for number in next(iter(by_hole.values())):
            errors = (tables.number(by_hole[name][number]) for name in filled)
            rows.append([f"{title}, {restoring.rounds_text(number)}", *errors])
    return markdown(["", *filled], rows)


def main(values: "FlagValues") -> None:
    run_dir = flags.required_run_dir(values)
    restoring.check_labels(values)
    rounds = flags.integers(values.rounds, "rounds")

    from keras_cvaegan import pictures
    from keras_cvaegan.applications import fill_holes
    from keras_cvaegan.training.run_directory import write_json

    models = restoring.load_models([run_dir, *values.against], values)
    opened = restoring.given_pictures if values.pictures else restoring.held_out_pictures
    taken = opened(values, list(models.values()))
    labels = taken.labels if values.labels_given else None
    sources = restoring.label_sources(models, labels is not None)
    masks = find_masks(values.mask, len(taken), taken.images.shape[1:], values.seed)
    written = [f"{name}.png" for name in masks]
    output = output_folder(values, "inpaint", written, [*values.mask, *taken.names])
    exact, shown = pictures.from_uint8(taken.images), taken.images[: values.shown]
    filled, rows = {}, {}
    for name, mask in masks.items():
        filled[name] = float(errors_inside(taken.images, fill_holes(exact, mask), mask).mean())
        corrupted = np.where(mask[: len(shown), ..., np.newaxis], np.uint8(128), shown)
        rows[name] = {"original": shown, "corrupted": corrupted}
    by_model = {}
    for title, model in models.items():
        by_model[title], examples = fill_all(
            model, title, taken.images, labels, masks, rounds, len(shown)
        )
        for name, of_hole in examples.items():
            for number, images in of_hole.items():
                rows[name][f"{title}, {restoring.rounds_text(number)}"] = images
    for name, of_hole in rows.items():
        pictures.write_png(output / f"{name}.png", pictures.grid(list(of_hole.values())))
    results: dict[str, Any] = {
        "flags": COMMAND.settings(values),
        "pictures": {"count": len(taken), "shown": list(taken.names[: len(shown)])},
        "labels": sources,
        "share_of_picture": {name: float(mask.mean()) for name, mask in masks.items()},
        "squared_error": {FILLED: filled, **by_model},
        "rows": list(next(iter(rows.values()))),
    }
    write_json(output / "inpaint.json", results)
    print(f"\n{table(filled, by_model)}\n")
    print(f"Mean squared error inside the hole, in units of [−1, 1], of {len(taken):,} pictures.")
    restoring.print_label_sources(sources)
    print(f"Rows of the PNG files from top to bottom: {'; '.join(results['rows'])}")
    print_written(output, [*(f"{name}.png" for name in rows), "inpaint.json"])


if __name__ == "__main__":
    COMMAND.run(main)

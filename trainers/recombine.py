"""Draws pictures of one picture's class and another's looks: Fig. 6 of Zheng & Sun 2019.

Row i and column j is decoded from z_s of the picture on the left and z_u of the one on top. The
pictures may be of classes that the model has never seen.
"""

from typing import TYPE_CHECKING

from trainers.command_line import flags
from trainers.command_line.command import Command
from trainers.command_line.flags import parse_labels
from trainers.command_line.output import output_folder, print_written
from trainers.pictures.given import FILES_OR_FOLDER, read_pictures
from trainers.pictures.held_out import HeldOut
from trainers.pictures.named import Pictures

if TYPE_CHECKING:
    import numpy as np
    from absl.flags import FlagValues

    from keras_cvaegan.models import GenerativeModel

MOST = 100
SIDES = ("relevant", "irrelevant")

COMMAND = Command("trainers.recombine", __doc__)
flags.run_dir_flag(COMMAND)
with COMMAND.section("Pictures"):
    COMMAND.repeated("relevant", f"those that give z_s, the rows: {FILES_OR_FOLDER}")
    COMMAND.repeated("irrelevant", "those that give z_u, the columns, likewise")
with COMMAND.section("Held-out pictures of the run's data, where none are given"):
    COMMAND.string(
        "relevant_labels",
        None,
        "classes of the rows in turn, by number or name, as in 0,3 (default: all, by lot)",
    )
    COMMAND.string("irrelevant_labels", None, "classes of the columns, likewise")
    COMMAND.integer("count", 6, "pictures of rows, and of columns", lower_bound=1, upper_bound=MOST)
    COMMAND.integer("seed", 0, "of which pictures are drawn", lower_bound=0, upper_bound=2**32 - 1)
with COMMAND.section("Results"):
    COMMAND.string(
        "output", None, "folder of recombined.png and recombine.json (default: RUN_DIR/recombine)"
    )


def check(values: "FlagValues") -> None:
    """Checks that no side has both pictures and labels to draw them by.

    Raises:
        ValueError: otherwise.
    """
    for side in SIDES:
        if values[side].value and values[f"{side}_labels"].value is not None:
            raise ValueError(
                f"--{side} gives pictures, --{side}_labels classes to draw them from: give one of "
                "the two."
            )


def open_pictures(values: "FlagValues", model: "GenerativeModel") -> list[Pictures]:
    """Returns the pictures of rows and of columns.

    Raises:
        ValueError: for pictures that cannot be read, or are too many or too few.
    """
    held_out = None
    if not all(values[side].value for side in SIDES):
        held_out = HeldOut(values.run_dir)
        held_out.check_model(model)
    found = []
    for number, side in enumerate(SIDES):
        texts, labels = values[side].value, values[f"{side}_labels"].value
        if texts:
            found.append(read_pictures(texts, side, model, MOST))
            continue
        if labels is not None:
            labels = parse_labels(labels, held_out.class_names, f"{side}_labels")
        # Rows and columns are drawn apart: of one class, too, they are other pictures.
        found.append(held_out.draw_in_turn(labels, values.count, [values.seed, number]))
    return found


def sheet(relevant: "np.ndarray", irrelevant: "np.ndarray", images: "np.ndarray") -> "np.ndarray":
    """Returns recombined pictures with the originals in the first column and the first row.

    Args:
        relevant: of the rows, uint8 (m, height, width, 3).
        irrelevant: of the columns, uint8 (n, height, width, 3).
        images: uint8 (m, n, height, width, 3).
    """
    import numpy as np

    from keras_cvaegan import pictures

    corner = np.full_like(irrelevant[:1], 255)
    rows = [np.concatenate([corner, irrelevant])]
    rows += [
        np.concatenate([original[np.newaxis], row])
        for original, row in zip(relevant, images, strict=True)
    ]
    return pictures.grid(rows)


def main(values: "FlagValues") -> None:
    run_dir = flags.required_run_dir(values)
    check(values)

    import keras_cvaegan
    from keras_cvaegan import pictures
    from keras_cvaegan.applications import recombine
    from keras_cvaegan.applications.inputs import need_two_codes
    from keras_cvaegan.training.run_directory import write_json

    model = keras_cvaegan.load(run_dir)
    need_two_codes(model)
    relevant, irrelevant = open_pictures(values, model)
    images = pictures.to_uint8(recombine(model, relevant.images, irrelevant.images))
    given = [*relevant.names, *irrelevant.names]
    output = output_folder(values, "recombine", ["recombined.png"], given)
    pictures.write_png(output / "recombined.png", sheet(relevant.images, irrelevant.images, images))
    write_json(
        output / "recombine.json",
        {
            "flags": COMMAND.settings(values),
            "model": type(model).__name__,
            "relevant": list(relevant.names),
            "irrelevant": list(irrelevant.names),
        },
    )
    print(f"Rows, which give z_s: {'; '.join(relevant.names)}")
    print(f"Columns, which give z_u: {'; '.join(irrelevant.names)}")
    print_written(output, ["recombined.png", "recombine.json"])


if __name__ == "__main__":
    COMMAND.run(main)

"""Draws pictures of one picture's class and another's looks: Fig. 6 of Zheng & Sun 2019.

Row i and column j is decoded from z_s of the picture on the left and z_u of the one on top. The
pictures may be of classes that the model has never seen.
"""

from typing import TYPE_CHECKING

from keras_cvaegan import pictures
from keras_cvaegan.training.run_directory import write_json
from trainers.command_line import flags
from trainers.command_line.command import Command
from trainers.command_line.flags import parse_labels
from trainers.command_line.output import output_folder, print_written
from trainers.pictures.flags import FILES_OR_FOLDERS

if TYPE_CHECKING:
    from absl.flags import FlagValues

MOST = 100
SIDES = ("relevant", "irrelevant")

COMMAND = Command("trainers.recombine", __doc__)
flags.run_dir_flag(COMMAND)
with COMMAND.section("Pictures"):
    COMMAND.repeated("relevant", f"pictures that give z_s, the rows: {FILES_OR_FOLDERS}")
    COMMAND.repeated("irrelevant", "pictures that give z_u, the columns, likewise")
with COMMAND.section("Held-out pictures of the run's data, where none are given"):
    COMMAND.string(
        "relevant_labels",
        None,
        "classes of the rows in turn, by number or name, as in 0,3 (default: all, by lot)",
    )
    COMMAND.string("irrelevant_labels", None, "classes of the columns, likewise")
    COMMAND.integer("count", 6, "pictures of rows, and of columns", lower_bound=1, upper_bound=MOST)
    flags.seed_flag(COMMAND, "seed of which pictures are drawn")
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


def main(values: "FlagValues") -> None:
    run_dir = flags.required_run_dir(values)
    check(values)

    from trainers.applications import recombination

    model = recombination.load_model(run_dir)
    labels = dict.fromkeys(SIDES)
    for side in SIDES:
        text = values[f"{side}_labels"].value
        if text is not None:
            labels[side] = parse_labels(text, model.class_names, f"{side}_labels")
    relevant, irrelevant = recombination.open_pictures(
        run_dir,
        model,
        {side: values[side].value for side in SIDES},
        labels,
        count=values.count,
        seed=values.seed,
        max_pictures=MOST,
    )
    given = [*relevant.names, *irrelevant.names]
    output = output_folder(values, "recombine", ["recombined.png"], given)
    grid = recombination.recombined_grid(model, relevant.images, irrelevant.images)
    pictures.write_png(output / "recombined.png", grid)
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

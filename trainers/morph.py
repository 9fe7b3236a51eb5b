"""Draws what lies between pairs of pictures: Section 5.3 and Fig. 6 of Bao et al. 2017.

Each row goes from the picture on its left to the one on its right, which stand at its ends as they
are. Between them, and beginning and ending with their reconstructions, is what is decoded from the
line between their codes.
"""

from typing import TYPE_CHECKING

from keras_cvaegan import pictures
from keras_cvaegan.training.run_directory import write_json
from trainers.command_line import flags
from trainers.command_line.command import Command
from trainers.command_line.output import output_folder, print_written
from trainers.pictures.flags import FILES_OR_FOLDERS, find_codes_flag

if TYPE_CHECKING:
    from absl.flags import FlagValues

MOST = 100

COMMAND = Command("trainers.morph", __doc__)
flags.run_dir_flag(COMMAND)
with COMMAND.section("Run"):
    find_codes_flag(COMMAND)
with COMMAND.section("Pictures"):
    COMMAND.repeated("first", f"pictures on the left: {FILES_OR_FOLDERS}")
    COMMAND.repeated("second", "pictures on the right, as many, likewise")
    COMMAND.integer(
        "count",
        6,
        "rows, where no pictures are given: they are held-out ones of the run's data, by lot",
        lower_bound=1,
        upper_bound=MOST,
    )
    flags.seed_flag(COMMAND, "seed of which pictures are drawn")
with COMMAND.section("Classes, by number or name"):
    COMMAND.string(
        "labels",
        None,
        "classes of the rows, in turn, as in 0,3 (default: all, by lot); of given pictures one for "
        "all rows or one for each (default: guessed by the model's classifier)",
    )
    COMMAND.string(
        "between", None, "class of pictures on the left, then of those on the right, as in 0,3"
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


def main(values: "FlagValues") -> None:
    run_dir = flags.required_run_dir(values)
    check(values)

    from trainers.applications import encoding, morphing

    model = encoding.load_encoding_model(run_dir, values.find_codes)
    classes = {"labels": values.labels, "between": values.between}
    if values.first:
        pair = morphing.given_pairs(model, values.first, values.second, **classes, max_pairs=MOST)
    else:
        pair = morphing.held_out_pairs(
            run_dir, model, **classes, count=values.count, seed=values.seed
        )
    first, second = pair
    labels_from = encoding.source_of_labels(model, first.labels is not None)
    names = ["morph.png", "morph.gif", "morph.json"] if values.gif else ["morph.png", "morph.json"]
    output = output_folder(values, "morph", names, [*first.names, *second.names])
    images = morphing.morphs(model, pair, values.steps)
    pictures.write_png(output / "morph.png", morphing.morph_grid(pair, images))
    if values.gif:
        morphing.write_animation(output / "morph.gif", images)
    results = {
        "flags": COMMAND.settings(values),
        "model": type(model).__name__,
        "labels": labels_from,
        "rows": [list(ends) for ends in zip(first.names, second.names, strict=True)],
    }
    write_json(output / "morph.json", results)
    print(f"Labels: {labels_from}.")
    print(f"Rows from top to bottom: {'; '.join(' → '.join(row) for row in results['rows'])}")
    print_written(output, names)


if __name__ == "__main__":
    COMMAND.run(main)

"""Shows pictures as other classes, with the attributes they have: Section S8.1 of Bao et al. 2017.

Each row has a picture, its reconstruction, and what is decoded from the same code under each of
some classes: a row is one picture under many labels, a column many pictures under one.
"""

from typing import TYPE_CHECKING

from keras_cvaegan import pictures
from keras_cvaegan.training.run_directory import write_json
from trainers.command_line import flags
from trainers.command_line.command import Command
from trainers.command_line.flags import parse_labels
from trainers.command_line.output import output_folder, print_written
from trainers.pictures.flags import FILES_OR_FOLDERS, find_codes_flag

if TYPE_CHECKING:
    from absl.flags import FlagValues

MOST = 100
SHOWN_CLASSES = 10

COMMAND = Command("trainers.transfer", __doc__)
flags.run_dir_flag(COMMAND)
with COMMAND.section("Run"):
    find_codes_flag(COMMAND)
with COMMAND.section("Pictures"):
    COMMAND.repeated(
        "pictures",
        f"pictures to show: {FILES_OR_FOLDERS} (default: held-out ones of the run's data)",
    )
    COMMAND.integer("count", 6, "held-out pictures to draw", lower_bound=1, upper_bound=MOST)
    flags.seed_flag(COMMAND, "seed of which pictures are drawn")
with COMMAND.section("Classes, by number or name"):
    COMMAND.string(
        "labels",
        None,
        "classes of held-out pictures, in turn, as in 0,3 (default: all, by lot); of --pictures "
        "one for all or one for each (default: guessed by the model's classifier)",
    )
    COMMAND.string(
        "to_labels", None, f"classes to show them as (default: the first {SHOWN_CLASSES})"
    )
with COMMAND.section("Results"):
    COMMAND.string(
        "output",
        None,
        "folder of transferred.png and transfer.json (default: RUN_DIR/transfer)",
    )


def parse_targets(text: str | None, class_names: tuple[str, ...]) -> list[int]:
    """Returns the labels that `--to_labels` names; without a text the first.

    Args:
        text: value of the flag.
        class_names: names of the classes by label.

    Raises:
        ValueError: for a class that the model does not have, or too many.

    Example:

    >>> parse_targets("rose,0", ("daisy", "rose"))
    [1, 0]
    """
    targets = parse_labels(text, class_names, "to_labels")
    if text is None:
        return targets[:SHOWN_CLASSES]
    if len(targets) > MOST:
        raise ValueError(f"--to_labels takes at most {MOST} classes. Received: {len(targets)}.")
    return targets


def main(values: "FlagValues") -> None:
    run_dir = flags.required_run_dir(values)

    from trainers.applications import attribute_transfer

    model = attribute_transfer.load_model(run_dir, values.find_codes)
    targets = parse_targets(values.to_labels, model.class_names)
    if values.pictures:
        taken = attribute_transfer.given_pictures(model, values.pictures, values.labels, MOST)
    else:
        classes = None
        if values.labels is not None:
            classes = parse_labels(values.labels, model.class_names)
        taken = attribute_transfer.held_out_pictures(
            run_dir, model, classes, values.count, values.seed
        )
    labels, rows = attribute_transfer.transfers(model, taken, targets)
    output = output_folder(values, "transfer", ["transferred.png"], taken.names)
    pictures.write_png(output / "transferred.png", pictures.grid(list(rows)))
    results = {
        "flags": COMMAND.settings(values),
        "model": type(model).__name__,
        "rows": list(taken.names),
        "labels": "guessed by its classifier" if taken.labels is None else "given",
        "classes": [model.class_names[label] for label in labels],
        "columns": ["original", "reconstruction", *(model.class_names[t] for t in targets)],
    }
    write_json(output / "transfer.json", results)
    print(f"Rows from top to bottom: {'; '.join(results['rows'])}")
    print(f"Their classes, {results['labels']}: {'; '.join(results['classes'])}")
    print(f"Columns from left to right: {'; '.join(results['columns'])}")
    print_written(output, ["transferred.png", "transfer.json"])


if __name__ == "__main__":
    COMMAND.run(main)

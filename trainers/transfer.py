"""Shows pictures as other classes, with the attributes they have: Section S8.1 of Bao et al. 2017.

Each row has a picture, its reconstruction, and what is decoded from the same code under each of
some classes: a row is one picture under many labels, a column many pictures under one.
"""

from typing import TYPE_CHECKING

import numpy as np

from trainers.command_line import flags
from trainers.command_line.command import Command
from trainers.command_line.flags import parse_labels
from trainers.command_line.output import output_folder, print_written
from trainers.pictures.encoding import encoding_flag, load_encoding
from trainers.pictures.given import FILES_OR_FOLDER, labels_of_pictures, read_pictures
from trainers.pictures.held_out import HeldOut
from trainers.pictures.named import Pictures

if TYPE_CHECKING:
    from absl.flags import FlagValues

    from keras_cvaegan.models import GenerativeModel

MOST = 100
SHOWN_CLASSES = 10

COMMAND = Command("trainers.transfer", __doc__)
flags.run_dir_flag(COMMAND)
with COMMAND.section("Run"):
    encoding_flag(COMMAND)
with COMMAND.section("Pictures"):
    COMMAND.repeated(
        "pictures", f"{FILES_OR_FOLDER} (default: held-out ones of the run's data, by lot)"
    )
    COMMAND.integer("count", 6, "held-out pictures", lower_bound=1, upper_bound=MOST)
    COMMAND.integer("seed", 0, "of which are drawn", lower_bound=0, upper_bound=2**32 - 1)
with COMMAND.section("Classes, by number or name"):
    COMMAND.string(
        "labels",
        None,
        "those of held-out pictures, in turn, as in 0,3 (default: all, by lot); of --pictures one "
        "for all or one for each (default: guessed by the model's classifier)",
    )
    COMMAND.string("to_labels", None, f"those to show them as (default: the first {SHOWN_CLASSES})")
with COMMAND.section("Results"):
    COMMAND.string(
        "output",
        None,
        "folder of transferred.png and transfer.json (default: RUN_DIR/transfer)",
    )


def parse_targets(text: str | None, class_names: tuple[str, ...]) -> list[int]:
    """Returns the labels that `--to_labels` names; without a text the first.

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


def open_pictures(values: "FlagValues", model: "GenerativeModel") -> Pictures:
    """Returns the pictures to show, with labels where they are known.

    Raises:
        ValueError: for pictures or labels that the model does not take.
    """
    if values.pictures:
        found = read_pictures(values.pictures, "pictures", model, MOST)
        labels = labels_of_pictures(values.labels, len(found), model.class_names)
        return Pictures(found.images, found.names, labels)
    held_out = HeldOut(values.run_dir)
    held_out.check_model(model)
    classes = None
    if values.labels is not None:
        classes = parse_labels(values.labels, held_out.class_names)
    return held_out.draw_in_turn(classes, values.count, values.seed)


def main(values: "FlagValues") -> None:
    run_dir = flags.required_run_dir(values)

    from keras_cvaegan import pictures
    from keras_cvaegan.applications import reconstruct, transfer
    from keras_cvaegan.applications.inputs import need_classes, own_labels
    from keras_cvaegan.training.run_directory import write_json

    model = load_encoding(run_dir, values)
    need_classes(model)
    targets = parse_targets(values.to_labels, model.class_names)
    taken = open_pictures(values, model)
    labels = own_labels(model, taken.images, taken.labels).argmax(axis=1)
    columns = [taken.images, pictures.to_uint8(reconstruct(model, taken.images, labels))]
    for target in targets:
        of_target = transfer(model, taken.images, np.full(len(taken), target), labels)
        columns.append(pictures.to_uint8(of_target))
    output = output_folder(values, "transfer", ["transferred.png"], taken.names)
    pictures.write_png(output / "transferred.png", pictures.grid(list(np.stack(columns, axis=1))))
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

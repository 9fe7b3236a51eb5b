"""Shows what each part of a trained model's code stands for, by varying it alone.

Fig. 4 and 5 of Zheng & Sun 2019: z_s at fixed z_u, z_u at fixed z_s, and single dimensions of z_u.
Of models with one code, z at a fixed label, and single dimensions of z.
"""

from typing import TYPE_CHECKING

import keras_cvaegan
from keras_cvaegan import pictures
from keras_cvaegan.training.run_directory import write_json
from trainers.command_line import flags
from trainers.command_line.command import Command
from trainers.command_line.flags import parse_labels
from trainers.command_line.output import output_folder, print_written

if TYPE_CHECKING:
    from absl.flags import FlagValues

MAX_CLASSES = 8
SHOWN_DIMENSIONS = 8

COMMAND = Command("trainers.walk", __doc__)
flags.run_dir_flag(COMMAND)
with COMMAND.section("Walk"):
    COMMAND.string(
        "labels",
        None,
        f"classes, a row each, by number or name, as in 0,3 (default: the first {MAX_CLASSES}). "
        "Single dimensions are varied of the first",
    )
    COMMAND.integer("steps", 9, "pictures a row", lower_bound=2)
    flags.seed_flag(COMMAND, "seed of the ends of the walk and of what is fixed")
with COMMAND.section("Single dimensions"):
    COMMAND.string(
        "dimensions",
        None,
        f"numbers from 0 of those to vary, as in 3,17 (default: the {SHOWN_DIMENSIONS} along which "
        "pictures change most, which is measured)",
    )
    COMMAND.number("reach", 2.0, "end of their walk, which goes from −X to X", lower_bound=1e-6)
with COMMAND.section("Results"):
    COMMAND.string("output", None, "folder of PNG files and walk.json (default: RUN_DIR/walk)")


def parse_dimensions(text: str, size: int) -> list[int]:
    """Returns the numbers that `--dimensions` lists, each once.

    Args:
        text: value of the flag.
        size: number of dimensions that there are.

    Raises:
        ValueError: for what is no dimension of the code.

    Example:

    >>> parse_dimensions("3, 0,3", size=4)
    [3, 0]
    """
    found = []
    for part in (part.strip() for part in text.split(",")):
        if not part.isdecimal() or int(part) >= size:
            raise ValueError(
                f"--dimensions takes numbers from 0 to {size - 1}. Received: {part!r}."
            )
        found.append(int(part))
    return list(dict.fromkeys(found))


def main(values: "FlagValues") -> None:
    run_dir = flags.required_run_dir(values)

    from trainers.applications import latent_walks

    model = keras_cvaegan.load(run_dir)
    labels = parse_labels(values.labels, model.class_names)
    labels = labels[:MAX_CLASSES] if values.labels is None else labels
    parts = latent_walks.code_parts(model)
    if values.dimensions is not None:
        dimensions, changes = parse_dimensions(values.dimensions, parts.size), None
    output = output_folder(values, "walk")
    if values.dimensions is None:
        changes = latent_walks.measure_dimensions(model, labels, parts, values.reach).tolist()
        dimensions = sorted(range(parts.size), key=lambda number: -changes[number])
        dimensions = dimensions[:SHOWN_DIMENSIONS]
        each = (f"{parts.symbol}[{number}] {changes[number]:.3f}" for number in dimensions)
        print(
            f"Root mean square change from −{values.reach:g} to {values.reach:g}, of a picture in "
            f"[−1, 1]: {', '.join(each)}"
        )
    names = [model.class_names[label] for label in labels]
    rows = dict.fromkeys(parts.files, names)
    rows["dimensions.png"] = [f"{parts.symbol}[{number}]" for number in dimensions]
    walks = latent_walks.walks(
        model,
        labels,
        parts,
        dimensions,
        reach=values.reach,
        steps=values.steps,
        seed=values.seed,
    )
    for name, images in walks.items():
        pictures.write_png(output / name, pictures.grid(list(pictures.to_uint8(images))))
        of = "" if name in parts.files else f" of {names[0]}"
        print(f"{name}{of}, rows from top to bottom: {'; '.join(rows[name])}")
    results = {
        "flags": COMMAND.settings(values),
        "model": type(model).__name__,
        "rows": rows,
        "class_of_dimensions": names[0],
        "changes": changes,
    }
    write_json(output / "walk.json", results)
    print_written(output, [*rows, "walk.json"])


if __name__ == "__main__":
    COMMAND.run(main)

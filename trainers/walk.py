"""Shows what each part of a trained model's code stands for, by varying it alone.

Fig. 4 and 5 of Zheng & Sun 2019: z_s at fixed z_u, z_u at fixed z_s, and single dimensions of z_u.
Of models with one code, z at a fixed label, and single dimensions of z.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trainers.command_line import flags
from trainers.command_line.command import Command
from trainers.command_line.flags import parse_labels
from trainers.command_line.output import output_folder, print_written

if TYPE_CHECKING:
    import numpy as np
    from absl.flags import FlagValues

    from keras_cvaegan.models import GenerativeModel

MAX_CLASSES = 8
SHOWN_DIMENSIONS = 8
MEASURED_LATENTS = 16

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
    COMMAND.integer(
        "seed",
        0,
        "of the ends of the walk and of what is fixed",
        lower_bound=0,
        upper_bound=2**32 - 1,
    )
with COMMAND.section("Single dimensions"):
    COMMAND.string(
        "dimensions",
        None,
        f"which, from 0, as in 3,17 (default: the {SHOWN_DIMENSIONS} along which pictures change "
        "most, which is measured)",
    )
    COMMAND.number("reach", 2.0, "they go from −X to X", lower_bound=1e-6)
with COMMAND.section("Results"):
    COMMAND.string("output", None, "folder of PNG files and walk.json (default: RUN_DIR/walk)")


def parse_dimensions(text: str, size: int) -> list[int]:
    """Returns the numbers that `--dimensions` lists, each once.

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


def measure_dimensions(
    model: "GenerativeModel", labels: Sequence[int], part: str, size: int, reach: float
) -> "np.ndarray":
    """Returns how much pictures change along each dimension: see `dimension_changes`."""
    import numpy as np

    from keras_cvaegan.applications import dimension_changes
    from keras_cvaegan.progress import Progress

    changes = []
    with Progress("Measuring dimensions:", size, "dimensions") as progress:
        for number in range(size):
            changes.append(
                dimension_changes(
                    model, labels, [number], part=part, reach=reach, count=MEASURED_LATENTS
                )
            )
            progress.update()
    return np.concatenate(changes)


def write_walk(path: Path, images: "np.ndarray", rows: Sequence[str], of: str = "") -> None:
    """Writes rows of pictures, and says which is which.

    Args:
        path: of the PNG file.
        images: float (rows, steps, height, width, channels) in [−1, 1].
        rows: what each shows.
        of: what all show.
    """
    from keras_cvaegan import pictures

    pictures.write_png(path, pictures.grid(list(pictures.to_uint8(images))))
    print(f"{path.name}{of}, rows from top to bottom: {'; '.join(rows)}")


def main(values: "FlagValues") -> None:
    run_dir = flags.required_run_dir(values)

    import keras_cvaegan
    from keras_cvaegan.applications import dimension_walk, latent_walk, part_of_code
    from keras_cvaegan.models import LRLIVAE
    from keras_cvaegan.training.run_directory import write_json

    model = keras_cvaegan.load(run_dir)
    labels = parse_labels(values.labels, model.class_names)
    labels = labels[:MAX_CLASSES] if values.labels is None else labels
    # Of each whole walk the file and the part of the code; the last part has single dimensions.
    walks, symbol = {"z.png": "all"}, "z"
    if isinstance(model, LRLIVAE):
        walks, symbol = {"relevant.png": "relevant", "irrelevant.png": "irrelevant"}, "z_u"
    part = list(walks.values())[-1]
    found = part_of_code(model, part)
    size = found.stop - found.start
    if values.dimensions is not None:
        dimensions, changes = parse_dimensions(values.dimensions, size), None
    output = output_folder(values, "walk")
    if values.dimensions is None:
        changes = measure_dimensions(model, labels, part, size, values.reach).tolist()
        dimensions = sorted(range(size), key=lambda number: -changes[number])[:SHOWN_DIMENSIONS]
        print(
            f"Root mean square change from −{values.reach:g} to {values.reach:g}, of a picture in "
            f"[−1, 1]: {', '.join(f'{symbol}[{n}] {changes[n]:.3f}' for n in dimensions)}"
        )
    common = {"steps": values.steps, "seed": values.seed}
    names = [model.class_names[label] for label in labels]
    for name, varied in walks.items():
        walk = latent_walk(model, labels, part=varied, **common)
        write_walk(output / name, walk.images, names)
    walk = dimension_walk(model, labels[0], dimensions, part=part, reach=values.reach, **common)
    rows = [f"{symbol}[{number}]" for number in dimensions]
    write_walk(output / "dimensions.png", walk.images, rows, of=f" of {names[0]}")
    results = {
        "flags": COMMAND.settings(values),
        "model": type(model).__name__,
        "rows": {**dict.fromkeys(walks, names), "dimensions.png": rows},
        "class_of_dimensions": names[0],
        "changes": changes,
    }
    write_json(output / "walk.json", results)
    print_written(output, [*results["rows"], "walk.json"])


if __name__ == "__main__":
    COMMAND.run(main)

"""Draws pictures of chosen categories with a trained model: PNG files and a grid of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from keras_cvaegan import pictures
from trainers import command_line

if TYPE_CHECKING:
    from absl.flags import FlagValues

COMMAND = command_line.Command("trainers.generate", __doc__)
command_line.run_dir_flag(COMMAND)
with COMMAND.section("Pictures"):
    COMMAND.string("labels", None, "classes, by number or name, as in 0,3 (default: all)")
    COMMAND.integer("count", 8, "pictures a class", lower_bound=1)
    COMMAND.integer("seed", 0, "another seed, other pictures", lower_bound=0, upper_bound=2**32 - 1)
    COMMAND.string("output", None, "folder to write (default: RUN_DIR/generated)")


def parse_labels(text: str | None, class_names: Sequence[str]) -> list[int]:
    """Returns the labels that `--labels` names.

    Raises:
        ValueError: for a class that the model does not have.

    Example:

    >>> parse_labels("1,rose", ("daisy", "tulip", "rose"))
    [1, 2]
    """
    if text is None:
        return list(range(len(class_names)))
    labels = []
    for part in (part.strip() for part in text.split(",")):
        if part in class_names:
            labels.append(class_names.index(part))
        elif part.isdecimal() and int(part) < len(class_names):
            labels.append(int(part))
        else:
            names = ", ".join(class_names[:20]) + (", …" if len(class_names) > 20 else "")
            raise ValueError(
                f"--labels takes numbers from 0 to {len(class_names) - 1}, or names: {names}. "
                f"Received: {part!r}."
            )
    return list(dict.fromkeys(labels))


def main(values: "FlagValues") -> None:
    run_dir = command_line.required_run_dir(values)

    import numpy as np

    import keras_cvaegan

    model = keras_cvaegan.load(run_dir)
    labels = parse_labels(values.labels, model.class_names)
    output = Path(values.output or Path(run_dir) / "generated").expanduser()
    # Picture k of a class depends on seed, k and class alone; columns of the grid share their z.
    z = np.tile(model.sample_latents(values.count, values.seed), (len(labels), 1))
    images = pictures.to_uint8(model.decode(z, np.repeat(labels, values.count)))
    rows = images.reshape(len(labels), values.count, *images.shape[1:])
    for label, row in zip(labels, rows, strict=True):
        # A folder a class, so that `--dataset=folder --data_dir=OUTPUT` reads them back.
        folder = output / model.class_names[label].replace("/", "_")
        folder.mkdir(parents=True, exist_ok=True)
        for number, image in enumerate(row):
            pictures.write_png(folder / f"seed_{values.seed}_{number:04d}.png", image)
    pictures.write_png(output / "grid.png", pictures.grid(images, columns=values.count))
    kinds = "1 class" if len(labels) == 1 else f"{len(labels)} classes"
    print(f"{len(images)} pictures of {kinds}: {output}\nGrid: {output / 'grid.png'}")


if __name__ == "__main__":
    COMMAND.run(main)

"""Draws pictures of chosen categories with a trained model: PNG files and a grid of them."""

from pathlib import Path
from typing import TYPE_CHECKING

import keras_cvaegan
from keras_cvaegan import pictures
from trainers.command_line import flags
from trainers.command_line.command import Command
from trainers.command_line.flags import parse_labels
from trainers.pictures.flags import generated_picture_flags
from trainers.pictures.generated import draw_rows, picture_seeds, write_pictures

if TYPE_CHECKING:
    from absl.flags import FlagValues

COMMAND = Command("trainers.generate", __doc__)
flags.run_dir_flag(COMMAND)
generated_picture_flags(COMMAND, output="RUN_DIR/generated")


def main(values: "FlagValues") -> None:
    run_dir = flags.required_run_dir(values)
    model = keras_cvaegan.load(run_dir)
    labels = parse_labels(values.labels, model.class_names)
    output = Path(values.output or Path(run_dir) / "generated").expanduser()
    z = model.sample_latents(values.count, picture_seeds(values.seed, values.count))
    rows = draw_rows(
        lambda z, labels: pictures.to_uint8(model.decode(z, labels)), z, labels, model.class_names
    )
    write_pictures(rows, output, values.seed)


if __name__ == "__main__":
    COMMAND.run(main)

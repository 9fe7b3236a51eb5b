"""Draws pictures of chosen categories with a trained model: PNG files and a grid of them."""

from pathlib import Path
from typing import TYPE_CHECKING

from keras_cvaegan import pictures
from trainers.command_line import flags
from trainers.command_line.command import Command
from trainers.command_line.flags import parse_labels
from trainers.pictures.drawn import draw_rows, picture_flags, picture_seeds, write_pictures

if TYPE_CHECKING:
    import numpy as np
    from absl.flags import FlagValues

COMMAND = Command("trainers.generate", __doc__)
flags.run_dir_flag(COMMAND)
picture_flags(COMMAND, output="RUN_DIR/generated")


def main(values: "FlagValues") -> None:
    run_dir = flags.required_run_dir(values)

    import keras_cvaegan

    model = keras_cvaegan.load(run_dir)
    labels = parse_labels(values.labels, model.class_names)
    output = Path(values.output or Path(run_dir) / "generated").expanduser()

    def decode(z: "np.ndarray", labels: "np.ndarray") -> "np.ndarray":
        return pictures.to_uint8(model.decode(z, labels))

    z = model.sample_latents(values.count, picture_seeds(values.seed, values.count))
    write_pictures(draw_rows(decode, z, labels, model.class_names), output, values.seed)


if __name__ == "__main__":
    COMMAND.run(main)

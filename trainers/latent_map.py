"""Maps where pictures lie in the latent space, and measures which of its dimensions are used.

Section S8 of Bao et al. 2017, Fig. S1: the codes of pictures, projected to two dimensions by
principal components. Of LR/LI-VAE the code is z_u.
"""

import shlex
from typing import TYPE_CHECKING

import datasets
from keras_cvaegan.training.run_directory import write_json
from trainers.command_line import flags
from trainers.command_line.command import Command
from trainers.command_line.output import output_folder, print_written
from trainers.pictures.flags import find_codes_flag

if TYPE_CHECKING:
    from absl.flags import FlagValues

COMMAND = Command("trainers.latent_map", __doc__)
flags.run_dir_flag(COMMAND)
with COMMAND.section("Run"):
    find_codes_flag(COMMAND)
with COMMAND.section("Pictures"):
    COMMAND.enum("split", "train", datasets.SPLITS, "part of the run's data")
    COMMAND.integer("max_images", 10_000, "most pictures to use, drawn by lot", lower_bound=2)
with COMMAND.section("Map"):
    COMMAND.integer("columns", 24, "pictures from left to right", lower_bound=1, upper_bound=200)
with COMMAND.section("Results"):
    COMMAND.string(
        "output",
        None,
        "folder of latent_map.png, dimensions.png, latent_map.json and projector/ for TensorBoard "
        "(default: RUN_DIR/latent_map)",
    )


def main(values: "FlagValues") -> None:
    run_dir = flags.required_run_dir(values)

    from trainers.applications import encoding, latent_map

    model = encoding.load_encoding_model(run_dir, values.find_codes)
    encoded = latent_map.encode(model, run_dir, values.split, values.max_images)
    cells = encoded.cells(values.columns)
    output = output_folder(values, "latent_map")
    written = latent_map.write(encoded, cells, output)
    results = {
        "flags": COMMAND.settings(values),
        "model": type(model).__name__,
        **latent_map.describe(encoded),
    }
    write_json(output / "latent_map.json", results)
    print(latent_map.summary(encoded))
    across, upwards = encoded.latent_map.shares[:2]
    print(
        f"latent_map.png shows {int((cells >= 0).sum())} of {len(encoded):,} pictures of "
        f"{values.split}, each where its {encoded.symbol} lies: {across:.0%} of the variance is "
        f"from left to right, {upwards:.0%} from bottom to top."
    )
    print_written(output, [*written, "latent_map.json"])
    folder = shlex.quote(str(output / "projector"))
    print(f"TensorBoard: tensorboard --logdir={folder}, then open http://localhost:6006/#projector")


if __name__ == "__main__":
    COMMAND.run(main)

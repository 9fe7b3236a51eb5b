"""Writes a trained model as the next version of a SavedModel, for TensorFlow Serving."""

from pathlib import Path
from typing import TYPE_CHECKING

import keras_cvaegan
from keras_cvaegan.training.run_directory import RunDirectory
from trainers.command_line import flags
from trainers.command_line.command import Command

if TYPE_CHECKING:
    from absl.flags import FlagValues

NETWORKS = ("generator", "encoder", "classifier")

COMMAND = Command("trainers.export", __doc__)
flags.run_dir_flag(COMMAND)
with COMMAND.section("SavedModel"):
    COMMAND.string("output", None, "folder of the versions 1, 2, … (default: RUN_DIR/export)")
    COMMAND.string(
        "networks",
        None,
        f"networks that it holds, of {', '.join(NETWORKS)}; signatures that need another are left "
        "out. --networks=generator is the smallest (default: all that the model has)",
    )


def main(values: "FlagValues") -> None:
    run_dir = flags.required_run_dir(values)
    networks = None
    if values.networks is not None:
        networks = flags.choices(values.networks, "networks", NETWORKS)

    from keras_cvaegan.export import export_saved_model

    run = RunDirectory(run_dir)
    model = keras_cvaegan.load(run.path)
    # A folder may hold a model that was trained in Python, and no configuration.
    extra = {"config": run.read_config()["config"]} if run.config.exists() else {}
    output = Path(values.output).expanduser() if values.output else run.export
    version = export_saved_model(model, output, extra_config=extra, networks=networks)
    print(f"SavedModel: {version}")


if __name__ == "__main__":
    COMMAND.run(main)

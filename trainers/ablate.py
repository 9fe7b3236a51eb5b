"""Trains CVAE-GAN without each of the three terms of L_G, and measures its reconstructions.

Supplement S7 of the paper (Bao et al. 2017, Eq. 9, Fig. S8). It claims that the pixels keep
detail, the features of the discriminator make sharp, and those of the classifier keep the class.
Started again, it goes on where it stopped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainers.command_line import flags
from trainers.command_line.command import INTERRUPTED, TRAINING_ENVIRONMENT, Command
from trainers.command_line.output import print_written
from trainers.command_line.training_flags import TRAINING

if TYPE_CHECKING:
    from absl.flags import FlagValues

COMMAND = Command("trainers.ablate", __doc__, TRAINING_ENVIRONMENT)
flags.data_flags(COMMAND)
with COMMAND.section("Model"):
    COMMAND.adopt(TRAINING, "preset", "latent_dim", "set")
with COMMAND.section("Training, of each of the four"):
    COMMAND.integer("seeds", 1, "trainings of each", lower_bound=1)
    COMMAND.adopt(TRAINING, *("steps", "batch_size", "dtype_policy", "jit_compile"))
    COMMAND.adopt(TRAINING, *("horizontal_flip", "log_every", "checkpoint_every"))
with COMMAND.section("Measures"):
    flags.judge_flag(COMMAND)
    COMMAND.integer("max_test_images", 10_000, "most held-out pictures to use", lower_bound=1)
with COMMAND.section("Results"):
    COMMAND.string(
        "output",
        "runs/ablate",
        "folder of ablate.json, table.md, reconstructions.png and all runs",
    )


def main(values: FlagValues) -> int:
    from trainers.sweeps import ablation

    sweep = ablation.open_sweep(values, COMMAND.command)
    if not sweep.train():
        return INTERRUPTED
    found = ablation.ablate(sweep, values.max_test_images)
    text = found.write(sweep.output.path, COMMAND.settings(values))
    print(f"\n{text}\n")
    print_written(sweep.output.path, ["ablate.json", "table.md", "reconstructions.png"])
    return 1 if found.results["failed"] else 0


if __name__ == "__main__":
    COMMAND.run(main)

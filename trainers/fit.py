"""Trains a generator of the categories of a data set; without flags, of drawn flowers.

Started again on the same --run_dir, it goes on where it stopped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainers.command_line import flags, training_flags
from trainers.command_line.command import TRAINING_ENVIRONMENT, Command
from trainers.command_line.training_flags import TRAINING

if TYPE_CHECKING:
    from absl.flags import FlagValues

COMMAND = Command("trainers.fit", __doc__, TRAINING_ENVIRONMENT)
flags.data_flags(COMMAND)
with COMMAND.section("Labels"):
    COMMAND.adopt(TRAINING, *training_flags.LABELS)
with COMMAND.section("Model"):
    COMMAND.adopt(TRAINING, *training_flags.MODEL)
with COMMAND.section("Training"):
    COMMAND.adopt(TRAINING, *training_flags.LEARNING)
with COMMAND.section("Run"):
    COMMAND.string("run_dir", None, "folder of the results (default: runs/DATASET_MODEL)")
    COMMAND.adopt(TRAINING, *training_flags.INTERVALS, "export")
    COMMAND.boolean("dry_run", False, "print configuration and networks; train and write nothing")


def main(values: FlagValues) -> int:
    from trainers.runs import training

    return training.fit(values, COMMAND.command)


if __name__ == "__main__":
    COMMAND.run(main)

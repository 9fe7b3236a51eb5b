"""Measures what applications keep and change of pictures, by the known attributes of `petals`.

A network learns to read attributes from real pictures. It then tells what is left of a picture's
attributes when it is shown as another class (Bao et al. 2017, Section S8.1), and whether they
change in order from one picture to another (Section 5.3). Pictures with near codes (Section S8.2)
are compared by their true attributes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainers.command_line import flags
from trainers.command_line.command import Command
from trainers.command_line.output import print_written

if TYPE_CHECKING:
    from absl.flags import FlagValues

COMMAND = Command("trainers.attribute_study", __doc__)
flags.run_dir_flag(COMMAND)
with COMMAND.section("Pictures"):
    COMMAND.integer("count", 500, "held-out pictures to transfer and to search by", lower_bound=2)
    COMMAND.integer(
        "searched", 10_000, "most training pictures to search, drawn by lot", lower_bound=1
    )
    COMMAND.integer("k", 5, "pictures to find for each", lower_bound=1)
    COMMAND.integer("pairs", 500, "pairs of held-out pictures of a class to morph", lower_bound=1)
    COMMAND.integer("steps", 9, "pictures from end to end", lower_bound=3, upper_bound=100)
    flags.seed_flag(COMMAND, "seed of which pictures are drawn, and shown as which class")
with COMMAND.section("Reader of attributes"):
    COMMAND.integer(
        "reader_epochs",
        30,
        "passes over the training pictures; it is trained once and stays in the run",
        lower_bound=1,
    )


def main(values: FlagValues) -> None:
    run_dir = flags.required_run_dir(values)

    from trainers.attributes.study import Settings, study

    found = study(run_dir, flags.to_dataclass(values, Settings))
    path = found.write(COMMAND.settings(values))
    print(found.text())
    print_written(path.parent, [path.name])


if __name__ == "__main__":
    COMMAND.run(main)

"""Measures what the codes of trained models know: the class, and on `petals` each attribute.

Fresh networks read them from the codes of training pictures, and are judged on held-out ones. Of
LR/LI-VAE, z_s should know the class, and z_u what the label does not decide, but not the class.
"""

import shlex
from typing import TYPE_CHECKING

from trainers.command_line.command import Command
from trainers.command_line.flags import seed_flag

if TYPE_CHECKING:
    from absl.flags import FlagValues

COMMAND = Command("trainers.codes", __doc__)
with COMMAND.section("Runs"):
    COMMAND.repeated(
        "run_dir",
        "folder of a run of trainers.fit (required); given again, as for other seeds of one model, "
        "the table shows mean and deviation",
    )
with COMMAND.section("Measures"):
    COMMAND.integer(
        "max_images", 10_000, "most pictures to use, of each of training and test", lower_bound=2
    )
    seed_flag(COMMAND, "seed of the draws and of the networks that read")


def main(values: "FlagValues") -> None:
    if not values.run_dir:
        raise ValueError("--run_dir is missing: the folder of a run of trainers.fit.")

    from trainers.applications import code_contents

    runs = code_contents.measure_runs(values.run_dir, values.max_images, values.seed)
    print(f"\n{code_contents.table([run.figures for run in runs], runs[-1].chance)}\n")
    for share in sorted({run.labelled_share for run in runs} - {1.0}):
        print(f"A run knew {share:.3g} of the labels; the fresh networks learn from all of them.")
    print(f"Written to {', '.join(shlex.quote(str(run.path)) for run in runs)}")


if __name__ == "__main__":
    COMMAND.run(main)

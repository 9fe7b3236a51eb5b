"""Tells whether a trained model draws new pictures or copies those it was trained on.

Section S9 of Bao et al. 2017: samples beside the training pictures that are nearest to them in
pixels; and the same of held-out pictures, which no model has seen, for scale.
"""

from typing import TYPE_CHECKING

import keras_cvaegan
from keras_cvaegan.training.run_directory import write_json
from trainers.command_line import flags
from trainers.command_line.command import Command
from trainers.command_line.output import output_folder, print_written

if TYPE_CHECKING:
    from absl.flags import FlagValues

COMMAND = Command("trainers.novelty", __doc__)
flags.run_dir_flag(COMMAND)
with COMMAND.section("Pictures"):
    COMMAND.integer("samples", 1_000, "pictures to generate, of all classes in turn", lower_bound=1)
    flags.seed_flag(COMMAND, "seed of the generated pictures")
    COMMAND.integer(
        "held_out", 1_000, "most held-out pictures to compare with, drawn by lot", lower_bound=1
    )
with COMMAND.section("Judgement"):
    COMMAND.number(
        "level",
        0.01,
        "share of new pictures that may be taken for copies",
        lower_bound=1e-6,
        upper_bound=0.5,
    )
with COMMAND.section("Results"):
    COMMAND.integer("shown", 8, "pictures of each PNG file", lower_bound=1, upper_bound=100)
    COMMAND.string(
        "output", None, "folder of PNG files and novelty.json (default: RUN_DIR/novelty)"
    )


def main(values: "FlagValues") -> None:
    run_dir = flags.required_run_dir(values)

    from trainers.applications import novelty, novelty_report

    model = keras_cvaegan.load(run_dir)
    study = novelty.compare(
        model,
        run_dir,
        samples=values.samples,
        held_out=values.held_out,
        seed=values.seed,
        level=values.level,
    )
    output = output_folder(values, "novelty")
    grids = novelty_report.write_pictures(study, output, values.shown, values.seed)
    results = {
        "flags": COMMAND.settings(values),
        "model": type(model).__name__,
        **novelty.describe(study),
        "sheets": grids,
    }
    write_json(output / "novelty.json", results)
    print(f"\n{novelty_report.table(results['figures'])}\n")
    print(novelty_report.notes(study))
    print(novelty_report.verdict(study.copies))
    for name, about in grids.items():
        print(f"{name}: {about['caption']}, each with the training pictures nearest to it")
    print_written(output, [*grids, "distances.png", "novelty.json"])


if __name__ == "__main__":
    COMMAND.run(main)

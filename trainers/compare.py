"""Trains several models alike, and measures them side by side: tables and samples of the papers.

Table 1 and Fig. 5 of Bao et al. 2017, and, with --models=cvae,cgan,cvae_gan,lr_li_vae_gan, Tables 1
and 2 of Zheng & Sun 2019, whose Inception score is the column of realism. All have the same data,
images an update, steps and seeds, networks of one preset, and one judge. Learning rates, and how
many batches a step takes, are each model's own: they stand under the table. Started again, it goes
on where it stopped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from keras_cvaegan.names import MODEL_NAMES
from trainers.command_line import flags
from trainers.command_line.command import INTERRUPTED, TRAINING_ENVIRONMENT, Command
from trainers.command_line.output import print_written
from trainers.command_line.training_flags import TRAINING

if TYPE_CHECKING:
    from absl.flags import FlagValues

PAPER = ("cvae", "cgan", "fm_cgan", "cvae_gan")

COMMAND = Command("trainers.compare", __doc__, TRAINING_ENVIRONMENT)
flags.data_flags(COMMAND)
with COMMAND.section("Models"):
    COMMAND.string("models", ",".join(PAPER), f"models to compare, of {', '.join(MODEL_NAMES)}")
    COMMAND.integer("seeds", 3, "trainings of each model", lower_bound=1)
    COMMAND.adopt(TRAINING, "preset", "latent_dim")
    COMMAND.repeated(
        "set",
        "hyper-parameters as in trainers.fit, for the models that have it: --set=kl_weight=1; or "
        "for one: --set=cvae_gan.kl_weight=1",
    )
with COMMAND.section("Training, of each"):
    COMMAND.adopt(TRAINING, *("steps", "batch_size", "dtype_policy", "jit_compile"))
    COMMAND.adopt(TRAINING, *("horizontal_flip", "log_every", "checkpoint_every"))
with COMMAND.section("Measures"):
    COMMAND.integer("samples_per_class", 100, "generated pictures a class", lower_bound=1)
    COMMAND.integer("max_test_images", 10_000, "most held-out pictures to use", lower_bound=1)
    flags.judge_flag(COMMAND)
    COMMAND.string("labels", "0", "classes of the pictures that are shown, by number or name")
with COMMAND.section("Results"):
    COMMAND.string(
        "output", "runs/compare", "folder of compare.json, table.md, samples.png and all runs"
    )


def main(values: FlagValues) -> int:
    models = flags.choices(values.models, "models", MODEL_NAMES)

    from trainers.sweeps import comparison

    sweep = comparison.open_sweep(values, models, COMMAND.command)
    labels = flags.parse_labels(values.labels, sweep.data.class_names)
    if not sweep.train():
        return INTERRUPTED
    found = comparison.compare(sweep, labels, values.samples_per_class, values.max_test_images)
    text = found.write(sweep.output.path, COMMAND.settings(values))
    print(f"\n{text}\n")
    print_written(sweep.output.path, ["compare.json", "table.md", "samples.png"])
    return 1 if found.results["failed"] else 0


if __name__ == "__main__":
    COMMAND.run(main)

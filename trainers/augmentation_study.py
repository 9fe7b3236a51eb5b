"""Measures whether generated pictures help a recognition network: Table 2 of Bao et al. 2017.

One network is trained on a few real pictures of each class, on them and generated ones of the same
classes, and on them and generated ones of new classes, mixes of three; standard augmentation and as
many updates for each. Where little is said of the generator, each is trained on the same few
pictures. Started again, it goes on where it stopped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainers.augmentation.settings import ALL, ARMS
from trainers.command_line import flags
from trainers.command_line.command import INTERRUPTED, TRAINING_ENVIRONMENT, Command
from trainers.command_line.output import print_written
from trainers.command_line.training_flags import TRAINING

if TYPE_CHECKING:
    from absl.flags import FlagValues

COMMAND = Command("trainers.augmentation_study", __doc__, TRAINING_ENVIRONMENT)
flags.data_flags(COMMAND)
with COMMAND.section("Trainings"):
    COMMAND.string(
        "images_per_class",
        f"5,10,20,{ALL}",
        "real training pictures a class, drawn by lot; all: as many as there are",
    )
    COMMAND.integer("seeds", 3, "trainings of each kind", lower_bound=1)
    COMMAND.string(
        "arms",
        "none,existing,new",
        "\n".join(["arms to compare, of", *(f"{name}: {doc}" for name, doc in ARMS.items())]),
    )
    COMMAND.integer(
        "updates", 2_000, "updates of the recognition network, in every arm", lower_bound=1
    )
    COMMAND.integer(
        "recognition_batch_size", 64, "pictures an update of the recognition network", lower_bound=1
    )
with COMMAND.section("Generated pictures"):
    COMMAND.integer("per_class", 200, "pictures of each existing class", lower_bound=1)
    COMMAND.integer("new_classes", 100, "new classes, each a mix of three", lower_bound=1)
    COMMAND.integer("new_per_class", 100, "pictures of each new class", lower_bound=1)
    COMMAND.enum(
        "mix_weights",
        "equal",
        ("equal", "random"),
        "parts of the three classes in a new one, as in trainers.augment",
    )
    COMMAND.number(
        "min_confidence",
        None,
        "probability by the model's own classifier below which a picture is rejected, as in "
        "trainers.augment (default: all are taken)",
        lower_bound=1e-6,
        upper_bound=1.0,
    )
with COMMAND.section("Generator"):
    COMMAND.repeated(
        "run_dir",
        "run of trainers.fit on the same data to take, for all numbers of pictures, or for one, "
        "as in --run_dir=5=runs/five; a generator that saw more pictures than the recognition "
        "network is a favour to augmentation, and the results say so (default: for each number "
        "and seed, one is trained on the same pictures as the recognition network and no others)",
    )
    COMMAND.boolean(
        "one_generator",
        False,
        "take one choice of pictures and one generator for all seeds, in a share of the time; "
        "what differs from seed to seed is then the recognition network's chance alone",
    )
    COMMAND.adopt(TRAINING, *("model", "preset", "latent_dim", "set", "steps", "batch_size"))
    COMMAND.adopt(TRAINING, *("learning_rate", "dtype_policy", "jit_compile"))
    COMMAND.adopt(TRAINING, *("horizontal_flip", "log_every", "checkpoint_every"))
with COMMAND.section("Measures"):
    COMMAND.string(
        "verification",
        None,
        "folder of Labeled Faces in the Wild with its pairs.txt: tell pairs of pictures of one "
        "person from others by the cosine similarity of features, the threshold chosen on nine "
        "folds for the tenth; pairs of people who are classes of the training are left out",
    )
with COMMAND.section("Results"):
    COMMAND.string(
        "output", "runs/augmentation", "folder of study.json, table.md and the generators' runs"
    )


def main(values: FlagValues) -> int:
    from trainers.augmentation.study import open_study

    study = open_study(values, COMMAND.settings(values), COMMAND.command)
    for note in study.notes:
        print(f"Note: {note}.")
    if not study.run():
        print(f"To go on with the whole:\n  {COMMAND.command}")
        return INTERRUPTED
    text = study.write()
    print(f"\n{text}\n")
    print_written(study.output.path, ["study.json", "table.md"])
    return 0


if __name__ == "__main__":
    COMMAND.run(main)

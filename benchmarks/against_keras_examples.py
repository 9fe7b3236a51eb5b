"""Trains what a Keras user would pick instead, for as many minutes, and measures all alike.

The contenders are CVAE-GAN with the presets photo and compact, and two examples of keras.io with
labels added: "Denoising Diffusion Implicit Models" and "Data-efficient GANs with Adaptive
Discriminator Augmentation". All see the same pictures, in batches of one size and in the same
order, on the same cores, one contender at a time; samples are drawn whenever a milestone is
reached, which the clock leaves out, and judged by a network that no training saw. Started again, it
goes on where it was at most ten minutes before, and with later --minutes from the last ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainers.command_line import flags
from trainers.command_line.command import Command

if TYPE_CHECKING:
    from absl.flags import FlagValues

IMAGE_SIZE = 64
DTYPE_POLICIES = ("float32", "mixed_bfloat16")
CONTENDERS = ("photo", "compact", "diffusion", "adaptive_gan")

COMMAND = Command("benchmarks.against_keras_examples", __doc__)
flags.data_flags(COMMAND)
with COMMAND.section("Contenders"):
    COMMAND.string("contenders", ",".join(CONTENDERS), "what to train, of the names above")
    COMMAND.string("minutes", "30,60", "milestones in minutes of training, of each")
    COMMAND.enum("dtype_policy", "float32", DTYPE_POLICIES, "what all compute in")
    COMMAND.integer("batch_size", 64, "pictures an update", lower_bound=2)
    COMMAND.boolean("horizontal_flip", True, "mirror each training picture with probability ½")
    flags.seed_flag(COMMAND, "seed of weights, order of data and samples")
with COMMAND.section("Measures"):
    COMMAND.integer("samples_per_class", 20, "generated pictures a class", lower_bound=1)
    COMMAND.integer("max_test_images", 10_000, "most held-out pictures to use", lower_bound=1)
    flags.judge_flag(COMMAND)
with COMMAND.section("Results"):
    COMMAND.string(
        "output",
        "runs/benchmarks/against_keras_examples",
        "folder of table.md, results.json and samples",
    )


def main(values: FlagValues) -> None:
    names = flags.choices(values.contenders, "contenders", CONTENDERS)
    minutes = sorted(flags.integers(values.minutes, "minutes"))
    image_size = values.image_size or IMAGE_SIZE

    from benchmarks.keras_examples import contest

    found = contest.Contest(
        values.output,
        contest.open_data(values, image_size),
        image_size=image_size,
        batch_size=values.batch_size,
        horizontal_flip=values.horizontal_flip,
        seed=values.seed,
        samples_per_class=values.samples_per_class,
        dtype_policy=values.dtype_policy,
    )
    for name in names:
        found.train(name, minutes)
    text = found.measure(names, minutes, values.judge, values.max_test_images)
    print(f"\n{text}\n\nWritten to {values.output}")


if __name__ == "__main__":
    COMMAND.run(main)

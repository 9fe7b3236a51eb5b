"""Trains LR/LI-VAE-GAN and CVAE-GAN on three half circles, one a class.

The toy example of Zheng & Sun 2019, Section 4.1, Fig. 2 and B.1: networks of 32, 64 and 64 hidden
units, Adam with one learning rate for all, 50 epochs. The label decides the place along x, not
along y. The paper finds that CVAE-GAN keeps within a limited range along y and LR/LI-VAE-GAN does
not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainers.command_line import flags
from trainers.command_line.command import TRAINING_ENVIRONMENT, Command
from trainers.points.half_circles import HalfCircles
from trainers.points.settings import HALF_CIRCLES_METHODS, HalfCirclesSettings

if TYPE_CHECKING:
    from absl.flags import FlagValues

COMMAND = Command("trainers.half_circles", __doc__, TRAINING_ENVIRONMENT)
with COMMAND.section("Half circles"):
    COMMAND.integer("points", 3000, "points to learn from, of all classes together", lower_bound=1)
    COMMAND.number("interval", 2.2, "distance from one half circle, of radius 1, to the next")
    COMMAND.number("noise", 0.15, "standard deviation of both coordinates around it")
with COMMAND.section("Codes"):
    COMMAND.integer("latent_dim", 2, "dimensions of z of cvae_gan", lower_bound=1)
    COMMAND.integer("relevant_dim", 2, "dimensions of z_s of lr_li_vae_gan", lower_bound=1)
    COMMAND.integer("irrelevant_dim", 2, "dimensions of z_u of lr_li_vae_gan", lower_bound=1)
with COMMAND.section("Training"):
    COMMAND.string(
        "methods",
        ",".join(HALF_CIRCLES_METHODS),
        f"methods to train, of {', '.join(HALF_CIRCLES_METHODS)}",
    )
    COMMAND.integer("seeds", 5, "trainings of each method", lower_bound=1)
    COMMAND.integer(
        "epochs",
        50,
        "epochs, of as many updates of the generator as --points holds batches; lr_li_vae_gan "
        "takes three further batches an update, for the Gaussians of the classes",
        lower_bound=1,
    )
    COMMAND.integer("batch_size", 64, "points an update", lower_bound=1)
    COMMAND.number(
        "learning_rate",
        5e-4,
        "learning rate of Adam, all along; its β₁ and β₂ are those of each method's paper: 0.5 and "
        "0.999 of cvae_gan, 0 and 0.9 of lr_li_vae_gan",
        lower_bound=0,
    )
    COMMAND.boolean("jit_compile", False, "compile the step with XLA: pays off in long trainings")
with COMMAND.section("Results"):
    COMMAND.integer("record_every", 1, "epochs a measurement", lower_bound=1)
    COMMAND.string(
        "output", "runs/half_circles", "folder of half_circles.json and half_circles.png"
    )


def main(values: FlagValues) -> int:
    methods = flags.choices(values.methods, "methods", HALF_CIRCLES_METHODS)
    settings = flags.to_dataclass(values, HalfCirclesSettings)
    circles = HalfCircles(interval=values.interval, noise=values.noise)

    from trainers.points.half_circles_experiment import experiment

    compared = experiment(circles, settings, methods, values.seeds)
    return compared.run(values.output, COMMAND.settings(values))


if __name__ == "__main__":
    COMMAND.run(main)

"""Trains GAN, WGAN and mean matching on a ring of points far from where they begin.

The toy example of Bao et al. 2017, Section 4: networks of 32, 64 and 64 hidden units, RMSprop with
one learning rate for all, 2,000,000 iterations. The paper finds that mean matching is the first to
learn the ring. The defaults see a first part of them, in minutes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainers.command_line import flags
from trainers.command_line.command import TRAINING_ENVIRONMENT, Command
from trainers.points.ring import Ring
from trainers.points.settings import RING_METHODS, RingSettings

if TYPE_CHECKING:
    from absl.flags import FlagValues

COMMAND = Command("trainers.toy", __doc__, TRAINING_ENVIRONMENT)
with COMMAND.section("Ring"):
    COMMAND.number("radius", 20.0, "radius of the ring around (100, 100)")
    COMMAND.number("width", 10.0, "width of its band")
with COMMAND.section("Training"):
    COMMAND.string(
        "methods", ",".join(RING_METHODS), f"methods to train, of {', '.join(RING_METHODS)}"
    )
    COMMAND.integer("seeds", 5, "trainings of each method", lower_bound=1)
    COMMAND.integer(
        "steps",
        60_000,
        "iterations: an update of the generator each, and with wgan --critic_steps updates of the "
        "critic before it",
        lower_bound=1,
    )
    COMMAND.integer("batch_size", 64, "points an update", lower_bound=1)
    COMMAND.number("learning_rate", 5e-5, "learning rate of RMSprop", lower_bound=0)
    COMMAND.number("rho", 0.99, "decay of RMSprop's mean square", lower_bound=0, upper_bound=1)
    COMMAND.number(
        "epsilon",
        1e-16,
        "number that RMSprop adds to its mean square; rho and epsilon are those of Torch, which "
        "the paper uses (Keras' own are 0.9 and 1e-7)",
        lower_bound=0,
    )
    COMMAND.integer(
        "critic_steps", 5, "updates of wgan's critic before each of its generator", lower_bound=1
    )
    COMMAND.number("clip_value", 0.01, "bound c of wgan: the critic's weights stay in [−c, c]")
    COMMAND.boolean("jit_compile", True, "compile the step with XLA: pays off in long trainings")
with COMMAND.section("Results"):
    COMMAND.integer("record_every", 1000, "steps a measurement", lower_bound=1)
    COMMAND.string("output", "runs/toy", "folder of toy.json and toy.png")


def main(values: FlagValues) -> int:
    methods = flags.choices(values.methods, "methods", RING_METHODS)
    settings = flags.to_dataclass(values, RingSettings)
    ring = Ring(radius=values.radius, width=values.width)

    from trainers.points.ring_experiment import experiment

    compared = experiment(ring, settings, methods, values.seeds)
    return compared.run(values.output, COMMAND.settings(values))


if __name__ == "__main__":
    COMMAND.run(main)

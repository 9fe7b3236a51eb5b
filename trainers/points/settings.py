"""What the toy examples train, and how.

Nothing here imports TensorFlow, so that the programs' flags can speak of it.
"""

from __future__ import annotations

import dataclasses
import math

from trainers.points.schedule import Schedule

RING_METHODS = {"gan": "GAN", "wgan": "WGAN", "fm_gan": "mean matching"}
"""Titles of the methods that learn the ring, by name."""
HALF_CIRCLES_METHODS = {"cvae_gan": "CVAE-GAN", "lr_li_vae_gan": "LR/LI-VAE-GAN"}
"""Titles of the methods that learn the half circles, by name."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class RingSettings:
    """How a method learns the ring.

    Args:
        steps: number of iterations.
        record_every: iterations a measurement.
        batch_size: points an update.
        learning_rate: learning rate of RMSprop.
        rho: decay of RMSprop's mean square.
        epsilon: number that RMSprop adds to its mean square.
        critic_steps: updates of wgan's critic before each of its generator.
        clip_value: bound of the weights of wgan's critic, above 0.
        jit_compile: whether XLA compiles the step.

    Raises:
        ValueError: for a `clip_value` that is not above 0.
    """

    steps: int
    record_every: int
    batch_size: int
    learning_rate: float
    rho: float
    epsilon: float
    critic_steps: int
    clip_value: float
    jit_compile: bool

    def __post_init__(self) -> None:
        if not 0 < self.clip_value < math.inf:
            raise ValueError(f"--clip_value must be above 0. Received: {self.clip_value}.")

    @property
    def schedule(self) -> Schedule:
        """How long a training is.

        Raises:
            ValueError: for steps that are not a whole number of measurements.
        """
        return Schedule(self.steps, self.record_every)


@dataclasses.dataclass(frozen=True, kw_only=True)
class HalfCirclesSettings:
    """How a method learns the half circles.

    Args:
        points: number of points to learn from, of all classes together.
        latent_dim: dimensions of z of cvae_gan.
        relevant_dim: dimensions of z_s of lr_li_vae_gan.
        irrelevant_dim: dimensions of z_u of lr_li_vae_gan.
        epochs: number of epochs, of as many updates of the generator as `points` holds batches.
        record_every: epochs a measurement.
        batch_size: points an update.
        learning_rate: learning rate of Adam.
        jit_compile: whether XLA compiles the step.
    """

    points: int
    latent_dim: int
    relevant_dim: int
    irrelevant_dim: int
    epochs: int
    record_every: int
    batch_size: int
    learning_rate: float
    jit_compile: bool

    @property
    def schedule(self) -> Schedule:
        """How long a training is.

        Raises:
            ValueError: for epochs that are not a whole number of measurements.
        """
        batches_of_set = -(-self.points // self.batch_size)
        return Schedule(self.epochs, self.record_every, "epoch", batches_of_set)

"""Presets: an architecture with the hyper-parameters it trains well with."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from types import MappingProxyType
from typing import Any

import keras

from keras_cvaegan.networks import (
    alexnet,
    compact,
    dcgan,
    googlenet,
    latent,
    upsampling_generator,
)

Networks = dict[str, keras.Model]


@dataclasses.dataclass(frozen=True)
class Preset:
    """An architecture and its hyper-parameters; what a user may want to change lives here.

    Args:
        name: as on the command line.
        doc: one line for the programs' help.
        builders: a function of (image_shape, num_classes, latent_dim) for each of the networks
            "encoder", "generator", "discriminator" and "classifier", and, where the preset has
            them, for those of LR/LI-VAE.
        image_size: default side in pixels.
        latent_dim: dimensions of z.
        batch_size: images an update.
        steps: default length of a training.
        learning_rates: of Adam, by network.
        beta_1: of Adam.
        average_decay: of the moving average of the generator's weights.
        objective: keyword arguments of the models, of which each takes those that it has:
            weights, feature layers, decays.
    """

    name: str
    doc: str
    builders: MappingProxyType[str, Callable[[tuple[int, int, int], int, int], keras.Model]]
    image_size: int
    latent_dim: int
    batch_size: int
    steps: int
    learning_rates: MappingProxyType[str, float]
    beta_1: float
    average_decay: float | None
    objective: MappingProxyType[str, Any]

    def networks(
        self,
        image_shape: tuple[int, int, int],
        num_classes: int,
        latent_dim: int | None = None,
        names: Iterable[str] | None = None,
    ) -> Networks:
        """Builds the preset's networks, by name.

        Args:
            image_shape: `(height, width, channels)`.
            num_classes: at least 1.
            latent_dim: dimensions of z; the preset's by default.
            names: of the networks to build; all by default.

        Raises:
            ValueError: for a shape that the architecture cannot take.
        """
        shape, latent_dim = tuple(image_shape), latent_dim or self.latent_dim
        names = list(self.builders if names is None else names)
        for name in names:
            if name not in self.builders:
                raise ValueError(
                    f"The preset {self.name!r} has no {name}. It has {', '.join(self.builders)}."
                )
        return {name: self.builders[name](shape, num_classes, latent_dim) for name in names}


_COMPACT = {
    "encoder": lambda shape, num_classes, latent_dim: compact.compact_encoder(
        shape, num_classes=num_classes, latent_dim=latent_dim
    ),
    "generator": lambda shape, num_classes, latent_dim: compact.compact_generator(
        shape, num_classes=num_classes, latent_dim=latent_dim
    ),
    "discriminator": lambda shape, num_classes, latent_dim: compact.compact_discriminator(
        shape, base_filters=24
    ),
    "classifier": lambda shape, num_classes, latent_dim: compact.compact_classifier(
        shape, num_classes=num_classes, base_filters=24
    ),
    # LR/LI-VAE: z_s and z_u have latent_dim numbers each.
    "relevant_encoder": lambda shape, num_classes, latent_dim: compact.compact_encoder(
        shape,
        num_classes=None,
        latent_dim=latent_dim,
        base_filters=24,
        deterministic=True,
        name="relevant_encoder",
    ),
    "irrelevant_encoder": lambda shape, num_classes, latent_dim: compact.compact_encoder(
        shape, num_classes=None, latent_dim=latent_dim, name="irrelevant_encoder"
    ),
    "mixture": lambda shape, num_classes, latent_dim: latent.mixture(
        latent_dim, num_classes=num_classes
    ),
    "latent_classifier": lambda shape, num_classes, latent_dim: latent.latent_classifier(
        latent_dim, num_classes=num_classes
    ),
    "code_generator": lambda shape, num_classes, latent_dim: compact.compact_generator(
        shape, num_classes=None, latent_dim=2 * latent_dim
    ),
    "projection_discriminator": (
        lambda shape, num_classes, latent_dim: compact.compact_projection_discriminator(
            shape, num_classes=num_classes, base_filters=24
        )
    ),
}

_PAPER = {
    "encoder": lambda shape, num_classes, latent_dim: googlenet.googlenet_encoder(
        shape, num_classes=num_classes, latent_dim=latent_dim
    ),
    "generator": lambda shape, num_classes, latent_dim: upsampling_generator.upsampling_generator(
        shape, num_classes=num_classes, latent_dim=latent_dim
    ),
    "discriminator": lambda shape, num_classes, latent_dim: dcgan.dcgan_discriminator(shape),
    "classifier": lambda shape, num_classes, latent_dim: alexnet.alexnet_classifier(
        shape, num_classes=num_classes
    ),
}


PRESETS = {
    preset.name: preset
    for preset in (
        Preset(
            name="compact",
            doc="small networks for 16 to 128 px that train on two CPU cores",
            builders=MappingProxyType(_COMPACT),
            image_size=32,
            latent_dim=16,
            batch_size=64,
            steps=4500,
            learning_rates=MappingProxyType(
                {"encoder": 1e-3, "generator": 1e-3, "discriminator": 2e-4, "classifier": 2e-4}
            ),
            beta_1=0.5,
            average_decay=0.99,
            objective=MappingProxyType(
                {
                    "kl_weight": 3.0,
                    "mean_matching_weight": 3e-3,
                    "class_matching_weight": 1e-2,
                }
            ),
        ),
        Preset(
            name="paper",
            doc="the paper's networks (GoogLeNet, DCGAN, AlexNet) at 128 px, with its weights",
            builders=MappingProxyType(_PAPER),
            image_size=128,
            latent_dim=256,
            batch_size=64,
            steps=100_000,
            learning_rates=MappingProxyType(
                {"encoder": 2e-4, "generator": 2e-4, "discriminator": 2e-4, "classifier": 2e-4}
            ),
            beta_1=0.5,
            average_decay=None,
            objective=MappingProxyType(
                {
                    "kl_weight": 3.0,
                    "mean_matching_weight": 1e-3,
                    "class_matching_weight": 1e-3,
                }
            ),
        ),
    )
}


def preset(name: str) -> Preset:
    """Returns a preset by its name.

    Raises:
        ValueError: for an unknown name.

    Example:

    >>> preset("paper").latent_dim
    256
    """
    if name not in PRESETS:
        raise ValueError(f"Unknown preset. Received: {name!r}. Allowed: {', '.join(PRESETS)}.")
    return PRESETS[name]

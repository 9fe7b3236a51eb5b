"""What a preset's networks are made by: functions of shapes, counts and dimensions."""

from __future__ import annotations

from collections.abc import Callable
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
    vgg,
)

ImageShape = tuple[int, ...]
Pair = tuple[int, int]


def code_builders(
    encoder: Callable[..., keras.Model],
    decoder: Callable[..., keras.Model],
    discriminator: Callable[..., keras.Model] | None,
    least_deviation: float = 1e-3,
) -> MappingProxyType[str, Callable[[ImageShape, int, Pair], keras.Model]]:
    """The networks of LR/LI-VAE, of an architecture's three.

    Args:
        encoder: function of image_shape, latent_dim, deterministic and name.
        decoder: function of image_shape and latent_dim.
        discriminator: function of image_shape and num_classes; None where it stands on a trunk.
        least_deviation: least deviation of the mixture.
    """
    of_images = {}
    if discriminator is not None:
        of_images["discriminator"] = lambda shape, num_classes, dims: discriminator(
            shape, num_classes=num_classes
        )
    return MappingProxyType(
        {
            "relevant_encoder": lambda shape, num_classes, dims: encoder(
                shape, latent_dim=dims[0], deterministic=True, name="relevant_encoder"
            ),
            "irrelevant_encoder": lambda shape, num_classes, dims: encoder(
                shape, latent_dim=dims[1], deterministic=False, name="irrelevant_encoder"
            ),
            "mixture": lambda shape, num_classes, dims: latent.mixture(
                dims[0], num_classes=num_classes, least_deviation=least_deviation
            ),
            "latent_classifier": lambda shape, num_classes, dims: latent.latent_classifier(
                dims[1], num_classes=num_classes
            ),
            "generator": lambda shape, num_classes, dims: decoder(shape, latent_dim=sum(dims)),
            **of_images,
        }
    )


def compact_code_encoder(
    image_shape: ImageShape, *, deterministic: bool, **arguments: Any
) -> keras.Model:
    return compact.compact_encoder(
        image_shape,
        num_classes=None,
        base_filters=24 if deterministic else 32,
        deterministic=deterministic,
        **arguments,
    )


def by_size(
    of_table_3: Callable[..., keras.Model], otherwise: Callable[..., keras.Model]
) -> Callable[..., keras.Model]:
    """A builder that takes the first for the images of Table 3 of Zheng & Sun 2019."""
    return lambda shape, **arguments: (of_table_3 if _is_table_3(shape) else otherwise)(
        shape, **arguments
    )


def _is_table_3(image_shape: ImageShape) -> bool:
    return image_shape[:2] == (32, 32)


def paper_code_dims(image_shape: ImageShape) -> Pair:
    return (100, 200) if _is_table_3(image_shape) else (vgg.CODE_UNITS, vgg.CODE_UNITS)


COMPACT = {
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
}

PAPER = {
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

PHOTO = {
    "encoder": COMPACT["encoder"],
    "generator": lambda shape, num_classes, latent_dim: compact.compact_generator(
        shape,
        num_classes=num_classes,
        latent_dim=latent_dim,
        base_filters=64,
        embedding_dim=64,
        embedding_deviation=0.3,
        low_pass=True,
    ),
}

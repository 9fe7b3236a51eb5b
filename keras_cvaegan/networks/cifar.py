"""The networks of LR/LI-VAE for CIFAR-10: Table 3 of Zheng & Sun 2019."""

from __future__ import annotations

import math
from collections.abc import Sequence

import keras
from keras import layers

from keras_cvaegan.networks.common import (
    check_image_shape,
    check_positive_integer,
    code_outputs,
    conv_norm_activation,
    dense_norm_activation,
)
from keras_cvaegan.networks.projection import projection_discriminator
from keras_cvaegan.ops.precision import full_precision_dtype

# Filters and kernel size; each has stride 2.
ENCODER = ((32, 5), (64, 5), (128, 3), (256, 3))
# Filters and stride; each has a kernel of 5×5.
DECODER = ((256, 2), (256, 1), (128, 2), (64, 2), (32, 2))
# Filters, kernel size and stride.
DISCRIMINATOR = ((32, 5, 1), (128, 5, 2), (256, 5, 2), (256, 5, 2))
HIDDEN_UNITS = 1024
DISCRIMINATOR_UNITS = 512
# Between the side of an image and that of the smallest map.
REDUCTION = 16


def cifar_encoder(
    image_shape: Sequence[int] = (32, 32, 3),
    *,
    latent_dim: int,
    deterministic: bool = False,
    synchronized: bool = False,
    name: str = "encoder",
) -> keras.Model:
    """Encoder E(x): four strided convolutions, a hidden layer, and the code.

    Zheng & Sun 2019, Table 3: 5×5, 5×5, 3×3 and 3×3 convolutions of stride 2 with 32, 64, 128 and
    256 filters and a fully connected layer of 1024 units, each with batch normalization and ReLU.

    Args:
        image_shape: `(height, width, channels)`, both sides multiples of 16. The paper's are
            32×32.
        latent_dim: dimensions of the code; the paper's are 100 for z_s and 200 for z_u.
        deterministic: whether it gives "z_mean" alone.
        synchronized: whether replicas share batch statistics.
        name: name of the model.

    Returns:
        A model of images (n, h, w, c) in [−1, 1] to {"z_mean", "z_log_var"}, each
        (n, latent_dim), float32.

    Raises:
        ValueError: if an argument is out of its range.

    Example:

    >>> cifar_encoder(latent_dim=200).output["z_log_var"].shape
    (None, 200)
    """
    image_shape = _checked(image_shape, "cifar_encoder")
    check_positive_integer("latent_dim", latent_dim)
    images = keras.Input(image_shape, dtype=full_precision_dtype(), name="images")
    x = images
    for index, (filters, kernel_size) in enumerate(ENCODER, start=1):
        x = conv_norm_activation(
            x,
            filters,
            kernel_size,
            strides=2,
            synchronized=synchronized,
            name=f"block_{index}",
        )
    x = layers.Flatten(name="flatten")(x)
    x = dense_norm_activation(x, HIDDEN_UNITS, synchronized=synchronized, name="hidden")
    return keras.Model(images, code_outputs(x, latent_dim, deterministic), name=name)


def cifar_decoder(
    image_shape: Sequence[int] = (32, 32, 3),
    *,
    latent_dim: int,
    synchronized: bool = False,
    name: str = "generator",
) -> keras.Model:
    """Generator G(z) without a label: a hidden layer and six 5×5 convolutions.

    Zheng & Sun 2019, Table 3: a fully connected layer of 1024 units, which are a map of 2×2×256,
    then convolutions of 256, 256, 128, 64, 32 and 3 filters. All but the second and the last of
    them double both sides: they are transposed convolutions of stride 2. Batch normalization and
    ReLU follow each layer but the last, which ends in tanh.

    Args:
        image_shape: `(height, width, channels)`, both sides multiples of 16: the first map's are
            what remains of them. The paper's are 32×32.
        latent_dim: dimensions of z_s and z_u together; the paper's are 300.
        synchronized: whether replicas share batch statistics.
        name: name of the model.

    Returns:
        A model of z (n, latent_dim) to images (n, h, w, c) in [−1, 1], float32.

    Raises:
        ValueError: if an argument is out of its range.

    Example:

    >>> cifar_decoder(latent_dim=300).output.shape
    (None, 32, 32, 3)
    """
    height, width, channels = _checked(image_shape, "cifar_decoder")
    check_positive_integer("latent_dim", latent_dim)
    start = (height // REDUCTION, width // REDUCTION, ENCODER[-1][0])
    z = keras.Input((latent_dim,), dtype=full_precision_dtype(), name="z")
    x = dense_norm_activation(z, math.prod(start), synchronized=synchronized, name="hidden")
    x = layers.Reshape(start, name="first_map")(x)
    for index, (filters, strides) in enumerate(DECODER, start=1):
        x = conv_norm_activation(
            x,
            filters,
            5,
            strides=strides,
            convolution=layers.Conv2D if strides == 1 else layers.Conv2DTranspose,
            synchronized=synchronized,
            name=f"block_{index}",
        )
    x = layers.Conv2D(channels, 5, padding="same", name="image_conv")(x)
    images = layers.Activation("tanh", dtype=full_precision_dtype(), name="images")(x)
    return keras.Model(z, images, name=name)


def cifar_projection_discriminator(
    image_shape: Sequence[int] = (32, 32, 3),
    *,
    num_classes: int,
    name: str = "discriminator",
) -> keras.Model:
    """Discriminator D(x, c): four convolutions, a hidden layer, and the label by projection.

    Zheng & Sun 2019, Table 3: 5×5 convolutions of 32, 128, 256 and 256 filters, of which all but
    the first have stride 2, and a fully connected layer of 512 units, each with LeakyReLU (of
    slope 0.2, which the paper does not give); spectral normalization of all weights.

    Args:
        image_shape: `(height, width, channels)`, both sides multiples of 16. The paper's are
            32×32.
        num_classes: number of classes, at least 1.
        name: name of the model.

    Returns:
        A model of {"images": (n, h, w, c), "labels": (n, num_classes)} to {"logits": (n, 1),
        "features": (n, 512)}, float32.

    Raises:
        ValueError: if an argument is out of its range.

    Example:

    >>> cifar_projection_discriminator(num_classes=10).output["features"].shape
    (None, 512)
    """
    return projection_discriminator(
        _checked(image_shape, "cifar_projection_discriminator"),
        DISCRIMINATOR,
        DISCRIMINATOR_UNITS,
        num_classes=num_classes,
        name=name,
    )


def _checked(image_shape: Sequence[int], architecture: str) -> tuple[int, int, int]:
    return check_image_shape(image_shape, architecture=architecture, multiple_of=REDUCTION)

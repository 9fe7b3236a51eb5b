"""The networks of LR/LI-VAE for FaceScrub (B.2 and Table 4, Zheng & Sun 2019): VGG, mirrored too.

All take images of any height and width that are multiples of 32; the paper's are 64×64.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import keras
from keras import layers

from keras_cvaegan.layers import UpsamplingConv2D
from keras_cvaegan.networks.common import (
    check_image_shape,
    check_positive_integer,
    code_outputs,
    conv_norm_activation,
    dense_norm_activation,
)
from keras_cvaegan.networks.projection import projection_discriminator
from keras_cvaegan.ops.precision import full_precision_dtype

# Filters of the 3×3 convolutions, a stage each: configuration D of Simonyan & Zisserman 2015.
# Behind each stage of the encoder is a max-pooling, in front of each of the decoder a doubling.
ENCODER = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
# Each convolution gives as many channels as its counterpart takes; the last, the image's, follows.
DECODER = ((512, 512, 512), (512, 512, 256), (256, 256, 128), (128, 64), (64,))
# Filters, kernel size and stride: Table 4.
DISCRIMINATOR = (
    *((64, 3, 2), (128, 3, 2), (256, 3, 1), (256, 3, 2)),
    *((512, 3, 1), (512, 3, 2), (512, 3, 2)),
)
HIDDEN_UNITS = 1024
CODE_UNITS = 512
# Between the side of an image and that of the smallest map.
REDUCTION = 2 ** len(ENCODER)


def vgg_encoder(
    image_shape: Sequence[int] = (64, 64, 3),
    *,
    latent_dim: int = CODE_UNITS,
    deterministic: bool = False,
    synchronized: bool = False,
    name: str = "encoder",
) -> keras.Model:
    """Encoder E(x): the convolutions of VGG-16, a hidden layer of 1024 units, and the code.

    Zheng & Sun 2019, B.2: configuration D of Simonyan & Zisserman 2015 "with batch normalization
    layers added to each layer", whose last three fully connected layers give way to "two fc layers
    of 1024 and 512 units", of which the second is the code.

    Args:
        image_shape: `(height, width, channels)`, both sides multiples of 32.
        latent_dim: dimensions of the code.
        deterministic: whether it gives "z_mean" alone.
        synchronized: whether replicas share batch statistics.
        name: name of the model.

    Returns:
        A model of images (n, h, w, c) in [−1, 1] to {"z_mean", "z_log_var"}, each
        (n, latent_dim), float32.

    Raises:
        ValueError: if an argument is out of its range.

    Example:

    >>> vgg_encoder((64, 64, 3)).output["z_log_var"].shape
    (None, 512)
    """
    image_shape = _checked(image_shape, "vgg_encoder")
    check_positive_integer("latent_dim", latent_dim)
    images = keras.Input(image_shape, dtype=full_precision_dtype(), name="images")
    x = images
    for stage, widths in enumerate(ENCODER, start=1):
        for index, filters in enumerate(widths, start=1):
            x = conv_norm_activation(
                x, filters, 3, synchronized=synchronized, name=f"block_{stage}_{index}"
            )
        x = layers.MaxPooling2D(2, name=f"pool_{stage}")(x)
    x = layers.Flatten(name="flatten")(x)
    x = dense_norm_activation(x, HIDDEN_UNITS, synchronized=synchronized, name="hidden")
    return keras.Model(images, code_outputs(x, latent_dim, deterministic), name=name)


def vgg_decoder(
    image_shape: Sequence[int] = (64, 64, 3),
    *,
    latent_dim: int = 2 * CODE_UNITS,
    synchronized: bool = False,
    name: str = "generator",
) -> keras.Model:
    """Generator G(z) without a label: the layers of `vgg_encoder` in the reverse order.

    Zheng & Sun 2019, B.2: "an inverse structure of the encoders". Where the encoder pools, pixels
    are repeated, so that both sides double. Batch normalization and ReLU follow each layer but the
    last, which ends in tanh.

    Args:
        image_shape: `(height, width, channels)`, both sides multiples of 32: the first map's are
            what remains of them.
        latent_dim: dimensions of z_s and z_u together.
        synchronized: whether replicas share batch statistics.
        name: name of the model.

    Returns:
        A model of z (n, latent_dim) to images (n, h, w, c) in [−1, 1], float32.

    Raises:
        ValueError: if an argument is out of its range.

    Example:

    >>> vgg_decoder((64, 64, 3)).output.shape
    (None, 64, 64, 3)
    """
    height, width, channels = _checked(image_shape, "vgg_decoder")
    check_positive_integer("latent_dim", latent_dim)
    start = (height // REDUCTION, width // REDUCTION, ENCODER[-1][-1])
    z = keras.Input((latent_dim,), dtype=full_precision_dtype(), name="z")
    x = dense_norm_activation(z, HIDDEN_UNITS, synchronized=synchronized, name="hidden")
    x = dense_norm_activation(x, math.prod(start), synchronized=synchronized, name="project")
    x = layers.Reshape(start, name="first_map")(x)
    for stage, widths in enumerate(DECODER, start=1):
        for index, filters in enumerate(widths, start=1):
            x = conv_norm_activation(
                x,
                filters,
                3,
                convolution=UpsamplingConv2D if index == 1 else layers.Conv2D,
                synchronized=synchronized,
                name=f"block_{stage}_{index}",
            )
    x = layers.Conv2D(channels, 3, padding="same", name="image_conv")(x)
    images = layers.Activation("tanh", dtype=full_precision_dtype(), name="images")(x)
    return keras.Model(z, images, name=name)


def vgg_projection_discriminator(
    image_shape: Sequence[int] = (64, 64, 3),
    *,
    num_classes: int,
    name: str = "discriminator",
) -> keras.Model:
    """Discriminator D(x, c): seven convolutions, averaged, and the label by projection.

    Zheng & Sun 2019, Table 4: 3×3 convolutions of 64, 128, 256, 256, 512, 512 and 512 filters, of
    which all but the third and fifth have stride 2, global average pooling and a fully connected
    layer of 1024 units, with LeakyReLU (of slope 0.2, which the paper does not give); spectral
    normalization of all weights.

    Args:
        image_shape: `(height, width, channels)`, both sides multiples of 32.
        num_classes: number of classes, at least 1.
        name: name of the model.

    Returns:
        A model of {"images": (n, h, w, c), "labels": (n, num_classes)} to {"logits": (n, 1),
        "features": (n, 1024)}, float32.

    Raises:
        ValueError: if an argument is out of its range.

    Example:

    >>> vgg_projection_discriminator(num_classes=530).output["features"].shape
    (None, 1024)
    """
    return projection_discriminator(
        _checked(image_shape, "vgg_projection_discriminator"),
        DISCRIMINATOR,
        HIDDEN_UNITS,
        num_classes=num_classes,
        pooled=True,
        name=name,
    )


def _checked(image_shape: Sequence[int], architecture: str) -> tuple[int, int, int]:
    return check_image_shape(image_shape, architecture=architecture, multiple_of=REDUCTION)

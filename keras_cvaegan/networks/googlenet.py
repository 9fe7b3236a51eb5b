"""The encoder of CVAE-GAN: GoogLeNet with batch normalization and the label at its last layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from keras_cvaegan.networks.common import (
    check_image_shape,
    check_positive_integer,
    check_width,
    conv_norm_activation,
    scaled,
)
from keras_cvaegan.ops.precision import full_precision_dtype

# Szegedy et al. 2015, Table 1: "#1×1", "#3×3 reduce", "#3×3", "#5×5 reduce", "#5×5", "pool proj".
# The key's digit is the stage; a max-pooling of stride 2 stands between stages.
INCEPTION_CHANNELS = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


def googlenet_encoder(
    image_shape: Sequence[int] = (128, 128, 3),
    *,
    num_classes: int,
    latent_dim: int = 256,
    width: float = 1.0,
    synchronized: bool = False,
    name: str = "encoder",
) -> keras.Model:
    """Encoder E(x, c): GoogLeNet whose last fully connected layer also sees the label.

    CVAE-GAN (Bao et al. 2017, Section 5) on the network of Szegedy et al. 2015, Table 1:
    a stem, nine inception blocks and global average pooling give 1024 features; the label is
    concatenated to them, and two linear layers side by side give the mean and the log-variance
    of z.

    Three parts of the classification network are left out. Local response normalization gives
    way to batch normalization after each convolution, as Bao et al. write. The two auxiliary
    classifiers carry no meaning here. Dropout is not needed where batch normalization
    regularises (Ioffe & Szegedy 2015), and it would keep a hidden random state, while the
    training here draws every random number from (seed, step, purpose).

    Convolutions start from He's normal distribution (He et al. 2015), the linear outputs from
    Glorot's (Glorot & Bengio 2010), for they have no rectifier to make up for.

    Args:
        image_shape: `(height, width, channels)`, both sides at least 32 pixels. Defaults to
            `(128, 128, 3)`.
        num_classes: Number of classes K, at least 1.
        latent_dim: Dimensions of z, at least 1. Defaults to 256, the paper's.
        width: Multiplier of all channel counts, above 0. Defaults to 1.0.
        synchronized: Whether batch normalization takes its statistics over all replicas
            (TensorFlow only). Defaults to `False`.
        name: Name of the model. Defaults to `"encoder"`.

    Returns:
        A `keras.Model`. Inputs: `{"images": (n, height, width, channels) in [-1, 1],
        "labels": (n, K) class weights that sum to 1 in each row}`. Outputs, in float32 under
        any dtype policy: `{"z_mean": (n, latent_dim), "z_log_var": (n, latent_dim)}`.

    Raises:
        ValueError: if an argument is out of its range.

    Example:

    >>> import numpy as np
    >>> encoder = googlenet_encoder((32, 32, 3), num_classes=5, latent_dim=8, width=0.1)
    >>> outputs = encoder({"images": np.zeros((2, 32, 32, 3)), "labels": np.eye(5)[[0, 3]]})
    >>> tuple(outputs["z_mean"].shape), tuple(outputs["z_log_var"].shape)
    ((2, 8), (2, 8))
    """
    image_shape = check_image_shape(image_shape, architecture="googlenet_encoder", minimum=32)
    num_classes = check_positive_integer("num_classes", num_classes)
    latent_dim = check_positive_integer("latent_dim", latent_dim)
    width = check_width(width)

    images = keras.Input(image_shape, dtype=full_precision_dtype(), name="images")
    labels = keras.Input((num_classes,), dtype=full_precision_dtype(), name="labels")

    def conv(x: Any, filters: int, kernel_size: int, name: str, strides: int = 1) -> Any:
        return conv_norm_activation(
            x,
            scaled(filters, width),
            kernel_size,
            strides=strides,
            synchronized=synchronized,
            name=name,
        )

    def inception(x: Any, channels: Sequence[int], name: str) -> Any:
        one, three_reduce, three, five_reduce, five, pool_projection = channels
        pooled = layers.MaxPooling2D(3, strides=1, padding="same", name=f"{name}_pool")(x)
        branches = [
            conv(x, one, 1, f"{name}_1x1"),
            conv(conv(x, three_reduce, 1, f"{name}_3x3_reduce"), three, 3, f"{name}_3x3"),
            conv(conv(x, five_reduce, 1, f"{name}_5x5_reduce"), five, 5, f"{name}_5x5"),
            conv(pooled, pool_projection, 1, f"{name}_pool_projection"),
        ]
        return layers.Concatenate(name=f"{name}_output")(branches)

    def halve(x: Any, name: str) -> Any:
        return layers.MaxPooling2D(3, strides=2, padding="same", name=name)(x)

    x = conv(images, 64, 7, "stem_7x7", strides=2)
    x = halve(x, "pool_1")
    x = conv(x, 64, 1, "stem_3x3_reduce")
    x = conv(x, 192, 3, "stem_3x3")
    stage = "2"
    for block, channels in INCEPTION_CHANNELS.items():
        if block[0] != stage:
            x = halve(x, f"pool_{stage}")
            stage = block[0]
        x = inception(x, channels, f"inception_{block}")

    # From here on in float32: a mixture's weights and the posterior lose too much in 16 bits.
    x = layers.GlobalAveragePooling2D(dtype=full_precision_dtype(), name="average_pool")(x)
    x = layers.Concatenate(dtype=full_precision_dtype(), name="join_labels")([x, labels])
    outputs = {
        output: layers.Dense(
            latent_dim,
            kernel_initializer="glorot_normal",
            dtype=full_precision_dtype(),
            name=output,
        )(x)
        for output in ("z_mean", "z_log_var")
    }
    return keras.Model({"images": images, "labels": labels}, outputs, name=name)

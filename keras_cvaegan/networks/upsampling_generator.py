"""The generator of CVAE-GAN: two fully connected layers, then convolutions that each double."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

from keras_cvaegan.layers import UpsamplingConv2D
from keras_cvaegan.networks.common import (
    check_image_shape,
    check_positive_integer,
    conv_norm_activation,
    dcgan_initializer,
)
from keras_cvaegan.ops.precision import full_precision_dtype


def upsampling_generator(
    image_shape: Sequence[int] = (128, 128, 3),
    *,
    num_classes: int,
    latent_dim: int = 256,
    channels: Sequence[int] = (256, 256, 128, 92, 64),
    kernel_sizes: Sequence[int] = (3, 3, 5, 5, 5, 5),
    hidden_units: int = 1024,
    synchronized: bool = False,
    name: str = "generator",
) -> keras.Model:
    """Generator G(z, c): two fully connected layers, then six convolutions after doubling.

    CVAE-GAN (Bao et al. 2017, Section 5): "2 fully-connected layers, followed by 6 deconv layers
    with 2-by-2 upsampling", of 256, 256, 128, 92, 64 and 3 channels. Each doubles both sides by
    repeating pixels and then convolves, so 2×2 becomes 128×128. Batch normalization and ReLU
    follow each convolution but the last, which ends in tanh.

    The paper does not give the sizes of the fully connected layers. Here the second has what the
    first convolution needs, 2·2·256 = 1024 units, and the first has as many by default. Both
    have a bias and ReLU, and no batch normalization, which the paper applies to convolutions.

    Convolutions start from DCGAN's normal distribution of standard deviation 0.02 (Radford et
    al. 2015), the fully connected layers from He's (He et al. 2015).

    Args:
        image_shape: `(height, width, channels)`; both sides must be multiples of 2 to the number
            of convolutions, by default of 64: the sides of the first map are what remains of
            them. Defaults to `(128, 128, 3)`.
        num_classes: Number of classes K, at least 1.
        latent_dim: Dimensions of z, at least 1. Defaults to 256, the paper's.
        channels: Channels of every convolution but the last, whose channels are the image's.
            Defaults to the paper's `(256, 256, 128, 92, 64)`.
        kernel_sizes: Sides of the kernels, odd, one for each convolution, the last included.
            Defaults to the paper's `(3, 3, 5, 5, 5, 5)`.
        hidden_units: Units of the first fully connected layer, at least 1. Defaults to 1024.
        synchronized: Whether batch normalization takes its statistics over all replicas
            (TensorFlow only). Defaults to `False`.
        name: Name of the model. Defaults to `"generator"`.

    Returns:
        A `keras.Model`. Inputs: `{"z": (n, latent_dim), "labels": (n, K) class weights that sum
        to 1 in each row}`. Output: images of shape `(n, height, width, channels)` in [-1, 1], in
        float32 under any dtype policy.

    Raises:
        ValueError: if an argument is out of its range, or the two sequences do not fit together.

    Example:

    >>> import numpy as np
    >>> generator = upsampling_generator(
    ...     (64, 64, 3), num_classes=5, latent_dim=8, channels=(8, 8, 8, 4, 4)
    ... )
    >>> images = generator({"z": np.zeros((2, 8)), "labels": np.eye(5)[[0, 3]]})
    >>> tuple(images.shape)
    (2, 64, 64, 3)
    """
    if len(kernel_sizes) != len(channels) + 1 or not channels:
        raise ValueError(
            "`channels` must have at least one entry, and `kernel_sizes` one entry more: the "
            "last convolution has the image's channels. "
            f"Received: channels={tuple(channels)}, kernel_sizes={tuple(kernel_sizes)}"
        )
    channels = [check_positive_integer("channels", n) for n in channels]
    kernel_sizes = [check_positive_integer("kernel_sizes", n) for n in kernel_sizes]
    growth = 2 ** len(kernel_sizes)
    height, width, image_channels = check_image_shape(
        image_shape, architecture="upsampling_generator", multiple_of=growth
    )
    num_classes = check_positive_integer("num_classes", num_classes)
    latent_dim = check_positive_integer("latent_dim", latent_dim)
    hidden_units = check_positive_integer("hidden_units", hidden_units)

    z = keras.Input((latent_dim,), dtype=full_precision_dtype(), name="z")
    labels = keras.Input((num_classes,), dtype=full_precision_dtype(), name="labels")
    start = (height // growth, width // growth, channels[0])

    x = layers.Concatenate(name="join_labels")([z, labels])
    for index, units in enumerate((hidden_units, start[0] * start[1] * start[2]), start=1):
        x = layers.Dense(
            units, activation="relu", kernel_initializer="he_normal", name=f"dense_{index}"
        )(x)
    x = layers.Reshape(start, name="reshape")(x)
    for index, filters in enumerate(channels, start=1):
        x = conv_norm_activation(
            x,
            filters,
            kernel_sizes[index - 1],
            convolution=UpsamplingConv2D,
            initializer=dcgan_initializer,
            synchronized=synchronized,
            name=f"block_{index}",
        )
    last = len(kernel_sizes)
    x = UpsamplingConv2D(
        image_channels,
        kernel_sizes[-1],
        kernel_initializer=dcgan_initializer(),
        name=f"block_{last}_conv",
    )(x)
    images = layers.Activation("tanh", dtype=full_precision_dtype(), name="images")(x)
    return keras.Model({"z": z, "labels": labels}, images, name=name)

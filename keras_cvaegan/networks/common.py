"""What the architectures of this folder share: checked arguments and blocks of layers."""

from __future__ import annotations

import numbers
import operator
from collections.abc import Callable, Sequence

import keras
from keras import layers

from keras_cvaegan.layers import BatchNormalization
from keras_cvaegan.ops.precision import full_precision_dtype

# Torch's settings, which DCGAN and CVAE-GAN were trained with (its momentum of 0.1 is Keras's 0.9).
BATCH_NORM_MOMENTUM = 0.9
BATCH_NORM_EPSILON = 1e-5


def batch_normalization(name: str, synchronized: bool = False) -> BatchNormalization:
    """Batch normalization with the settings of every network here.

    Args:
        name: Name of the layer.
        synchronized: Whether the statistics are taken over all replicas of a distribution
            strategy (TensorFlow only). Defaults to `False`.

    Returns:
        A `keras_cvaegan.layers.BatchNormalization`.
    """
    return BatchNormalization(
        momentum=BATCH_NORM_MOMENTUM,
        epsilon=BATCH_NORM_EPSILON,
        synchronized=synchronized,
        name=name,
    )


def dcgan_initializer() -> keras.initializers.Initializer:
    """The zero-centred normal distribution of standard deviation 0.02 of DCGAN (Radford 2015).

    Each call gives a new initializer: one instance used twice would draw the same numbers twice.
    """
    return keras.initializers.RandomNormal(stddev=0.02)


def conv_norm_activation(
    x: keras.KerasTensor,
    filters: int,
    kernel_size: int,
    *,
    name: str,
    strides: int = 1,
    padding: str = "same",
    convolution: type[layers.Layer] = layers.Conv2D,
    normalize: bool = True,
    negative_slope: float = 0.0,
    initializer: str | Callable[[], keras.initializers.Initializer] = "he_normal",
    synchronized: bool = False,
) -> keras.KerasTensor:
    """Convolution, batch normalization and (leaky) rectifier, in this order.

    The convolution has a bias only where no normalization follows, which would cancel it. The
    layers are named `{name}_conv`, `{name}_norm` and `{name}_relu`.

    Args:
        x: Symbolic tensor of shape `(n, height, width, channels)`.
        filters: Number of output channels.
        kernel_size: Side of the square kernel.
        name: Prefix of the layers' names.
        strides: Stride in both directions. Defaults to 1.
        padding: `"same"` or `"valid"`. Defaults to `"same"`.
        convolution: Class of the convolution: `Conv2D`, the default, `Conv2DTranspose` or
            `UpsamplingConv2D`.
        normalize: Whether batch normalization follows. Defaults to `True`.
        negative_slope: Slope of the rectifier for negative input; 0 is the plain ReLU, the
            default.
        initializer: An initializer's name, or a function that makes a new one. Defaults to He's
            normal distribution (He et al. 2015), which keeps the variance through rectifiers.
        synchronized: See `batch_normalization`.

    Returns:
        Symbolic tensor of shape `(n, new_height, new_width, filters)`.
    """
    x = convolution(
        filters,
        kernel_size,
        strides=strides,
        padding=padding,
        use_bias=not normalize,
        kernel_initializer=initializer() if callable(initializer) else initializer,
        name=f"{name}_conv",
    )(x)
    if normalize:
        x = batch_normalization(f"{name}_norm", synchronized)(x)
    return layers.ReLU(negative_slope=negative_slope, name=f"{name}_relu")(x)


def dense_norm_activation(
    x: keras.KerasTensor, units: int, *, name: str, synchronized: bool = False
) -> keras.KerasTensor:
    """Fully connected layer, batch normalization and rectifier, in this order.

    The layers are named `{name}_dense`, `{name}_norm` and `{name}_relu`; the first has no bias,
    which the second would cancel.

    Args:
        x: Symbolic tensor of shape `(n, d)`.
        units: Number of outputs.
        name: Prefix of the layers' names.
        synchronized: See `batch_normalization`.

    Returns:
        Symbolic tensor of shape `(n, units)`.
    """
    x = layers.Dense(units, use_bias=False, kernel_initializer="he_normal", name=f"{name}_dense")(x)
    x = batch_normalization(f"{name}_norm", synchronized)(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def code_outputs(
    x: keras.KerasTensor, latent_dim: int, deterministic: bool
) -> dict[str, keras.KerasTensor]:
    """What an encoder gives: linear layers side by side.

    Args:
        x: Symbolic tensor of shape `(n, d)`.
        latent_dim: Dimensions of z.
        deterministic: Whether it gives "z_mean" alone.

    Returns:
        {"z_mean", "z_log_var"}, each (n, latent_dim), float32.
    """
    names = ("z_mean",) if deterministic else ("z_mean", "z_log_var")
    return {
        name: layers.Dense(latent_dim, dtype=full_precision_dtype(), name=name)(x) for name in names
    }


def scaled(units: int, width: float) -> int:
    """`units` times `width`, rounded, at least 1."""
    return max(1, round(units * width))


def check_positive_integer(name: str, value: int) -> int:
    """Returns `value` as an `int`, or raises a `ValueError` that names the argument."""
    try:
        number = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = None
    if number is None or number < 1:
        raise ValueError(f"`{name}` must be an integer of at least 1. Received: {name}={value!r}")
    return number


def check_width(width: float) -> float:
    """Returns `width` as a `float`, or raises a `ValueError` unless it is a number above 0."""
    if isinstance(width, bool) or not isinstance(width, numbers.Real) or not 0 < width < 1e6:
        raise ValueError(
            "`width` multiplies the published channel counts and must be a number above 0. "
            f"Received: width={width!r}"
        )
    return float(width)


def check_image_shape(
    image_shape: Sequence[int],
    *,
    architecture: str,
    minimum: int = 1,
    multiple_of: int = 1,
) -> tuple[int, int, int]:
    """Checks that an architecture can take images of a shape.

    Args:
        image_shape: `(height, width, channels)`.
        architecture: Name of the network's function, for the message.
        minimum: Smallest side in pixels. Defaults to 1.
        multiple_of: Number that both sides must be multiples of. Defaults to 1.

    Returns:
        `image_shape` as a tuple of three `int`.

    Raises:
        ValueError: if the shape is not three positive integers, or a side is not allowed. The
            message says what was received, what is allowed and what to do.

    Example:

    >>> check_image_shape([128, 128, 3], architecture="dcgan_discriminator", multiple_of=16)
    (128, 128, 3)
    """
    try:
        height, width, channels = (check_positive_integer("side", n) for n in image_shape)
    except (TypeError, ValueError):
        raise ValueError(
            "`image_shape` must be (height, width, channels), three integers of at least 1. "
            f"Received: image_shape={image_shape!r}"
        ) from None
    allowed = []
    if multiple_of > 1:
        allowed.append(f"multiples of {multiple_of}")
    if minimum > 1:
        allowed.append(f"at least {minimum} pixels")
    if min(height, width) < minimum or height % multiple_of or width % multiple_of:
        raise ValueError(
            f"`{architecture}` takes images whose height and width are {' and '.join(allowed)}. "
            f"Received: image_shape={(height, width, channels)}. Resize the images, for example "
            "to 128×128, or use the preset `compact`, which takes images of 16 to 256 pixels."
        )
    return height, width, channels

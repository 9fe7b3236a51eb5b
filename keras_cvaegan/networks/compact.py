"""Networks that train on two CPU cores: 16 to 256 px, width and depth from the image size.

Each halves (or doubles) the resolution between the image and a map of 4×4 to 7×7, once a block;
channels double from block to block up to a maximum.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

from keras_cvaegan.layers import ConditionalBatchNormalization, LowPass, UpsamplingConv2D
from keras_cvaegan.networks.common import (
    check_image_shape,
    check_positive_integer,
    code_outputs,
    conv_norm_activation,
)
from keras_cvaegan.networks.projection import projection_discriminator
from keras_cvaegan.ops.precision import full_precision_dtype

MAX_WIDTH_FACTOR = 4


def compact_depth(image_shape: Sequence[int]) -> int:
    """How often the resolution is halved to reach a map of 4×4 to 7×7.

    Args:
        image_shape: `(side, side, channels)`; side = b · 2^k with b from 4 to 7, 16 to 256 px.

    Returns:
        k, from 2 to 6.

    Raises:
        ValueError: for another shape.

    Example:

    >>> compact_depth((32, 32, 3)), compact_depth((112, 112, 3))
    (3, 4)
    """
    height, width, _ = check_image_shape(image_shape, architecture="compact")
    sides = sorted(b * 2**k for b in range(4, 8) for k in range(2, 7) if b * 2**k <= 256)
    if height != width or height not in sides:
        raise ValueError(
            "The compact networks take square images with a side of "
            f"{', '.join(map(str, sides))} pixels. Received: image_shape={tuple(image_shape)}. "
            "Choose the nearest of these as the image size; pictures are resized to it."
        )
    return max(k for k in range(2, 7) if height % 2**k == 0 and height // 2**k >= 4)


def _widths(base: int, depth: int) -> list[int]:
    """Channels of the blocks from the image inwards."""
    return [base * min(2**k, MAX_WIDTH_FACTOR) for k in range(depth)]


def compact_encoder(
    image_shape: Sequence[int] = (32, 32, 3),
    *,
    num_classes: int | None,
    latent_dim: int = 64,
    base_filters: int = 32,
    deterministic: bool = False,
    synchronized: bool = False,
    name: str = "encoder",
) -> keras.Model:
    """Strided convolutions; the label joins the image at the last fully connected layer.

    Args:
        image_shape: see `compact_depth`.
        num_classes: number of classes, at least 1; None for an encoder that does not see the label.
        latent_dim: dimensions of z.
        base_filters: channels of the first block.
        deterministic: whether it gives "z_mean" alone.
        synchronized: whether replicas share batch statistics.
        name: name of the model.

    Returns:
        A model of {"images": (n, h, w, c) in [−1, 1], "labels": (n, num_classes)}, or of images
        alone, to {"z_mean", "z_log_var"}, each (n, latent_dim), float32.

    Example:

    >>> compact_encoder((16, 16, 3), num_classes=3, latent_dim=5).output["z_mean"].shape
    (None, 5)
    """
    depth = compact_depth(image_shape)
    check_positive_integer("latent_dim", latent_dim)
    images = keras.Input(image_shape, dtype=full_precision_dtype(), name="images")
    x = inputs = images
    for block, filters in enumerate(_widths(base_filters, depth), start=1):
        x = conv_norm_activation(
            x,
            filters,
            4,
            strides=2,
            negative_slope=0.2,
            synchronized=synchronized,
            name=f"block_{block}",
        )
    x = layers.Flatten(name="flatten")(x)
    if num_classes is not None:
        check_positive_integer("num_classes", num_classes)
        labels = keras.Input((num_classes,), dtype=full_precision_dtype(), name="labels")
        inputs = {"images": images, "labels": labels}
        x = layers.Concatenate(name="join_label")([x, labels])
    x = layers.Dense(MAX_WIDTH_FACTOR * 2 * base_filters, name="hidden")(x)
    x = layers.LeakyReLU(0.2, name="hidden_relu")(x)
    return keras.Model(inputs, code_outputs(x, latent_dim, deterministic), name=name)


def compact_generator(
    image_shape: Sequence[int] = (32, 32, 3),
    *,
    num_classes: int | None,
    latent_dim: int = 64,
    base_filters: int = 32,
    embedding_dim: int = 32,
    embedding_deviation: float | None = None,
    low_pass: bool = False,
    synchronized: bool = False,
    name: str = "generator",
) -> keras.Model:
    """Up-by-2 convolutions, each normalized with a scale and shift computed from (z, class).

    Args:
        image_shape: see `compact_depth`.
        num_classes: number of classes, at least 1; None for a generator that does not see the
            label.
        latent_dim: dimensions of z.
        base_filters: channels of the block nearest to the image.
        embedding_dim: dimensions of the class embedding.
        embedding_deviation: standard deviation of the embedding's initial values; that of Glorot &
            Bengio by default, which for many classes is far below that of z.
        low_pass: whether `layers.LowPass` comes before tanh: stripes of two pixels, which networks
            of strided convolutions reward and eyes do not, cannot be drawn.
        synchronized: whether replicas share batch statistics.
        name: name of the model.

    Returns:
        A model of {"z": (n, latent_dim), "labels": (n, num_classes)}, or of z alone, to images
        (n, h, w, c) in [−1, 1], float32.

    Example:

    >>> compact_generator((16, 16, 3), num_classes=3, latent_dim=5).output.shape
    (None, 16, 16, 3)
    """
    depth = compact_depth(image_shape)
    check_positive_integer("latent_dim", latent_dim)
    z = keras.Input((latent_dim,), dtype=full_precision_dtype(), name="z")
    condition = inputs = z
    if num_classes is not None:
        check_positive_integer("num_classes", num_classes)
        labels = keras.Input((num_classes,), dtype=full_precision_dtype(), name="labels")
        inputs = {"z": z, "labels": labels}
        embedding = layers.Dense(
            embedding_dim,
            use_bias=False,
            kernel_initializer="glorot_uniform"
            if embedding_deviation is None
            else keras.initializers.RandomNormal(stddev=embedding_deviation),
            name="class_embedding",
        )(labels)
        condition = layers.Concatenate(name="condition")([z, embedding])
    side = image_shape[0] // 2**depth
    widths = _widths(base_filters, depth)[::-1]
    x = layers.Dense(side * side * widths[0], name="project")(condition)
    x = layers.Reshape((side, side, widths[0]), name="first_map")(x)
    for block, filters in enumerate([*widths[1:], widths[-1] // 2], start=1):
        x = ConditionalBatchNormalization(synchronized=synchronized, name=f"block_{block}_norm")(
            (x, condition)
        )
        x = layers.ReLU(name=f"block_{block}_relu")(x)
        x = UpsamplingConv2D(
            filters,
            3,
            use_bias=False,  # A normalization follows.
            kernel_initializer="he_normal",
            name=f"block_{block}_conv",
        )(x)
    x = ConditionalBatchNormalization(synchronized=synchronized, name="image_norm")((x, condition))
    x = layers.ReLU(name="image_relu")(x)
    x = layers.Conv2D(image_shape[2], 3, padding="same", name="image_conv")(x)
    if low_pass:
        x = LowPass(dtype=full_precision_dtype(), name="low_pass")(x)
    images = layers.Activation("tanh", dtype=full_precision_dtype(), name="images")(x)
    return keras.Model(inputs, images, name=name)


def compact_discriminator(
    image_shape: Sequence[int] = (32, 32, 3),
    *,
    base_filters: int = 32,
    synchronized: bool = False,
    name: str = "discriminator",
) -> keras.Model:
    """Strided convolutions to a logit; f_D is the input of the last fully connected layer.

    Args:
        image_shape: see `compact_depth`.
        base_filters: channels of the first block.
        synchronized: whether replicas share batch statistics.
        name: name of the model.

    Returns:
        A model of images (n, h, w, c) to {"logits": (n, 1), "features": (n, d)} in float32 and
        {"block_1", …}: (n, h / 2, w / 2, base_filters), ….

    Example:

    >>> compact_discriminator((16, 16, 3)).output["logits"].shape
    (None, 1)
    """
    return _recognizer(image_shape, 1, base_filters, synchronized, name)


def compact_classifier(
    image_shape: Sequence[int] = (32, 32, 3),
    *,
    num_classes: int,
    base_filters: int = 32,
    synchronized: bool = False,
    name: str = "classifier",
) -> keras.Model:
    """Strided convolutions to a logit a class; f_C is the input of the last fully connected layer.

    Args:
        image_shape: see `compact_depth`.
        num_classes: number of classes, at least 1.
        base_filters: channels of the first block.
        synchronized: whether replicas share batch statistics.
        name: name of the model.

    Returns:
        A model of images (n, h, w, c) to {"logits": (n, num_classes), "features": (n, d)} in
        float32 and {"block_1", …}: (n, h / 2, w / 2, base_filters), ….

    Example:

    >>> compact_classifier((16, 16, 3), num_classes=3).output["logits"].shape
    (None, 3)
    """
    check_positive_integer("num_classes", num_classes)
    return _recognizer(image_shape, num_classes, base_filters, synchronized, name)


def compact_projection_discriminator(
    image_shape: Sequence[int] = (32, 32, 3),
    *,
    num_classes: int,
    base_filters: int = 32,
    name: str = "discriminator",
) -> keras.Model:
    """Strided convolutions, spectrally normalized, to the logit of a `ProjectionHead`.

    Args:
        image_shape: see `compact_depth`.
        num_classes: number of classes, at least 1.
        base_filters: channels of the first block.
        name: name of the model.

    Returns:
        A model of {"images": (n, h, w, c), "labels": (n, num_classes)} to {"logits": (n, 1),
        "features": (n, d)} in float32.

    Example:

    >>> compact_projection_discriminator((16, 16, 3), num_classes=3).output["logits"].shape
    (None, 1)
    """
    filters = _widths(base_filters, compact_depth(image_shape))
    blocks = [(count, 4, 2) for count in filters]
    return projection_discriminator(
        image_shape, blocks, MAX_WIDTH_FACTOR * 2 * base_filters, num_classes=num_classes, name=name
    )


def _recognizer(
    image_shape: Sequence[int], units: int, base_filters: int, synchronized: bool, name: str
) -> keras.Model:
    depth = compact_depth(image_shape)
    images = keras.Input(image_shape, dtype=full_precision_dtype(), name="images")
    x = images
    outputs = {}
    for block, filters in enumerate(_widths(base_filters, depth), start=1):
        x = conv_norm_activation(
            x,
            filters,
            4,
            strides=2,
            negative_slope=0.2,
            normalize=block > 1,
            synchronized=synchronized,
            name=f"block_{block}",
        )
        outputs[f"block_{block}"] = x
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(MAX_WIDTH_FACTOR * 2 * base_filters, name="hidden")(x)
    x = layers.LeakyReLU(0.2, name="hidden_relu")(x)
    features = layers.Activation("linear", dtype=full_precision_dtype(), name="features")(x)
    outputs["features"] = features
    outputs["logits"] = layers.Dense(units, dtype=full_precision_dtype(), name="logits")(features)
    return keras.Model(images, outputs, name=name)

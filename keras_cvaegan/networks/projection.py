"""Discriminators that see the label by projection, spectrally normalized throughout."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

from keras_cvaegan.layers import ProjectionHead, SpectralNormalization
from keras_cvaegan.networks.common import check_positive_integer
from keras_cvaegan.ops.precision import full_precision_dtype


def projection_discriminator(
    image_shape: Sequence[int],
    blocks: Sequence[tuple[int, int, int]],
    hidden_units: int,
    *,
    num_classes: int,
    pooled: bool = False,
    name: str = "discriminator",
) -> keras.Model:
    """Discriminator D(x, c) of convolutions, one fully connected layer and a `ProjectionHead`.

    Args:
        image_shape: `(height, width, channels)`.
        blocks: filters, kernel size and stride of each convolution.
        hidden_units: units of the fully connected layer, whose output the label is projected on.
        num_classes: number of classes, at least 1.
        pooled: whether the last map is averaged over space rather than flattened.
        name: name of the model.

    Returns:
        A model of {"images", "labels": (n, num_classes)} to {"logits": (n, 1),
        "features": (n, hidden_units)}, float32.

    Raises:
        ValueError: if an argument is out of its range.

    Example:

    >>> blocks = [(8, 3, 2), (16, 3, 2)]
    >>> projection_discriminator((8, 8, 3), blocks, 32, num_classes=3).output["features"].shape
    (None, 32)
    """
    check_positive_integer("num_classes", num_classes)
    images = keras.Input(tuple(image_shape), dtype=full_precision_dtype(), name="images")
    labels = keras.Input((num_classes,), dtype=full_precision_dtype(), name="labels")
    x = images
    for index, (filters, kernel_size, strides) in enumerate(blocks, start=1):
        convolution = layers.Conv2D(
            filters,
            kernel_size,
            strides,
            padding="same",
            use_bias=False,
            kernel_initializer="he_normal",
        )
        x = SpectralNormalization(convolution, name=f"block_{index}_conv")(x)
        x = layers.LeakyReLU(0.2, name=f"block_{index}_relu")(x)
    flatten = layers.GlobalAveragePooling2D if pooled else layers.Flatten
    x = flatten(name="flatten")(x)
    hidden = layers.Dense(hidden_units, use_bias=False, kernel_initializer="he_normal")
    x = SpectralNormalization(hidden, name="hidden")(x)
    x = layers.LeakyReLU(0.2, name="hidden_relu")(x)
    features = layers.Activation("linear", dtype=full_precision_dtype(), name="features")(x)
    outputs = {"features": features, "logits": ProjectionHead(name="logits")((features, labels))}
    return keras.Model({"images": images, "labels": labels}, outputs, name=name)

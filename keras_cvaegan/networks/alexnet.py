"""The classifier of CVAE-GAN: AlexNet with batch normalization, on 128×128 images."""

from __future__ import annotations

from collections.abc import Sequence

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

# Krizhevsky et al. 2012, Section 3.5: filters, side of the kernel, stride, padding, and whether a
# 3×3 max-pooling of stride 2 follows.
CONVOLUTIONS = (
    (96, 11, 4, "valid", True),
    (256, 5, 1, "same", True),
    (384, 3, 1, "same", False),
    (384, 3, 1, "same", False),
    (256, 3, 1, "same", True),
)
FULLY_CONNECTED_UNITS = 4096
# 67 → 15 (convolution) → 7 → 3 → 1 (poolings): one pixel less leaves nothing to pool.
SMALLEST_SIDE = 67


def alexnet_classifier(
    image_shape: Sequence[int] = (128, 128, 3),
    *,
    num_classes: int,
    width: float = 1.0,
    synchronized: bool = False,
    name: str = "classifier",
) -> keras.Model:
    """Classifier C(x): AlexNet's five convolutions and three fully connected layers.

    Krizhevsky et al. 2012 on 128×128 images, as in CVAE-GAN (Bao et al. 2017, Section 5). The
    first convolution and the poolings are not padded, so the maps have sides of 30, 14, 6 and 2
    (55, 27, 13 and 6 on the published 227×227).

    Batch normalization after each convolution takes the place of local response normalization,
    as Bao et al. write. The network is one tower, without the split over two GPUs. There is no
    dropout: batch normalization regularises (Ioffe & Szegedy 2015), and dropout would keep a
    hidden random state, while the training here draws every random number from (seed, step,
    purpose).

    Layers before a rectifier start from He's normal distribution (He et al. 2015), the linear
    output from Glorot's (Glorot & Bengio 2010).

    Args:
        image_shape: `(height, width, channels)`, both sides at least 67 pixels. Defaults to
            `(128, 128, 3)`.
        num_classes: Number of classes K, at least 1.
        width: Multiplier of all channel and hidden unit counts, above 0. Defaults to 1.0.
        synchronized: Whether batch normalization takes its statistics over all replicas
            (TensorFlow only). Defaults to `False`.
        name: Name of the model. Defaults to `"classifier"`.

    Returns:
        A `keras.Model`. Input: `"images"` of shape `(n, height, width, channels)` in [-1, 1].
        Outputs: `"logits"` of shape `(n, K)`; `"features"`, the input of the last layer, of shape
        `(n, 4096 * width)`, both in float32 under any dtype policy; `"block_1"` to `"block_5"`,
        the activations of the convolutions, pooled where a pooling follows, in the compute
        dtype.

    Raises:
        ValueError: if an argument is out of its range.

    Example:

    >>> import numpy as np
    >>> classifier = alexnet_classifier((67, 67, 3), num_classes=5, width=0.01)
    >>> outputs = classifier(np.zeros((2, 67, 67, 3)))
    >>> tuple(outputs["logits"].shape), tuple(outputs["features"].shape)
    ((2, 5), (2, 41))
    """
    image_shape = check_image_shape(
        image_shape, architecture="alexnet_classifier", minimum=SMALLEST_SIDE
    )
    num_classes = check_positive_integer("num_classes", num_classes)
    width = check_width(width)

    images = keras.Input(image_shape, dtype=full_precision_dtype(), name="images")
    outputs = {}
    x = images
    for index, (filters, kernel_size, strides, padding, pool) in enumerate(CONVOLUTIONS, start=1):
        x = conv_norm_activation(
            x,
            scaled(filters, width),
            kernel_size,
            strides=strides,
            padding=padding,
            synchronized=synchronized,
            name=f"block_{index}",
        )
        if pool:
            x = layers.MaxPooling2D(3, strides=2, name=f"block_{index}_pool")(x)
        outputs[f"block_{index}"] = x
    x = layers.Flatten(name="flatten")(x)
    for index in (1, 2):
        x = layers.Dense(
            scaled(FULLY_CONNECTED_UNITS, width),
            activation="relu",
            kernel_initializer="he_normal",
            name=f"dense_{index}",
        )(x)
    features = layers.Activation("linear", dtype=full_precision_dtype(), name="features")(x)
    outputs["features"] = features
    outputs["logits"] = layers.Dense(
        num_classes, kernel_initializer="glorot_normal", dtype=full_precision_dtype(), name="logits"
    )(features)
    return keras.Model(images, outputs, name=name)

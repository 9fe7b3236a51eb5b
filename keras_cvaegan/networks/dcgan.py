"""The discriminator of CVAE-GAN: DCGAN's, with the features in front of its last layer."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

from keras_cvaegan.networks.common import (
    check_image_shape,
    check_positive_integer,
    conv_norm_activation,
    dcgan_initializer,
)
from keras_cvaegan.ops.precision import full_precision_dtype


def dcgan_discriminator(
    image_shape: Sequence[int] = (128, 128, 3),
    *,
    base_filters: int = 64,
    synchronized: bool = False,
    name: str = "discriminator",
) -> keras.Model:
    """Discriminator D(x): the strided convolutions of DCGAN and one linear layer.

    Radford et al. 2015, used by CVAE-GAN (Bao et al. 2017, Section 5): four 5×5 convolutions of
    stride 2 with 64, 128, 256 and 512 filters, LeakyReLU of slope 0.2, batch normalization on
    all but the first, no hidden fully connected layer. All kernels start from a normal
    distribution of standard deviation 0.02.

    DCGAN is drawn at 64×64, where the last map is 4×4×512. At 128×128 the convolutions stay the
    same, as is common, and the last map is 8×8×512: f_D has 32,768 dimensions.

    Args:
        image_shape: `(height, width, channels)`; both sides must be multiples of 16. Defaults
            to `(128, 128, 3)`.
        base_filters: Filters of the first convolution, at least 1; each further convolution has
            twice as many as the one before. Defaults to 64.
        synchronized: Whether batch normalization takes its statistics over all replicas
            (TensorFlow only). Defaults to `False`.
        name: Name of the model. Defaults to `"discriminator"`.

    Returns:
        A `keras.Model`. Input: `"images"` of shape `(n, height, width, channels)` in [-1, 1].
        Outputs: `"logits"` of shape `(n, 1)`, above 0 for real; `"features"`, the input of the
        last layer, of shape `(n, height // 16 * width // 16 * 8 * base_filters)`, both in
        float32 under any dtype policy; `"block_1"` to `"block_4"`, the activations of the
        convolutions, in the compute dtype. `"block_4"` flattened is `"features"`.

    Raises:
        ValueError: if an argument is out of its range.

    Example:

    >>> import numpy as np
    >>> discriminator = dcgan_discriminator((32, 32, 3), base_filters=4)
    >>> outputs = discriminator(np.zeros((2, 32, 32, 3)))
    >>> tuple(outputs["logits"].shape), tuple(outputs["features"].shape)
    ((2, 1), (2, 128))
    """
    image_shape = check_image_shape(image_shape, architecture="dcgan_discriminator", multiple_of=16)
    base_filters = check_positive_integer("base_filters", base_filters)

    images = keras.Input(image_shape, dtype=full_precision_dtype(), name="images")
    outputs = {}
    x = images
    for index in range(1, 5):
        x = conv_norm_activation(
            x,
            base_filters * 2 ** (index - 1),
            5,
            strides=2,
            normalize=index > 1,
            negative_slope=0.2,
            initializer=dcgan_initializer,
            synchronized=synchronized,
            name=f"block_{index}",
        )
        outputs[f"block_{index}"] = x
    features = layers.Flatten(dtype=full_precision_dtype(), name="features")(x)
    outputs["features"] = features
    outputs["logits"] = layers.Dense(
        1, kernel_initializer=dcgan_initializer(), dtype=full_precision_dtype(), name="logits"
    )(features)
    return keras.Model(images, outputs, name=name)

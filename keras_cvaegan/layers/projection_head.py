"""The last layer of a discriminator that sees the label, by projection."""

from typing import Any

import keras
from keras import layers, ops

from keras_cvaegan.layers.spectral_normalization import SpectralNormalization
from keras_cvaegan.ops.precision import full_precision_dtype


@keras.saving.register_keras_serializable(package="keras_cvaegan")
class ProjectionHead(layers.Layer):
    """Logit of features under a class (Miyato & Koyama, "cGANs with Projection Discriminator",
    ICLR 2018, Eq. 3).

    f(x, c) = wᵀ φ(x) + b + (V c)ᵀ φ(x)

    w and V are spectrally normalized.

    Call arguments:
        inputs: pair of features φ(x), (n, d) or maps (n, height, width, d), and class weights,
            (n, num_classes).
        training: whether the estimates of the norms move.

    Returns:
        Logits (n, 1), of maps one for each place, (n, height, width, 1); float32.

    Example:

    >>> import numpy as np
    >>> ProjectionHead()((np.ones((2, 8)), np.eye(3)[:2])).shape == (2, 1)
    True
    """

    def __init__(self, **kwargs: Any):
        kwargs.setdefault("dtype", full_precision_dtype())
        super().__init__(**kwargs)

    def build(self, input_shape: Any) -> None:
        features, classes = input_shape
        dense = {"use_bias": False, "dtype": self.dtype_policy}
        self.of_features = SpectralNormalization(
            layers.Dense(1, **dense), dtype=self.dtype_policy, name="of_features"
        )
        self.of_classes = SpectralNormalization(
            layers.Dense(features[-1], **dense),
            use_bias=False,
            dtype=self.dtype_policy,
            name="of_classes",
        )
        self.of_features.build(features)
        self.of_classes.build(classes)

    def call(self, inputs: tuple[Any, Any], training: bool = False) -> Any:
        features, classes = inputs
        embedded = self.of_classes(classes, training=training)
        if len(features.shape) == 4:
            embedded = embedded[:, None, None, :]
        projected = embedded * features
        return self.of_features(features, training=training) + ops.sum(
            projected, axis=-1, keepdims=True
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[0][:-1], 1)

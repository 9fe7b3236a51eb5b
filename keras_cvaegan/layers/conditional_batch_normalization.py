"""Batch normalization whose scale and shift come from a condition."""

from typing import Any

import keras
from keras import ops

from keras_cvaegan.layers.batch_normalization import BatchNormalization


@keras.saving.register_keras_serializable(package="keras_cvaegan")
class ConditionalBatchNormalization(keras.layers.Layer):
    """Normalizes over the batch, then scales and shifts by functions of a condition.

    y = (1 + W_γ h) ⊙ BN(x) + W_β h

    with h the condition, such as (z, class embedding), and BN a batch normalization without
    scale and shift (de Vries et al. 2017, "Modulating early visual processing by language";
    Brock et al. 2019 give it the latent too). W_γ and W_β start at random from N(0, 0.02²), so that
    training starts close to the plain normalization.

    Args:
        momentum: momentum of the moving averages that inference uses, in [0, 1).
        epsilon: added to the variance.
        synchronized: whether replicas share their batch statistics.

    Call arguments:
        inputs: pair (x, h) of shapes (n, height, width, channels) and (n, d).
        training: whether the batch's statistics are used (and the averages moved).

    Returns:
        Tensor of x's shape.

    Example:

    >>> import numpy as np
    >>> layer = ConditionalBatchNormalization()
    >>> layer((np.ones((2, 4, 4, 3)), np.ones((2, 5)))).shape == (2, 4, 4, 3)
    True
    """

    def __init__(
        self,
        momentum: float = 0.9,
        epsilon: float = 1e-3,
        synchronized: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.momentum = momentum
        self.epsilon = epsilon
        self.synchronized = synchronized
        self.normalization = BatchNormalization(
            momentum=momentum,
            epsilon=epsilon,
            center=False,
            scale=False,
            synchronized=synchronized,
            dtype=self.dtype_policy,
            name="normalization",
        )

    def build(self, input_shape: Any) -> None:
        x_shape, condition_shape = input_shape
        self.normalization.build(x_shape)
        self.scale_and_shift = keras.layers.Dense(
            2 * x_shape[-1],
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.02),
            dtype=self.dtype_policy,
            name="scale_and_shift",
        )
        self.scale_and_shift.build(condition_shape)

    def call(self, inputs: tuple[Any, Any], training: bool | None = None) -> Any:
        x, condition = inputs
        scale_and_shift = self.scale_and_shift(condition)[:, None, None, :]
        scale, shift = ops.split(scale_and_shift, 2, axis=-1)
        return (1.0 + scale) * self.normalization(x, training=training) + shift

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape[0]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "synchronized": self.synchronized,
        }

"""Spectral normalization of a linear layer."""

from typing import Any

import keras
from keras import ops

from keras_cvaegan.ops.precision import full_precision_dtype


@keras.saving.register_keras_serializable(package="keras_cvaegan")
class SpectralNormalization(keras.layers.Wrapper):
    """Divides a linear layer's kernel by its largest singular value (Miyato et al., "Spectral
    Normalization for Generative Adversarial Networks", ICLR 2018).

    y = W x / σ(W) + b,  σ(W) = uᵀ W v,  v ← Wᵀ u / ‖Wᵀ u‖,  u ← W v / ‖W v‖

    with one power iteration a call in training. The kernel stays as it is and the gradient takes
    its way through σ(W), as in the paper. (`keras.layers.SpectralNormalization` of Keras 3.15
    overwrites the kernel in each call instead, which carries no such gradient.)

    Args:
        layer: a `Dense` or convolution with `use_bias=False` and no activation.
        use_bias: whether to add b after the division.

    Call arguments:
        inputs: tensors that the layer takes.
        training: whether u moves.

    Raises:
        ValueError: for a layer with a bias or an activation.

    Example:

    >>> import numpy as np
    >>> layer = SpectralNormalization(keras.layers.Dense(3, use_bias=False))
    >>> for _ in range(50):
    ...     y = layer(np.eye(3, dtype="float32"), training=True)
    >>> round(float(np.linalg.norm(np.array(y), 2)), 4)
    1.0
    """

    def __init__(self, layer: keras.layers.Layer, use_bias: bool = True, **kwargs: Any):
        super().__init__(layer, **kwargs)
        if layer.use_bias or layer.activation is not keras.activations.linear:
            raise ValueError(
                "SpectralNormalization takes a layer with use_bias=False and no activation. "
                f"Received: {type(layer).__name__} {layer.name!r}."
            )
        self.use_bias = use_bias

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        units = self.layer.kernel.shape[-1]
        self.u = self.add_weight(
            name="u",
            shape=(units,),
            initializer="random_normal",
            trainable=False,
            dtype=full_precision_dtype(),
        )
        if self.use_bias:
            self.bias = self.add_weight(name="bias", shape=(units,), initializer="zeros")

    def call(self, inputs: Any, training: bool = False) -> Any:
        kernel = ops.cast(self.layer.kernel, full_precision_dtype())
        kernel = ops.reshape(kernel, (-1, kernel.shape[-1]))
        matrix = ops.stop_gradient(kernel)
        v = _unit(ops.matmul(matrix, self.u))
        u = _unit(ops.matmul(v, matrix))
        if training:
            self.u.assign(u)
        sigma = ops.sum(ops.matmul(v, kernel) * u)
        outputs = self.layer(inputs)
        outputs = outputs / ops.cast(ops.maximum(sigma, keras.config.epsilon()), outputs.dtype)
        return outputs + ops.cast(self.bias, outputs.dtype) if self.use_bias else outputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self.layer.compute_output_shape(input_shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "use_bias": self.use_bias}


def _unit(x: Any) -> Any:
    return x / ops.maximum(ops.norm(x), keras.config.epsilon())

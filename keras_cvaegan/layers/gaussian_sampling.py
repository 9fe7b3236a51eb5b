"""Sampling from the encoder's Gaussian by the reparameterization trick."""

from typing import Any

import keras
from keras import ops

from keras_cvaegan.ops import random
from keras_cvaegan.ops.precision import full_precision_dtype


@keras.saving.register_keras_serializable(package="keras_cvaegan")
class GaussianSampling(keras.layers.Layer):
    """Samples a latent from the mean and log-variance that an encoder gives.

    z = μ + exp(ε / 2) ⊙ r,  r ~ N(0, I)

    ε is the log-variance, as in the KL term of Eq. 5 (Bao et al. 2017); the text beside that
    equation samples with exp(ε), which contradicts it. The noise r is stateless: a function of
    (seed, step, stream, row), so that a resumed or distributed run draws the same numbers.

    Args:
        seed: integer.
        stream: integer: distinguishes layers that share a seed.
        log_var_range: pair of floats that ε is clipped to.

    Call arguments:
        inputs: pair (z_mean, z_log_var) of tensors of shape (n, d).
        step: integer or scalar tensor; another step draws other noise.
        rows: integer tensor (n,) of global example indices; 0 to n − 1 by default.

    Returns:
        float32 tensor of shape (n, d).

    Example:

    >>> import numpy as np
    >>> layer = GaussianSampling(seed=1)
    >>> z = layer((np.zeros((2, 4)), np.zeros((2, 4))), step=0)
    >>> z.shape == (2, 4)
    True
    """

    def __init__(
        self,
        seed: int = 0,
        stream: int = 0,
        log_var_range: tuple[float, float] = (-10.0, 10.0),
        **kwargs: Any,
    ):
        kwargs.setdefault("dtype", full_precision_dtype())
        super().__init__(**kwargs)
        low, high = log_var_range
        if not low < high:
            raise ValueError(
                f"log_var_range must be (low, high) with low < high. Received: {log_var_range}"
            )
        self.seed = seed
        self.stream = stream
        self.log_var_range = (float(low), float(high))

    def clip(self, z_log_var: Any) -> Any:
        """Clips the log-variance to `log_var_range`."""
        return ops.clip(z_log_var, *self.log_var_range)

    def call(self, inputs: tuple[Any, Any], step: Any = 0, rows: Any = None) -> Any:
        z_mean, z_log_var = inputs
        if rows is None:
            rows = ops.arange(ops.shape(z_mean)[0])
        noise = random.normal(
            rows,
            z_mean.shape[-1],
            seed=self.seed,
            step=step,
            stream=self.stream,
            dtype=self.compute_dtype,
        )
        return z_mean + ops.exp(0.5 * self.clip(z_log_var)) * noise

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape[0]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "seed": self.seed,
            "stream": self.stream,
            "log_var_range": self.log_var_range,
        }

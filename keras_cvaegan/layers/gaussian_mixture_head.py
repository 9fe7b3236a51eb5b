"""A Gaussian for each class, learned, in a space of codes."""

from typing import Any

import keras
from keras import ops

from keras_cvaegan.ops.gaussians import class_log_likelihoods, total_gaussian
from keras_cvaegan.ops.precision import full_precision, full_precision_dtype

# How far beyond its range a logarithm of a variance is still moved.
BEYOND = 0.5


@keras.saving.register_keras_serializable(package="keras_cvaegan")
class GaussianMixtureHead(keras.layers.Layer):
    """A learned Gaussian N(μ_c, Σ_c) for each class, with diagonal Σ_c and p(c) = 1/C (Eq. 6,
    Zheng & Sun, "Disentangling Latent Space for VAE by Label Relevant/Irrelevant Dimensions",
    CVPR 2019).

    In the place of a last fully connected layer it gives logits of the posterior q(c | z) (Eq. 8),
    which is then trained by cross entropy and `losses.likelihood_loss` (the GM loss, Eq. 9).
    Kept are logarithms of variances, so that hundreds of dimensions neither vanish nor overflow.

    Args:
        num_classes: C, at least 1.
        log_variance_range: pair of floats that log σ² is clipped to.

    Call arguments:
        z: codes (n, d).

    Returns:
        log N(z; μ_c, Σ_c) for each class, (n, num_classes), float32.

    Raises:
        ValueError: for fewer classes, or an empty range.

    Example:

    >>> import numpy as np
    >>> head = GaussianMixtureHead(3)
    >>> head(np.zeros((2, 8))).shape == (2, 3)
    True
    >>> classes = np.eye(3, dtype="float32")[[0, 2]]
    >>> z = head.place(np.ones((2, 8), "float32"), classes)
    >>> np.allclose(head.whiten(z, classes), 1.0, atol=1e-5)
    True
    """

    def __init__(
        self,
        num_classes: int,
        log_variance_range: tuple[float, float] = (-14.0, 14.0),
        **kwargs: Any,
    ):
        kwargs.setdefault("dtype", full_precision_dtype())
        super().__init__(**kwargs)
        if num_classes < 1:
            raise ValueError(f"num_classes must be at least 1. Received: {num_classes}")
        low, high = log_variance_range
        if not low < high:
            raise ValueError(
                "log_variance_range must be (low, high) with low < high. "
                f"Received: {log_variance_range}"
            )
        self.num_classes = num_classes
        self.log_variance_range = (float(low), float(high))

    def build(self, input_shape: Any) -> None:
        shape = (self.num_classes, input_shape[-1])
        self.means = self.add_weight(name="means", shape=shape, initializer="random_normal")
        self.raw_log_variances = self.add_weight(
            name="log_variances", shape=shape, initializer="zeros"
        )

    @property
    def log_variances(self) -> Any:
        """Logarithms of the diagonals of Σ_c, (num_classes, d).

        Within the range; at its ends gradients pass, so that a variance may come back.
        """
        raw = ops.convert_to_tensor(self.raw_log_variances)
        low, high = self.log_variance_range
        inside = ops.clip(raw, low, high)
        # Not beyond what one may come back from soon.
        near = ops.clip(raw, low - BEYOND, high + BEYOND)
        return near + ops.stop_gradient(inside - near)

    def call(self, z: Any) -> Any:
        return class_log_likelihoods(z, self.means, self.log_variances)

    def place(self, noise: Any, classes: Any) -> Any:
        """Codes of classes: μ_c + σ_c ⊙ noise, which is distributed as class c if noise is N(0, I).

        Args:
            noise: (n, d).
            classes: class weights (n, num_classes); a mixture takes the mean of μ and of log σ².
        """
        mean, deviation = self._of(classes)
        return mean + deviation * full_precision(noise)

    def whiten(self, z: Any, classes: Any) -> Any:
        """The noise that `place` would make codes of: (z − μ_c) / σ_c."""
        mean, deviation = self._of(classes)
        return (full_precision(z) - mean) / deviation

    def total(self) -> tuple[Any, Any]:
        """Mean and log-variance of all classes together (Eq. 11), each (d,)."""
        return total_gaussian(self.means, self.log_variances)

    def _of(self, classes: Any) -> tuple[Any, Any]:
        classes = full_precision(classes)
        log_variance = ops.matmul(classes, self.log_variances)
        return ops.matmul(classes, self.means), ops.exp(0.5 * log_variance)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], self.num_classes)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "log_variance_range": self.log_variance_range,
        }

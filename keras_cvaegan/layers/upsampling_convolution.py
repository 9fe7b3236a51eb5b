"""A convolution of a map whose sides are doubled, without making that map."""

from typing import Any

import keras
from keras import ops

# Below this side much of a transposed convolution's kernel lies outside of the map: there, on CPUs,
# doubling first is quicker (4×4: 0.8 of the time), from here on it is not (8×8: 1.3, 16×16: 1.7).
MIN_SIDE = 8


@keras.saving.register_keras_serializable(package="keras_cvaegan")
class UpsamplingConv2D(keras.layers.Conv2D):
    """Doubles height and width by repeating pixels, then convolves ("deconv layers with 2-by-2
    upsampling", Bao et al. 2017, Section 5).

    y = k ∗ up₂(x) = (k ∗ 1₂ₓ₂) ∗ᵀ₂ x

    The right side, a transposed convolution of stride 2 whose kernel is k summed over windows of
    2×2, is what is computed: the doubled map is never made, and of the k·k multiplications for
    each pixel, many of which multiply copies of one pixel, (k+1)²/4 remain: 4 of 9 for k = 3,
    9 of 25 for k = 5. Both sides agree to rounding.

    Args:
        filters: channels of the output.
        kernel_size: odd side of the square kernel.
        **kwargs: the others of `keras.layers.Conv2D`, except strides, padding, dilation_rate,
            groups and data_format, which have one value here.

    Returns:
        Of a map (n, h, w, c), one of (n, 2h, 2w, filters).

    Raises:
        ValueError: for an even kernel, or another of those settings.

    Example:

    >>> import numpy as np
    >>> layer = UpsamplingConv2D(5, 3)
    >>> tuple(layer(np.ones((2, 8, 8, 3), "float32")).shape)
    (2, 16, 16, 5)
    """

    def __init__(self, filters: int, kernel_size: int | tuple[int, int], **kwargs: Any):
        fixed = {
            "strides": (1, 1),
            "padding": "same",
            "dilation_rate": (1, 1),
            "groups": 1,
            "data_format": "channels_last",
        }
        super().__init__(filters, kernel_size, **{**fixed, **kwargs})
        for name, allowed in fixed.items():
            if getattr(self, name) != allowed:
                raise ValueError(
                    f"{name} of UpsamplingConv2D must be {allowed!r}. Received: {kwargs[name]!r}"
                )
        if any(side % 2 == 0 for side in self.kernel_size):
            raise ValueError(f"kernel_size must be odd. Received: {kernel_size!r}")

    def folds(self, map_shape: tuple[int, int, int]) -> bool:
        """Whether a map (height, width, channels) is convolved without being doubled."""
        return min(map_shape[:2]) >= MIN_SIDE

    def call(self, inputs: Any) -> Any:
        if not self.folds(inputs.shape[1:]):
            return super().call(ops.repeat(ops.repeat(inputs, 2, axis=1), 2, axis=2))
        kernel = ops.pad(ops.convert_to_tensor(self.kernel), [[1, 1], [1, 1], [0, 0], [0, 0]])
        kernel = kernel[:-1] + kernel[1:]
        kernel = kernel[:, :-1] + kernel[:, 1:]
        # A transposed convolution takes the kernel as the convolution that it is the gradient of.
        kernel = ops.transpose(ops.flip(kernel, axis=(0, 1)), (0, 1, 3, 2))
        outputs = ops.conv_transpose(inputs, kernel, strides=2, padding="same")
        if self.use_bias:
            outputs = outputs + self.bias
        return outputs if self.activation is None else self.activation(outputs)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        n, *sides, channels = input_shape
        doubled = [None if side is None else 2 * side for side in sides]
        return super().compute_output_shape((n, *doubled, channels))

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        for name in ("strides", "padding", "dilation_rate", "groups", "data_format"):
            del config[name]
        return config

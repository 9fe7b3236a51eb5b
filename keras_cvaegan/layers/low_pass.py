"""A fixed filter that takes out what sampling every second pixel would fold."""

from typing import Any

import keras
import numpy as np
from keras import ops

TAPS = (-1 / 16, 4 / 16, 10 / 16, 4 / 16, -1 / 16)
MIN_SIDE = 3


@keras.saving.register_keras_serializable(package="keras_cvaegan")
class LowPass(keras.layers.Layer):
    """Weakens the finest detail of images, along height and width alike.

    y_i = (10 x_i + 4 (x_{i−1} + x_{i+1}) − (x_{i−2} + x_{i+2})) / 16

    with edges mirrored. A wave of f cycles a pixel keeps (10 + 8 cos 2πf − 2 cos 4πf) / 16 of its
    height: all at 0, three quarters at ¼, and nothing at ½, the finest stripes. A network whose
    first convolution has stride 2 takes stripes that fine for something wide (Zhang, "Making
    Convolutional Networks Shift-Invariant Again", ICML 2019): a generator that follows its
    gradients draws them, which nobody wants to see, unless they are taken out before.

    Call arguments:
        images: tensor (n, height, width, channels), sides of at least 3.

    Returns:
        Tensor of the images' shape.

    Raises:
        ValueError: for smaller sides.

    Example:

    >>> import numpy as np
    >>> stripes = np.tile([1.0, -1.0], 4)[None, :, None, None] * np.ones((1, 8, 8, 3))
    >>> bool(abs(np.array(LowPass()(stripes))).max() < 1e-6)
    True
    """

    def build(self, images_shape: Any) -> None:
        if min(images_shape[1:3]) < MIN_SIDE:
            raise ValueError(
                f"LowPass takes images with sides of at least {MIN_SIDE} pixels. Received: shape "
                f"{tuple(images_shape)}."
            )

    def call(self, images: Any) -> Any:
        x = ops.convert_to_tensor(images)
        down, right = (_matrix(side) for side in x.shape[1:3])
        x = ops.einsum("ij,njwc->niwc", ops.cast(down, x.dtype), x)
        return ops.einsum("ij,nhjc->nhic", ops.cast(right, x.dtype), x)

    def compute_output_shape(self, images_shape: Any) -> Any:
        return images_shape


def _matrix(side: int) -> np.ndarray:
    """The filter along one side as a matrix, mirrored edges in it."""
    reach = len(TAPS) // 2
    mirrored = np.pad(np.eye(side, dtype="float32"), ((reach, reach), (0, 0)), mode="reflect")
    return np.sum([tap * mirrored[k : k + side] for k, tap in enumerate(TAPS)], axis=0)

"""A fixed filter that takes out what sampling every second pixel would fold."""

from typing import Any

import keras
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
        for axis in (1, 2):
            side = x.shape[axis]
            # `ops.pad` does not mirror an empty batch.
            mirrored = [_part(x, axis, k, 1) for k in (2, 1)]
            mirrored += [x, *(_part(x, axis, side - k, 1) for k in (2, 3))]
            wide = ops.concatenate(mirrored, axis=axis)
            x = sum(tap * _part(wide, axis, k, side) for k, tap in enumerate(TAPS))
        return x

    def compute_output_shape(self, images_shape: Any) -> Any:
        return images_shape


def _part(x: Any, axis: int, start: int, count: int) -> Any:
    """So many rows (axis 1) or columns (axis 2) of images."""
    part = slice(start, start + count)
    return x[:, part] if axis == 1 else x[:, :, part]

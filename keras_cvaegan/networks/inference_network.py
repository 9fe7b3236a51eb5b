"""Networks that are in inference mode however they are called, and what they are made of."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_cvaegan")
class InferenceNetwork(keras.Model):
    """A functional model in inference mode, however it is called.

    A functional model of Keras takes `training=True` of whatever calls it, and hands it on to
    batch normalization and dropout.

    Example:

    >>> import numpy as np
    >>> x = keras.Input((3,))
    >>> network = InferenceNetwork(x, keras.layers.Dropout(0.5)(x))
    >>> np.array(network(np.ones((1, 3)), training=True)).tolist()
    [[1.0, 1.0, 1.0]]
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        return super().call(inputs, training=False, mask=mask)


@keras.saving.register_keras_serializable(package="keras_cvaegan")
class OneClass(keras.layers.Layer):
    """The class weights of one class: of z (n, d) ones (n, 1).

    Example:

    >>> import numpy as np
    >>> np.array(OneClass()(np.zeros((2, 5)))).tolist()
    [[1.0], [1.0]]
    """

    def call(self, inputs: Any) -> Any:
        return ops.ones_like(inputs[:, :1])

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape[0], 1

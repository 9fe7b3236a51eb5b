import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from keras_cvaegan.layers import UpsamplingConv2D
from keras_cvaegan.layers.upsampling_convolution import MIN_SIDE


def both(kernel_size, shape, filters, **arguments):
    """The layer, and Keras' own two layers with the same weights."""
    layer = UpsamplingConv2D(filters, kernel_size, bias_initializer="normal", **arguments)
    layer.build((None, *shape))
    plain = keras.layers.Conv2D(filters, kernel_size, padding="same", **arguments)
    plain.build((None, *shape))
    plain.set_weights(layer.get_weights())
    return layer, lambda x: plain(keras.layers.UpSampling2D(2)(x))


@settings(max_examples=12, deadline=None)
@given(
    st.sampled_from([1, 3, 5, 7]),
    st.integers(MIN_SIDE - 2, MIN_SIDE + 5),
    st.integers(MIN_SIDE - 2, MIN_SIDE + 5),
    st.integers(1, 4),
    st.integers(1, 4),
    st.integers(1, 3),
    st.sampled_from([None, "relu"]),
    st.booleans(),
)
def test_equals_doubling_and_then_convolving(k, h, w, c, filters, n, activation, use_bias):
    layer, plain = both(k, (h, w, c), filters, activation=activation, use_bias=use_bias)
    x = np.random.default_rng(k).standard_normal((n, h, w, c), np.float32)
    y = layer(x)
    assert y.shape == (n, 2 * h, 2 * w, filters) == layer.compute_output_shape(x.shape)
    np.testing.assert_allclose(y, plain(x), atol=2e-5)


@pytest.mark.tensorflow
@pytest.mark.parametrize("k", [3, 5])
def test_gradients_equal(k):
    layer, plain = both(k, (MIN_SIDE, MIN_SIDE, 3), 4)
    x = tf.random.stateless_normal((2, MIN_SIDE, MIN_SIDE, 3), (0, 0))
    upstream = tf.random.stateless_normal((2, 2 * MIN_SIDE, 2 * MIN_SIDE, 4), (0, 1))
    gradients = []
    for function in (layer, plain):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(upstream * function(x))
        gradients.append(tape.gradient(loss, [x, *tape.watched_variables()]))
    assert len(gradients[0]) == 3
    for ours, theirs in zip(*gradients, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


def test_a_kernel_of_one_and_a_map_of_one_pixel_by_hand():
    layer = UpsamplingConv2D(1, 3, kernel_initializer="ones", use_bias=False)
    y = ops.convert_to_numpy(layer(np.ones((1, 1, 1, 1), "float32")))
    np.testing.assert_array_equal(y[0, :, :, 0], np.full((2, 2), 4.0))
    x = np.zeros((1, 8, 8, 1), "float32")
    x[0, 3, 4] = 1
    y = ops.convert_to_numpy(layer(x))[0, :, :, 0]
    np.testing.assert_allclose(y[5:9, 7:11], np.outer([1, 2, 2, 1], [1, 2, 2, 1]), atol=1e-6)
    assert y.sum() == pytest.approx(36)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kernel_size": 4}, "kernel_size must be odd. Received: 4"),
        ({"kernel_size": 3, "strides": 2}, "strides of UpsamplingConv2D must be"),
        ({"kernel_size": 3, "padding": "valid"}, "padding of UpsamplingConv2D must be 'same'"),
        ({"kernel_size": 3, "groups": 2}, "groups of UpsamplingConv2D must be 1"),
    ],
)
def test_other_settings_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        UpsamplingConv2D(2, **arguments)

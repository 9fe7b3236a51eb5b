"""Spectral normalization against the singular value decomposition."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_cvaegan.layers import ProjectionHead, SpectralNormalization


def norm(kernel):
    return np.linalg.norm(np.array(kernel).reshape(-1, kernel.shape[-1]), 2)


def settled(layer, shape):
    layer.build((None, *shape))
    inputs = np.zeros((1, *shape), np.float32)
    for _ in range(300):
        layer(inputs, training=True)
    return layer


@pytest.mark.parametrize(
    ("inner", "shape"),
    [
        (keras.layers.Dense(5, use_bias=False), (7,)),
        (keras.layers.Conv2D(5, 3, strides=2, padding="same", use_bias=False), (8, 8, 4)),
    ],
)
def test_the_kernel_is_divided_by_its_largest_singular_value(inner, shape):
    keras.utils.set_random_seed(1)
    layer = settled(SpectralNormalization(inner), shape)
    layer.bias.assign(np.arange(5.0))
    x = np.random.default_rng(0).normal(0, 1, (3, *shape)).astype("float32")
    expected = np.array(inner(x)) / norm(inner.kernel) + np.arange(5)
    np.testing.assert_allclose(layer(x), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.tensorflow
def test_the_gradient_takes_its_way_through_the_norm():
    keras.utils.set_random_seed(1)
    inner = keras.layers.Dense(4, use_bias=False)
    layer = settled(SpectralNormalization(inner, use_bias=False), (6,))
    x = np.random.default_rng(0).normal(0, 1, (3, 6)).astype("float32")
    target = np.random.default_rng(1).normal(0, 1, (3, 4)).astype("float32")
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x) * target)
    found = tape.gradient(loss, inner.kernel.value)
    kernel = np.array(inner.kernel, np.float64)

    def value(kernel):
        return np.sum((x @ kernel) / np.linalg.norm(kernel, 2) * target)

    for index in np.ndindex(kernel.shape):
        moved = [kernel.copy(), kernel.copy()]
        moved[0][index] += 1e-5
        moved[1][index] -= 1e-5
        slope = (value(moved[0]) - value(moved[1])) / 2e-5
        np.testing.assert_allclose(found[index], slope, rtol=1e-3, atol=1e-4)


def test_inference_moves_nothing():
    layer = SpectralNormalization(keras.layers.Dense(4, use_bias=False))
    x = np.ones((2, 3), np.float32)
    layer(x)
    before = np.array(layer.u)
    layer(x, training=False)
    np.testing.assert_array_equal(layer.u, before)
    layer(x, training=True)
    assert np.abs(np.array(layer.u) - before).max() > 0


def test_a_kernel_of_zeros_gives_zeros():
    inner = keras.layers.Dense(4, use_bias=False, kernel_initializer="zeros")
    assert not np.array(SpectralNormalization(inner)(np.ones((2, 3)), training=True)).any()


def test_layers_that_cannot_be_normalized():
    for inner in (keras.layers.Dense(3), keras.layers.Dense(3, "relu", use_bias=False)):
        with pytest.raises(ValueError, match="use_bias=False and no activation"):
            SpectralNormalization(inner)


def test_projection():
    keras.utils.set_random_seed(0)
    head = ProjectionHead()
    features = np.random.default_rng(0).normal(0, 1, (4, 6)).astype("float32")
    classes = np.eye(3, dtype="float32")[[0, 1, 2, 0]]
    for _ in range(300):
        head((features, classes), training=True)
    w = np.array(head.of_features.layer.kernel)
    v = np.array(head.of_classes.layer.kernel)
    w, v = w / np.linalg.norm(w, 2), v / np.linalg.norm(v, 2)
    expected = features @ w + np.sum((classes @ v) * features, axis=1, keepdims=True)
    np.testing.assert_allclose(head((features, classes)), expected, rtol=1e-4, atol=1e-5)


def test_projection_at_every_place_of_a_map():
    head = ProjectionHead()
    maps = np.random.default_rng(0).normal(0, 1, (4, 2, 3, 6)).astype("float32")
    classes = np.eye(3, dtype="float32")[[0, 1, 2, 0]]
    logits = np.array(head((maps, classes)))
    assert logits.shape == (4, 2, 3, 1)
    for i, j in np.ndindex(2, 3):
        alone = np.array(head((maps[:, i, j], classes)))
        np.testing.assert_allclose(logits[:, i, j], alone, rtol=1e-5, atol=1e-6)

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_cvaegan.layers import ConditionalBatchNormalization
from tests.helpers.checks import dtype_policy


@pytest.fixture
def inputs():
    random = np.random.default_rng(0)
    x = random.normal(3.0, 2.0, (6, 4, 5, 3)).astype("float32")
    return x, random.normal(size=(6, 7)).astype("float32")


def built(**arguments):
    layer = ConditionalBatchNormalization(**arguments)
    layer.build(((None, 4, 5, 3), (None, 7)))
    return layer


def modulated(layer, x, condition, mean, variance):
    kernel, bias = (np.array(weight, "float64") for weight in layer.scale_and_shift.weights)
    scale, shift = np.split(condition @ kernel + bias, 2, axis=1)
    normalized = (x - mean) / np.sqrt(variance + layer.epsilon)
    return (1 + scale)[:, None, None] * normalized + shift[:, None, None]


def test_equals_the_equation_on_batch_statistics(inputs):
    x, condition = inputs
    layer = built()
    layer.scale_and_shift.bias.assign(np.linspace(-1, 1, 6))
    mean, variance = x.mean(axis=(0, 1, 2)), x.var(axis=(0, 1, 2))
    expected = modulated(layer, x, condition, mean, variance)
    np.testing.assert_allclose(layer(inputs, training=True), expected, rtol=1e-3, atol=1e-4)


def test_inference_uses_the_moving_averages(inputs):
    x, condition = inputs
    layer = built(momentum=0.6)
    for _ in range(3):
        layer(inputs, training=True)
    # The averages start at 0 and 1.
    mean = (1 - 0.6**3) * x.mean(axis=(0, 1, 2))
    variance = 0.6**3 + (1 - 0.6**3) * x.var(axis=(0, 1, 2))
    before = [np.array(weight) for weight in layer.weights]
    expected = modulated(layer, x, condition, mean, variance)
    np.testing.assert_allclose(layer(inputs, training=False), expected, rtol=1e-3, atol=1e-4)
    for weight, value in zip(layer.weights, before, strict=True):
        np.testing.assert_array_equal(weight, value)


@pytest.mark.parametrize("training", [True, False])
def test_equals_batch_normalization_without_scale_and_shift(inputs, training):
    layer = built()
    layer.scale_and_shift.kernel.assign(np.zeros((7, 6)))
    plain = keras.layers.BatchNormalization(momentum=0.9, center=False, scale=False)
    for _ in range(2):
        expected = plain(inputs[0], training=training)
        np.testing.assert_allclose(layer(inputs, training=training), expected, atol=1e-6)


def test_starts_close_to_the_plain_normalization():
    layer = ConditionalBatchNormalization()
    layer.build(((None, 2, 2, 100), (None, 50)))
    kernel = np.array(layer.scale_and_shift.kernel)
    assert abs(kernel.mean()) < 1e-3
    assert 0.019 < kernel.std() < 0.021
    assert not np.any(np.array(layer.scale_and_shift.bias))


def test_layers_start_different_and_follow_the_global_seed():
    kernels = []
    for seed in (1, 1, 2):
        keras.utils.set_random_seed(seed)
        kernels += [np.array(built().scale_and_shift.kernel) for _ in range(2)]
    np.testing.assert_array_equal(kernels[0], kernels[2])
    assert not np.array_equal(kernels[0], kernels[1])
    assert not np.array_equal(kernels[0], kernels[4])


@pytest.mark.tensorflow
def test_everything_but_the_averages_is_trained(inputs):
    layer = built()
    assert [weight.name for weight in layer.trainable_variables] == ["kernel", "bias"]
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(inputs, training=True) ** 3)
    variables = [weight.value for weight in layer.trainable_variables]
    assert all(np.any(gradient) for gradient in tape.gradient(loss, variables))


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision(inputs, policy):
    layer = built(dtype=policy)
    assert {weight.dtype for weight in layer.weights} == {"float32"}
    y = layer(inputs, training=True)
    assert y.dtype == policy.removeprefix("mixed_")
    exact = built()
    exact.set_weights(built(dtype=policy).get_weights())
    exact.scale_and_shift.kernel.assign(layer.scale_and_shift.kernel)
    np.testing.assert_allclose(
        tf.cast(y, "float32"), exact(inputs, training=True), rtol=0.03, atol=0.03
    )


def test_builds_under_a_global_policy():
    with dtype_policy("mixed_bfloat16"):
        layer = built()
        again = ConditionalBatchNormalization.from_config(layer.get_config())
    assert again.compute_dtype == again.normalization.compute_dtype == "bfloat16"
    assert layer.scale_and_shift.compute_dtype == "bfloat16"

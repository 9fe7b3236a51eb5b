import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_cvaegan.layers import GaussianSampling
from keras_cvaegan.ops import random
from tests.helpers.checks import dtype_policy


@pytest.fixture
def gaussian():
    values = np.random.default_rng(0)
    return (
        values.normal(size=(5, 3)).astype("float32"),
        values.normal(size=(5, 3)).astype("float32"),
    )


def test_equals_the_equation(gaussian):
    mean, log_var = gaussian
    noise = np.array(random.normal(np.arange(5), 3, seed=4, step=6, stream=2), "float64")
    z = GaussianSampling(seed=4, stream=2)((mean, log_var), step=6)
    np.testing.assert_allclose(z, mean + np.exp(log_var / 2) * noise, rtol=1e-5, atol=1e-6)


def test_standard_deviation_is_exp_of_half_the_log_variance():
    log_var = np.tile(np.array([[-4.0, 0.0, 3.0]], "float32"), (20_000, 1))
    z = np.array(GaussianSampling()((np.full_like(log_var, 7.0), log_var)))
    np.testing.assert_allclose(z.std(axis=0), np.exp(log_var[0] / 2), rtol=0.02)
    np.testing.assert_allclose(z.mean(axis=0), 7.0, atol=0.15)


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_log_variance_is_clipped(sign):
    layer = GaussianSampling(log_var_range=(-2.0, 3.0))
    mean = np.zeros((4, 2), "float32")
    extreme = layer((mean, np.full((4, 2), sign * 1e4, "float32")))
    limit = layer((mean, np.full((4, 2), -2.0 if sign < 0 else 3.0, "float32")))
    np.testing.assert_array_equal(extreme, limit)
    np.testing.assert_array_equal(layer.clip(np.array([-9.0, 1.0, 9.0])), [-2.0, 1.0, 3.0])


def test_noise_is_a_function_of_seed_step_stream_and_row(gaussian):
    mean, log_var = gaussian
    first = np.array(GaussianSampling(seed=1)(gaussian, step=2))
    np.testing.assert_array_equal(first, GaussianSampling(seed=1)(gaussian, step=2))
    others = [
        GaussianSampling(seed=1)(gaussian, step=3),
        GaussianSampling(seed=2)(gaussian, step=2),
        GaussianSampling(seed=1, stream=1)(gaussian, step=2),
        GaussianSampling(seed=1)(gaussian, step=2, rows=np.arange(5, 10)),
    ]
    assert all(np.all(first != np.array(other)) for other in others)

    tail = GaussianSampling(seed=1)((mean[3:], log_var[3:]), step=2, rows=np.array([3, 4]))
    np.testing.assert_allclose(tail, first[3:], atol=1e-6)


@pytest.mark.tensorflow
def test_one_trace_serves_every_step(gaussian):
    layer = GaussianSampling()
    traced = tf.function(lambda step: layer(gaussian, step=step), autograph=False)
    for step in (0, 5):
        z = traced(tf.constant(step, tf.int64))
        np.testing.assert_allclose(z, layer(gaussian, step=step), atol=1e-6)
    assert traced.experimental_get_tracing_count() == 1


@pytest.mark.tensorflow
def test_gradient_is_that_of_the_reparameterization(gaussian):
    mean, log_var = (tf.constant(x) for x in gaussian)
    layer = GaussianSampling()
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([mean, log_var])
        z = layer((mean, log_var))
    np.testing.assert_allclose(tape.gradient(z, mean), np.ones((5, 3)))
    np.testing.assert_allclose(tape.gradient(z, log_var), (z - mean) / 2, atol=1e-6)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_stays_float32_under_mixed_precision(gaussian, policy):
    with dtype_policy(policy):
        layer = GaussianSampling()
        inputs = [tf.cast(x, keras.config.dtype_policy().compute_dtype) for x in gaussian]
        z = layer(inputs)
    assert z.dtype == "float32"
    expected = GaussianSampling()([tf.cast(x, "float32") for x in inputs])
    np.testing.assert_array_equal(z, expected)


def test_symbolic_call():
    mean, log_var = keras.Input((4,)), keras.Input((4,))
    step, rows = keras.Input((), dtype="int32"), keras.Input((), dtype="int32")
    for arguments in ({}, {"rows": rows}, {"step": step}, {"step": step, "rows": rows}):
        z = GaussianSampling()((mean, log_var), **arguments)
        assert z.shape == (None, 4)
        assert z.dtype == "float32"


@pytest.mark.parametrize("count", [0, 1])
def test_smallest_batches(count):
    assert GaussianSampling()((np.zeros((count, 2)), np.zeros((count, 2)))).shape == (count, 2)


@pytest.mark.parametrize("log_var_range", [(1.0, 1.0), (2.0, -2.0)])
def test_refuses_an_empty_range(log_var_range):
    with pytest.raises(ValueError, match="low < high"):
        GaussianSampling(log_var_range=log_var_range)

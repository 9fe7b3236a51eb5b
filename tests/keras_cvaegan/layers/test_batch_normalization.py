import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_cvaegan.layers import BatchNormalization


def both(shape, **arguments):
    """The layer and Keras' own, with the same weights."""
    kinds = BatchNormalization, keras.layers.BatchNormalization
    layers = [kind(momentum=0.9, **arguments) for kind in kinds]
    for layer in layers:
        layer.build((None, *shape[1:]))
    rng = np.random.default_rng(0)
    weights = [0.5 + rng.random(w.shape) for w in layers[0].weights]
    for layer in layers:
        layer.set_weights(weights)
    return layers


@settings(max_examples=12, deadline=None)
@given(
    st.tuples(st.integers(1, 5), st.integers(1, 6), st.integers(1, 6), st.integers(1, 4)),
    st.booleans(),
    st.booleans(),
    st.sampled_from([1e-3, 1e-5]),
)
def test_equals_keras_in_training_and_moves_the_same_averages(shape, center, scale, epsilon):
    ours, theirs = both(shape, center=center, scale=scale, epsilon=epsilon)
    x = np.random.default_rng(1).normal(2.0, 3.0, shape).astype("float32")
    for training in (True, True, False):
        expected = theirs(x, training=training)
        np.testing.assert_allclose(ours(x, training=training), expected, rtol=1e-3, atol=2e-3)
        for a, b in zip(ours.weights, theirs.weights, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.tensorflow
def test_gradients_equal():
    layers = both((4, 5, 6, 3), epsilon=1e-5)
    x = tf.random.stateless_normal((4, 5, 6, 3), (0, 0), 1.0, 2.0)
    upstream = tf.random.stateless_normal(x.shape, (0, 1))
    gradients = []
    for layer in layers:
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(upstream * layer(x, training=True))
        variables = [variable.value for variable in layer.trainable_variables]
        gradients.append(tape.gradient(loss, [x, *variables]))
    for ours, theirs in zip(*gradients, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_moments_of_half_precision_are_float32(policy):
    """Squares of 300 are beyond float16, and 300 + 1/8 is beyond bfloat16's digits."""
    layer = BatchNormalization(dtype=policy)
    dtype = keras.dtype_policies.get(policy).compute_dtype
    x = tf.cast(300.0 + tf.random.stateless_normal((8, 16, 16, 2), (0, 0), 0.0, 8.0), dtype)
    y = layer(x, training=True)
    assert y.dtype == dtype
    exact = np.array(tf.cast(x, "float64"))
    deviation = (exact - exact.mean((0, 1, 2))) / np.sqrt(exact.var((0, 1, 2)) + 1e-3)
    np.testing.assert_allclose(tf.cast(y, "float64"), deviation, atol=0.03)
    np.testing.assert_allclose(layer.moving_mean, 0.01 * exact.mean((0, 1, 2)), rtol=1e-4)


@pytest.mark.tensorflow
def test_the_fused_operation_is_used_where_it_serves_and_only_there():
    def operations(layer, shape, dtype="float32"):
        layer.build((None, *shape[1:]))
        function = tf.function(lambda x: layer(x, training=True))
        graph = function.get_concrete_function(tf.TensorSpec(shape, dtype)).graph
        return {operation.type for operation in graph.get_operations()}

    assert "FusedBatchNormV3" in operations(BatchNormalization(), (2, 4, 4, 3))
    for layer, shape, dtype in (
        (BatchNormalization(synchronized=True), (2, 4, 4, 3), "float32"),
        (BatchNormalization(axis=1), (2, 4, 4, 3), "float32"),
        (BatchNormalization(), (2, 4), "float32"),
        (BatchNormalization(dtype="float64"), (2, 4, 4, 3), "float64"),
    ):
        assert "FusedBatchNormV3" not in operations(layer, shape, dtype)

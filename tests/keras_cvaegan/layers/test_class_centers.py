import numpy as np
import pytest
import tensorflow as tf

from keras_cvaegan.layers import ClassCenters
from keras_cvaegan.layers.class_centers import same_class_means, same_class_weights

DECAYS = [0.0, 0.5, 0.9, 0.99]
every_decay = pytest.mark.parametrize("decay", DECAYS)


class Loop:
    """The moving averages as the equations have them, a class at a time."""

    def __init__(self, num_classes, decay, dim):
        self.decay = decay
        self.sums = [np.zeros(dim) for _ in range(num_classes)]
        self.weights = [0.0] * num_classes

    def update(self, features, labels):
        for c in range(len(self.sums)):
            members = [f for f, label in zip(features, labels, strict=True) if label == c]
            if members:
                mean = sum(members) / len(members)
                self.sums[c] = self.decay * self.sums[c] + (1 - self.decay) * mean
                self.weights[c] = self.decay * self.weights[c] + (1 - self.decay)
        return np.array([self.sums[c] / self.weights[c] for c in labels])


def random_batches(count, num_classes, dim, seed=0):
    """Batches of 1 to 8 examples, many classes absent from each."""
    random = np.random.default_rng(seed)
    for _ in range(count):
        size = random.integers(1, 9)
        features = random.normal(2.0, 3.0, (size, dim))
        yield features, random.integers(0, num_classes, size)


@pytest.mark.tensorflow
@every_decay
@pytest.mark.parametrize("num_classes", [1, 3, 12])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_equals_a_loop_over_classes(decay, num_classes, dtype):
    layer = ClassCenters(num_classes, decay, dtype=dtype)
    loop = Loop(num_classes, decay, dim=5)
    tolerance = {"float32": 1e-4, "float64": 1e-12}[dtype]
    for features, labels in random_batches(50, num_classes, dim=5):
        centers = layer(tf.constant(features, dtype), labels)
        assert centers.dtype == dtype
        expected = loop.update(features, labels)
        np.testing.assert_allclose(centers, expected, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(layer.sums, loop.sums, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(layer.weights_of_classes, loop.weights, rtol=tolerance)


@every_decay
def test_a_first_batch_of_one_gives_the_example_itself(decay):
    features = np.array([[3.0, -1.0]], "float32")
    centers = ClassCenters(5, decay)(features, np.array([4]))
    np.testing.assert_allclose(centers, features, rtol=1e-6)


@pytest.mark.tensorflow
@every_decay
def test_traced_equals_eager(decay):
    eager, traced = ClassCenters(4, decay), ClassCenters(4, decay)
    traced.build((None, 3))
    step = tf.function(
        traced,
        input_signature=[tf.TensorSpec([None, 3]), tf.TensorSpec([None], tf.int64)],
    )
    for features, labels in random_batches(5, 4, dim=3):
        features = features.astype("float32")
        np.testing.assert_allclose(step(features, labels), eager(features, labels), rtol=1e-6)


def gradient(layer, features, labels, weights):
    features = tf.constant(features)
    with tf.GradientTape() as tape:
        tape.watch(features)
        loss = tf.reduce_sum(weights * layer(features, labels))
    return np.array(tape.gradient(loss, features))


@pytest.mark.tensorflow
@every_decay
def test_gradient_is_that_of_the_batch_mean(decay):
    random = np.random.default_rng(1)
    labels = np.array([0, 2, 2, 0, 2, 1])
    weights = random.normal(size=(6, 3))
    layer = ClassCenters(4, decay, dtype="float64")
    for batch in range(3):
        features = random.normal(batch, 1.0, (6, 3))
        # Every example of a class contributes 1 / (members) to each member's centre.
        expected = [
            weights[labels == label].sum(axis=0) / np.sum(labels == label) for label in labels
        ]
        np.testing.assert_allclose(gradient(layer, features, labels, weights), expected, rtol=1e-12)


@pytest.mark.tensorflow
@every_decay
def test_gradient_equals_finite_differences_of_the_batch_mean(decay):
    random = np.random.default_rng(2)
    labels = np.array([1, 1, 0])
    features, weights = random.normal(size=(2, 3, 2))
    layer = ClassCenters(2, decay, dtype="float64")
    layer(features + 5.0, labels)
    expected = np.empty_like(features)
    for index in np.ndindex(features.shape):
        moved = [features.copy(), features.copy()]
        moved[0][index] += 1e-4
        moved[1][index] -= 1e-4
        up, down = (np.sum(weights * np.array(same_class_means(x, labels))) for x in moved)
        expected[index] = (up - down) / 2e-4
    np.testing.assert_allclose(gradient(layer, features, labels, weights), expected, rtol=1e-7)


@pytest.mark.tensorflow
def test_history_carries_no_gradient():
    layer = ClassCenters(2, 0.5)
    early, late = tf.constant([[1.0, 2.0]]), tf.constant([[3.0, 4.0]])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([early, late])
        layer(early, np.array([0]))
        centers = layer(late, np.array([0]))
    assert tape.gradient(centers, early) is None
    assert tape.gradient(centers, late) is not None
    assert tape.gradient(centers, layer.sums.value) is None
    assert layer.trainable_variables == []


def test_without_training_averages_are_read_and_do_not_move():
    layer = ClassCenters(3, 0.9)
    layer(np.array([[2.0, 4.0]], "float32"), np.array([1]))
    before = [np.array(weight) for weight in layer.weights]
    centers = layer(np.full((2, 2), 9.0, "float32"), np.array([1, 0]), training=False)
    # Class 0 was never seen.
    np.testing.assert_allclose(centers, [[2.0, 4.0], [0.0, 0.0]], rtol=1e-6)
    for weight, value in zip(layer.weights, before, strict=True):
        np.testing.assert_array_equal(weight, value)


@pytest.mark.parametrize("arguments", [(0,), (-1,), (3, 1.0), (3, -0.1)])
def test_refuses_arguments_out_of_range(arguments):
    with pytest.raises(ValueError, match="Received"):
        ClassCenters(*arguments)


@pytest.mark.parametrize("labels", [[0], [3, 3, 3], [0, 1, 0, 2, 0]])
def test_weights_of_examples_sum_to_the_number_of_classes(labels):
    weights = np.array(same_class_weights(np.array(labels)))
    np.testing.assert_allclose(weights, [1 / labels.count(label) for label in labels])
    np.testing.assert_allclose(weights.sum(), len(set(labels)), rtol=1e-6)


def test_examples_of_a_class_get_the_same_bits():
    random = np.random.default_rng(0)
    features = random.normal(size=(63, 130)).astype("float32")
    labels = random.integers(0, 3, 63)
    centers = np.array(ClassCenters(3)(features, labels))
    for label in range(3):
        assert len(np.unique(centers[labels == label], axis=0)) == 1

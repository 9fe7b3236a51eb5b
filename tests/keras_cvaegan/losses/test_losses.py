"""Every loss against its equation, written in NumPy in float64."""

import keras
import ml_dtypes
import numpy as np
import pytest
import scipy.special
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_cvaegan import losses


def discriminator_loss(real, *generated):
    loss = np.mean(np.logaddexp(0, -real))
    return loss + sum(np.mean(np.logaddexp(0, logits)) for logits in generated)


def non_saturating_generator_loss(*generated):
    return sum(np.mean(np.logaddexp(0, -logits)) for logits in generated)


def minimax_generator_loss(*generated):
    return -sum(np.mean(np.logaddexp(0, logits)) for logits in generated)


def wasserstein_distance(real, generated):
    return np.mean(real) - np.mean(generated)


def classification_loss(labels, logits):
    log_p = scipy.special.log_softmax(logits, axis=1)
    return -np.mean([row[label] for label, row in zip(labels, log_p, strict=True)])


def pairwise_matching(a, b):
    return np.mean([0.5 * np.sum((x - y) ** 2) for x, y in zip(a, b, strict=True)])


def mean_feature_matching(real, generated):
    return 0.5 * np.sum((real.mean(axis=0) - generated.mean(axis=0)) ** 2)


def class_mean_feature_matching(real, generated, weights):
    return 0.5 * sum(
        w * np.sum((r - g) ** 2) for r, g, w in zip(real, generated, weights, strict=True)
    )


def kl_divergence(mean, log_var):
    return np.mean(0.5 * np.sum(mean**2 + np.exp(log_var) - log_var - 1, axis=1))


def hinge_discriminator_loss(real, *generated):
    return np.mean(np.maximum(0, 1 - real)) + sum(np.mean(np.maximum(0, 1 + x)) for x in generated)


def hinge_generator_loss(*generated):
    return -sum(np.mean(x) for x in generated)


def likelihood_loss(log_likelihoods):
    return -np.mean(log_likelihoods)


def uniform_target_loss(logits):
    return -np.mean(scipy.special.log_softmax(logits, axis=1))


class Case:
    """A loss, its equation, and example inputs of n examples in d dimensions."""

    def __init__(self, name, inputs, constants=0):
        self.name = name
        self.loss = getattr(losses, name)
        self.equation = globals()[name]
        self.inputs = inputs
        # The first `constants` inputs are labels, which have no gradient.
        self.constants = constants


def normal(random, *shape):
    return random.normal(0.3, 1.5, shape)


CASES = [
    Case("discriminator_loss", lambda r, n, d: [normal(r, n, 1) for _ in range(3)]),
    Case("non_saturating_generator_loss", lambda r, n, d: [normal(r, n, 1) for _ in range(2)]),
    Case("minimax_generator_loss", lambda r, n, d: [normal(r, n, 1) for _ in range(2)]),
    Case("wasserstein_distance", lambda r, n, d: [normal(r, n, 1), normal(r, n + 1, 1)]),
    Case("classification_loss", lambda r, n, d: [r.integers(0, d, n), normal(r, n, d)], 1),
    Case("pairwise_matching", lambda r, n, d: [normal(r, n, d, 2), normal(r, n, d, 2)]),
    Case("mean_feature_matching", lambda r, n, d: [normal(r, n, d), normal(r, n + 1, d)]),
    Case(
        "class_mean_feature_matching",
        lambda r, n, d: [normal(r, n, d), normal(r, n, d), r.uniform(0.1, 1, n)],
    ),
    Case("hinge_discriminator_loss", lambda r, n, d: [normal(r, n, 1) for _ in range(3)]),
    Case("hinge_generator_loss", lambda r, n, d: [normal(r, n, 1) for _ in range(2)]),
    Case("likelihood_loss", lambda r, n, d: [normal(r, n)]),
    Case("uniform_target_loss", lambda r, n, d: [normal(r, n, d)]),
    Case("kl_divergence", lambda r, n, d: [normal(r, n, d), normal(r, n, d)]),
]
every_loss = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
losses_of_dimensions = pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.name.endswith(("matching", "divergence"))],
    ids=lambda case: case.name,
)


def test_every_loss_has_a_case():
    assert sorted(case.name for case in CASES) == sorted(losses.__all__)


@pytest.mark.tensorflow
@every_loss
@settings(max_examples=20, deadline=None)
@given(n=st.integers(1, 6), d=st.integers(1, 6), seed=st.integers(0, 99))
def test_equals_the_equation(case, n, d, seed):
    inputs = case.inputs(np.random.default_rng(seed), n, d)
    loss = case.loss(*inputs)
    assert loss.shape == ()
    assert loss.dtype == "float64"
    np.testing.assert_allclose(float(loss), case.equation(*inputs), rtol=1e-12, atol=1e-12)


@every_loss
@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float32])
def test_computes_in_float32(case, dtype):
    inputs = case.inputs(np.random.default_rng(0), 40, 30)
    inputs = [x if x.dtype.kind == "i" else x.astype(dtype) for x in inputs]
    loss = case.loss(*map(tf.convert_to_tensor, inputs))
    assert loss.dtype == "float32"
    exact = [x if x.dtype.kind == "i" else x.astype(np.float64) for x in inputs]
    np.testing.assert_allclose(float(loss), case.equation(*exact), rtol=1e-5)


@losses_of_dimensions
def test_sums_that_half_precision_cannot_hold(case):
    big = [np.full((2, 1000), value, np.float16) for value in (10.0, -10.0)]
    weights = [np.ones(2, np.float16)] if "class" in case.name else []
    if case.name == "kl_divergence":
        big = [np.full((2, 2000), 10.0, np.float16), np.zeros((2, 2000), np.float16)]
    expected = case.equation(*(x.astype(np.float64) for x in big + weights))
    assert expected > np.finfo(np.float16).max
    np.testing.assert_allclose(float(case.loss(*big, *weights)), expected, rtol=1e-6)


@pytest.mark.tensorflow
@every_loss
def test_gradient_equals_finite_differences(case):
    inputs = case.inputs(np.random.default_rng(3), 3, 4)
    tensors = [tf.convert_to_tensor(x) for x in inputs]
    with tf.GradientTape() as tape:
        tape.watch(tensors[case.constants :])
        loss = case.loss(*tensors)
    gradients = tape.gradient(loss, tensors[case.constants :])
    for position, gradient in enumerate(gradients, case.constants):
        expected = np.empty_like(inputs[position])
        for index in np.ndindex(expected.shape):
            values = []
            for step in (1e-5, -1e-5):
                moved = [x.copy() for x in inputs]
                moved[position][index] += step
                values.append(case.equation(*moved))
            expected[index] = (values[0] - values[1]) / 2e-5
        np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.tensorflow
@every_loss
def test_traced_with_unknown_batch_size(case):
    inputs = case.inputs(np.random.default_rng(1), 3, 4)
    specs = [tf.TensorSpec([None, *x.shape[1:]], x.dtype) for x in inputs]
    traced = tf.function(case.loss, input_signature=specs)
    np.testing.assert_allclose(float(traced(*inputs)), case.equation(*inputs), rtol=1e-12)


@every_loss
def test_takes_symbolic_tensors(case):
    inputs = case.inputs(np.random.default_rng(1), 3, 4)
    dtypes = ["int32" if x.dtype.kind == "i" else "float32" for x in inputs]
    symbols = [
        keras.KerasTensor((None, *x.shape[1:]), dtype)
        for x, dtype in zip(inputs, dtypes, strict=True)
    ]
    assert case.loss(*symbols).shape == ()


@losses_of_dimensions
def test_twice_the_dimensions_give_twice_the_loss(case):
    inputs = case.inputs(np.random.default_rng(2), 4, 5)
    doubled = [x if x.ndim == 1 else np.concatenate([x, x], axis=1) for x in inputs]
    np.testing.assert_allclose(float(case.loss(*doubled)), 2 * float(case.loss(*inputs)))


@pytest.mark.tensorflow
@every_loss
def test_a_batch_repeated_gives_the_same_loss(case):
    inputs = case.inputs(np.random.default_rng(2), 4, 5)
    repeated = [np.concatenate([x, x]) for x in inputs]
    if case.name == "class_mean_feature_matching":
        repeated[2] /= 2
    np.testing.assert_allclose(float(case.loss(*repeated)), float(case.loss(*inputs)))


@pytest.mark.tensorflow
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("sign", [1, -1])
def test_discriminator_loss_of_extreme_logits(dtype, sign):
    logits = tf.constant([[sign * 1e4]], dtype)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = losses.discriminator_loss(logits, logits)
    np.testing.assert_allclose(float(loss), 1e4, rtol=1e-2)
    assert float(tape.gradient(loss, logits)[0, 0]) == sign


@pytest.mark.tensorflow
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_classification_loss_of_extreme_logits(dtype):
    logits = tf.constant([[1e4, -1e4, 0.0]] * 2, dtype)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = losses.classification_loss(np.array([0, 1]), logits)
    np.testing.assert_allclose(float(loss), 1e4, rtol=1e-2)
    gradient = tf.cast(tape.gradient(loss, logits), "float32")
    np.testing.assert_allclose(gradient, [[0, 0, 0], [0.5, -0.5, 0]], atol=1e-6)


def test_discriminator_loss_of_flat_logits():
    real, generated = np.array([0.5, -2.0]), np.array([1.0, 3.0, 0.0])
    expected = discriminator_loss(real, generated)
    np.testing.assert_allclose(float(losses.discriminator_loss(real, generated)), expected)


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
def test_classification_loss_of_any_integer_labels(dtype):
    logits = np.random.default_rng(0).normal(size=(4, 3))
    labels = np.array([2, 0, 1, 1], dtype)
    expected = classification_loss(labels, logits)
    np.testing.assert_allclose(float(losses.classification_loss(labels, logits)), expected)


def test_kl_divergence_is_zero_at_the_prior_alone():
    assert float(losses.kl_divergence(np.zeros((3, 2)), np.zeros((3, 2)))) == 0.0
    assert float(losses.kl_divergence(np.zeros((3, 2)), np.full((3, 2), 0.1))) > 0.0
    assert float(losses.kl_divergence(np.full((3, 2), 0.1), np.zeros((3, 2)))) > 0.0


def test_kl_divergence_equals_a_numerical_integral():
    mean, log_var = 0.7, -0.8
    x = np.linspace(-12, 12, 40_001)
    p = np.exp(-0.5 * (x - mean) ** 2 / np.exp(log_var)) / np.sqrt(2 * np.pi * np.exp(log_var))
    log_ratio = -0.5 * ((x - mean) ** 2 / np.exp(log_var) + log_var - x**2)
    expected = np.sum(p * log_ratio) * (x[1] - x[0])
    loss = losses.kl_divergence(np.array([[mean]]), np.array([[log_var]]))
    np.testing.assert_allclose(float(loss), expected, rtol=1e-6)


@pytest.mark.parametrize("n", [1, 3])
def test_pixels_of_images_are_summed(n):
    a, b = np.zeros((n, 8, 8, 3)), np.full((n, 8, 8, 3), 0.5)
    assert float(losses.pairwise_matching(a, b)) == 0.5 * 192 * 0.25


def test_whole_numbers_are_taken_as_float32():
    loss = losses.pairwise_matching(np.zeros((1, 2), np.uint8), np.full((1, 2), 200, np.uint8))
    assert loss.dtype == "float32"
    assert float(loss) == 40_000.0


WEIGHTED = (
    *("discriminator_loss", "non_saturating_generator_loss", "classification_loss"),
    *("hinge_discriminator_loss", "hinge_generator_loss", "likelihood_loss"),
    "uniform_target_loss",
)


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "case", [case for case in CASES if case.name in WEIGHTED], ids=lambda case: case.name
)
def test_examples_of_weight_zero_are_left_out(case):
    inputs = case.inputs(np.random.default_rng(0), 6, 4)
    weights = np.array([1.0, 0, 1, 0, 1, 1])
    kept = [x[weights > 0] for x in inputs]
    expected = case.equation(*kept) * 4 / 6  # The mean is over the whole batch.
    np.testing.assert_allclose(float(case.loss(*inputs, weights=weights)), expected, rtol=1e-12)


def test_several_logits_of_an_example_count_as_their_mean():
    random = np.random.default_rng(0)
    real, fake = random.normal(0, 2, (2, 5, 3)).astype("float32")
    weights = np.array([1, 0, 0.5, 2, 0], "float32")
    expected = {
        "hinge_discriminator_loss": np.maximum(0, 1 - real) + np.maximum(0, 1 + fake),
        "discriminator_loss": np.logaddexp(0, -real) + np.logaddexp(0, fake),
    }
    for name, values in expected.items():
        each = [weight * row.mean() for weight, row in zip(weights, values, strict=True)]
        received = float(getattr(losses, name)(real, fake, weights=weights))
        assert received == pytest.approx(np.mean(each), rel=1e-5)
        unweighted = float(getattr(losses, name)(real, fake))
        assert unweighted == pytest.approx(values.mean(), rel=1e-5)

"""The Gaussian of each class, as a layer."""

import keras
import numpy as np
import pytest
from scipy import stats

from keras_cvaegan.layers import GaussianMixtureHead


@pytest.fixture
def head():
    head = GaussianMixtureHead(3)
    head.build((None, 4))
    rng = np.random.default_rng(0)
    head.means.assign(rng.normal(0, 2, (3, 4)))
    head.raw_log_variances.assign(rng.uniform(-2, 2, (3, 4)))
    return head


def test_log_likelihoods(head):
    z = np.random.default_rng(1).normal(0, 1, (5, 4)).astype("float32")
    found = np.array(head(z))
    for c in range(3):
        deviation = np.exp(np.array(head.raw_log_variances[c]) / 2)
        expected = stats.norm(np.array(head.means[c]), deviation).logpdf(z).sum(1)
        np.testing.assert_allclose(found[:, c], expected, rtol=1e-5)


def test_places_are_distributed_as_their_class(head):
    noise = np.random.default_rng(1).standard_normal((50_000, 4)).astype("float32")
    classes = np.eye(3, dtype="float32")[np.full(len(noise), 2)]
    z = np.array(head.place(noise, classes))
    np.testing.assert_allclose(z.mean(0), head.means[2], atol=0.05)
    np.testing.assert_allclose(np.log(z.var(0)), head.raw_log_variances[2], atol=0.05)
    np.testing.assert_allclose(head.whiten(z, classes), noise, atol=1e-4)


def test_a_mixture_of_classes_lies_between_them(head):
    noise = np.zeros((1, 4), np.float32)
    z = np.array(head.place(noise, np.array([[0.25, 0.75, 0.0]], np.float32)))[0]
    np.testing.assert_allclose(z, 0.25 * head.means[0] + 0.75 * head.means[1], rtol=1e-5)


def test_variances_are_clipped(head):
    head.raw_log_variances.assign(np.full((3, 4), 99.0))
    assert np.array(head.log_variances).max() == 14
    assert np.isfinite(np.array(head(np.ones((2, 4), "float32")))).all()


@pytest.mark.parametrize("beyond", [-99.0, 99.0])
def test_variances_at_an_end_of_their_range_may_come_back(beyond):
    head = GaussianMixtureHead(2, log_variance_range=(-2.0, 2.0))
    head.build((None, 3))
    head.raw_log_variances.assign(np.full((2, 3), np.clip(beyond, -2.2, 2.2)))
    np.testing.assert_allclose(np.array(head.log_variances), np.sign(beyond) * 2.0, rtol=1e-6)
    # Codes that lie far apart widen the Gaussians, those that lie together narrow them.
    codes = np.full((1, 3), 30.0 if beyond < 0 else 0.0, "float32")
    model = keras.Sequential([keras.Input((3,)), head])
    model.compile(keras.optimizers.SGD(1e-3 if beyond < 0 else 1.0), loss=lambda y, x: -x)
    model.fit(codes, np.zeros((1, 2)), epochs=2, verbose=0)
    assert (np.abs(np.array(head.log_variances)) < 2.0).all()


@pytest.mark.slow
def test_as_the_last_layer_of_a_classifier_it_learns_the_classes():
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    labels = rng.integers(3, size=600)
    points = rng.normal(0, 0.3, (600, 2)) + np.array([[-1.0, 0], [1, 0], [0, 1.5]])[labels]
    model = keras.Sequential([keras.Input((2,)), GaussianMixtureHead(3)])
    model.compile(
        keras.optimizers.Adam(0.05),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(points[:500], labels[:500], epochs=15, verbose=0)
    assert model.evaluate(points[500:], labels[500:], verbose=0)[1] > 0.95


def test_wrong_arguments():
    with pytest.raises(ValueError, match="num_classes must be at least 1"):
        GaussianMixtureHead(0)
    with pytest.raises(ValueError, match="low < high"):
        GaussianMixtureHead(2, log_variance_range=(1, 1))

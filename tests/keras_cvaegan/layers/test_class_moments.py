"""ClassMoments: points get the moments of others, class by class."""

import numpy as np
import pytest

from keras_cvaegan.layers import ClassMoments


@pytest.fixture
def known():
    rng = np.random.default_rng(0)
    points, labels = rng.normal(3, 0.2, (60, 4)), rng.integers(0, 3, 60)
    like, like_labels = rng.normal(-1, 5, (80, 4)), rng.integers(0, 3, 80)
    return points, labels, like, like_labels


def test_moments_are_those_of_the_others(known):
    points, labels, like, like_labels = known
    layer = ClassMoments(3)
    layer.adapt(*known)
    found = np.array(layer(points.astype("float32"), np.eye(3, dtype="float32")[labels]))
    for label in range(3):
        own, other = found[labels == label], like[like_labels == label]
        np.testing.assert_allclose(own.mean(axis=0), other.mean(axis=0), rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(own.std(axis=0), other.std(axis=0), rtol=1e-4)


def test_at_first_and_of_absent_classes_it_is_the_identity(known):
    points, labels, like, like_labels = known
    layer, one_hot = ClassMoments(4), np.eye(4, dtype="float32")
    points = points.astype("float32")
    np.testing.assert_array_equal(layer(points, one_hot[labels]), points)
    layer.adapt(points, labels, like[like_labels != 1], like_labels[like_labels != 1])
    for label in (1, 3):
        of_label = one_hot[np.full(len(points), label)]
        np.testing.assert_array_equal(layer(points, of_label), points)


def test_without_spread_only_the_mean_changes():
    layer = ClassMoments(1)
    layer.adapt(np.full((5, 2), 2.0), [0] * 5, np.array([[1.0, 0.0], [3.0, 0.0]]), [0, 0])
    found = layer(np.full((1, 2), 2.0, "float32"), np.ones((1, 1), "float32"))
    np.testing.assert_allclose(found, [[2.0, 0.0]])

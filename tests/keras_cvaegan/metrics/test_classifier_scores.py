"""Top-1 accuracy and Inception score, against scikit-learn and SciPy."""

import numpy as np
import pytest
import scipy.special
import scipy.stats
from sklearn.metrics import accuracy_score

from keras_cvaegan.metrics import InceptionScore, Top1Accuracy, top1_by_class


def probabilities(count, seed, num_classes=5, sharpness=2.0):
    logits = np.random.default_rng(seed).normal(size=(count, num_classes)) * sharpness
    return scipy.special.softmax(logits, axis=1).astype(np.float32)


def score(p):
    marginal = np.broadcast_to(p.mean(axis=0), p.shape)
    return np.exp(np.mean(scipy.stats.entropy(p, marginal, axis=1)))


def test_top1_accuracy_is_that_of_scikit_learn():
    p, labels = probabilities(200, 0), np.random.default_rng(1).integers(0, 5, 200)
    metric = Top1Accuracy(5)
    metric.update_state(labels, p)
    result = metric.result()
    assert result["top1_accuracy"] == pytest.approx(accuracy_score(labels, p.argmax(axis=1)))
    assert result["top1_accuracy_by_class"] == top1_by_class(p.argmax(axis=1), labels, 5)
    metric.reset_state()
    assert metric.result() == {"top1_accuracy": None, "top1_accuracy_by_class": [None] * 5}


@pytest.mark.parametrize("count", [1, 40, 500])
def test_inception_score_is_that_of_scipy(count):
    p = probabilities(count, 0)
    metric = InceptionScore(splits=1)
    metric.update_state(p)
    result = metric.result()
    assert result["inception_score"] == pytest.approx(score(p.astype(np.float64)), rel=1e-6)
    assert result["realism"] == result["inception_score"]
    assert result["inception_score_std"] == 0


def test_known_scores():
    for p, expected in (
        (np.eye(7), 7),
        (np.full((9, 7), 1 / 7), 1),
        (np.tile(np.eye(7)[:1], (9, 1)), 1),
        (np.tile(np.eye(7)[:2], (9, 1)), 2),
    ):
        metric = InceptionScore(splits=1)
        metric.update_state(p)
        assert metric.result()["realism"] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("order", ["sorted", "alternating"])
def test_splits_have_all_classes_however_the_samples_are_ordered(order):
    """Consecutive tenths of sorted samples, or every tenth of alternating ones, would score 1."""
    labels = np.arange(1000) % 10
    p = np.eye(10)[np.sort(labels) if order == "sorted" else labels]
    metric = InceptionScore(splits=10)
    metric.update_state(p)
    result = metric.result()
    assert result["realism"] == pytest.approx(10)
    assert 9.3 < result["inception_score"] <= 10
    assert result["inception_score_std"] < 0.3


def test_splits_are_equal_parts():
    metric = InceptionScore(splits=7)
    metric.update_state(probabilities(700, 0))
    assert metric._counts.tolist() == [100] * 7


def test_splits_agree_with_scipy_on_their_samples():
    p = probabilities(60, 0)
    metric = InceptionScore(splits=3, seed=5)
    parts = np.array([next(metric._parts) for _ in p])
    metric.reset_state()
    metric.update_state(p)
    expected = [score(p[parts == part].astype(np.float64)) for part in range(3)]
    result = metric.result()
    assert result["inception_score"] == pytest.approx(np.mean(expected), rel=1e-6)
    assert result["inception_score_std"] == pytest.approx(np.std(expected), rel=1e-6)


def test_fewer_samples_than_splits():
    metric = InceptionScore(splits=10)
    assert set(metric.result().values()) == {None}
    metric.update_state(np.eye(3))
    assert metric.result()["inception_score"] == pytest.approx(1)
    assert metric.result()["realism"] == pytest.approx(3)


def test_logits_are_refused():
    with pytest.raises(ValueError, match="softmax"):
        InceptionScore().update_state(np.array([[1.0, 2.0]]))
    with pytest.raises(ValueError, match=r"shape \(n, 3\). Received: \(2, 4\)"):
        Top1Accuracy(3).update_state(np.zeros(2, int), np.zeros((2, 4)))
    with pytest.raises(ValueError, match=r"splits must be an integer of at least 1. Received: 0"):
        InceptionScore(splits=0)

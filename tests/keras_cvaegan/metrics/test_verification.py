"""Verification against an example computed by hand, and scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, roc_curve
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.model_selection import LeaveOneGroupOut

from keras_cvaegan.metrics.verification import best_threshold, cosine_similarities, verify


def test_by_hand():
    # Fold 0 alone is told apart at 0.5, fold 1 at 0.7; on the other, each is right on 3 of 4.
    similarities = np.array([0.6, 0.9, 0.4, 0.1, 0.8, 0.9, 0.6, 0.2])
    same = np.array([1, 1, 0, 0, 1, 1, 0, 0], bool)
    folds = np.repeat([4, 9], 4)
    found = verify(similarities, same, folds)
    assert found.thresholds == pytest.approx((0.7, 0.5))
    assert found.by_fold == (0.75, 0.75)
    assert (found.accuracy, found.standard_error) == (0.75, 0)
    found = verify(similarities, same, np.array([0, 0, 0, 0, 1, 1, 1, 0]))
    # Now 0.2 is in fold 0: on it 0.7 misses 0.6; on fold 1, 0.5 is wrong of 0.6 alone.
    assert found.by_fold == (0.8, pytest.approx(2 / 3))
    assert found.accuracy == pytest.approx((0.8 + 2 / 3) / 2)
    assert found.standard_error == pytest.approx((0.8 - 2 / 3) / 2)


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=40))
@settings(max_examples=100, deadline=None)
def test_no_threshold_is_better(pairs):
    similarities = np.array([value / 10 for value, _ in pairs])
    same = np.array([is_same for _, is_same in pairs])
    threshold = best_threshold(similarities, same)
    accuracies = [np.mean((similarities >= t / 20) == same) for t in range(-1, 21)]
    assert np.mean((similarities >= threshold) == same) == pytest.approx(max(accuracies))


def test_as_scikit_learn():
    random = np.random.default_rng(0)
    features = random.normal(size=(300, 5))
    same = np.arange(300) % 2 == 0
    others = np.where(same[:, None], features + random.normal(size=(300, 5)), features[::-1])
    similarities = cosine_similarities(features, others)
    np.testing.assert_allclose(similarities, np.diag(cosine_similarity(features, others)))
    folds, expected = np.arange(300) // 30, []
    found = verify(similarities, same, folds)
    splits = LeaveOneGroupOut().split(similarities, same, folds)
    for (rest, fold), threshold in zip(splits, found.thresholds, strict=True):
        false, true, _ = roc_curve(same[rest], similarities[rest], drop_intermediate=False)
        best = max((true * same[rest].sum() + (1 - false) * (~same[rest]).sum()) / len(rest))
        right = accuracy_score(same[rest], similarities[rest] >= threshold)
        assert right == pytest.approx(best)
        expected.append(accuracy_score(same[fold], similarities[fold] >= threshold))
    assert found.by_fold == pytest.approx(expected)
    assert found.accuracy == pytest.approx(np.mean(expected))
    assert 0.6 < found.accuracy < 1


def test_features_at_the_origin_are_like_nothing():
    assert cosine_similarities(np.zeros((1, 2)), np.ones((1, 2))).tolist() == [0]


def test_wrong_arguments_have_a_message():
    with pytest.raises(ValueError, match=r"\(n, d\). Received: \(2, 2\) and \(3, 2\)"):
        cosine_similarities(np.ones((2, 2)), np.ones((3, 2)))
    with pytest.raises(ValueError, match=r"Two folds or more are needed.* Received: 1"):
        verify(np.ones(3), np.ones(3), np.zeros(3))
    with pytest.raises(ValueError, match="one number a pair"):
        verify(np.ones(3), np.ones(2), np.zeros(3))

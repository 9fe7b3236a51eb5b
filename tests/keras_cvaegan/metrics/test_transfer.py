"""How much pictures changed that were shown as another class, against SciPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.spatial.distance import pdist

from keras_cvaegan.metrics.transfer import RelativeChange, frames

NUMBERS = st.floats(-10, 10, width=32)


def change(before, after, parts=1):
    found = RelativeChange()
    for some in np.array_split(np.arange(len(before)), parts):
        found.update_state(before[some], after[some])
    return found.result()


@given(
    arrays.arrays(np.float32, (2, 6, 3), elements=NUMBERS),
    st.integers(1, 8),
)
def test_it_is_the_change_over_the_distance_of_pairs(both, parts):
    before, after = both
    pairs = np.mean(pdist(before.astype(np.float64), "sqeuclidean"))
    found = change(before, after, parts)
    if found is None:
        assert pairs < 1e-6
    else:
        expected = np.sqrt(np.mean(np.sum((after - before.astype(np.float64)) ** 2, 1)) / pairs)
        assert found == pytest.approx(expected, rel=1e-4)


def test_other_pictures_are_1_and_the_same_are_0():
    before = np.random.default_rng(0).normal(size=(4000, 5))
    assert change(before, before) == 0
    after = np.random.default_rng(1).normal(size=before.shape)
    assert change(before, after) == pytest.approx(1, rel=0.02)


def test_it_cannot_be_said_of_one_picture_or_of_pictures_all_alike():
    assert change(np.zeros((0, 3)), np.zeros((0, 3))) is None
    assert change(np.ones((1, 3)), np.zeros((1, 3))) is None
    assert change(np.full((5, 3), 0.1), np.zeros((5, 3))) is None


def test_it_forgets():
    found = RelativeChange()
    found.update_state(np.array([[0.0], [9.0]]), np.array([[5.0], [5.0]]))
    found.reset_state()
    assert found.result() is None
    found.update_state(np.array([[0.0], [4.0]]), np.array([[1.0], [5.0]]))
    assert found.result() == 0.25


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (np.zeros((2, 3)), np.zeros((2, 4)), r"one shape \(n, …\). Received: \(2, 3\)"),
        (np.zeros(2), np.zeros(2), "one shape"),
        (np.zeros((2, 3)), np.full((2, 3), np.nan), "finite. Received NaN"),
    ],
)
def test_wrong_arrays(before, after, words):
    with pytest.raises(ValueError, match=words):
        RelativeChange().update_state(before, after)


def test_frames_are_an_eighth_wide():
    places = np.arange(32 * 16).reshape(1, 32, 16, 1).astype(np.float32)
    found = set(frames(places).ravel().astype(int).tolist())
    inside = {16 * row + column for row in range(4, 28) for column in range(2, 14)}
    assert found == set(range(32 * 16)) - inside
    assert frames(np.full((1, 8, 8, 3), 255, np.uint8)).max() == 1

"""Copies, their false alarms, and what must not be taken for them."""

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import cdist

from keras_cvaegan.applications import find_copies

RNG = np.random.default_rng(0)
TRAINING, NEW, OTHER = RNG.normal(size=(3, 500, 12))


def nearest(points, k=20, training=TRAINING):
    return np.sort(cdist(points, training))[:, :k]


def test_ratios_and_threshold_are_those_of_the_equation():
    distances, held_out = nearest(OTHER[:60]), nearest(NEW)
    found = find_copies(distances, held_out, level=0.05)
    expected = held_out[:, 0] / held_out[:, 1:].mean(axis=1)
    np.testing.assert_allclose(found.held_out_ratios, expected)
    np.testing.assert_allclose(found.ratios, distances[:, 0] / distances[:, 1:].mean(axis=1))
    rank = int(0.05 * 501)
    assert found.threshold == np.sort(expected)[rank - 1]
    assert found.false_alarms == rank / 501
    np.testing.assert_array_equal(found.flagged, found.ratios <= found.threshold)


@pytest.mark.parametrize("count", [1, 12, 99, 500])
@pytest.mark.parametrize("of", ["new", "copies", "some copies"])
def test_the_p_value_is_that_of_scipy(count, of):
    points = {"new": OTHER, "copies": TRAINING, "some copies": OTHER}[of][:200].copy()
    if of == "some copies":
        points[:20] = TRAINING[:20]
    found = find_copies(nearest(points), nearest(NEW[:count]))
    rank = max(1, int(0.01 * (count + 1)))
    law = stats.betabinom(200, rank, count + 1 - rank)
    expected = law.pmf(np.arange(found.flagged.sum(), 201)).sum()
    assert found.p_value == pytest.approx(expected, rel=1e-6, abs=1e-15)


def test_new_points_are_rarely_taken_for_copies():
    p_values, shares = [], []
    for seed in range(1, 61):  # 0 gave the training points.
        rng = np.random.default_rng(seed)
        points = rng.normal(size=(300, 12))
        found = find_copies(nearest(points[:150]), nearest(points[150:]), level=0.05)
        p_values.append(found.p_value)
        shares.append(found.flagged.mean())
    # P(p ≤ α) ≤ α, and the share is the level.
    assert np.mean(np.array(p_values) < 0.1) < 0.25
    assert np.mean(shares) == pytest.approx(found.false_alarms, abs=0.02)


def test_copies_and_blurred_copies_are_found():
    for noise in (0.0, 0.05):
        copies = TRAINING[:100] + noise * OTHER[:100]
        found = find_copies(nearest(copies), nearest(NEW))
        assert found.flagged.all()
        assert found.memorised
    some = np.concatenate([TRAINING[:15], OTHER[:285]])
    found = find_copies(nearest(some), nearest(NEW))
    assert found.flagged[:15].all()
    assert found.memorised
    assert found.flagged.mean() < 0.15


def test_points_near_the_middle_are_near_to_many_and_no_copies():
    # Nearer than most new points are, as blurred pictures are.
    middle = 0.3 * OTHER
    distances, held_out = nearest(middle), nearest(NEW)
    assert np.median(distances[:, 0]) < np.median(held_out[:, 0])
    found = find_copies(distances, held_out)
    assert not found.memorised


def test_held_out_points_themselves_are_no_copies():
    found = find_copies(nearest(NEW), nearest(NEW))
    assert found.flagged.sum() == 5  # Of 500, at the level 0.01.
    assert not found.memorised


def test_training_points_that_occur_several_times():
    several = np.repeat(TRAINING[:60], 5, axis=0)
    found = find_copies(nearest(TRAINING[:60], training=several),
                        nearest(NEW, training=several))  # fmt: skip
    assert found.flagged.all()
    assert found.memorised
    # Where all that were found are the same, too.
    assert not find_copies(np.zeros((3, 4)), nearest(NEW, 4)).ratios.any()


def test_few_held_out_points_raise_the_level():
    found = find_copies(nearest(TRAINING[:50]), nearest(NEW[:12]))
    assert found.false_alarms == 1 / 13
    assert found.memorised


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[1.0]], [[1.0]]), r"samples must have the shape \(n, k\).*Received: \(1, 1\)"),
        (([[1.0, 2.0]], np.zeros((0, 2))), r"held-out pictures must have.*Received: \(0, 2\)"),
        (([[2.0, 1.0]], [[1.0, 2.0]]), "of samples must be at least 0, each row in ascending"),
        (([[1.0, 2.0]], [[-1.0, 2.0]]), "held-out pictures must be at least 0.*from -1 to 2"),
        (([[np.nan, 2.0]], [[1.0, 2.0]]), "of samples must be at least 0"),
        (([[1.0, 2.0]], [[1.0, 2.0, 3.0]]), r"equally many neighbours\. Received: 2 and 3"),
    ],
)
def test_wrong_distances(arguments, message):
    with pytest.raises(ValueError, match=message):
        find_copies(*arguments)


@pytest.mark.parametrize("level", [0, 1, -0.1])
def test_wrong_levels(level):
    with pytest.raises(ValueError, match="level must be a number between 0 and 1"):
        find_copies([[1.0, 2.0]], [[1.0, 2.0]], level=level)

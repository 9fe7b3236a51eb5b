"""The half circles of a toy example, and their measures against points made by hand."""

import numpy as np
import pytest
from scipy import stats

from trainers.points.half_circles import HalfCircles, _wasserstein_distance, labels_by_class


@pytest.fixture
def data():
    return HalfCircles()


def test_without_noise_points_are_evenly_on_half_circles():
    labels = labels_by_class(50_000)
    points = HalfCircles(noise=0.0).points(labels, np.random.default_rng(0)).astype(float)
    assert points.shape == (3, 50_000, 2)
    for label, of_class in enumerate(points):
        x, y = of_class[:, 0] - 2.2 * label, of_class[:, 1]
        np.testing.assert_allclose(np.hypot(x, y), 1, atol=1e-5)
        assert y.min() >= 0
        share = np.histogram(np.arctan2(y, x), 8, (0, np.pi))[0] / 50_000
        np.testing.assert_allclose(share, 1 / 8, atol=0.01)


def test_noise_is_on_both_coordinates(data):
    points = data.points(labels_by_class(100_000), np.random.default_rng(0)).astype(float)
    for label, of_class in enumerate(points):
        np.testing.assert_allclose(of_class.mean(0), [2.2 * label, 2 / np.pi], atol=0.01)
        expected = np.array([1 / 2, 1 / 2 - 4 / np.pi**2]) + 0.15**2
        np.testing.assert_allclose(of_class.var(0), expected, rtol=0.02)


def test_a_training_set_is_of_its_seed(data):
    (points, labels), (again, _), (other, _) = (data.training_set(7, seed) for seed in (4, 4, 5))
    assert labels.tolist() == [0, 1, 2, 0, 1, 2, 0]
    np.testing.assert_array_equal(points, again)
    assert (points != other).all()
    assert not np.isin(data.training_set(300, 0)[0], data.fresh(100)).any()


@pytest.mark.parametrize("values", [{"interval": -1.0}, {"noise": -0.1}, {"noise": np.nan}])
def test_half_circles_that_are_none(values):
    with pytest.raises(ValueError, match="Half circles need an interval and a noise of at least 0"):
        HalfCircles(**values)


def test_data_measure_as_data(data):
    measures = data.measure(data.fresh(10_000, seed=1))
    assert measures["spread"] == pytest.approx(1, abs=0.02)
    assert measures["range"] == pytest.approx(1, abs=0.02)
    assert measures["spread_error"] < 0.03
    assert max(measures["distance_x"], measures["distance_y"]) < 0.02


def test_points_that_keep_together_have_a_small_spread_and_range(data):
    points = data.fresh(10_000, seed=1)
    middle = points[..., 1:].mean(axis=1, keepdims=True)
    points[..., 1:] = middle + 0.5 * (points[..., 1:] - middle)
    measures = data.measure(points)
    assert measures["spread"] == pytest.approx(0.5, abs=0.01)
    assert measures["spread_error"] == pytest.approx(0.5, abs=0.01)
    assert measures["range"] == pytest.approx(0.5, abs=0.01)
    assert measures["distance_x"] < 0.02
    assert measures["distance_y"] > 0.1


def test_the_range_leaves_out_a_twentieth_at_either_end(data):
    points = data.fresh(10_000, seed=1)
    real = np.percentile(points[..., 1], (5, 10, 90, 95), axis=1)
    ends = np.where(points[..., 1] > np.median(points[..., 1]), 1000, -1000)
    few = np.arange(10_000) % 25 == 0
    # A share of 4 % at both ends together does not count.
    assert data.measure(np.stack([points[..., 0], points[..., 1] + few * ends], axis=-1))[
        "range"
    ] == pytest.approx(1, abs=0.1)
    points[..., 1] = np.clip(points[..., 1], *real[[1, 2]][..., np.newaxis])
    expected = ((real[2] - real[1]) / (real[3] - real[0])).mean()
    assert data.measure(points)["range"] == pytest.approx(expected, abs=0.01)


def test_a_right_spread_in_the_wrong_place_is_far(data):
    measures = data.measure(data.fresh(10_000, seed=1) + np.array([0.3, -0.4]))
    assert measures["spread_error"] < 0.03
    assert measures["distance_x"] == pytest.approx(0.3, abs=0.02)
    assert measures["distance_y"] == pytest.approx(0.4, abs=0.02)


def test_classes_that_err_in_opposite_directions_do_not_even_out(data):
    points = data.fresh(10_000, seed=1)
    points[..., 1] *= np.array([[0.4], [1.0], [1.6]])
    measures = data.measure(points)
    assert measures["spread"] == pytest.approx(1, abs=0.02)
    assert measures["spread_error"] == pytest.approx(0.4, abs=0.02)


def test_classes_that_change_places_are_far(data):
    assert data.measure(data.fresh(1000, seed=1)[::-1])["distance_x"] == pytest.approx(
        (4.4 + 0 + 4.4) / 3, abs=0.1
    )


def test_wasserstein_distance_is_that_of_scipy():
    random = np.random.default_rng(0)
    few, many = random.normal(0, 1, (3, 40)), random.normal(0.5, 2, (3, 120))
    expected = [stats.wasserstein_distance(*pair) for pair in zip(few, many, strict=True)]
    np.testing.assert_allclose(_wasserstein_distance(few, many), expected)

"""Distances of attributes, against angles as complex numbers and SciPy."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from keras_cvaegan.metrics.attribute_distances import (
    deviation,
    distances,
    order_along_rows,
    turns,
    wrapped,
)


def on_circle(angles):
    angles = 2 * np.pi * np.asarray(angles)
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1)


def test_angles_lie_apart_as_complex_numbers_do():
    rng = np.random.default_rng(0)
    first, last = rng.normal(size=(2, 50, 2))
    quotient = (last @ [1, 1j]) / (first @ [1, 1j])
    np.testing.assert_allclose(distances(first, last), np.abs(np.angle(quotient)) / (2 * np.pi))


def test_other_attributes_lie_apart_in_l2():
    first, last = np.random.default_rng(0).normal(size=(2, 20, 3))
    expected = np.sqrt(np.square(first - last).sum(axis=1))
    np.testing.assert_allclose(distances(first, last), expected)
    np.testing.assert_allclose(distances(first[:, :1], last[:, :1]), np.abs(first - last)[:, 0])


def test_deviation_is_that_of_random_pairs():
    values = np.random.default_rng(0).normal(size=(30, 1))
    apart = (values - values.T) ** 2
    assert deviation(values) == pytest.approx(np.sqrt(apart.mean() / 2))
    assert deviation(values) == pytest.approx(values.std())
    angles = on_circle(np.linspace(0, 1, 400, endpoint=False))
    assert deviation(angles) == pytest.approx(np.sqrt(1 / 24), rel=1e-3)
    assert deviation(np.ones((5, 1))) == 0
    assert deviation(np.tile(on_circle(0.3), (5, 1))) == 0


def test_order_is_that_of_spearman():
    rng = np.random.default_rng(0)
    rows, ends = rng.normal(size=(8, 7, 1)), rng.normal(size=(2, 8, 1))
    expected = [
        spearmanr(np.arange(7), row[:, 0]).statistic * np.sign(last - first)[0]
        for row, first, last in zip(rows, *ends, strict=True)
    ]
    np.testing.assert_allclose(order_along_rows(rows, *ends), expected)


@pytest.mark.parametrize(("first", "last"), [(0.9, 1.3), (0.1, -0.3), (0.45, 0.55), (0.2, 0.6)])
def test_angles_go_by_the_shorter_arc(first, last):
    way = np.linspace(first, last, 9)
    ends = on_circle([first]), on_circle([last])
    assert order_along_rows(on_circle([way]), *ends) == pytest.approx(1)
    assert order_along_rows(on_circle([way[::-1]]), *ends) == pytest.approx(-1)
    # What lies a little beyond the ends has not gone round.
    beyond = np.linspace(first - 0.02 * np.sign(last - first), last, 9)
    assert order_along_rows(on_circle([beyond]), *ends) == pytest.approx(1)


def test_turns_and_wrapped_undo_the_circle():
    angles = np.linspace(-0.49, 0.49, 9)
    np.testing.assert_allclose(turns(3 * on_circle(angles + 2)), angles, atol=1e-12)
    np.testing.assert_allclose(wrapped(angles - 4), angles, atol=1e-12)

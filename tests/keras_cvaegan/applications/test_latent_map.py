"""Maps of latents, and what of them is used."""

import numpy as np
import pytest

from keras_cvaegan.applications import latent_map, latent_statistics, map_cells
from keras_cvaegan.losses import kl_divergence


def test_a_map_is_the_projection_that_keeps_most_variance():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(200, 5)) * [1, 4, 0.5, 2, 0.1] + 3
    rotation = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    found = latent_map(z @ rotation)
    values, vectors = np.linalg.eigh(np.cov((z @ rotation).T))
    expected = (z @ rotation - (z @ rotation).mean(axis=0)) @ vectors[:, [-1, -2]]
    signs = np.sign((expected * found.points).sum(axis=0))
    np.testing.assert_allclose(found.points, expected * signs, atol=1e-4)
    np.testing.assert_allclose(found.shares, values[[-1, -2]] / values.sum(), rtol=1e-6)


def test_latents_of_one_dimension_or_one_place():
    found = latent_map([[1.0], [3.0], [5.0]])
    np.testing.assert_allclose(np.abs(found.points), [[2, 0], [0, 0], [2, 0]])
    assert found.shares.tolist() == [1, 0]
    found = latent_map(np.ones((3, 4)))
    assert not found.points.any()
    assert not found.shares.any()


def test_a_square_shows_the_point_nearest_to_its_centre():
    points = np.random.default_rng(0).normal(size=(500, 2))
    cells = map_cells(points, columns=8)
    low, high = np.percentile(points, [1, 99], axis=0)
    side = (high[0] - low[0]) / 8
    assert cells.shape == (round((high[1] - low[1]) / side), 8)
    # Not those at the edge, which have points beyond as well.
    for row, column in np.ndindex(cells.shape[0] - 2, cells.shape[1] - 2):
        centre = low + side * np.array([column + 1.5, cells.shape[0] - 1.5 - row])
        within = np.abs(points - centre).max(axis=1) < side / 2
        distances = np.where(within, np.linalg.norm(points - centre, axis=1), np.inf)
        expected = distances.argmin() if within.any() else -1
        assert cells[row + 1, column + 1] == expected
    shown = cells[cells >= 0]
    assert len(set(shown)) == len(shown)


def test_up_is_up_and_points_beyond_are_at_the_edge():
    points = np.vstack([np.random.default_rng(0).uniform(0, 1, (400, 2)), [[9, 9], [-9, -9]]])
    cells = map_cells(points, columns=40)
    assert (points[cells[0][cells[0] >= 0], 1] > 0.9).all()
    assert (points[cells[:, 0][cells[:, 0] >= 0], 0] < 0.1).all()
    assert cells.shape[0] in range(38, 43)
    assert map_cells([[0.0, 0.0], [9.0, 9.0]], columns=1).shape == (1, 1)


@pytest.mark.parametrize("points", [[[2.0, 3.0]], [[1.0, 1.0]] * 4])
def test_points_of_one_place(points):
    cells = map_cells(points, columns=3)
    assert (cells >= 0).sum() == 1


def test_points_above_each_other():
    cells = map_cells([[1.0, 0.0], [1.0, 5.0]], columns=2)
    assert cells[:, 0].tolist() == [1, 0]
    assert (cells[:, 1] == -1).all()


def test_statistics_are_those_of_the_equations():
    rng = np.random.default_rng(0)
    z_mean = rng.normal(size=(400, 4)) * [1, 0.05, 0.2, 0] + [0, 1, 0, 0]
    z_log_var = rng.normal(size=(400, 4)) - [3, 0, 1, 0]
    found = latent_statistics(z_mean, z_log_var)
    np.testing.assert_allclose(found.mean, z_mean.mean(axis=0))
    np.testing.assert_allclose(found.variance_of_means, z_mean.var(axis=0))
    expected = 0.5 * np.mean(z_mean**2 + np.exp(z_log_var) - z_log_var - 1, axis=0)
    np.testing.assert_allclose(found.kl_divergence, expected)
    assert found.kl_divergence.sum() == pytest.approx(
        float(kl_divergence(z_mean, z_log_var)), rel=1e-5
    )
    # Var[z] of draws of each picture's posterior.
    draws = z_mean + np.exp(z_log_var / 2) * rng.normal(size=(2000, 400, 4))
    np.testing.assert_allclose(found.variance, draws.var(axis=(0, 1)), rtol=0.02)
    assert found.active.tolist() == [True, False, True, False]


def test_the_prior_itself():
    found = latent_statistics(np.zeros((3, 2)), np.zeros((3, 2)))
    assert found.variance.tolist() == [1, 1]
    assert not found.kl_divergence.any()
    assert not found.active.any()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: latent_map([[1.0, 2.0]]), r"z must have the shape \(n, d\), n at least 2"),
        (lambda: latent_map([1.0, 2.0]), r"Received: \(2,\)"),
        (lambda: latent_map([[1.0], [np.nan]]), "z must be finite"),
        (lambda: map_cells([[1.0]], 2), r"points must have the shape \(n, 2\)"),
        (lambda: map_cells(np.zeros((0, 2)), 2), "n at least 1"),
        (lambda: map_cells([[1.0, 2.0]], 0), "columns must be an integer of at least 1"),
        (lambda: latent_statistics(np.zeros((2, 3)), np.zeros((2, 2))), "must be of one shape"),
        (lambda: latent_statistics(np.zeros((0, 3)), np.zeros((0, 3))), "n at least 1"),
    ],
)
def test_wrong_inputs(call, message):
    with pytest.raises(ValueError, match=message):
        call()

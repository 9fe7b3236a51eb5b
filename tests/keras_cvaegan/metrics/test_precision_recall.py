"""Neighbourhoods of features, against the prdc package of Naeem et al. and scikit-learn."""

import numpy as np
import prdc
import pytest
from sklearn.metrics import pairwise_distances
from sklearn.neighbors import NearestNeighbors

from keras_cvaegan.metrics import DensityCoverage, FewSamplesWarning, PrecisionRecall, neighbours


def figures(real, generated, **settings):
    results = {}
    for kind in (PrecisionRecall, DensityCoverage):
        metric = kind(real, **settings)
        metric.update_state(generated)
        results |= metric.result()
    return results


def features(count, seed, shift=0.0, dim=6):
    random = np.random.default_rng(seed)
    return (random.normal(size=(count, dim)) * np.arange(1, dim + 1) + shift).astype(np.float32)


@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize(("count", "shift"), [(300, 0.0), (200, 1.0), (70, 4.0), (300, 100.0)])
def test_figures_are_those_of_the_prdc_package(count, shift, k):
    real, generated = features(250, 0), features(count, 1, shift)
    expected = prdc.compute_prdc(real, generated, nearest_k=k)
    received = figures(real, generated, k=k)
    assert received == pytest.approx(expected, rel=1e-4)
    assert all(type(value) is float for value in received.values())


def test_precision_is_the_share_within_balls_and_recall_its_mirror():
    """Equations 1 and 2 of Kynkäänniemi et al., point by point."""
    real, generated = features(60, 0), features(50, 1, 1.0)

    def share_inside(points, manifold, k=3):
        radii = np.sort(pairwise_distances(manifold), axis=1)[:, k]
        inside = [np.any(np.linalg.norm(manifold - point, axis=1) <= radii) for point in points]
        return np.mean(inside)

    received = figures(real, generated)
    assert received["precision"] == pytest.approx(share_inside(generated, real))
    assert received["recall"] == pytest.approx(share_inside(real, generated))


@pytest.mark.parametrize("block", [1, 7, 10_000])
def test_neighbours_are_those_of_scikit_learn_in_blocks_of_any_size(block, monkeypatch):
    x = features(40, 0)
    monkeypatch.setattr(neighbours, "_BLOCK", block)
    expected, _ = NearestNeighbors(n_neighbors=5).fit(x.astype(np.float64)).kneighbors()
    received = neighbours.nearest_squared_distances(x, 5)
    np.testing.assert_allclose(np.sqrt(received), expected, rtol=1e-6)
    assert figures(x, features(30, 1, 1.0)) == pytest.approx(
        prdc.compute_prdc(x, features(30, 1, 1.0), 5) | figures(x, features(30, 1, 1.0)), rel=1e-9
    )


def test_known_neighbours_serve():
    real, generated = features(60, 0), features(50, 1)
    nearest = neighbours.nearest_squared_distances(real, 7)
    assert figures(real, generated, neighbours=nearest) == figures(real, generated)
    with pytest.raises(ValueError, match=r"60 rows.* 3 columns or more. Received: \(60, 2\)"):
        PrecisionRecall(real, neighbours=nearest[:, :2])


def test_identical_sets():
    """Every neighbourhood holds its own centre and k others, k of which the definition counts."""
    real = features(100, 0)
    received = figures(real, real[::-1])
    assert received.pop("density") == pytest.approx(6 / 5)
    assert received == {"precision": 1.0, "recall": 1.0, "coverage": 1.0}


def test_equal_distributions():
    received = figures(features(2_000, 0), features(2_000, 1))
    assert received["density"] == pytest.approx(1, abs=0.05)
    assert received["coverage"] == pytest.approx(1 - 2**-5, abs=0.02)


def test_disjoint_sets():
    received = figures(features(100, 0), features(100, 1, 1e4))
    assert set(received.values()) == {0.0}


def test_one_repeated_image():
    real = features(100, 0) * 1e3  # Large features, whose distances are rounded the most.
    copies = np.repeat(real[:1], 50, axis=0)
    received = figures(real, copies)
    assert received["precision"] == 1.0
    assert received["recall"] == pytest.approx(1 / 100)
    assert received["coverage"] < 0.3
    assert figures(copies, copies) == {
        "precision": 1.0,
        "recall": 1.0,
        "density": 10.0,
        "coverage": 1.0,
    }


@pytest.mark.parametrize(("n", "m"), [(100, 3), (3, 100)])
def test_no_more_samples_than_neighbours(n, m):
    with pytest.warns(FewSamplesWarning, match=f"more than .* Received: {m} and {n}"):
        assert set(figures(features(n, 0), features(m, 1)).values()) == {None}
    with pytest.raises(ValueError, match=r"more than 3 samples. Received: 3"):
        neighbours.nearest_squared_distances(features(3, 0), 3)


def test_no_samples():
    assert set(figures(features(10, 0), features(0, 1)).values()) == {None}


def test_held_samples_are_bounded():
    metric = PrecisionRecall(features(50, 0), max_samples=20)
    for seed in range(5):
        metric.update_state(features(10, seed))
    assert metric.describe()["samples"] == 20
    assert 0 <= metric.result()["precision"] <= 1

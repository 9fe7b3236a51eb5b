"""The ring of the toy example: its measures against points made by hand."""

import numpy as np
import pytest

from tests.helpers.ring_points import polar
from trainers.points import ring


@pytest.fixture
def data():
    return ring.Ring(radius=20.0, width=10.0)


def test_the_ring_is_even_over_its_band(data):
    points = data.points(200_000, np.random.default_rng(0)).astype(float)
    x = points - 100
    radius, angle = np.hypot(*x.T), np.arctan2(x[:, 1], x[:, 0])
    assert 15 <= radius.min() + 1e-4 <= radius.max() <= 25 + 1e-4
    # Even over the area: the squared radius is uniform.
    np.testing.assert_allclose(
        np.quantile(radius**2, [0.25, 0.5, 0.75]), [325, 425, 525], rtol=0.01
    )
    np.testing.assert_allclose(np.histogram(angle, 8)[0] / 25_000, 1, atol=0.03)


def test_distance_is_to_the_middle_of_the_band(data):
    points = np.concatenate([polar(20, [0, 90]), polar(26, [180]), polar(0, [0])])
    assert data.distance(points) == pytest.approx((0 + 0 + 6 + 20) / 4)
    assert data.share_in_band(points) == 0.5
    assert data.distance(points) == pytest.approx(
        np.mean([abs(np.linalg.norm(point - 100) - 20) for point in points])
    )


@pytest.mark.parametrize("radius", [15, 20, 25])
def test_coverage_counts_sectors(data, radius):
    # 90 points in nine sectors of 10°, thus 10 in each, where 2.5 of 90 would be even.
    degrees = np.repeat(np.arange(0, 90, 10) + 5.0, 10)
    assert data.coverage(polar(radius, degrees)) == 9 / 36


def test_a_sector_needs_its_share_within_the_band(data):
    even = np.tile(np.arange(0, 360, 10) + 5.0, 10)
    assert data.coverage(polar(20, even)) == 1
    # Of 720 points, 20 in a sector are even and 5 are needed.
    far = polar(80, np.zeros(360))
    assert data.coverage(np.concatenate([polar(20, even), far])) == 1
    assert data.coverage(np.concatenate([polar(20, even[: 4 * 36]), far, far[:216]])) == 0
    assert data.coverage(polar(26, even)) == 0
    assert data.coverage(polar(20, [5.0]), share=1e-9) == 1 / 36


def test_a_wide_cloud_covers_nothing(data):
    points = 100 + 40 * np.random.default_rng(0).standard_normal((2000, 2))
    assert data.coverage(points) == 0
    assert data.coverage(points, share=1e-9) == 1


@pytest.mark.parametrize(("radius", "width"), [(0, 1), (20, 0), (20, 41), (-1, -3)])
def test_a_ring_that_is_none(radius, width):
    with pytest.raises(ValueError, match="A ring needs"):
        ring.Ring(radius=radius, width=width)

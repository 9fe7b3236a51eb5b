"""Coverage of codes: of the same distribution, of a part of it, of its middle, and by counting."""

import itertools

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from keras_cvaegan.metrics import code_coverage


def drawn(count, dims=3, seed=0):
    return np.random.default_rng(seed).normal(size=(count, dims))


@pytest.mark.parametrize("dims", [2, 32])
@pytest.mark.parametrize("mapped", [300, 1500])
def test_the_same_distribution_reaches_the_ceiling(dims, mapped):
    found = code_coverage(
        drawn(800, dims, 0), drawn(mapped, dims, 1), reference=drawn(mapped, dims, 2)
    )
    assert found.codes == mapped
    assert found.covered == pytest.approx(found.ceiling, abs=0.06)
    assert found.spread == pytest.approx(found.held_out_spread, rel=0.1)


def test_the_radius_and_the_ceiling_without_a_reference():
    codes = drawn(1001)
    found = code_coverage(codes, drawn(1000, seed=1))
    distances = cdist(codes, codes)
    np.fill_diagonal(distances, np.inf)
    assert found.radius == pytest.approx(np.median(distances.min(axis=1)))
    # By definition one half of the codes have another within the median.
    assert found.codes == 1000
    assert found.ceiling == pytest.approx(501 / 1001, abs=0.002)
    assert found.covered == pytest.approx(0.5, abs=0.06)


def test_one_repeated_point_covers_hardly_any():
    found = code_coverage(drawn(500), np.tile(drawn(1, seed=1), (500, 1)), reference=drawn(500))
    assert found.covered < 0.02
    assert found.spread == pytest.approx(0, abs=1e-12)


def test_an_absent_part_of_a_cluster_halves_it():
    apart = 50 * (np.arange(1000) % 2)[:, None]
    parts, real = drawn(1000) + apart, drawn(1000, seed=1) + apart
    found = code_coverage(parts, real[::2], reference=real)
    assert found.codes == 500
    # Of the part that is there all 500 codes count, of the ceiling about 250 in each.
    alone = code_coverage(parts[::2], real[::2], reference=real[::2])
    assert found.covered == pytest.approx(alone.covered / 2, abs=0.03)
    assert found.covered < 0.9 * found.ceiling
    whole = code_coverage(parts, real, reference=real[::-1])
    assert whole.covered == whole.ceiling > found.ceiling


def test_in_many_dimensions_the_middle_shows_in_the_spread():
    found = code_coverage(
        drawn(500, 64), 0.3 * drawn(500, 64, seed=1), reference=drawn(500, 64, seed=2)
    )
    assert found.covered > found.ceiling
    assert found.spread < 0.2 * found.held_out_spread


def test_of_more_codes_the_share_is_the_mean_over_all_choices():
    held_out, mapped, reference = drawn(7, 2), drawn(6, 2, seed=1), drawn(3, 2, seed=2)
    found = code_coverage(held_out, mapped, reference=reference)
    near = cdist(held_out, mapped) <= found.radius
    shares = [
        near[:, list(some)].any(axis=1).mean() for some in itertools.combinations(range(6), 3)
    ]
    assert found.codes == 3
    assert 0 < np.mean(shares) < 1
    assert found.covered == pytest.approx(np.mean(shares))
    assert found.ceiling == (cdist(held_out, reference) <= found.radius).any(axis=1).mean()


def test_copies_and_no_codes():
    held_out = np.repeat(drawn(5, 2), 2, axis=0).astype("float32")
    found = code_coverage(held_out, held_out[:4])
    assert found.radius == 0 and found.covered == pytest.approx(0.4)
    found = code_coverage(held_out, held_out[:0])
    assert (found.covered, found.ceiling, found.codes, found.spread) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"held_out": drawn(1)}, "at least 2 codes.*Received: 1"),
        ({"mapped": drawn(4, 2)}, r"mapped must have the shape \(n, 3\)"),
        ({"reference": drawn(0)}, "at least one code, or be None"),
        ({"reference": np.full((3, 3), np.nan)}, "reference must be finite"),
    ],
)
def test_wrong_inputs(arguments, message):
    with pytest.raises(ValueError, match=message):
        code_coverage(**{"held_out": drawn(5), "mapped": drawn(5), **arguments})

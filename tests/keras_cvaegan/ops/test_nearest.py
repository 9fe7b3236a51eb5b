"""The nearest point against all distances of SciPy in float64."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from keras_cvaegan.ops.nearest import KEPT, nearest
from tests.helpers import nearest_with_back_end
from tests.helpers.running import on_jax


def arrays(found):
    return tuple(keras.ops.convert_to_numpy(x) for x in found)


def drawn(n, m, d, seed=0, offset=0.0):
    rng = np.random.default_rng(seed)
    points = offset + rng.normal(size=(n + m, d))
    return points[:n].astype("float32"), points[n:].astype("float32")


def all_distances(x, y):
    return cdist(x.astype(float), y.astype(float), "sqeuclidean")


def assert_nearest(found, distances):
    """Whether the found are those of all squared distances, infinite where none is allowed."""
    indices, squared = arrays(found)
    assert indices.dtype == np.int32 and squared.dtype == np.float32
    expected = np.where(np.isfinite(distances.min(axis=1)), distances.argmin(axis=1), -1)
    np.testing.assert_array_equal(indices, expected)
    np.testing.assert_allclose(squared, distances.min(axis=1), rtol=1e-5)


@settings(max_examples=20, deadline=None)
@given(
    n=st.integers(1, 10),
    m=st.integers(1, 10),
    d=st.integers(1, 4),
    block_size=st.integers(1, 14),
    groups=st.integers(0, 3),
    seed=st.integers(0, 99),
)
def test_all_shapes_and_block_sizes(n, m, d, block_size, groups, seed):
    x, y = drawn(n, m, d, seed)
    distances, of = all_distances(x, y), {}
    if groups:
        rng = np.random.default_rng(seed)
        ours, theirs = rng.integers(groups, size=n), rng.integers(groups, size=m)
        distances[ours[:, None] != theirs] = np.inf
        of = {"query_groups": ours, "candidate_groups": theirs}
    assert_nearest(nearest(x, y, block_size=block_size, **of), distances)


@pytest.mark.parametrize("offset", [0.0, 1e3, 1e6])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_far_from_the_origin(offset, dtype):
    # At 1e3 the product form without centring loses all digits of distances of 1.
    x, y = (points.astype(dtype) for points in drawn(300, 700, 8, offset=offset))
    assert_nearest(nearest(x, y, block_size=128), all_distances(x, y))


def clouds(candidates, spread):
    """Queries in two clouds far apart, and candidates in the same."""
    rng = np.random.default_rng(0)
    centres = np.repeat([[-1e3], [1e3]], 16, axis=1)
    return tuple(
        np.concatenate([c + spread * rng.normal(size=(count, 16)) for c in centres]).astype("f4")
        for count in (50, candidates)
    )


def test_near_ties_are_decided_by_differences():
    x, y = clouds(candidates=KEPT, spread=0.03)
    distances = all_distances(x, y)
    products = np.sum(y**2, axis=1) - 2 * x @ y.T
    assert np.mean(products.argmin(axis=1) != distances.argmin(axis=1)) > 0.3
    assert_nearest(nearest(x, y), distances)


def test_what_rounding_may_cost():
    """Of more near ties in a block than are kept, the distance is right within the bound."""
    x, y = clouds(candidates=300, spread=4.0)
    distances = all_distances(x, y)
    indices, squared = arrays(nearest(x, y))
    np.testing.assert_allclose(squared, distances[np.arange(len(x)), indices], rtol=1e-5)
    error = 2.0**-24 * np.sqrt(16) * 3 * np.square(x).sum(axis=1).max()
    allowed = distances.min(axis=1) + 2 * error
    assert np.all(squared <= allowed)
    assert np.mean(distances[:50, :300] <= allowed[:50, None]) < 0.05


@pytest.mark.parametrize("block_size", [2, 3, 1024])
def test_of_equals_the_lowest_index_wins(block_size):
    x, y = drawn(12, 9, 3)
    indices, _ = arrays(nearest(x, np.concatenate([y, y]), block_size=block_size))
    np.testing.assert_array_equal(indices, all_distances(x, y).argmin(axis=1))
    copies, squared = arrays(nearest(y, y, block_size=block_size))
    np.testing.assert_array_equal(copies, np.arange(9))
    np.testing.assert_array_equal(squared, 0)


def test_one_candidate_and_none():
    x, y = drawn(5, 1, 3)
    assert_nearest(nearest(x, y), all_distances(x, y))
    indices, squared = arrays(nearest(x, y[:0]))
    assert indices.tolist() == [-1] * 5 and np.all(np.isinf(squared))
    assert [part.shape for part in arrays(nearest(x[:0], y))] == [(0,), (0,)]


def test_a_group_without_candidates():
    x, y = drawn(6, 4, 3)
    indices, squared = arrays(
        nearest(x, y, query_groups=[0, 7, 1, 0, 7, 1], candidate_groups=[1, 0, 0, 1])
    )
    assert indices[[1, 4]].tolist() == [-1, -1] and np.all(np.isinf(squared[[1, 4]]))
    assert np.all(np.isin(indices[[0, 3]], [1, 2])) and np.all(np.isin(indices[[2, 5]], [0, 3]))


def test_rows_that_are_not_finite_count_as_absent():
    x, y = drawn(6, 9, 3)
    distances = all_distances(x, y)
    x[2, 1], y[4, 0], y[5, 2] = np.nan, np.nan, np.inf
    distances[2], distances[:, [4, 5]] = np.inf, np.inf
    assert_nearest(nearest(x, y, block_size=4), distances)


def test_in_half_precision_distances_are_float32():
    x, y = drawn(20, 30, 4)
    x, y = x.astype("float16"), y.astype("float16")
    assert_nearest(nearest(x, y), all_distances(x, y))


@pytest.mark.tensorflow
def test_numbers_of_rows_that_are_not_known_when_traced():
    traces = []

    @tf.function(input_signature=[tf.TensorSpec((None, 3)), tf.TensorSpec((None, 3))])
    def search(x, y):
        traces.append(1)
        groups = [tf.zeros((tf.shape(points)[0],), "int64") for points in (x, y)]
        return nearest(
            x, y, query_groups=groups[0], candidate_groups=groups[1], block_size=8
        ), nearest(x, y, block_size=8)

    for n, m in ((20, 17), (1, 1), (3, 8), (0, 4)):
        x, y = drawn(n, m, 3)
        for found in search(x, y):
            if n:
                assert_nearest(found, all_distances(x, y))
    indices, squared = search(*drawn(4, 0, 3))[0]
    assert np.all(indices == -1) and np.all(np.isinf(squared))
    assert len(traces) == 1


def test_no_gradient_flows():
    x, y = (tf.Variable(points) for points in drawn(4, 5, 3))
    with tf.GradientTape() as tape:
        _, squared = nearest(x, y)
        loss = tf.reduce_sum(squared)
    assert tape.gradient(loss, [x, y]) == [None, None]


@pytest.mark.slow
def test_jax_and_compiled_functions_find_the_same():
    """In a process of its own."""
    process = subprocess.run(
        [sys.executable, nearest_with_back_end.__file__],
        env=on_jax(),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert process.returncode == 0, process.stderr[-4000:]
    x, y, ours, theirs = nearest_with_back_end.points()
    distances = all_distances(x, y)
    within = np.where(ours[:, None] == theirs, distances, np.inf)
    runs = [*nearest_with_back_end.found(), *json.loads(process.stdout.splitlines()[-1])]
    assert len(runs) == 4
    for run in runs:
        for found, expected in ((run[:2], distances), (run[2:], within)):
            typed = np.array(found[0], "int32"), np.array(found[1], "float32")
            assert_nearest(typed, expected)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"queries": np.zeros(3)}, r"shapes \(n, d\) and \(m, d\)\. Received: \(3,\) and \(5, 3\)"),
        ({"candidates": np.zeros((5, 2))}, "as many dimensions. Received: 3 and 2"),
        ({"query_groups": [0] * 4}, "come together.*only query_groups"),
        ({"candidate_groups": [0] * 5}, "come together.*only candidate_groups"),
        (
            {"query_groups": [0] * 3, "candidate_groups": [0] * 5},
            r"query_groups must be integers, one of each of 4 rows.*int32 of the shape \(3,\)",
        ),
        (
            {"query_groups": [0] * 4, "candidate_groups": [0.5] * 5},
            "candidate_groups must be integers.*float32",
        ),
        ({"block_size": 0}, "block_size must be an integer of at least 1. Received: 0"),
        ({"block_size": 2.0}, "Received: 2.0"),
    ],
)
def test_wrong_inputs(changes, message):
    arguments = {"queries": np.zeros((4, 3)), "candidates": np.zeros((5, 3)), **changes}
    with pytest.raises(ValueError, match=message):
        nearest(**arguments)

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_cvaegan.ops import random


@pytest.mark.parametrize(
    ("key", "counter", "expected"),
    [
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((0xFFFFFFFF,) * 2, (0xFFFFFFFF,) * 2, (0x1CB996FC, 0xBB002BE7)),
        ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
    ],
    ids=["zeros", "ones", "pi"],
)
def test_threefry_gives_the_known_answers_of_random123(key, counter, expected):
    words = random.threefry(
        tuple(np.array(word, "uint32") for word in key),
        tuple(np.array(word, "uint32") for word in counter),
    )
    assert tuple(int(word) for word in words) == expected


def test_uniform_numbers_lie_strictly_between_0_and_1():
    ends = np.array(random._unit_interval(np.array([0, 2**32 - 1], "uint32"), "float32"))
    assert 0 < ends[0] < 1e-6
    assert 1 - 1e-6 < ends[1] < 1


@pytest.mark.parametrize("columns", [1, 2, 7])
def test_numbers_are_standard_normal(columns):
    z = draw(range(60_000 // columns), columns, seed=3)
    assert scipy.stats.kstest(z.ravel(), "norm").pvalue > 0.01
    assert np.abs(z).max() > 3.5


def test_columns_are_independent():
    z = draw(range(40_000), 4, seed=1)
    for values in (z, z**2):
        correlation = np.corrcoef(values, rowvar=False)
        assert np.abs(correlation - np.eye(4)).max() < 0.03


@pytest.mark.parametrize("change", ["seed", "step", "stream", "rows"])
def test_another_argument_gives_independent_numbers(change):
    base = {"seed": 5, "step": 7, "stream": 2, "rows": np.arange(20_000)}
    for offset in (1, 2**16):
        other = dict(base)
        # Rows that overlap are the same rows: shift past the whole batch.
        other[change] = base[change] + (offset + 20_000 if change == "rows" else offset)
        first, second = (draw(columns=1, **values)[:, 0] for values in (base, other))
        assert not np.any(first == second)
        assert abs(np.corrcoef(first, second)[0, 1]) < 0.03


def test_seed_step_and_stream_do_not_stand_for_one_another():
    draws = [draw([0], 2, seed=a, step=b, stream=c) for a, b, c in np.ndindex(3, 3, 3)]
    assert len({z.tobytes() for z in draws}) == 27


@settings(max_examples=25, deadline=None)
@given(
    rows=st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=6),
    columns=st.integers(1, 9),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_row_does_not_depend_on_its_batch(rows, columns, seed):
    together = draw(rows, columns, seed=seed)
    alone = np.concatenate([draw([row], columns, seed=seed) for row in rows])
    np.testing.assert_allclose(together, alone, atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(seeds=st.lists(st.integers(0, 2**32 - 1), max_size=6), columns=st.integers(1, 12))
def test_a_seed_for_each_row_equals_that_seed_for_all(seeds, columns):
    rows = np.arange(len(seeds)) + 10
    by_row = draw(rows, columns, seed=np.array(seeds, "uint32"))
    assert by_row.shape == (len(seeds), columns)
    for row, seed, values in zip(rows, seeds, by_row, strict=True):
        np.testing.assert_allclose(values, draw([row], columns, seed=seed)[0], atol=1e-6)


def test_as_many_seeds_as_pairs_of_columns():
    by_row = draw(range(4), 8, seed=np.array([9, 8, 7, 6]))
    alone = [draw([row], 8, seed=9 - row)[0] for row in range(4)]
    np.testing.assert_allclose(by_row, alone, atol=1e-6)


@pytest.mark.tensorflow
@pytest.mark.parametrize("shape", [None, ()])
def test_traced_numbers_equal_eager_ones(shape):
    @tf.function(autograph=False)
    def traced(rows, seed, step):
        return random.normal(rows, 5, seed=seed, step=step, stream=1)

    rows = tf.range(6, dtype=tf.int64)
    seed = tf.constant(12) if shape == () else tf.range(6) + 12
    for step in (0, 3):
        z = traced(rows, seed, tf.constant(step, tf.int64))
        expected = draw(rows, 5, seed=seed, step=step, stream=1)
        np.testing.assert_allclose(z, expected, atol=1e-6)
    assert traced.experimental_get_tracing_count() == 1


@pytest.mark.tensorflow
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "float64"])
def test_dtype(dtype):
    z = random.normal(np.arange(3), 4, seed=0, dtype=dtype)
    assert z.dtype == dtype
    np.testing.assert_allclose(
        np.array(tf.cast(z, "float32")), draw(range(3), 4, seed=0), rtol=1e-2
    )


@pytest.mark.parametrize("count", [0, 1])
@pytest.mark.parametrize("columns", [1, 2, 3])
def test_smallest_shapes(count, columns):
    rows = np.arange(count)
    assert draw(rows, columns, seed=0).shape == (count, columns)
    assert draw(rows, columns, seed=rows).shape == (count, columns)


@pytest.mark.parametrize("columns", [1, 2, 5])
def test_uniform_numbers(columns):
    x = draw_uniform(range(60_000 // columns), columns, seed=3)
    assert 0 < x.min() < x.max() < 1
    for column in x.T:
        assert scipy.stats.kstest(column, "uniform").pvalue > 0.01
    assert np.abs(np.corrcoef(x, rowvar=False) - np.eye(columns)).max() < 0.03


@settings(max_examples=25, deadline=None)
@given(
    rows=st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=6),
    columns=st.integers(1, 9),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_row_of_uniform_numbers_does_not_depend_on_its_batch(rows, columns, seed):
    together = draw_uniform(rows, columns, seed=seed)
    alone = np.concatenate([draw_uniform([row], columns, seed=seed) for row in rows])
    np.testing.assert_array_equal(together, alone)


def test_seed_step_and_stream_give_uniform_numbers_of_their_own():
    draws = [
        draw_uniform(range(1000), 1, seed=a, step=b, stream=c)[:, 0]
        for a, b, c in np.ndindex(2, 2, 2)
    ]
    assert np.abs(np.corrcoef(draws) - np.eye(8)).max() < 0.15


def test_uniform_numbers_are_those_that_normal_ones_are_made_of():
    u = draw_uniform(range(50), 2, seed=4, step=5, stream=6)
    radius, angle = np.sqrt(-2 * np.log(u[:, 0])), 2 * np.pi * u[:, 1]
    expected = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    z = draw(range(50), 2, seed=4, step=5, stream=6)
    np.testing.assert_allclose(z, expected, atol=1e-4)


@pytest.mark.tensorflow
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "float64"])
def test_dtype_of_uniform_numbers(dtype):
    x = random.uniform(np.arange(3), 4, seed=0, dtype=dtype)
    assert x.dtype == dtype
    expected = draw_uniform(range(3), 4, seed=0)
    np.testing.assert_allclose(np.array(tf.cast(x, "float32")), expected, rtol=1e-2)


def test_numbers_never_change():
    z = draw([0, 2**31], 3, seed=42, step=7, stream=1)
    expected = [[-0.880712, -0.721550, 1.363664], [-1.347959, 0.515911, 0.171171]]
    np.testing.assert_allclose(z, expected, atol=1e-5)


def draw(rows, columns, **arguments):
    return np.array(random.normal(np.asarray(rows), columns, **arguments))


def draw_uniform(rows, columns, **arguments):
    return np.array(random.uniform(np.asarray(rows), columns, **arguments))

"""CodeBatches: each epoch all rows, and an order that goes on from anywhere."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_cvaegan.training.code_batches import CodeBatches, RowOrder


@settings(max_examples=50, deadline=None)
@given(count=st.integers(1, 30), batch_size=st.integers(1, 70), seed=st.integers(0, 99))
def test_each_epoch_has_every_row_once(count, batch_size, seed):
    order = RowOrder(count, batch_size, seed)
    batches = -(-3 * count // batch_size)
    rows = np.concatenate([order.rows(index) for index in range(batches)])
    for epoch in rows[: 3 * count].reshape(3, count):
        assert sorted(epoch) == list(range(count))
    # Whatever was asked for before.
    np.testing.assert_array_equal(order.rows(0), RowOrder(count, batch_size, seed).rows(0))


def test_a_later_start_gives_what_would_have_followed():
    codes, labels = np.random.default_rng(0).normal(size=(17, 3)), np.arange(17)
    whole = CodeBatches(codes, labels, batch_size=5, steps=9, seed=2)
    rest = CodeBatches(codes, labels, batch_size=5, steps=5, start=4, seed=2)
    assert (len(whole), len(rest)) == (9, 5)
    for index in range(5):
        for expected, received in zip(whole[4 + index], rest[index], strict=True):
            np.testing.assert_array_equal(expected, received)
        np.testing.assert_array_equal(codes[rest[index][1]], rest[index][0])
    other = CodeBatches(codes, labels, batch_size=5, steps=1, seed=3)
    assert not np.array_equal(other[0][1], whole[0][1])


@pytest.mark.parametrize("sizes", [(0, 3), (3, 0)])
def test_nothing_to_take(sizes):
    with pytest.raises(ValueError, match="at least one row each"):
        RowOrder(*sizes, seed=0)

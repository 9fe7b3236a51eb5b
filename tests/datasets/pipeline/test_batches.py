"""The order of batches, their shards, and going on within them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.pipeline.batches import batches
from datasets.pipeline.reader import Reader
from tests.helpers.numbered_pictures import SIZE, flat, indices_of, numbered


def batches_of(count, **arguments):
    defaults = {"seed": 0, "shuffle": True, "repeat": True, "start": 0, "drop_remainder": True}
    return batches(numbered(count), **defaults | arguments)


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_a_resumed_run_continues_the_uninterrupted_one(data):
    count = data.draw(st.integers(1, 40), "count")
    batch_size = data.draw(st.integers(1, count), "batch_size")
    seed = data.draw(st.integers(0, 2**31), "seed")
    consumed = data.draw(st.integers(0, 6), "consumed")
    shuffle = data.draw(st.booleans(), "shuffle")
    arguments = {"batch_size": batch_size, "seed": seed, "shuffle": shuffle}
    whole = indices_of(batches_of(count, **arguments), consumed + 3)
    start = consumed * batch_size
    assert indices_of(batches_of(count, **arguments, start=start), 3) == whole[consumed:]


@settings(max_examples=15, deadline=None)
@given(count=st.integers(1, 60), seed=st.integers(0, 2**31), data=st.data())
def test_every_epoch_has_every_example_once(count, seed, data):
    batch_size = data.draw(st.integers(1, count), "batch_size")
    dataset = batches_of(count, batch_size=batch_size, seed=seed)
    seen = np.concatenate(indices_of(dataset, -(-3 * count // batch_size)))[: 3 * count]
    for epoch in seen.reshape(3, count):
        assert sorted(epoch) == list(range(count))


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(count=st.integers(1, 40), start=st.integers(0, 100), batch_size=st.integers(1, 50))
def test_without_repeat_the_rest_of_the_epoch_comes(count, start, batch_size):
    arguments = {"repeat": False, "drop_remainder": False, "start": start}
    dataset = batches_of(count, batch_size=batch_size, **arguments)
    rest = flat(indices_of(dataset))
    first_of_epoch = start // count * count
    epoch = flat(indices_of(batches_of(count, batch_size=1, start=first_of_epoch), count))
    assert rest == epoch[start - first_of_epoch :]
    assert dataset.cardinality() == len(indices_of(dataset))


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(st.data())
def test_shards_together_are_the_unsharded_batches(data):
    shards = data.draw(st.integers(1, 4), "shards")
    repeat = data.draw(st.booleans(), "repeat")
    count = data.draw(st.integers(shards, 40), "count")
    largest = count // shards if repeat else 50 // shards
    arguments = {
        "batch_size": shards * data.draw(st.integers(1, largest), "piece"),
        "seed": data.draw(st.integers(0, 2**31), "seed"),
        "shuffle": data.draw(st.booleans(), "shuffle"),
        "start": data.draw(st.integers(0, 100), "start"),
        "repeat": repeat,
        "drop_remainder": False,
    }
    taken = 5 if repeat else None
    whole = indices_of(batches_of(count, **arguments), taken)
    pieces = [
        indices_of(batches_of(count, **arguments, shard=(index, shards)), taken)
        for index in range(shards)
    ]
    assert [flat(pieces_of_batch) for pieces_of_batch in zip(*pieces, strict=True)] == whole
    for pieces_of_batch in zip(*pieces, strict=True):
        sizes = [len(piece) for piece in pieces_of_batch]
        assert max(sizes) - min(sizes) <= (len(flat(pieces_of_batch)) % shards > 0)


def test_a_shard_reads_its_own_rows_alone(monkeypatch):
    read = []
    call = Reader.__call__
    monkeypatch.setattr(
        Reader, "__call__", lambda self, rows: read.extend(rows) or call(self, rows)
    )
    dataset = batches_of(12, batch_size=4, repeat=False, shuffle=False, shard=(1, 2))
    assert indices_of(dataset) == [[2, 3], [6, 7], [10, 11]]
    assert sorted(read) == [2, 3, 6, 7, 10, 11]


def test_a_remainder_smaller_than_the_number_of_shards():
    arguments = {"batch_size": 4, "repeat": False, "drop_remainder": False}
    in_order = arguments | {"shuffle": False}
    pieces = [indices_of(batches_of(6, **in_order, shard=(index, 4))) for index in range(4)]
    assert pieces == [[[0], []], [[1], [4]], [[2], []], [[3], [5]]]
    pieces = [indices_of(batches_of(6, **arguments, shard=(index, 4))) for index in range(4)]
    assert [flat(batch) for batch in zip(*pieces, strict=True)] == indices_of(
        batches_of(6, **arguments)
    )


def test_static_shape_of_a_shard():
    images, labels = batches_of(50, batch_size=16, shard=(3, 4)).element_spec
    assert images.shape == (4, SIZE, SIZE, 3) and labels.shape == (4,)
    assert len(batches_of(50, batch_size=16, repeat=False, shard=(3, 4))) == 3


def test_a_batch_that_cannot_be_divided():
    message = r"all shards together.* Received: batch_size=10 for shard=\(0, 4\). Choose .*=12\."
    with pytest.raises(ValueError, match=message):
        batches_of(50, batch_size=10, shard=(0, 4))


@pytest.mark.parametrize("shard", [(4, 4), (-1, 4), (0, 0), (0,), (0, 1, 2), 1, (0.0, 1), "01"])
def test_wrong_shards(shard):
    with pytest.raises(ValueError, match=r"shard is \(index, count\) .* Received: shard="):
        batches_of(50, batch_size=10, shard=shard)


def test_epochs_and_seeds_differ():
    epochs = indices_of(batches_of(50, batch_size=50), 2)
    other = indices_of(batches_of(50, batch_size=50, seed=1), 1)
    assert epochs[0] != epochs[1]
    assert epochs[0] != other[0]
    assert epochs[0] != sorted(epochs[0])


def test_orders_do_not_recur():
    epochs = indices_of(batches_of(50, batch_size=50), 600)
    assert len({tuple(epoch) for epoch in epochs}) == 600
    seeds = [indices_of(batches_of(50, batch_size=50, seed=seed), 1)[0] for seed in (0, 256, 2**16)]
    assert len({tuple(order) for order in seeds}) == 3


@pytest.mark.slow
def test_orders_are_uniform():
    count, epochs = 12, 1500
    orders = np.array(indices_of(batches_of(count, batch_size=count), epochs))
    for column in (orders[:, 0], orders[:, 7], (orders[:, 5] - orders[:, 4]) % count):
        counts = np.bincount(column.astype(int), minlength=count)
        counts = counts[counts > 0]
        expected = epochs / len(counts)
        # Chi-squared over its degrees of freedom: 1 ± 0.43 for 11 of them.
        assert ((counts - expected) ** 2 / expected).sum() / (len(counts) - 1) < 3


def test_positions_beyond_32_bits():
    start = 10 * 2**32
    assert indices_of(batches_of(50, batch_size=5, start=start, shuffle=False), 1) == [
        [(start + i) % 50 for i in range(5)]
    ]


def test_gpus_are_left_to_jax(monkeypatch):
    import keras
    import tensorflow as tf

    hidden = []
    monkeypatch.setattr(tf.config, "set_visible_devices", lambda *of: hidden.append(of))
    batches_of(8, batch_size=4)
    assert hidden == ([([], "GPU")] if keras.backend.backend() == "jax" else [])
    hidden.clear()
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    batches_of(8, batch_size=4)
    assert hidden == [([], "GPU")]

    def too_late(*of):
        raise RuntimeError("Visible devices cannot be modified after being initialized")

    monkeypatch.setattr(tf.config, "set_visible_devices", too_late)
    assert len(indices_of(batches_of(8, batch_size=4), 2)) == 2

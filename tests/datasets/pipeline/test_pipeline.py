import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import datasets
from datasets.pipeline import registry
from datasets.pipeline.batches import batches
from datasets.pipeline.cache import Prepared
from datasets.pipeline.reader import Reader

SIZE = 4


def numbered(count):
    """Example i is a picture of the value i, of the class i % 3."""
    values = np.arange(count, dtype=np.uint8)
    images = np.broadcast_to(values[:, None, None, None], (count, SIZE, SIZE, 3))
    description = datasets.Description(
        "toy",
        "train",
        ("a", "b", "c"),
        (SIZE, SIZE, 3),
        tuple(np.bincount(values % 3, minlength=3)),
    )
    labels = (values % 3).astype(np.int32)
    return Prepared(images, labels, {"index": values.astype(np.float32)}, description)


@pytest.fixture
def toy(no_other_datasets):
    @registry.register("toy")
    def toy(split, image_size, count=50, with_index=True):
        data = numbered(count)

        def read(indices):
            rows = np.array(indices)
            index = {"index": data.attributes["index"][rows]} if with_index else {}
            return registry.Batch(data.images[rows], data.labels[rows], index)

        key = f"{count} {with_index}"
        return registry.Source(("a", "b", "c"), count, key, registry.in_batches(count, read))


def indices_of(dataset, batches=None):
    """The numbers of the examples in every batch."""
    dataset = dataset if batches is None else dataset.take(batches)
    return [np.rint((images[:, 0, 0, 0].numpy() + 1) * 127.5).tolist() for images, *_ in dataset]


def flat(batches):
    return list(itertools.chain.from_iterable(batches))


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


def test_images_labels_attributes(toy):
    dataset = datasets.load("toy", "test", SIZE, batch_size=16, with_attributes=True)
    images, labels, attributes = next(iter(dataset))
    assert images.dtype == "float32" and labels.dtype == "int32"
    assert images.shape == (16, SIZE, SIZE, 3) and labels.shape == (16,)
    expected = np.arange(16, dtype=np.float32)
    np.testing.assert_allclose(images[:, 0, 0, 0], expected / 127.5 - 1, rtol=0, atol=1e-7)
    np.testing.assert_array_equal(labels, np.arange(16) % 3)
    np.testing.assert_array_equal(attributes["index"], expected)
    assert dataset.description.class_counts == (17, 17, 16)


def test_the_whole_range_of_values(toy):
    images = datasets.load("toy", "test", SIZE, 256, count=256).get_single_element()[0]
    assert images.numpy().min() == -1 and images.numpy().max() == 1


def test_bytes(toy):
    arguments = {"name": "toy", "split": "test", "image_size": SIZE, "batch_size": 256}
    images, labels = datasets.load(**arguments, count=256, dtype="uint8").get_single_element()
    assert images.dtype == "uint8"
    np.testing.assert_array_equal(images[:, 0, 0, 0], np.arange(256))
    floats, same_labels = datasets.load(**arguments, count=256).get_single_element()
    np.testing.assert_array_equal(np.float32(images) / np.float32(127.5) - 1, floats)
    np.testing.assert_array_equal(labels, same_labels)


def test_wrong_dtype(toy):
    with pytest.raises(ValueError, match=r"come as float32 or uint8\. Received: dtype='float16'"):
        datasets.load("toy", "test", SIZE, dtype="float16")


def test_static_shapes(toy):
    images, labels = datasets.load("toy", "train", SIZE, 16, repeat=True).element_spec
    assert images.shape == (16, SIZE, SIZE, 3) and labels.shape == (16,)
    images, labels = datasets.load("toy", "test", SIZE, 16).element_spec
    assert images.shape.as_list() == [None, SIZE, SIZE, 3] and labels.shape.as_list() == [None]


def test_defaults_of_train_and_of_the_other_splits(toy):
    train = indices_of(datasets.load("toy", "train", SIZE, 16))
    assert [len(batch) for batch in train] == [16, 16, 16]
    assert flat(train) != sorted(flat(train))
    test = indices_of(datasets.load("toy", "test", SIZE, 16))
    assert flat(test) == list(range(50))
    assert [len(batch) for batch in test] == [16, 16, 16, 2]


def test_repeated_data_never_ends(toy):
    dataset = datasets.load("toy", "train", SIZE, 16, repeat=True)
    assert dataset.cardinality() == -1


def test_a_batch_larger_than_the_data(toy):
    for arguments in ({"split": "train"}, {"split": "test", "repeat": True}):
        with pytest.raises(ValueError, match=r"A batch of 64 is larger than the data: .* 50 pict"):
            datasets.load("toy", image_size=SIZE, **arguments)
    assert len(indices_of(datasets.load("toy", "test", SIZE))[0]) == 50


@pytest.mark.parametrize("arguments", [{"batch_size": 0}, {"start": -1}])
def test_wrong_numbers(toy, arguments):
    with pytest.raises(ValueError, match="batch_size must be at least 1 and start at least 0"):
        datasets.load("toy", image_size=SIZE, **arguments)


def test_attributes_that_are_not_there(toy):
    with pytest.raises(ValueError, match="'toy' has no attributes"):
        datasets.load("toy", "test", SIZE, with_index=False, with_attributes=True)


@pytest.mark.parametrize("part", [(0, 3), (2, 3)])
def test_a_part_is_drawn_from_alone(toy, part):
    dataset = datasets.load("toy", "train", SIZE, 4, repeat=True, part=part)
    own = list(range(50))[part[0] :: 3]
    seen = np.concatenate(indices_of(dataset, 2 * len(own)))[: 2 * len(own)]
    for epoch in seen.reshape(2, len(own)):
        assert sorted(epoch) == own
    assert dataset.description.num_images == len(own)
    assert dataset.description.part == part
    resumed = datasets.load("toy", "train", SIZE, 4, repeat=True, part=part, start=8)
    assert flat(indices_of(resumed, 3)) == seen[8:20].tolist()


def test_each_part_has_its_own_order(toy):
    orders = [
        np.concatenate(indices_of(datasets.load("toy", "train", SIZE, 25, part=(index, 2)))) // 2
        for index in range(2)
    ]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(25))
    assert np.mean(orders[0] == orders[1]) < 0.3


def test_shards_of_a_part(toy):
    arguments = {"image_size": SIZE, "batch_size": 4, "repeat": True, "part": (1, 2)}
    whole = indices_of(datasets.load("toy", **arguments), 8)
    pieces = [indices_of(datasets.load("toy", **arguments, shard=(i, 2)), 8) for i in range(2)]
    assert [flat(batch) for batch in zip(*pieces, strict=True)] == whole


def test_a_batch_larger_than_a_part(toy):
    with pytest.raises(ValueError, match=r"has 12 pictures in its split 'train', part \(3, 4\)"):
        datasets.load("toy", image_size=SIZE, batch_size=13, part=(3, 4))


def test_rows_are_read_from_the_file(tmp_path):
    for dtype in (np.uint8, np.float32):
        array = np.random.default_rng(0).integers(0, 256, (20, 3, 2)).astype(dtype)
        np.save(tmp_path / "array.npy", array)
        reader = Reader(np.load(tmp_path / "array.npy", mmap_mode="r"))
        for rows in ([], [7], [19, 0, 7, 7]):
            read = reader(np.array(rows, np.int64))[0]
            assert read.dtype == dtype
            np.testing.assert_array_equal(read, array[np.array(rows, np.int64)])


def test_a_file_that_became_shorter(tmp_path):
    path = tmp_path / "array.npy"
    np.save(path, np.zeros((20, 1000), np.uint8))
    reader = Reader(np.load(path, mmap_mode="r"))
    with path.open("r+b") as file:
        file.truncate(10_000)
    reader(np.array([3]))
    with pytest.raises(OSError, match=r"array.npy' has become shorter. Remove its folder"):
        reader(np.array([15]))


def test_files_are_closed(tmp_path):
    np.save(tmp_path / "array.npy", np.zeros((20, 10), np.uint8))
    readers = [Reader(np.load(tmp_path / "array.npy", mmap_mode="r")) for _ in range(5)]
    descriptors = [reader._arrays[0]._descriptor for reader in readers]
    del readers
    for descriptor in descriptors:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)


def resident_file_pages():
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"RssFile:\s+(\d+) kB", status)[1]) / 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="counts pages as Linux does")
def test_pictures_that_were_read_do_not_stay_in_memory(no_other_datasets):
    @registry.register("large")
    def large(split, image_size):
        def read(rows):
            shape = (len(rows), image_size, image_size, 3)
            return registry.Batch(np.zeros(shape, np.uint8), [0] * len(rows))

        return registry.Source(("a", "b"), 1000, "", registry.in_batches(1000, read))

    # 49 MB of pictures.
    batches = iter(datasets.load("large", "train", 128, 50, repeat=True, dtype="uint8"))
    next(batches)
    before = resident_file_pages()
    for _ in range(40):
        next(batches)
    assert resident_file_pages() - before < 10


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


def test_a_process_that_leaves_an_endless_iterator_ends(cache_dir):
    program = """
import numpy as np, datasets
from datasets.pipeline.registry import Batch, Source, in_batches, register

@register("toy")
def toy(split, image_size):
    read = lambda rows: Batch(np.zeros((len(rows), image_size, image_size, 3), np.uint8), [0] * 64)
    return Source(("a", "b"), 640, "", in_batches(640, read))

iterator = iter(datasets.load("toy", "train", 128, repeat=True))
for _ in range(20):
    next(iterator)
"""
    for _ in range(2):
        subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


def test_iterators_are_dropped_while_batches_are_read():
    program = """
import time
import numpy as np, datasets
from datasets.pipeline.cache import Prepared
from datasets.pipeline import reader
from datasets.pipeline.batches import batches

call = reader.Reader.__call__
reader.Reader.__call__ = lambda self, rows: time.sleep(0.003) or call(self, rows)
description = datasets.Description("toy", "train", ("a", "b"), (4, 4, 3), (20, 20))
prepared = Prepared(np.zeros((40, 4, 4, 3), np.uint8), np.zeros(40, np.int32), {}, description)
dataset = batches(
    prepared, 4, 0, shuffle=True, repeat=True, start=0, drop_remainder=True
)
kept = []
for _ in range(100):
    kept.append(iter(dataset))
    next(kept[-1])
kept.clear()
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)

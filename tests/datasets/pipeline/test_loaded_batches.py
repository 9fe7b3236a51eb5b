"""What `datasets.load` gives of a toy data set."""

import numpy as np
import pytest

import datasets
from datasets.pipeline import registry
from tests.helpers.numbered_pictures import SIZE, flat, indices_of, numbered

pytestmark = pytest.mark.slow


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

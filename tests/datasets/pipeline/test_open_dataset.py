import hashlib
import inspect
import itertools
import json

import numpy as np
import pytest
from PIL import Image

import datasets
from datasets.pipeline import registry

SIZE = 4


@pytest.fixture
def opened_splits(no_other_datasets):
    """Registers the data set `toy`, and returns which splits of it were opened, in their order."""
    opened = []

    @registry.register("toy")
    def toy(split, image_size, data_dir=None, count=30):
        opened.append(split)

        def read(indices):
            values = np.array(indices, np.uint8)
            shape = (len(values), image_size, image_size, 3)
            images = np.broadcast_to(values[:, None, None, None], shape)
            return registry.Batch(images, values % 3, {"index": values})

        return registry.Source(("a", "b", "c"), count, "1", registry.in_batches(count, read))

    return opened


def values_of(dataset, batches=None):
    dataset = dataset if batches is None else dataset.take(batches)
    return [images[:, 0, 0, 0].numpy().tolist() for images, *_ in dataset]


def flat(dataset, batches=None):
    return list(itertools.chain.from_iterable(values_of(dataset, batches)))


def test_each_split_is_opened_once(opened_splits, cache_dir):
    data = datasets.open_dataset("toy", SIZE, count=20)
    assert (data.name, data.image_size, data.class_names) == ("toy", SIZE, ("a", "b", "c"))
    assert data.source("train").count == 20 and data.key("train") == data.key()
    assert opened_splits == ["train"] and not cache_dir.exists()
    for _ in range(2):
        assert data.prepare("train") is data.prepare()
        assert data.prepare("test", part=(1, 2)).description.num_images == 10
        next(iter(data.load("train", batch_size=4)))
        next(iter(data.load("test", batch_size=4, part=(1, 2))))
    assert opened_splits == ["train", "test"]


def test_conveniences_give_the_same(opened_splits):
    data = datasets.open_dataset("toy", SIZE, count=20)
    options = {"dtype": "uint8", "shuffle": True, "labelled_share": 0.5}
    ours = data.load("train", 5, 3, **options)
    theirs = datasets.load("toy", "train", SIZE, 5, 3, count=20, **options)
    assert values_of(ours) == values_of(theirs)
    assert ours.description == theirs.description
    prepared = datasets.prepare("toy", "test", SIZE, count=20, part=(0, 2))
    np.testing.assert_array_equal(prepared.images, data.prepare("test", (0, 2)).images)


def test_the_key_is_of_names_and_pictures(opened_splits):
    digest = hashlib.sha256(json.dumps([["a", "b", "c"], "1"]).encode()).hexdigest()[:16]
    key = datasets.open_dataset("toy", SIZE).key("test")
    assert key == {"dataset": "toy", "image_size": SIZE, "digest": digest}


def test_pictures_without_labels_are_opened_once(tmp_path, monkeypatch, opened_splits):
    for value in range(8):
        Image.new("RGB", (SIZE, SIZE), (value,) * 3).save(tmp_path / f"{value}.png")
    data = datasets.open_dataset("toy", SIZE)
    options = {"repeat": True, "unlabelled_data_dir": tmp_path, "batch_size": 4}
    whole = values_of(data.load(**options), 8)
    monkeypatch.setitem(registry._DATASETS, "pictures", None)
    assert values_of(data.load(**options, start=12), 5) == whole[3:]


@pytest.mark.parametrize("per_class", [1, 4, 9, 50])
def test_so_many_pictures_of_each_class(opened_splits, per_class):
    # 28 examples: 10 of class 0, 9 of the others.
    data = datasets.open_dataset("toy", SIZE, count=28)
    options = {"images_per_class": per_class, "dtype": "uint8", "repeat": True, "seed": 5}
    expected = {
        int(row)
        for label in range(3)
        for row in np.random.default_rng([5, label]).permutation(np.arange(label, 28, 3))[
            :per_class
        ]
    }
    count = len(expected)
    whole = flat(data.load(batch_size=count, **options), 3)
    epochs = [sorted(whole[count * epoch : count * (epoch + 1)]) for epoch in range(3)]
    assert epochs == [sorted(expected)] * 3
    # Larger batches than there are pictures have them several times.
    assert set(flat(data.load(batch_size=64, **options), 1)) == expected
    resumed = data.load(batch_size=count, start=2 * count, **options)
    assert values_of(resumed, 1) == [whole[2 * count :]]


def test_labels_are_a_share_of_the_pictures_that_are_taken(opened_splits):
    data = datasets.open_dataset("toy", SIZE)
    arguments = {"images_per_class": 6, "dtype": "uint8", "batch_size": 18, "seed": 1}
    taken = set(flat(data.load(**arguments)))
    some = arguments | {"labelled_share": 0.5, "unlabelled_rest": True, "repeat": True}
    images, labels = next(iter(data.load(**some)))
    values = images[:, 0, 0, 0].numpy()
    assert {*values[::2].tolist()} | {*values[1::2].tolist()} == taken
    assert (labels[::2] == values[::2] % 3).numpy().all() and (labels[1::2] == -1).numpy().all()


def test_what_makes_no_sense_together(opened_splits, tmp_path):
    data = datasets.open_dataset("toy", SIZE)
    rest = {"labelled_share": 0.5, "unlabelled_rest": True}
    for options in (rest, {"images_per_class": 2}, {"unlabelled_data_dir": tmp_path}):
        with pytest.raises(ValueError, match=r"chosen of the training ones.* split='test'"):
            data.load("test", repeat=True, **options)
    with pytest.raises(ValueError, match=r"never end: load them with repeat=True"):
        data.load(**rest)
    with pytest.raises(ValueError, match="without labels have no attributes"):
        data.load(**rest, repeat=True, with_attributes=True)
    with pytest.raises(ValueError, match=r"or images_per_class, needs the whole data set"):
        data.load(images_per_class=2, part=(0, 2))
    with pytest.raises(ValueError, match=r"images_per_class must be .* Received: 0"):
        data.load(images_per_class=0)
    with pytest.raises(ValueError, match=r"A batch of 8 .* has 6 chosen pictures in its split"):
        data.load(images_per_class=2, batch_size=8)


def test_wrong_arguments_are_found_on_opening(opened_splits):
    with pytest.raises(ValueError, match=r"Unknown data set\. Received: 'toys'"):
        datasets.open_dataset("toys")
    with pytest.raises(ValueError, match="image_size must be a whole number"):
        datasets.open_dataset("toy", 0)
    with pytest.raises(
        ValueError, match=r"has the splits train, validation, test\. Received: split"
    ):
        datasets.open_dataset("toy", SIZE).prepare("tests")
    with pytest.raises(ValueError, match=r"'toy' does not take size\. Allowed: count"):
        datasets.open_dataset("toy", SIZE, size=2).source()


def test_no_option_hides_a_parameter():
    taken = {
        name
        for function in (datasets.prepare, datasets.load, datasets.OpenDataset.load)
        for name in inspect.signature(function).parameters
    }
    supplied = {"self", "split", "image_size", "data_dir", "options"}
    assert taken - supplied == registry.RESERVED

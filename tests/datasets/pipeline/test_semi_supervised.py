import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import datasets
from datasets.pipeline.semi_supervised import UNLABELLED, Labels, labelled_rows

REST = {"labelled_share": 0.25, "unlabelled_rest": True}
DATA = {"name": "petals", "image_size": 8, "count": 80, "dtype": "uint8"}


def load(batch_size=8, seed=0, **options):
    return datasets.load(
        **{"batch_size": batch_size, "seed": seed, "repeat": True, **DATA, **options}
    )


def taken(dataset, count):
    return [(images.numpy(), labels.numpy()) for images, labels in dataset.take(count)]


def all_pictures():
    prepared = datasets.prepare("petals", "train", image_size=8, count=80)
    found = {
        image.tobytes(): int(label)
        for image, label in zip(prepared.images, prepared.labels, strict=True)
    }
    assert len(found) == 80
    return found


@given(
    labels=st.lists(st.integers(0, 4), min_size=1, max_size=60),
    share=st.floats(0.01, 1.0),
    seed=st.integers(0, 5),
)
@settings(max_examples=60, deadline=None)
def test_each_class_keeps_its_share_of_labels(labels, share, seed):
    labels = np.array(labels)
    rows = labelled_rows(labels, 5, share, seed)
    assert len(set(rows)) == len(rows) and list(rows) == sorted(rows)
    for label in range(5):
        count = int((labels == label).sum())
        expected = min(count, max(1, round(share * count)))
        assert (labels[rows] == label).sum() == expected
    if share < 0.5:
        assert set(rows) <= set(labelled_rows(labels, 5, 2 * share, seed))


def test_rows_with_and_without_a_label_alternate_and_are_of_different_pictures():
    classes = all_pictures()
    with_label, without = set(), set()
    for images, labels in taken(load(**REST), 16):
        assert (labels[1::2] == UNLABELLED).all() and (labels[::2] >= 0).all()
        assert labels.dtype == np.int32
        for image, label in zip(images, labels, strict=True):
            key = image.tobytes()
            (without if label == UNLABELLED else with_label).add(key)
            assert label in (UNLABELLED, classes[key])
    # 16 batches of 4 + 4: the 20 with a label three times over, the 60 without once.
    assert len(with_label) == 20 and len(without) == 60 and not with_label & without


def test_without_the_rest_the_others_are_left_out():
    assert all((labels >= 0).all() for _, labels in taken(load(labelled_share=0.25), 4))
    kept = {
        image.tobytes() for images, _ in taken(load(labelled_share=0.25), 10) for image in images
    }
    with_rest = {image.tobytes() for images, _ in taken(load(**REST), 10) for image in images[::2]}
    assert len(kept) == 20 and kept == with_rest


def test_all_labels_give_the_batches_of_load():
    plain = datasets.load(**DATA, split="train", batch_size=8, seed=3, repeat=True, start=16)
    for ours, theirs in zip(taken(load(seed=3, start=16), 12), taken(plain, 12), strict=True):
        np.testing.assert_array_equal(ours[0], theirs[0])
        np.testing.assert_array_equal(ours[1], theirs[1])


@pytest.mark.parametrize("options", [REST, {"labelled_share": 0.25}])
def test_a_stream_goes_on_where_it_stopped(options):
    whole = taken(load(**options), 12)
    rest = taken(load(**options, start=5 * 8), 7)
    for one, other in zip(whole[5:], rest, strict=True):
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_array_equal(one[1], other[1])


def test_shards_are_consecutive_pieces_of_the_batches():
    whole = taken(load(**REST), 5)
    pieces = [taken(load(**REST, shard=(index, 2)), 5) for index in range(2)]
    for batch, *halves in zip(whole, *pieces, strict=True):
        for column in range(2):
            joined = np.concatenate([half[column] for half in halves])
            np.testing.assert_array_equal(joined, batch[column])


@pytest.mark.parametrize("shard", [(0, 1), (1, 2)])
def test_each_part_of_a_step_has_both_kinds(shard):
    parts = 4
    options = {"batch_size": 16, "batches_per_step": parts, "shard": shard}
    for _, labels in taken(load(**REST, **options), 5):
        for part in range(parts):
            of_part = labels[part::parts]
            assert (of_part == UNLABELLED).sum() == len(of_part) // 2
    together = {i.tobytes() for images, _ in taken(load(**REST, **options), 3) for i in images}
    one_by_one = {"batch_size": 16, "shard": shard}
    assert together == {
        i.tobytes() for images, _ in taken(load(**REST, **one_by_one), 3) for i in images
    }


def test_seeds_keep_other_labels():
    def kept(**options):
        return {
            i.tobytes() for images, _ in taken(load(**REST, **options), 10) for i in images[::2]
        }

    assert kept(seed=0) != kept(seed=1)


def test_pictures_of_a_folder_come_without_labels(tmp_path):
    values = range(10, 250, 20)
    for value in values:
        folder = tmp_path / f"{value % 3}"
        folder.mkdir(exist_ok=True)
        Image.new("RGB", (9, 12), (value,) * 3).save(folder / f"{value}.png")
    found, known = set(), all_pictures()
    for images, labels in taken(load(unlabelled_data_dir=tmp_path), 4):
        assert (labels[1::2] == UNLABELLED).all()
        found |= {int(image[0, 0, 0]) for image in images[1::2]}
        assert {image.tobytes() for image in images[::2]} <= known.keys()
    # 16 of them, each once before any comes again.
    assert found == set(values)


def test_what_cannot_be_is_refused(tmp_path):
    for share in (0.0, -0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match=r"must be in \(0, 1\]. Received"):
            Labels(share, False, None)
    with pytest.raises(ValueError, match="Choose one of them"):
        Labels(0.5, True, tmp_path)
    with pytest.raises(ValueError, match="choose a labelled_share below 1"):
        Labels(1.0, True, None)
    with pytest.raises(ValueError, match=r"a multiple of 2, start of batch_size\. Received"):
        load(batch_size=7, **REST)
    with pytest.raises(ValueError, match=r"a multiple of 12, .* Received: batch_size=8"):
        load(batches_per_step=3, shard=(0, 2), **REST)
    with pytest.raises(ValueError, match="has no pictures"):
        load(unlabelled_data_dir=tmp_path)
    with pytest.raises(ValueError, match="unlabelled_data_dir is no folder: '/nowhere'"):
        load(unlabelled_data_dir="/nowhere")
    with pytest.raises(ValueError, match="all 80 pictures keep their label"):
        load(labelled_share=0.999, unlabelled_rest=True)
    with pytest.raises(ValueError, match=r"needs the whole data set .* Received: part=\(0, 2\)"):
        load(part=(0, 2), **REST)


def test_few_labels_come_more_often_in_a_batch():
    # 10 pictures with a label, one a class, for 48 places.
    options = {"labelled_share": 0.01, "unlabelled_rest": True, "batch_size": 96}
    [(images, labels), (later, _)] = taken(load(**options), 2)
    counts = np.unique([image.tobytes() for image in images[::2]], return_counts=True)[1]
    assert len(counts) == 10 and set(counts) <= {4, 5}
    assert (labels[1::2] == UNLABELLED).all()
    [(again, _)] = taken(load(**options, start=96), 1)
    np.testing.assert_array_equal(again, later)


def test_pictures_are_split_by_their_paths_or_not_at_all(tmp_path):
    for value in range(20):
        Image.new("RGB", (9, 12), (value,) * 3).save(tmp_path / f"{value}.png")
    counts = {
        split: datasets.prepare(
            "pictures", split, image_size=8, data_dir=tmp_path
        ).description.class_counts
        for split in datasets.SPLITS
    }
    assert counts == {"train": (16,), "validation": (2,), "test": (2,)}
    whole = {"image_size": 8, "data_dir": tmp_path, "hold_out": False}
    assert datasets.prepare("pictures", "train", **whole).description.class_counts == (20,)
    with pytest.raises(ValueError, match=r"'test' of .* is empty: it has 20 pictures"):
        datasets.prepare("pictures", "test", **whole)

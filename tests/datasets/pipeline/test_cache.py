import json
import os
import shutil
import threading
import time

import numpy as np
import pytest
import tqdm

import datasets
from datasets.pipeline import decoding, registry

SIZE = 8


@pytest.fixture
def toy(no_other_datasets):
    """Registers `toy`, and returns the list to which it adds each index that it decodes."""
    decoded = []

    @registry.register("toy")
    def toy(split, image_size, count=100, key="1", bad=(), size=SIZE):
        def read(indices):
            decoded.extend(indices)
            images = [
                registry.Unreadable(f"{index}.png", "damaged")
                if index in bad
                else np.full((size, size, 3), index, np.uint8)
                for index in indices
            ]
            labels = [index % 4 for index in indices]
            return registry.Batch(images, labels, {"index": list(indices)})

        return registry.Source(("a", "b", "c", "d"), count, key, registry.in_batches(count, read))

    return decoded


def prepare(**options):
    return datasets.prepare("toy", "train", SIZE, **options)


def entries(folder):
    return sorted(path.name for path in folder.iterdir())


def test_arrays_and_description(toy):
    prepared = prepare()
    assert prepared.images.shape == (100, SIZE, SIZE, 3)
    assert prepared.images.dtype == np.uint8
    assert isinstance(prepared.images, np.memmap)
    assert not prepared.images.flags.writeable
    np.testing.assert_array_equal(prepared.images[:, 0, 0, 0], np.arange(100))
    np.testing.assert_array_equal(prepared.labels, np.arange(100) % 4)
    assert prepared.labels.dtype == np.int32
    np.testing.assert_array_equal(prepared.attributes["index"], np.arange(100))
    assert prepared.attributes["index"].dtype == np.float32
    assert prepared.description == datasets.Description(
        name="toy",
        split="train",
        class_names=("a", "b", "c", "d"),
        image_shape=(SIZE, SIZE, 3),
        class_counts=(25, 25, 25, 25),
    )
    assert prepared.description.num_classes == 4
    assert prepared.description.num_images == 100


def test_description_survives_json(toy):
    description = prepare(bad=(3,)).description
    values = json.loads(json.dumps(description.to_dict()))
    assert datasets.Description.from_dict(values) == description


def test_pictures_of_another_size_are_resized(toy):
    images = prepare(size=3 * SIZE).images
    np.testing.assert_array_equal(images[:, 4, 4, 0], np.arange(100))


def test_pictures_of_another_type_are_refused(no_other_datasets):
    @registry.register("floats")
    def floats(split, image_size):
        def read(indices):
            return registry.Batch(np.zeros((2, SIZE, SIZE, 3)), [0, 1])

        return registry.Source(("a", "b"), 2, "", registry.in_batches(2, read))

    with pytest.raises(ValueError, match="must be uint8"):
        datasets.prepare("floats", "train", SIZE)


def test_decoded_once(toy):
    first = prepare()
    assert sorted(toy) == list(range(100))
    second = prepare()
    assert len(toy) == 100
    np.testing.assert_array_equal(first.images, second.images)


def test_decoded_again_for_another_key_size_or_split(toy):
    prepare()
    prepare(key="2")
    datasets.prepare("toy", "test", SIZE)
    datasets.prepare("toy", "train", 2 * SIZE)
    assert len(toy) == 400


@pytest.mark.parametrize("count", [2, 3, 7])
def test_parts_are_disjoint_and_cover_the_whole(toy, count):
    whole = prepare()
    toy.clear()
    seen = []
    for index in range(count):
        part = prepare(part=(index, count))
        assert sorted(toy) == list(range(index, 100, count))
        toy.clear()
        numbers = part.attributes["index"].astype(int)
        np.testing.assert_array_equal(part.images, whole.images[numbers])
        np.testing.assert_array_equal(part.labels, whole.labels[numbers])
        assert part.description.part == (index, count)
        assert part.description.class_names == whole.description.class_names
        assert part.description.num_images == len(part.images) == len(numbers)
        assert prepare(part=(index, count)).description == part.description
        seen.extend(numbers)
    assert sorted(seen) == list(range(100))
    assert toy == []


def test_a_class_may_be_absent_from_a_part(toy):
    assert prepare(part=(1, 4)).description.class_counts == (0, 25, 0, 0)
    assert prepare(count=12, bad=(1, 5, 9), part=(1, 2)).description.class_counts == (0, 0, 0, 3)


def test_a_part_without_a_readable_picture(toy, cache_dir):
    with pytest.raises(ValueError, match=r"None of the 3 pictures of class 'b' can be read"):
        prepare(count=12, bad=(1, 5, 9), part=(1, 4))
    assert entries(cache_dir) == []


def test_more_parts_than_pictures(toy):
    message = r"has 100 pictures, too few for 101 parts\. Received: part=\(0, 101\)"
    with pytest.raises(ValueError, match=message):
        prepare(part=(0, 101))


@pytest.mark.parametrize("part", [(2, 2), (-1, 2), (0,), None, 3])
def test_wrong_parts(toy, part):
    with pytest.raises(ValueError, match=r"part is \(index, count\) .* Received: part="):
        prepare(part=part)


def test_the_whole_as_its_only_part_is_the_whole(toy):
    prepare()
    prepare(part=(0, 1))
    assert len(toy) == 100


def test_a_description_of_earlier_times_is_of_the_whole(toy, cache_dir):
    expected = prepare().description
    path = next(cache_dir.iterdir()) / "description.json"
    values = json.loads(path.read_text())
    del values["part"]
    path.write_text(json.dumps(values))
    assert prepare().description == expected
    assert len(toy) == 100


def test_unreadable_pictures_are_left_out_and_listed(toy, caplog):
    prepared = prepare(bad=(0, 70))
    assert prepared.images.shape[0] == 98
    np.testing.assert_array_equal(np.delete(np.arange(100), [0, 70]), prepared.attributes["index"])
    assert prepared.description.unreadable == (("0.png", "damaged"), ("70.png", "damaged"))
    assert prepared.description.class_counts == (24, 25, 24, 25)
    assert "2 of 100 pictures could not be read" in caplog.text
    assert prepare(bad=(0, 70)).description == prepared.description


def test_a_class_without_a_readable_picture(toy, cache_dir):
    message = r"None of the 3 pictures of class 'b' can be read: 1.png \(damaged\); 5.png"
    with pytest.raises(ValueError, match=message):
        prepare(count=12, bad=(1, 5, 9))
    assert entries(cache_dir) == []


def test_many_lost_pictures_are_not_all_named(toy):
    with pytest.raises(ValueError, match="and 20 more"):
        prepare(bad=range(1, 100, 4))


@pytest.mark.parametrize("name", ["images.npy", "labels.npy", "attribute-index.npy"])
@pytest.mark.parametrize("damage", ["missing", "truncated", "empty", "other"])
def test_a_damaged_entry_is_rebuilt(toy, cache_dir, name, damage):
    expected = np.array(prepare().images)
    path = next(cache_dir.iterdir()) / name
    data = path.read_bytes()
    path.unlink()
    if damage == "truncated":
        path.write_bytes(data[:-7])
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "other":
        np.save(path, np.zeros((3, 1), np.uint8))
    prepared = prepare()
    assert len(toy) == 200
    np.testing.assert_array_equal(prepared.images, expected)
    assert len(entries(cache_dir)) == 1


def test_a_damaged_description_is_rebuilt(toy, cache_dir):
    prepare()
    (next(cache_dir.iterdir()) / "description.json").write_text('{"name": "to')
    assert prepare().description.num_images == 100
    assert len(toy) == 200


def test_what_a_killed_process_left_is_neither_used_nor_kept_for_ever(toy, cache_dir, monkeypatch):
    prepare()
    entry = next(cache_dir.iterdir())
    partial = cache_dir / f".{entry.name}.0123.partial"
    shutil.copytree(entry, partial)
    (partial / "description.json").unlink()
    shutil.rmtree(entry)
    assert prepare().images.shape[0] == 100
    assert entries(cache_dir) == [partial.name, entry.name]
    long_ago = time.time() - 3 * 24 * 3600
    for path in [*partial.iterdir(), partial]:
        os.utime(path, (long_ago, long_ago))
    prepare(key="2")
    assert partial.name not in entries(cache_dir)


def test_nothing_is_left_when_decoding_fails(no_other_datasets, cache_dir):
    @registry.register("failing")
    def failing(split, image_size):
        def read(indices):
            raise RuntimeError("no")

        return registry.Source(("a", "b"), 500, "", registry.in_batches(500, read))

    with pytest.raises(RuntimeError, match="no"):
        datasets.prepare("failing")
    assert entries(cache_dir) == []


def test_concurrent_writers(toy, cache_dir):
    results = []
    threads = [threading.Thread(target=lambda: results.append(prepare())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    for prepared in results:
        np.testing.assert_array_equal(prepared.images[:, 0, 0, 0], np.arange(100))
    assert len(entries(cache_dir)) == 1


def test_cache_dir_is_preferred_to_the_environment(toy, tmp_path, cache_dir):
    prepare(cache_dir=tmp_path / "mine")
    assert len(entries(tmp_path / "mine")) == 1
    assert not cache_dir.exists()


def test_default_cache_dir(toy, tmp_path, monkeypatch):
    monkeypatch.delenv("KERAS_CVAEGAN_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path))
    prepare()
    assert len(entries(tmp_path / ".cache" / "keras_cvaegan")) == 1


def test_unwritable_cache_dir(toy, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"Cannot keep decoded pictures in '.*file'.*cache_dir"):
        prepare(cache_dir=tmp_path / "file")


def test_full_disk(toy, cache_dir, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(decoding.os, "fsync", full)
    with pytest.raises(OSError, match="No space left on device"):
        prepare()
    assert entries(cache_dir) == []


@pytest.mark.parametrize("image_size", [0, -1, 1.5, "32", True])
def test_wrong_image_size(toy, image_size):
    with pytest.raises(ValueError, match="image_size must be a whole number"):
        datasets.prepare("toy", "train", image_size)


def test_progress_is_shown_when_it_takes_long(toy, monkeypatch, capsys):
    prepare()
    assert capsys.readouterr().err == ""
    clock = iter(range(0, 1000, 6))
    monkeypatch.setattr(tqdm.std, "time", lambda: next(clock))
    prepare(key="2")
    first, last = capsys.readouterr().err.splitlines()
    assert first == "toy train at 8 px: 64/100"
    assert last.startswith("toy train at 8 px: 100/100  ")
    assert last.endswith(" in all")

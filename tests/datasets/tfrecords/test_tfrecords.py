import contextlib
import io
import json
import sys

import numpy as np
import pytest
import tensorflow as tf

import datasets
from datasets import tfrecords
from datasets.reading import files
from datasets.tfrecords import Records
from keras_cvaegan import pictures

COUNT = 10
PETALS = {"num_classes": 3, "count": COUNT}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A folder of records, what `write` returned, and what it printed."""
    folder = tmp_path_factory.mktemp("records") / "petals"
    records = Records("petals", 16, shards=3, options=PETALS)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        about = tfrecords.write(folder, records, verbose=True)
    return folder, about, printed.getvalue()


def read(folder, pattern, compression="GZIP"):
    """The features of all Examples in some files, in the files' order."""
    paths = sorted(map(str, folder.glob(pattern)))
    examples = []
    for data in tf.data.TFRecordDataset(paths, compression).as_numpy_iterator():
        feature = tf.train.Example.FromString(data).features.feature
        values = {name: getattr(kind, kind.WhichOneof("kind")) for name, kind in feature.items()}
        examples.append({name: list(value.value) for name, value in values.items()})
    return examples


def folder_of_pictures(root, **sizes):
    for name, (height, width) in sizes.items():
        (root / name).mkdir(parents=True)
        for number in range(6):
            picture = np.full((height, width, 3), 30 * number, np.uint8)
            pictures.write_png(root / name / f"{number}.png", picture)
    return root


def test_records_are_the_data_set(written):
    folder, about, _ = written
    for split in datasets.SPLITS:
        source = datasets.get("petals").source(split, 16, **PETALS)
        (batch,) = [task() for task in source.batches()]
        examples = read(folder, f"{split}-*")
        order = [index for shard in range(3) for index in range(shard, COUNT, 3)]
        assert [example["image/class/label"] for example in examples] == [
            [batch.labels[index]] for index in order
        ]
        for example, index in zip(examples, order, strict=True):
            decoded = pictures.read_picture(example["image/encoded"][0])
            np.testing.assert_array_equal(decoded, batch.images[index])
            assert example["image/height"] == example["image/width"] == [16]
            name = about["class_names"][batch.labels[index]]
            assert example["image/class/text"] == [name.encode()]
            for attribute, values in batch.attributes.items():
                assert example[f"image/attribute/{attribute}"] == [np.float32(values[index])]


def test_files_and_description(written):
    folder, about, printed = written
    names = sorted(path.name for path in folder.iterdir())
    shards = [
        f"{s}-0000{i}-of-00003.tfrecord.gz" for s in sorted(datasets.SPLITS) for i in range(3)
    ]
    assert names == sorted(["description.json", *shards])
    assert json.loads((folder / "description.json").read_text()) == about
    assert about["splits"]["test"] == {
        "num_images": COUNT,
        "class_counts": [4, 3, 3],
        "unreadable": [],
        "files": 3,
    }
    assert printed.startswith("Records: 30/30  ")
    assert printed.endswith(" in all  9/9 files\n")
    assert [path.name for path in folder.parent.iterdir()] == ["petals"]


def test_an_existing_folder_is_left_alone(written):
    folder, _, _ = written
    before = sorted(path.stat().st_mtime_ns for path in folder.iterdir())
    with pytest.raises(ValueError, match="is there already"):
        tfrecords.write(folder, Records("petals", 16, options=PETALS))
    assert sorted(path.stat().st_mtime_ns for path in folder.iterdir()) == before


def test_pictures_are_cropped_and_resized_as_elsewhere(tmp_path):
    root = folder_of_pictures(tmp_path / "in", wide=(20, 40), high=(40, 20))
    records = Records("folder", 8, ("train",), 1, False, str(root))
    tfrecords.write(tmp_path / "out", records)
    prepared = datasets.prepare("folder", "train", 8, data_dir=root, cache_dir=tmp_path / "cache")
    examples = read(tmp_path / "out", "train-00000-of-00001.tfrecord", "")
    assert len(examples) == len(prepared.images)
    for example, image in zip(examples, prepared.images, strict=True):
        decoded = pictures.read_picture(example["image/encoded"][0])
        np.testing.assert_array_equal(decoded, image)
        assert not any(name.startswith("image/attribute") for name in example)


def test_damaged_pictures_are_left_out_and_named(tmp_path, caplog):
    root = folder_of_pictures(tmp_path / "in", a=(8, 8), b=(8, 8))
    train = Records("folder", 8, ("train",), 2, data_dir=str(root))
    source = train.source("train")
    damaged = files.share([f"a/{number}.png" for number in range(6)], "train")[0]
    (root / damaged).write_bytes(b"no picture")
    about = tfrecords.write(tmp_path / "out", train)["splits"]["train"]
    assert about["num_images"] == source.count - 1
    assert about["unreadable"] == [[damaged, "not a picture, or damaged"]]
    assert "1 of 8 pictures could not be read" in caplog.text


def test_a_class_without_a_readable_picture_is_refused_and_nothing_left(tmp_path):
    root = folder_of_pictures(tmp_path / "in", a=(8, 8), b=(8, 8))
    for path in (root / "b").iterdir():
        path.write_bytes(b"no picture")
    refusal = r"None of the 4 pictures of class 'b' can be read: b/\d.png"
    with pytest.raises(ValueError, match=refusal):
        tfrecords.write(tmp_path / "out", Records("folder", 8, ("train",), data_dir=str(root)))
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_an_interrupted_writing_leaves_nothing(tmp_path, monkeypatch):
    def fail(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(tfrecords.Shard, "write", fail)
    with pytest.raises(KeyboardInterrupt):
        tfrecords.write(tmp_path / "out", Records("petals", 16, options=PETALS))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"Cannot write records to .*Choose another folder"):
        tfrecords.write(tmp_path / "file" / "out", Records("petals", 16, options=PETALS))


def test_more_shards_than_pictures(tmp_path):
    records = Records("petals", 16, ("test",), shards=50, options={"num_classes": 2, "count": 2})
    assert tfrecords.write(tmp_path / "out", records)["splits"]["test"]["files"] == 2


@pytest.mark.parametrize(("image_size", "shards"), [(0, 4), (16, 0)])
def test_wrong_sizes(image_size, shards):
    with pytest.raises(ValueError, match=f"image_size={image_size}, shards={shards}"):
        Records("petals", image_size, shards=shards)


def test_pictures_that_changed_since_are_seen(tmp_path):
    root = folder_of_pictures(tmp_path / "in", a=(8, 8), b=(8, 8))
    before = Records("folder", 8, data_dir=str(root)).digest()
    pictures.write_png(root / "a" / "more.png", np.zeros((8, 8, 3), np.uint8))
    assert Records("folder", 8, data_dir=str(root)).digest() != before


def test_the_digest_tells_other_files_apart():
    same = Records("petals", 16, options=PETALS).digest()
    assert Records("petals", 16, options=PETALS).digest() == same
    others = [
        Records("petals", 17, options=PETALS),
        Records("petals", 16, ("train",), options=PETALS),
        Records("petals", 16, shards=5, options=PETALS),
        Records("petals", 16, compress=False, options=PETALS),
        Records("petals", 16, options={**PETALS, "drawing_seed": 1}),
    ]
    assert len({same, *(other.digest() for other in others)}) == 6


def test_without_beam_the_message_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    with pytest.raises(ImportError, match="pip install apache-beam"):
        tfrecords.write(tmp_path / "out", Records("petals", 16, options=PETALS), beam=[])
    assert list(tmp_path.iterdir()) == []


def test_beam_writes_the_same_bytes(written, tmp_path):
    pytest.importorskip("apache_beam")
    folder, about, _ = written
    records = Records("petals", 16, shards=3, options=PETALS)
    assert tfrecords.write(tmp_path / "out", records, beam=[]) == about
    for path in folder.iterdir():
        assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes()

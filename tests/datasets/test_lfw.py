import io
import tarfile

import numpy as np
import pytest
from PIL import Image

import datasets
from datasets.reading import archives

SIZE = 8
COUNTS = {"Ann_Example": 20, "Bob_Example": 30, "Cy_de_Example": 3}


def prepare(data_dir, split="train", **options):
    return datasets.prepare("lfw", split, SIZE, data_dir=data_dir, **options)


def paint(path, *numbers):
    """A picture that no other is like."""
    path.parent.mkdir(parents=True, exist_ok=True)
    colour = tuple(40 * number % 256 for number in numbers)
    Image.new("RGB", (25, 25), colour).save(path, "PNG")


@pytest.fixture
def make(tmp_path):
    """Returns a function that makes the folder of the data set, by the official layout."""

    def make(name="lfw", counts=COUNTS):
        root = tmp_path / "data" / name
        for label, (person, count) in enumerate(counts.items()):
            for number in range(1, count + 1):
                path = root / person / f"{person}_{number:04d}.jpg"
                paint(path, number // 6, number % 6, label)
        return root

    return make


def test_people_with_enough_pictures_are_the_classes(make):
    description = prepare(make()).description
    assert description.class_names == ("Ann Example", "Bob Example")
    assert description.class_counts == (16, 24)
    description = prepare(make(), min_images=3).description
    assert description.class_names == ("Ann Example", "Bob Example", "Cy de Example")
    assert description.class_counts == (16, 24, 1)


def test_splits_are_a_partition(make):
    root = make()
    parts = [prepare(root, split) for split in datasets.SPLITS]
    assert [part.description.class_counts for part in parts] == [(16, 24), (2, 3), (2, 3)]
    rows = [tuple(image[0, 0]) for part in parts for image in part.images]
    assert len(rows) == len(set(rows)) == 50


def test_splits_do_not_depend_on_place_alignment_or_other_people(make):
    root = make()
    expected = [np.array(prepare(root, split).images) for split in datasets.SPLITS]
    aligned = root.rename(root.with_name("lfw-deepfunneled"))
    for data_dir in (aligned, aligned.parent):
        for split, images in zip(datasets.SPLITS, expected, strict=True):
            np.testing.assert_array_equal(prepare(data_dir, split).images, images)
    make("lfw-deepfunneled", {"Aa_Example": 20})
    assert prepare(aligned).description.class_names[0] == "Aa Example"
    np.testing.assert_array_equal(prepare(aligned).images[16:], expected[0])


def test_other_files_are_no_pictures_of_people(make):
    root = make()
    (root / "pairs.txt").write_text("")
    paint(root / "Ann_Example" / "._Ann_Example_0001.jpg", 1, 1, 1)
    paint(root / "Ann_Example" / "Bob_Example_0001.jpg", 1, 1, 1)
    paint(root / "Ann_Example" / "more" / "Ann_Example_0099.jpg", 1, 1, 1)
    paint(root / ".git" / "x_0001.jpg", 1, 1, 1)
    assert prepare(root, min_images=1).description.class_counts == (16, 24, 1)


def test_a_corrupt_picture_is_listed(make):
    root = make()
    for number in (1, 2, 3):
        (root / "Ann_Example" / f"Ann_Example_{number:04d}.jpg").write_bytes(b"words")
    unreadable = [
        pair for split in datasets.SPLITS for pair in prepare(root, split).description.unreadable
    ]
    assert sorted(unreadable) == [
        (f"Ann_Example/Ann_Example_{number:04d}.jpg", "not a picture, or damaged")
        for number in (1, 2, 3)
    ]


def test_too_few_pictures(make):
    message = (
        r"has nobody with min_images=31 pictures or more, but two people are needed: the most are "
        r"30 of 'Bob Example' and 20 of 'Ann Example'\. Choose a smaller min_images"
    )
    with pytest.raises(ValueError, match=message):
        prepare(make(), min_images=31)
    with pytest.raises(ValueError, match="one person only with min_images=21"):
        prepare(make(), min_images=21)
    with pytest.raises(ValueError, match=r"min_images must be 1 or more\. Received: min_images=0"):
        prepare(make(), min_images=0)
    root = make("few", {"Ann_Example": 2, "Bob_Example": 1})
    with pytest.raises(ValueError, match=r"split 'validation' of .* is empty.* min_images=3 or mo"):
        prepare(root, "validation", min_images=1)


def test_nothing_found(tmp_path, write_pictures):
    with pytest.raises(ValueError, match=r"'.*none' does not exist. It must hold pictures like"):
        prepare(tmp_path / "none")
    write_pictures(tmp_path / "daisy", 3)
    with pytest.raises(
        ValueError, match=r"does not hold the data set 'lfw'.*the archive DATA_DIR/"
    ):
        prepare(tmp_path)


def test_two_alignments(make):
    make("lfw")
    root = make("lfw-deepfunneled")
    with pytest.raises(ValueError, match=r"holds lfw and lfw-deepfunneled\. Give one of them"):
        prepare(root.parent)


@pytest.fixture
def archive(make):
    """An archive in the place of the folder."""
    root = make()
    path = root.with_name("lfw.tgz")
    with tarfile.open(path, "w:gz") as tar:
        tar.add(root, root.name)
    root.rename(root.parents[1] / "elsewhere")
    return path


def test_an_archive_is_unpacked_once(archive, monkeypatch):
    first = prepare(archive.parent)
    elsewhere = archive.parents[1] / "elsewhere"
    np.testing.assert_array_equal(first.images, prepare(elsewhere).images)
    assert sorted(path.name for path in archive.parent.iterdir()) == ["lfw", "lfw.tgz"]
    monkeypatch.setattr(archives, "unpack", None)
    assert prepare(archive.parent, "test").description.num_images == 5


@pytest.mark.parametrize(
    "damage", [lambda data: data[: len(data) // 2], lambda data: b"words", lambda data: b""]
)
def test_a_corrupt_archive(archive, damage):
    archive.write_bytes(damage(archive.read_bytes()))
    message = r"archive '.*lfw.tgz' is damaged \([^\n]+\)\. Remove it and download it again\."
    with pytest.raises(ValueError, match=message):
        prepare(archive.parent)
    assert [path.name for path in archive.parent.iterdir()] == ["lfw.tgz"]


def test_another_archive(archive):
    with tarfile.open(archive, "w:gz") as tar:
        info = tarfile.TarInfo("daisy/1.jpg")
        tar.addfile(info, io.BytesIO())
    with pytest.raises(ValueError, match="does not hold the data set 'lfw'"):
        prepare(archive.parent)


def test_an_archive_that_leaves_its_folder(archive):
    with tarfile.open(archive, "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("../evil.jpg"), io.BytesIO())
    with pytest.raises(ValueError, match="is damaged"):
        prepare(archive.parent)
    assert not list(archive.parents[1].glob("**/evil.jpg"))


def test_unpacking_where_another_process_just_did(archive, monkeypatch):
    folder = archive.parent / "lfw"

    def extractall(self, path, *members, **options):
        (folder / "there").mkdir(parents=True)

    monkeypatch.setattr(tarfile.TarFile, "extractall", extractall)
    archives.unpack(archive, folder)
    assert [path.name for path in folder.iterdir()] == ["there"]
    assert sorted(path.name for path in archive.parent.iterdir()) == ["lfw", "lfw.tgz"]


def test_a_folder_that_cannot_be_written(archive, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"Cannot unpack '.*lfw.tgz' into .*Unpack it elsewhere"):
        archives.unpack(archive, tmp_path / "file" / "lfw")

import itertools
import os
import shutil

import numpy as np
import pytest
from PIL import Image

import datasets
from datasets import folder
from keras_cvaegan import pictures

SIZE = 8


def prepare(data_dir, split="train"):
    return datasets.prepare("folder", split, SIZE, data_dir=data_dir)


def paths_of(data_dir, split):
    """The pictures of a split, by class."""
    return folder._classes_of_split(data_dir, split)


@pytest.fixture
def two_classes(tmp_path, write_pictures):
    root = tmp_path / "pictures"
    write_pictures(root / "daisy", 20)
    write_pictures(root / "tulip", 30)
    return root


@pytest.fixture
def with_splits(tmp_path, write_pictures):
    """Returns a function that makes a folder of the given split folders."""

    def make(*splits):
        root = tmp_path / "pictures"
        for number, split in enumerate(splits):
            write_pictures(root / split / "daisy", 3 + number, seed=number)
            write_pictures(root / split / "tulip", 2, seed=number)
        return root

    return make


def test_class_folders(two_classes):
    prepared = prepare(two_classes)
    assert prepared.description.class_names == ("daisy", "tulip")
    assert prepared.description.class_counts == (16, 24)
    classes = paths_of(two_classes, "train")
    paths = classes["daisy"] + classes["tulip"]
    expected = [pictures.read_picture(two_classes / path, SIZE) for path in paths]
    np.testing.assert_array_equal(prepared.images, expected)
    np.testing.assert_array_equal(prepared.labels, [0] * 16 + [1] * 24)
    assert prepared.attributes == {}


def test_parts(two_classes):
    whole = prepare(two_classes)
    for index in range(3):
        part = datasets.prepare("folder", "train", SIZE, data_dir=two_classes, part=(index, 3))
        np.testing.assert_array_equal(part.images, whole.images[index::3])
        np.testing.assert_array_equal(part.labels, whole.labels[index::3])


def test_splits_by_hash_are_a_partition(two_classes):
    for name, count in (("daisy", 20), ("tulip", 30)):
        parts = [paths_of(two_classes, split)[name] for split in datasets.SPLITS]
        assert [len(part) for part in parts] == [count * 8 // 10, count // 10, count // 10]
        assert sorted(itertools.chain(*parts)) == sorted(f"{name}/{i}.png" for i in range(count))


def test_splits_by_hash_depend_on_paths_alone(two_classes, tmp_path, write_pictures):
    other = tmp_path / "elsewhere"
    write_pictures(other / "daisy", 20, seed=1)
    write_pictures(other / "tulip", 30, seed=1)
    for split in datasets.SPLITS:
        assert paths_of(two_classes, split) == paths_of(other, split)


@pytest.mark.parametrize(
    ("count", "shares"), [(1, (1, 0, 0)), (2, (1, 0, 1)), (3, (1, 1, 1)), (26, (20, 3, 3))]
)
def test_small_classes(tmp_path, write_pictures, count, shares):
    write_pictures(tmp_path / "a", count)
    write_pictures(tmp_path / "b", 40)
    assert tuple(len(paths_of(tmp_path, split)["a"]) for split in datasets.SPLITS) == shares


def test_split_folders(with_splits):
    root = with_splits("Training", "val", "testing")
    for split, name, count in (
        ("train", "Training", 3),
        ("validation", "val", 4),
        ("test", "testing", 5),
    ):
        expected = [f"{name}/daisy/{i}.png" for i in range(count)]
        assert paths_of(root, split)["daisy"] == expected
        assert prepare(root, split).description.class_counts == (count, 2)


@pytest.mark.parametrize(("there", "missing"), [("valid", "test"), ("test", "validation")])
def test_one_held_out_folder_serves_as_both(with_splits, there, missing):
    root = with_splits("train", there)
    assert paths_of(root, missing)["daisy"][0] == f"{there}/daisy/0.png"
    assert len(paths_of(root, "train")["daisy"]) == 3


def test_a_training_folder_alone_is_split_by_hash(with_splits):
    root = with_splits("train")
    assert [len(paths_of(root, split)["daisy"]) for split in datasets.SPLITS] == [1, 1, 1]


def test_unlabelled_test_pictures_are_no_split(with_splits, write_pictures):
    root = with_splits("train")
    write_pictures(root / "test", 4)
    assert list(paths_of(root, "test")) == ["daisy", "tulip"]
    assert paths_of(root, "test")["daisy"][0].startswith("train/")


def test_classes_named_like_splits(tmp_path, write_pictures):
    for name in ("train", "bus", "test"):
        write_pictures(tmp_path / name, 4)
    assert list(paths_of(tmp_path, "train")) == ["bus", "test", "train"]


def test_a_class_may_be_missing_from_a_held_out_split(with_splits):
    root = with_splits("train", "test")
    shutil.rmtree(root / "test" / "daisy")
    assert prepare(root, "test").description.class_counts == (0, 2)


def test_natural_order(tmp_path, write_pictures):
    for name in ("10", "2", "1", "b2", "B10", "a"):
        write_pictures(tmp_path / name, 1)
    assert list(paths_of(tmp_path, "train")) == ["1", "2", "10", "a", "b2", "B10"]


def test_nested_hidden_and_other_files(two_classes, write_pictures):
    write_pictures(two_classes / "daisy" / "more" / "still", 1)
    for hidden in (".git", "daisy/.thumbnails", "daisy/__MACOSX"):
        write_pictures(two_classes / hidden, 2)
    (two_classes / "daisy" / "._0.png").write_text("")
    (two_classes / "daisy" / "notes.txt").write_text("")
    (two_classes / "labels.csv").write_text("")
    parts = [paths_of(two_classes, split)["daisy"] for split in datasets.SPLITS]
    expected = [f"daisy/{i}.png" for i in range(20)] + ["daisy/more/still/0.png"]
    assert sorted(itertools.chain(*parts)) == sorted(expected)
    assert list(paths_of(two_classes, "train")) == ["daisy", "tulip"]


@pytest.mark.parametrize("name", ["a.JPG", "a.jpeg", "a.Png", "a.bmp", "a.GIF", "a.webp"])
def test_extensions(tmp_path, name):
    for number, class_name in enumerate("ab"):
        (tmp_path / class_name).mkdir()
        Image.new("RGB", (9, 9), (0, 200 * number, 0)).save(tmp_path / class_name / name)
    images = prepare(tmp_path).images
    np.testing.assert_allclose(images[:, 4, 4].astype(int), [(0, 0, 0), (0, 200, 0)], atol=4)


def test_names_that_are_not_unicode(two_classes):
    lost = os.fsdecode(b"daisy/\xff.png")
    (two_classes / "daisy" / "0.png").rename(two_classes / lost)
    for split in datasets.SPLITS:
        assert prepare(two_classes, split).description.num_images
    for path in (two_classes / "tulip").iterdir():
        path.write_text("words")
    with pytest.raises(ValueError, match=r"None of .* class 'tulip'"):
        prepare(two_classes)


def test_linked_class_folders(two_classes, tmp_path):
    root = tmp_path / "links"
    root.mkdir()
    for name in ("daisy", "tulip"):
        (root / name).symlink_to(two_classes / name)
    assert paths_of(root, "train") == paths_of(two_classes, "train")


def test_a_home_directory_is_expanded(two_classes, monkeypatch):
    monkeypatch.setenv("HOME", str(two_classes.parent))
    assert prepare("~/pictures").description.num_images == 40


def test_unreadable_pictures_are_listed(two_classes):
    lost, cut = paths_of(two_classes, "train")["daisy"][3:5]
    (two_classes / lost).write_text("words")
    data = (two_classes / cut).read_bytes()
    (two_classes / cut).write_bytes(data[: len(data) // 2])
    description = prepare(two_classes).description
    assert description.class_counts == (14, 24)
    assert [path for path, _ in description.unreadable] == [lost, cut]
    assert description.unreadable[0][1] == "not a picture, or damaged"


def test_a_broken_link_is_unreadable(two_classes):
    lost = two_classes / paths_of(two_classes, "train")["tulip"][0]
    lost.unlink()
    lost.symlink_to(two_classes / "nowhere.png")
    (pair,) = prepare(two_classes).description.unreadable
    assert pair == (lost.relative_to(two_classes).as_posix(), "No such file or directory")


def test_decoded_again_when_a_file_changes(two_classes, monkeypatch):
    reads = []
    read_picture = pictures.read_picture

    def counting(path, image_size):
        reads.append(path)
        return read_picture(path, image_size)

    monkeypatch.setattr(pictures, "read_picture", counting)
    first = prepare(two_classes)
    prepare(two_classes)
    assert len(reads) == 40

    path = two_classes / paths_of(two_classes, "train")["daisy"][0]
    before = path.stat()
    Image.new("RGB", (5, 5)).save(path)
    changed = prepare(two_classes)
    assert len(reads) == 80
    assert (changed.images[0] == 0).all() and (first.images[0] != 0).any()

    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    prepare(two_classes)
    assert len(reads) == 120

    path.rename(path.with_name("new.png"))
    shutil.copy(path.with_name("new.png"), path.with_name("0000.png"))
    prepare(two_classes)
    assert len(reads) > 150


def test_a_moved_folder_needs_no_decoding(two_classes, monkeypatch):
    prepare(two_classes)
    moved = two_classes.rename(two_classes.parent / "moved")
    monkeypatch.setattr(pictures, "read_picture", None)
    assert prepare(moved).description.num_images == 40


def test_without_data_dir():
    with pytest.raises(
        ValueError, match=r"'folder' needs a data_dir with pictures like DATA_DIR/da"
    ):
        prepare(None)


def test_missing_folder(tmp_path):
    with pytest.raises(ValueError, match=r"'.*none' does not exist. It must hold pictures like"):
        prepare(tmp_path / "none")


def test_a_file_in_place_of_a_folder(tmp_path):
    (tmp_path / "a.tar").write_text("")
    with pytest.raises(ValueError, match=r"'.*a.tar' is not a folder. It must hold"):
        prepare(tmp_path / "a.tar")


def test_empty_folder(tmp_path):
    with pytest.raises(ValueError, match=r"has no pictures \(.jpg .* in folders of classes"):
        prepare(tmp_path)
    (tmp_path / "daisy").mkdir()
    with pytest.raises(ValueError, match=r"has no pictures"):
        prepare(tmp_path)


def test_pictures_without_class_folders(tmp_path, write_pictures):
    write_pictures(tmp_path, 3)
    with pytest.raises(ValueError, match=r"has pictures but no folders of classes: move each"):
        prepare(tmp_path)


def test_one_class_only(tmp_path, write_pictures):
    write_pictures(tmp_path / "daisy", 5)
    with pytest.raises(
        ValueError, match=r"has one class only, 'daisy', but two or more are needed"
    ):
        prepare(tmp_path)


def test_a_class_without_pictures(two_classes):
    (two_classes / "rose").mkdir()
    with pytest.raises(ValueError, match=r"has no pictures .* of the class 'rose': add some"):
        prepare(two_classes)


def test_a_class_without_training_pictures(with_splits):
    root = with_splits("train", "test")
    shutil.rmtree(root / "train" / "daisy")
    with pytest.raises(ValueError, match=r"train' has no pictures .* of the class 'daisy'"):
        prepare(root, "test")


def test_a_class_whose_pictures_are_all_damaged(two_classes):
    for path in (two_classes / "daisy").iterdir():
        path.write_text("words")
    with pytest.raises(ValueError, match=r"None of the 16 pictures of class 'daisy' .*daisy/0.png"):
        prepare(two_classes)


def test_an_empty_split(tmp_path, write_pictures):
    for name in "ab":
        write_pictures(tmp_path / name, 1)
    with pytest.raises(ValueError, match=r"The split 'test' of .* is empty: no class has enough"):
        prepare(tmp_path, "test")


def test_no_training_folder(with_splits):
    with pytest.raises(ValueError, match=r"a folder for the split test but none for training"):
        prepare(with_splits("test"))


def test_two_folders_for_one_split(with_splits):
    with pytest.raises(ValueError, match=r"has val and valid for the split 'validation'. Keep one"):
        prepare(with_splits("train", "val", "valid"))


def test_split_folders_among_others(with_splits, write_pictures):
    root = with_splits("train", "test")
    write_pictures(root / "rose", 2)
    with pytest.raises(
        ValueError, match=r"mixes folders of splits \(train, …\) with others \(rose"
    ):
        prepare(root)

"""trainers.augment on a model that paints classes, and once on a real one."""

import json

import numpy as np
import pytest

import datasets
from keras_cvaegan import pictures, saving
from tests.helpers.applied import call, untrained_runs
from tests.helpers.untrained import CLASSES, paint
from trainers import augment
from trainers.applications import augmentation, augmented_folder

pytestmark = pytest.mark.slow

NAMES = tuple(CLASSES)


class Painter:
    """Pictures of the weighted brightness of their classes; it doubts those of uneven seeds."""

    conditional, image_shape, class_names, step = True, (16, 16, 3), NAMES, 2

    def inference_names(self):
        return ("generator", "classifier")

    def generate(self, labels, seed):
        values = np.asarray(labels) @ np.array([0, 160, 80])
        images = paint(np.zeros(len(values), int), np.asarray(seed)) // 2
        images += values.astype(np.uint8)[:, None, None, None]
        images[:, 0, 0, 0] = 20 * (np.asarray(seed) % 2)
        images[:, 0, 0, 1] = np.asarray(labels).argmax(axis=1)
        return images

    def classify(self, images):
        sure = np.where(images[:, 0, 0, 0] == 0, 1.0, 0.2)
        return np.eye(3)[images[:, 0, 0, 1]] * sure[:, None]


@pytest.fixture(scope="module")
def run(shared_cache, tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    with untrained_runs(root, shared_cache, "cvae_gan"):
        yield root / "cvae_gan"


@pytest.fixture
def augmented(run, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(saving, "load", lambda path: Painter())

    def augmented(*flags, output=tmp_path / "more"):
        return call(augment, capsys, f"--run_dir={run}", f"--output={output}", *flags)

    return augmented


def manifest_of(output):
    return json.loads((output / "manifest.json").read_text())


def files_of(output):
    return {path.relative_to(output): path.read_bytes() for path in output.rglob("*.png")}


def test_a_real_model_gives_pictures_records_and_a_manifest(run, tmp_path, capsys):
    output = tmp_path / "more"
    flags = ["--per_class=3", "--new_classes=1", "--new_per_class=2", "--tfrecords", "--shards=2"]
    flags += ["--min_confidence=1e-6", f"--run_dir={run}", f"--output={output}"]
    code, printed, errors = call(augment, capsys, *flags)
    assert code == 0, errors
    assert "11 pictures, 9 of 3 classes and 2 of 1 new class: " in printed
    assert "Pictures: 11/11  " in printed
    manifest = manifest_of(output)
    assert manifest["model"]["name"] == "CVAEGAN"
    assert [each["pictures"] for each in manifest["classes"]] == [3, 3, 3, 2]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["more"]
    assert sorted(path.name for path in output.iterdir()) == [
        *("manifest.json", "tfrecords", "train")
    ]
    check_records(output)
    prepared = datasets.prepare("folder", "train", 16, data_dir=str(output))
    assert prepared.description.class_names == (*sorted(NAMES), "new_0000")


def check_records(output):
    import tensorflow as tf

    about = json.loads((output / "tfrecords" / "description.json").read_text())
    assert about["class_names"] == [*NAMES, "new_0000"]
    assert about["splits"]["train"]["class_counts"] == [3, 3, 3, 2]
    paths = sorted(map(str, (output / "tfrecords").glob("train-*-of-00002.tfrecord.gz")))
    assert len(paths) == 2
    found = set()
    for record in tf.data.TFRecordDataset(paths, "GZIP"):
        feature = tf.train.Example.FromString(record.numpy()).features.feature
        label = feature["image/class/label"].int64_list.value[0]
        image = pictures.read_picture(feature["image/encoded"].bytes_list.value[0])
        found.add((label, image.tobytes()))
    expected = {
        (each["label"], pictures.read_picture(path).tobytes())
        for each in manifest_of(output)["classes"]
        for path in (output / each["folder"]).iterdir()
    }
    assert found == expected
    assert len(found) == 11


def test_rare_classes_are_filled_up(augmented, tmp_path, monkeypatch):
    monkeypatch.setattr(augmentation, "training_counts", lambda run_dir: np.array([8, 3, 0]))
    code, printed, _ = augmented("--fill")
    assert code == 0
    assert "13 pictures, 13 of 2 classes: " in printed
    counts = {path.name: len(list(path.iterdir())) for path in tmp_path.glob("more/train/*")}
    assert counts == {"light": 5, "middle": 8}
    monkeypatch.undo()


def test_full_classes_need_nothing(augmented):
    code, _, errors = augmented("--fill")
    assert code == 1
    assert "each class has 8 training pictures" in errors


def test_doubtful_pictures_are_rejected_and_counted(augmented, tmp_path):
    code, printed, _ = augmented("--per_class=20", "--min_confidence=0.9", "--new_classes=1",
                                 "--new_per_class=4")  # fmt: skip
    manifest = manifest_of(tmp_path / "more")
    assert code == 0
    assert [each["pictures"] for each in manifest["classes"]] == [20, 20, 20, 4]
    rejected = [each["rejected"] for each in manifest["classes"]]
    assert sum(rejected) == manifest["rejected"] > 20
    assert rejected[3] == 0
    assert f"; {sum(rejected)} of {sum(rejected) + 60} judged ones rejected: " in printed
    for name in NAMES:
        for path in (tmp_path / "more" / "train" / name).iterdir():
            image = pictures.read_picture(path)
            assert image[0, 0, 0] == 0
            assert image[0, 0, 1] == NAMES.index(name)
    [mix] = [each["mix"] for each in manifest["classes"] if "mix" in each]
    assert [part["name"] for part in mix] == list(NAMES)
    assert [part["weight"] for part in mix] == pytest.approx([1 / 3] * 3)


def test_the_same_flags_give_the_same_pictures_and_replace_them(augmented, tmp_path):
    output = tmp_path / "more"
    augmented("--per_class=3")
    first = files_of(output)
    augmented("--per_class=3")
    assert files_of(output) == first
    augmented("--per_class=2", "--seed=1")
    assert len(files_of(output)) == 6
    assert not set(files_of(output).values()) & set(first.values())
    assert [path.name for path in tmp_path.iterdir()] == ["more"]


def test_too_few_pictures_are_said(augmented, tmp_path, monkeypatch):
    monkeypatch.setattr(Painter, "classify", lambda self, images: np.full((len(images), 3), 0.3))
    code, printed, _ = augmented("--per_class=2", "--min_confidence=0.5", "--max_tries=4",
                                 "--new_classes=1", "--tfrecords")  # fmt: skip
    assert code == 1
    assert "Note: Too few pictures of 3 classes were accepted (dark: 0 of 2 in 8 draws; " in printed
    manifest = manifest_of(tmp_path / "more")
    assert manifest["few"] in printed
    assert manifest["classes"][0]["folder"] is None
    assert len(files_of(tmp_path / "more")) == 100


def test_a_failure_leaves_what_was_there(augmented, tmp_path, monkeypatch):
    augmented("--per_class=1")
    before = files_of(tmp_path / "more")

    def fail(*_, **__):
        raise OSError("the disk is full")

    monkeypatch.setattr(augmented_folder, "describe", fail)
    code, _, errors = augmented("--per_class=2")
    assert (code, errors) == (1, "error: the disk is full\n")
    assert files_of(tmp_path / "more") == before
    assert [path.name for path in tmp_path.iterdir()] == ["more"]


def test_folders_of_others_are_refused(augmented, tmp_path):
    others = tmp_path / "mine"
    others.mkdir()
    assert augmented("--per_class=1", output=others)[0] == 0
    (others / "manifest.json").write_text('{"program": "another"}')
    code, _, errors = augmented("--per_class=1", output=others)
    assert (code, errors.count("\n")) == (1, 1)
    assert "is there already, and is not of trainers.augment" in errors
    file = tmp_path / "file"
    file.touch()
    assert "is there already" in augmented("--per_class=1", output=file)[2]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "Nothing is asked for: give --per_class=N or --fill"),
        (["--fill", "--per_class=1"], "choose one of them"),
        (["--new_classes=2"], "there are 1 mixes of 3 in equal parts. Received: 2"),
        (["--per_class=0"], "--per_class=0"),
        (["--min_confidence=2", "--fill"], "--min_confidence=2"),
        (["--per_class=1", "--run_dir="], "--run_dir is missing"),
    ],
)
def test_errors_are_one_line_and_write_nothing(augmented, tmp_path, flags, message):
    code, _, errors = augmented(*flags)
    assert (code, errors.count("\n")) == (1, 1)
    assert message in errors
    assert list(tmp_path.iterdir()) == []

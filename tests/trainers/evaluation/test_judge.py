"""Judges: made once and kept where the next finds them, and told where they are partial."""

import json

import keras
import numpy as np
import pytest

import datasets
from keras_cvaegan.training.run_directory import RunDirectory
from tests.helpers.untrained import (
    TINY,
    judge_without_training,
    leave_run,
    write_pictures,
)
from trainers import evaluate
from trainers.evaluation import judge as judges
from trainers.evaluation.judge import judged_side, open_judge

pytestmark = pytest.mark.slow

PROBE = "efficientnet_lite1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The flag of pictures whose classes differ in brightness."""
    return write_pictures(tmp_path_factory.mktemp("pictures"))


@pytest.fixture
def data(folder):
    return datasets.open_dataset("folder", 16, data_dir=folder.removeprefix("--data_dir="))


@pytest.fixture
def made(monkeypatch, tmp_path):
    """What was asked of `train_probe` and `train_classifier`, which are told by brightness."""
    from keras_cvaegan.metrics import recognition

    asked = []

    def train_probe(images, labels, num_classes, *, trunk, side, keep):
        asked.append((trunk, side, len(images)))
        return judge_without_training((images, labels), None, num_classes, augment=False)

    def train_classifier(train, validation, num_classes, *, augment, **_):
        asked.append(("trained", augment, len(train[0])))
        return judge_without_training(train, validation, num_classes, augment=augment)

    monkeypatch.setenv("KERAS_CVAEGAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(judges, "train_probe", train_probe)
    monkeypatch.setattr(recognition, "train_classifier", train_classifier)
    return asked


def call(capsys, run_dir, *flags):
    flags = (f"--run_dir={run_dir}", "--samples_per_class=2", "--metrics=top1_accuracy", *flags)
    code = evaluate.COMMAND.call(evaluate.main, list(flags))
    _, errors = capsys.readouterr()
    assert code == 0, errors
    return json.loads((run_dir / "evaluation.json").read_text())


def test_the_default_is_a_frozen_network_which_other_runs_find(folder, made, tmp_path, capsys):
    for name in ("first", "second"):
        leave_run([*TINY, folder, "--model=cvae"], tmp_path / name)
        results = call(capsys, tmp_path / name)
        assert results["judge"]["trunk"] == PROBE
        assert results["judge"]["name"] == (
            f"{PROBE} at 128 px under a logistic regression on the real training pictures"
        )
        # Of brightness alone it knows all but those between two classes.
        assert results["real"]["top1_accuracy"] > 0.9
        assert not (tmp_path / name / "evaluation_classifier.keras").exists()
        assert not any("flatter" in note for note in results["notes"])
    assert made == [(PROBE, 128, 24)]
    kept = [path.name for path in (tmp_path / "cache").glob(f"folder-train-*/*{PROBE}*")]
    assert {f"judge-{PROBE}.keras", f"judge-{PROBE}.json"} <= set(kept)


def test_a_trained_one_is_kept_in_the_run(folder, made, tmp_path, capsys):
    leave_run([*TINY, folder, "--model=cvae"], tmp_path / "run")
    for _ in range(2):
        results = call(capsys, tmp_path / "run", "--judge=trained")
    assert made == [("trained", True, 24)]
    assert results["judge"]["name"] == "residual network on the real training pictures"
    assert results["judge"]["augmentation"]
    assert (tmp_path / "run" / "evaluation_classifier.keras").exists()
    assert not list((tmp_path / "cache").rglob("judge-*"))


def test_each_judge_has_a_place_of_its_own(data, made, tmp_path):
    run = RunDirectory(tmp_path)
    run.create()
    for _ in range(2):
        for judge in (PROBE, "efficientnet_lite0", "trained"):
            side = judged_side(data, run, judge, max_test_images=5)
            assert (side.about or {}).get("trunk", "trained") == judge
            assert len(side.test_rows) == 5
    assert [judge for judge, *_ in made] == [PROBE, "efficientnet_lite0", "trained"]


def test_other_pictures_need_another(data, made, tmp_path):
    path = tmp_path / "judge.keras"
    classifier, about = open_judge(path, data, PROBE)
    again, told = open_judge(path, data, PROBE)
    assert (told, len(made)) == (about, 1)
    for ours, theirs in zip(classifier.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    open_judge(path, data, "efficientnet_lite0")
    write_pictures(tmp_path / "others", {"train": 3, "validation": 1, "test": 1})
    open_judge(path, datasets.open_dataset("folder", 16, data_dir=tmp_path / "others"), PROBE)
    assert [(judge, count) for judge, _, count in made] == [
        *((PROBE, 24), ("efficientnet_lite0", 24)),
        (PROBE, 9),
    ]


def test_a_judge_that_a_model_was_trained_against_is_told(folder, made, tmp_path, capsys):
    flags = [flag for flag in TINY if "preset" not in flag]
    leave_run([*flags, folder, "--model=cgan"], tmp_path / "run")
    record = json.loads((tmp_path / "run" / "config.json").read_text())
    assert record["config"]["preset"] == "photo"
    note = (
        "The judge is efficientnet_lite0, whose features the model was trained to match: its "
        "figures flatter. Another judge says more, such as --judge=efficientnet_lite1."
    )
    for judge, expected in (("efficientnet_lite0", True), (PROBE, False), ("trained", False)):
        results = call(capsys, tmp_path / "run", f"--judge={judge}")
        assert (note in results["notes"]) == expected


def test_it_judges_real_pictures(data, tmp_path):
    """The network itself, on pictures of three brightnesses."""
    classifier, about = open_judge(tmp_path / "judge.keras", data, PROBE)
    assert about["trunk"] == PROBE
    test = data.prepare("test")
    images = test.images.astype(np.float32) / 127.5 - 1
    logits = keras.ops.convert_to_numpy(classifier(images, training=False)["logits"])
    assert (logits.argmax(axis=1) == test.labels).mean() > 0.7


def test_training_pictures_pass_it_once(data, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_CVAEGAN_CACHE", str(tmp_path / "cache"))
    run = RunDirectory(tmp_path)
    run.create()
    first = judged_side(data, run, PROBE)
    features, _ = first.judge(np.asarray(first.training.images))

    def refuse(judge, images):
        raise AssertionError("It has seen them.")

    monkeypatch.setattr(type(first.judge), "__call__", refuse)
    # Of the features that the regression was fitted to, and then of those that were kept.
    for made in (lambda: first, lambda: judged_side(data, run, PROBE)):
        moments = made().reference.moments
        np.testing.assert_allclose(moments.mean, features.mean(axis=0), rtol=1e-4, atol=1e-5)
        next((tmp_path / "cache").rglob(f"statistics-{PROBE}.npz")).unlink()

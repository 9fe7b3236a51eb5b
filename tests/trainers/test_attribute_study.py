"""The program that measures applications by known attributes, on a run that was not trained."""

import json

import keras
import numpy as np
import pytest

from keras_cvaegan.metrics import attribute_reader, recognition
from keras_cvaegan.models import CVAE, VAE
from tests.helpers.applied import call, leave_petals_run, untrained_runs
from tests.helpers.untrained import judge_without_training
from trainers import attribute_study
from trainers.attributes.tables import claims, notes, table
from trainers.runs.kept_networks import kept_or_trained

FLAGS = ("--count=20", "--pairs=15", "--steps=3", "--searched=30", "--k=2", "--reader_epochs=3")
NAMES = ["background_hue", "brightness", "rotation", "size", "tint", "x", "y"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory, shared_cache):
    root = tmp_path_factory.mktemp("runs")
    with untrained_runs(root, shared_cache, "cvae", "gan") as found:
        for kind in (CVAE, VAE):
            leave_petals_run(found / f"petals_{kind.__name__}", kind)
        yield found


@pytest.fixture(autouse=True)
def trainings(monkeypatch):
    """Readers and judges that need no training; collects the readers' epochs."""
    found = []

    def train_reader(images, values, *, epochs, verbose):
        found.append(epochs)
        sizes = {name: each.shape[1] for name, each in values.items()}
        total = sum(sizes.values())
        return attribute_reader.AttributeReader((16, 16, 3), sizes, [0.0] * total, [1.0] * total)

    monkeypatch.setattr(attribute_reader, "train_reader", train_reader)
    monkeypatch.setattr(recognition, "train_classifier", judge_without_training)
    return found


def test_a_run_gets_a_table_and_a_file(runs, trainings, capsys):
    run_dir = runs / "petals_CVAE"
    code, output, errors = call(attribute_study, capsys, f"--run_dir={run_dir}", *FLAGS)
    assert code == 0, errors
    results = json.loads((run_dir / "attribute_study.json").read_text())
    assert sorted(results["attributes"]) == NAMES
    size = results["attributes"]["size"]
    assert {of: error["pairs"] for of, error in size["errors"].items()} == {
        "random": 10_000, "reader": 20, "transferred": 20, "retrieved": 40,
    }  # fmt: skip
    # Uniform over a range of 0.15.
    assert size["deviation"] == pytest.approx(0.15 / np.sqrt(12), rel=0.2)
    assert size["errors"]["random"]["mean"] == pytest.approx(0.05, rel=0.2)
    # The petals of the three species differ in number.
    rotation = results["attributes"]["rotation"]
    assert rotation["errors"]["transferred"] == {"mean": None, "pairs": 0}
    assert "rotation: compared where it means the same" in output
    assert 0 <= results["recognised"] <= 1
    # Who has learnt nothing cannot tell whether anything is in order.
    assert [claim["name"] for claim in results["claims"]] == ["transfer", "retrieval"]
    assert "hardly told by the reader" in output
    assert results["reader"]["epochs"] == 3
    assert all(claim["text"] in output for claim in results["claims"])
    assert "| all, in deviations |" in output
    # Started again, it finds the reader, and the same.
    code, output, errors = call(attribute_study, capsys, f"--run_dir={run_dir}", *FLAGS)
    assert (code, trainings) == (0, [3]), errors
    again = json.loads((run_dir / "attribute_study.json").read_text())
    assert again == results


def test_a_model_without_classes_shows_none(runs, capsys):
    run_dir = runs / "petals_VAE"
    code, output, errors = call(attribute_study, capsys, f"--run_dir={run_dir}", *FLAGS)
    assert code == 0, errors
    results = json.loads((run_dir / "attribute_study.json").read_text())
    assert results["recognised"] is None and results["judge"] is None
    assert "transferred" not in results["attributes"]["x"]["errors"]
    assert "The model has no classes" in output
    assert not (run_dir / "evaluation_classifier.keras").exists()


def test_what_cannot_be_is_one_line(runs, capsys, trainings):
    for flags, message in (
        ([], "--run_dir is missing"),
        ([f"--run_dir={runs / 'none'}"], "none"),
        ([f"--run_dir={runs / 'gan'}"], "GAN has no encoder"),
        ([f"--run_dir={runs / 'cvae'}"], "Of the data set 'folder' no attributes are known"),
    ):
        code, _, errors = call(attribute_study, capsys, *flags)
        assert code == 1
        assert errors.startswith("error: ") and errors.count("\n") == 1
        assert message in errors
    assert trainings == []


def test_kept_networks_are_trained_anew_where_they_do_not_serve(tmp_path, capsys):
    trained = []

    def train():
        trained.append(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]))
        return trained[-1]

    path = tmp_path / "reader.keras"
    kept_or_trained(path, {"epochs": 1}, "reader", train)
    kept = kept_or_trained(path, {"epochs": 1}, "reader", train)
    np.testing.assert_array_equal(kept.get_weights()[0], trained[0].get_weights()[0])
    assert len(trained) == 1
    kept_or_trained(path, {"epochs": 2}, "reader", train)
    assert "The kept reader is of other data or settings" in capsys.readouterr().out
    for damaged, content in ((path, b"PK"), (path.with_suffix(".json"), b"[]")):
        damaged.write_bytes(content)
        kept_or_trained(path, {"epochs": 2}, "reader", train)
        assert "The kept reader cannot be read: training another." in capsys.readouterr().out
    kept_or_trained(path, {"epochs": 2}, "reader", train)
    assert len(trained) == 4


def results_of(shown, own=0.1, order=1.0):
    errors = {"random": 0.5, "reader": own, "transferred": shown, "retrieved": 0.1}
    of = {
        "deviation": 0.5,
        "errors": {kind: {"mean": mean, "pairs": 7} for kind, mean in errors.items()},
        "morphed": {"mean": order, "pairs": 3},
    }
    return {
        "attributes": {"x": of},
        "in_deviations": {kind: 2 * mean for kind, mean in errors.items() if mean is not None},
        "recognised": 0.9,
    }


def test_the_table_says_what_is_kept():
    lines = table(results_of(0.2)).splitlines()
    cells = [cell.strip() for cell in lines[2].strip("|").split("|")]
    assert cells == ["x", "0.500", "0.100", "0.200", "0.100", "0.750", "5.000", "1.000"]
    cells = [cell.strip() for cell in lines[3].strip("|").split("|")]
    assert cells == ["all, in deviations", "1.000", "0.200", "0.400", "0.200", "0.750", "5.000", ""]
    assert "|           – |" in table(results_of(None))


def test_targets_are_reached_or_missed():
    assert [claim["reached"] for claim in claims(results_of(0.2))] == [True, True, True]
    missed = results_of(0.2, order=0.89)
    missed["recognised"], missed["in_deviations"]["retrieved"] = 0.899, 0.34
    assert [claim["reached"] for claim in claims(missed)] == [False, False, False]
    assert "below: x 0.890" in claims(missed)[2]["text"]


def test_what_the_reader_does_not_know_is_said():
    assert notes(results_of(0.2), [], []) == []
    [note] = notes(results_of(0.2, own=0.3), [], [])
    assert note.startswith("x: hardly told by the reader")
    told = [claim["name"] for claim in claims(results_of(0.2, own=0.3, order=0.1))]
    assert told == ["transfer", "retrieval"]
    assert notes(results_of(0.2), ["x"], ["x"]) == [
        "x: in turns of a circle.",
        "x: compared where it means the same in both classes alone, of petals where there are as "
        "many of them: pictures 7 random, 7 reader, 7 transferred, 7 retrieved.",
    ]

"""The program that measures applications by known attributes, on a run that was not trained."""

import json

import numpy as np
import pytest

from keras_cvaegan.metrics import attribute_reader, recognition
from keras_cvaegan.models import CVAE, VAE
from tests.helpers.applied import call, leave_petals_run, untrained_runs
from tests.helpers.untrained import judge_without_training
from trainers import attribute_study

pytestmark = pytest.mark.slow

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

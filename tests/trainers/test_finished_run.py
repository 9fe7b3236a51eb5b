"""The programs that read a finished run."""

import json

import numpy as np
import pytest

from keras_cvaegan import pictures
from trainers import evaluate, export, generate, report

pytestmark = pytest.mark.slow


def call(program, capsys, *arguments):
    code = program.COMMAND.call(program.main, arguments)
    return (code, *capsys.readouterr())


def test_generate_writes_a_folder_a_class_and_a_grid(finished_run, tmp_path, capsys):
    flags = [f"--run_dir={finished_run}", "--count=3", f"--output={tmp_path}"]
    code, output, _ = call(generate, capsys, *flags)
    assert code == 0
    assert "6 pictures of 2 classes" in output
    assert len(list(tmp_path.glob("*/seed_0_*.png"))) == 6
    assert pictures.read_picture(tmp_path / "grid.png").shape == (38, 56, 3)


def test_generate_takes_names_and_does_not_depend_on_the_other_labels(
    finished_run, tmp_path, capsys
):
    name = json.loads((finished_run / "config.json").read_text())["class_names"][1]
    for labels, output in (("0,1", "both"), (name, "one")):
        flags = [f"--labels={labels}", "--count=2", f"--output={tmp_path / output}"]
        assert call(generate, capsys, f"--run_dir={finished_run}", *flags)[0] == 0
    both, one = (
        (tmp_path / folder / name / "seed_0_0001.png").read_bytes() for folder in ("both", "one")
    )
    assert both == one


@pytest.mark.parametrize("labels", ["2", "-1", "daisy", "0,", "1.5"])
def test_generate_refuses_labels_that_the_model_does_not_have(
    finished_run, tmp_path, capsys, labels
):
    flags = [f"--run_dir={finished_run}", f"--labels={labels}", f"--output={tmp_path / 'new'}"]
    code, _, errors = call(generate, capsys, *flags)
    assert code == 1
    assert "--labels takes numbers from 0 to 1, or names: round_" in errors
    assert not (tmp_path / "new").exists()


def test_export_writes_the_next_version(finished_run, tmp_path, capsys):
    flags = [f"--run_dir={finished_run}", f"--output={tmp_path}"]
    code, output, _ = call(export, capsys, *flags)
    assert code == 0
    assert output == f"SavedModel: {tmp_path / '1'}\n"
    assert (tmp_path / "1" / "saved_model.pb").is_file()


@pytest.mark.parametrize("program", [evaluate, export, generate, report])
def test_run_dir_is_needed(program, capsys):
    code, _, errors = call(program, capsys)
    assert code == 1
    assert "--run_dir is missing" in errors


@pytest.mark.parametrize("program", [evaluate, export, generate, report])
def test_not_a_run_directory(program, tmp_path, capsys):
    code, _, errors = call(program, capsys, f"--run_dir={tmp_path}")
    assert code == 1
    assert errors.count("\n") == 1
    assert str(tmp_path) in errors


@pytest.mark.parametrize("program", [export, generate])
def test_not_a_model(program, tmp_path, capsys):
    (tmp_path / "model.keras").write_bytes(b"no model")
    code, _, errors = call(program, capsys, f"--run_dir={tmp_path}")
    assert code == 1
    assert errors.count("\n") == 1
    assert "is not a model that keras_cvaegan can load" in errors


def test_top1_by_class_of_a_perfect_judge():
    from keras_cvaegan.metrics.recognition import top1_by_class

    assert top1_by_class(np.arange(3), np.arange(3), 3) == [1.0, 1.0, 1.0]

"""`trainers.request`: the pictures of a served model are those of `trainers.generate`."""

import sys

import numpy as np
import pytest

from keras_cvaegan import pictures
from tests.helpers.server import Double
from tests.helpers.tiny_model import CLASS_NAMES, exported
from trainers import generate, request
from trainers.pictures.generated import write_pictures

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("serving")]


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    run_dir = tmp_path_factory.mktemp("run")
    exported(tmp_path_factory)[0].save(run_dir / "model.keras")
    return run_dir


@pytest.fixture(scope="module")
def double(tmp_path_factory):
    with Double(exported(tmp_path_factory)[1]) as double:
        yield double


def call(program, capsys, *flags):
    code = program.COMMAND.call(program.main, flags)
    return (code, *capsys.readouterr())


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.png")}


@pytest.mark.parametrize("kind", ["rest", "grpc"])
def test_the_files_are_those_of_generate(kind, double, run_dir, tmp_path, capsys):
    flags = ["--labels=lily,0", "--count=3", "--seed=4"]
    local = call(generate, capsys, f"--run_dir={run_dir}", f"--output={tmp_path / 'a'}", *flags)
    url = f"--url={double.url(kind)}"
    served = call(request, capsys, url, f"--output={tmp_path / 'b'}", *flags)
    assert local[0] == served[0] == 0
    assert served[1] == local[1].replace(str(tmp_path / "a"), str(tmp_path / "b"))
    found = files(tmp_path / "b")
    assert found == files(tmp_path / "a")
    assert len(found) == 7
    assert {"grid.png", "lily/seed_4_0000.png", "rose/seed_4_0002.png"} < set(found)


def test_all_classes_and_names_that_are_no_folders(double, tmp_path, capsys):
    flags = [f"--url={double.rest_url}", "--version=1", "--count=1", f"--output={tmp_path}"]
    assert call(request, capsys, *flags)[0] == 0
    assert {path.name for path in tmp_path.iterdir()} == {*CLASS_NAMES, "grid.png"}


def test_each_class_has_a_folder_of_its_own(tmp_path):
    folders = {
        "a/b": "a_b",
        "a_b": "a_b_2",
        "a_b_2": "a_b_2_2",
        "a\0b": "a_b_3",
        "grid.png": "grid.png_2",
        "..": "_..",
        "_..": "_.._2",
    }
    rows = {name: np.full((2, 4, 4, 3), 9 * row, np.uint8) for row, name in enumerate(folders)}
    write_pictures(rows, tmp_path, seed=5)
    assert {path.name for path in tmp_path.iterdir()} == {*folders.values(), "grid.png"}
    for name, folder in folders.items():
        for number, image in enumerate(rows[name]):
            file = tmp_path / folder / f"seed_5_{number:04d}.png"
            np.testing.assert_array_equal(pictures.read_picture(file), image)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "--url is missing"),
        (["--url=localhost:8501"], "The url must be http://host:8501"),
        (["--url=http://localhost:1", "--timeout=0.1"], "Cannot reach the server"),
        (["--url=URL", "--model=other"], "Servable not found for request: Latest(other)"),
        (["--url=URL", "--version=9"], "Specific(keras_cvaegan, 9)"),
        (["--url=URL", "--version=best"], "Unrecognized servable version label: best"),
        (["--url=URL", "--labels=3"], "--labels takes numbers from 0 to 2, or names: rose, lily"),
        (["--url=URL", "--timeout=0"], "timeout must be a number of seconds above 0"),
    ],
)
def test_errors_are_one_line(flags, message, double, tmp_path, capsys):
    flags = [flag.replace("URL", double.rest_url) for flag in flags]
    code, output, errors = call(request, capsys, *flags, f"--output={tmp_path / 'new'}")
    assert (code, output, errors.count("\n")) == (1, "", 1)
    assert message in errors
    assert not (tmp_path / "new").exists()


def test_without_the_extra(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "requests", None)
    code, _, errors = call(request, capsys, "--url=http://localhost:1")
    assert code == 1
    assert "pip install 'keras_cvaegan[serving]'" in errors

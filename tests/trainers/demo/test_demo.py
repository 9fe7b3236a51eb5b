"""trainers.demo: its flags, and the run or server that it shows."""

import re
import subprocess
import sys

import pytest

from keras_cvaegan.training.run_directory import RunDirectory
from tests.helpers.tiny_model import exported
from trainers.demo import __main__ as demo
from trainers.demo.sources import LocalSource

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("serving")]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return exported(tmp_path_factory)[0]


@pytest.fixture
def run_dir(model, tmp_path):
    run = RunDirectory(tmp_path / "run")
    run.create()
    run.write_config({"config": {}})
    model.save(run.model)
    return run.path


def call(capsys, *flags):
    code = demo.COMMAND.call(demo.main, flags)
    return code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "error: One of --run_dir .* and --url .* is needed. Received: none."),
        (["--run_dir=a", "--url=http://b"], "Received: both."),
        (["--run_dir=a", "--port=0"], "--port=0"),
    ],
)
def test_wrong_flags(flags, message, capsys):
    code, errors = call(capsys, *flags)
    assert code == 1
    assert re.search(message, errors)


def test_without_gradio_it_says_what_to_install(run_dir, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "gradio", None)
    monkeypatch.delitem(sys.modules, "trainers.demo.page", raising=False)
    for name in ("GRADIO_TEMP_DIR", "GRADIO_ANALYTICS_ENABLED"):
        monkeypatch.setenv(name, "")  # What the program sets ends with the test.
    code, errors = call(capsys, f"--run_dir={run_dir}")
    assert (code, errors) == (
        1,
        "error: trainers.demo needs gradio: install it with pip install -e '.[demo]'.\n",
    )


def test_the_model_is_that_of_the_run(model, run_dir):
    source = LocalSource.from_run(run_dir)
    assert source.class_names == model.class_names
    assert source.origin == str(run_dir)


def test_help_needs_neither_tensorflow_nor_gradio():
    code = "import sys, trainers.demo.__main__ as d; d.COMMAND.call(d.main, ['--help']); "
    code += "sys.exit(bool({'tensorflow', 'gradio', 'keras'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    assert "--run_dir=TEXT" in found.stdout

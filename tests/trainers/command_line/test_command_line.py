import importlib
import os
import subprocess
import sys
import time

import pytest

from keras_cvaegan.names import MODEL_NAMES, PRESET_NAMES, STRATEGIES
from tests.helpers.programs import programs
from trainers.command_line import flags
from trainers.command_line.command import Command

# A flag as --help shows it.
SHOWN = {
    "trainers.cluster": "--mapping=imle|gan|vae",
    "trainers.cluster_study": "--n_clusters=TEXT",
    "trainers.inpaint": "--[no]labels_given",
    "trainers.latent_map": "--split=train|validation|test",
    "trainers.morph": "--[no]gif",
    "trainers.novelty": "--level=X",
    "trainers.recombine": "--irrelevant_labels=TEXT",
    "trainers.report": "--run_dir=TEXT",
    "trainers.request": "--url=TEXT",
    "trainers.retrieve": "--[no]other_classes_only",
    "trainers.super_resolve": "--factors=TEXT",
    "trainers.transfer": "--to_labels=TEXT",
    "trainers.walk": "--dimensions=TEXT",
}


@pytest.fixture
def command():
    command = Command("trainers.example", "Counts.\n\nMore.")
    with command.section("Counting"):
        command.integer("count", 3, "how far", lower_bound=1)
        command.enum("unit", "apples", ("apples", "pears"), "of what")
        command.repeated("set", "what else")
    return command


def test_help_has_headed_sections_with_defaults(command, capsys):
    assert command.call(None, ["--help"]) == 0
    output = capsys.readouterr().out
    assert output.startswith("Counts.\n\nUsage: python -m trainers.example [flags]\n\nCounting:\n")
    assert "  --count=N\n      how far (default: 3)" in output
    assert "  --unit=apples|pears\n      of what (default: apples)" in output
    assert "traceback" not in output


@pytest.mark.parametrize("name", programs())
def test_help_of_every_program_is_complete(name, capsys):
    program = importlib.import_module(name)
    assert program.COMMAND.call(program.main, ["--help"]) == 0
    output = capsys.readouterr().out
    assert SHOWN.get(name, "Usage: python -m trainers.") in output
    for name in program.COMMAND._values:
        if name != "traceback":
            assert f"--{name}=" in output or f"--[no]{name}\n" in output


def test_help_is_quick():
    began = time.monotonic()
    code = "import sys, trainers.fit as f; f.COMMAND.call(f.main, ['--help']); "
    code += "sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--counts=3"], "Unknown command line flag 'counts'. Did you mean: count"),
        (["--count=x"], "--count=x"),
        (["--count=0"], "--count=0"),
        (["--unit=plums"], "<apples|pears>"),
        (["count"], "Unexpected 'count'"),
    ],
)
def test_bad_flags_are_one_line(command, capsys, arguments, message):
    assert command.call(lambda values: 0, arguments) == 1
    output, errors = capsys.readouterr()
    assert output == ""
    assert errors.startswith("error: ")
    assert errors.count("\n") == 1
    assert message in errors


def test_values_do_not_stay_for_the_next_call(command):
    seen = []

    def main(values):
        seen.append((values.count, values.set))

    command.call(main, ["--count=5", "--set=a=1", "--set=b=2"])
    command.call(main, [])
    assert seen == [(5, ["a=1", "b=2"]), (3, [])]


def test_errors_of_main_are_one_line(command, capsys):
    def main(values):
        raise ValueError("no\n  good")

    assert command.call(main, []) == 1
    assert capsys.readouterr().err == "error: no good\n"
    with pytest.raises(ValueError, match="good"):
        command.call(main, ["--traceback"])


def test_missing_files_are_named(command, capsys, tmp_path):
    assert command.call(lambda values: (tmp_path / "gone").read_text(), []) == 1
    assert capsys.readouterr().err == f"error: No such file or directory: {tmp_path / 'gone'}\n"


def test_ctrl_c_ends_with_130(command, capsys):
    def main(values):
        raise KeyboardInterrupt

    assert command.call(main, []) == 130


def test_names_offered_are_those_of_the_library():
    from keras_cvaegan.models import MODELS
    from keras_cvaegan.networks import PRESETS
    from keras_cvaegan.training import distribution

    assert tuple(MODELS) == MODEL_NAMES
    assert distribution.STRATEGIES == STRATEGIES
    assert tuple(PRESETS) == PRESET_NAMES


def test_adopted_flags_are_those_of_the_other_program(command, capsys):
    other = Command("trainers.other", "Counts more.")
    with other.section("Counting"):
        other.adopt(command, "count", "set")
        other.string("output", "runs", "where")
    assert other.call(None, ["--help"]) == 0
    assert "  --count=N\n      how far (default: 3)" in capsys.readouterr().out
    values = other.parse(["--count=5", "--set=a=1", "--set=b=2", "--output=x"])
    assert other.settings(values) == {"count": 5, "set": ["a=1", "b=2"], "output": "x"}
    assert command.parse([]).count == 3
    with pytest.raises(ValueError, match="--count=0"):
        other.parse(["--count=0"])


def test_assignments():
    assert flags.assignments(["a=1,b=2", "c=x+y"], "set") == {"a": "1", "b": "2", "c": "x+y"}
    with pytest.raises(ValueError, match=r"--set takes name=value\. Received: --set=b\."):
        flags.assignments(["a=1,b"], "set")


def test_a_closed_pipe_is_no_error_to_speak_of():
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.run(
        [sys.executable, "-m", "trainers.fit", "--help"],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writer)
    assert process.stderr == ""

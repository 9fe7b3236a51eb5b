"""Where programs write, and what they say of it."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from trainers.command_line.output import output_folder, print_written


def test_within_the_run_by_default(tmp_path):
    found = output_folder(SimpleNamespace(output=None, run_dir=str(tmp_path / "run")), "walk")
    assert found == tmp_path / "run" / "walk"
    assert found.is_dir()


def test_where_the_user_says(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    values = SimpleNamespace(output="~/a/b", run_dir="run")
    assert output_folder(values, "walk") == tmp_path / "a" / "b"
    (tmp_path / "a" / "b" / "kept.txt").write_text("kept")
    assert (output_folder(values, "walk") / "kept.txt").read_text() == "kept"


def test_what_was_written_can_be_pasted(capsys):
    print_written(Path("my runs"), (f"{name}.png" for name in "ab"))
    assert capsys.readouterr().out == "Written to 'my runs': a.png, b.png\n"


def test_what_was_given_is_not_overwritten(tmp_path):
    values, mask = SimpleNamespace(output=str(tmp_path), run_dir="run"), tmp_path / "scratch.png"
    output_folder(values, "walk", ["scratch.png"], ["eyes", "test 3 (rose)"])
    output_folder(values, "walk", ["other.png"], [str(mask)])
    for given in (str(mask), str(tmp_path / "." / "scratch.png")):
        with pytest.raises(ValueError, match="would be overwritten by the result"):
            output_folder(values, "walk", ["a.png", "scratch.png"], [given])

"""Files that are replaced whole."""

import os

import pytest

from keras_cvaegan import files


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with files.replacing(path, ending=".txt") as partial:
        partial.write_text("new")
        assert path.read_text() == "old"
        assert partial.name.startswith(".a.txt.")
        assert partial.name.endswith(".partial.txt")
    assert (path.read_text(), names(tmp_path)) == ("new", ["a.txt"])


def test_an_error_changes_nothing(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(OSError, match="full"), files.replacing(path) as partial:
        partial.write_text("ne")
        raise OSError("full")
    assert (path.read_text(), names(tmp_path)) == ("old", ["a.txt"])


def test_two_writers_do_not_meet(tmp_path):
    path = tmp_path / "a.txt"
    with files.replacing(path) as first, files.replacing(path) as second:
        first.write_text("first")
        second.write_text("second")
    assert (path.read_text(), names(tmp_path)) == ("first", ["a.txt"])


@pytest.mark.parametrize("durable", [True, False])
def test_it_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch, durable):
    path, forced = tmp_path / "a.txt", []
    monkeypatch.setattr(os, "fsync", lambda number: forced.append(path.exists()))
    with files.replacing(path, durable=durable) as partial:
        partial.write_text("new")
    assert forced == ([False] if durable else [])
    assert path.read_text() == "new"


def test_a_folder_that_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        files.write_text(tmp_path / "gone" / "a.txt", "new")

"""Files and folders that are replaced whole, and locks."""

import os
import signal
import subprocess
import sys
from pathlib import Path

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


def test_the_old_folder_stays_until_the_new_one_is_whole(tmp_path):
    folder = tmp_path / "new" / "pictures"
    for text in ("first", "second"):
        with files.replacing_folder(folder) as partial:
            (partial / text).write_text(text)
        assert names(folder) == [text]
    with pytest.raises(OSError, match="full"), files.replacing_folder(folder) as partial:
        (partial / "third").write_text("th")
        raise OSError("full")
    assert (names(folder), names(folder.parent)) == (["second"], ["pictures"])


def test_the_old_folder_stays_where_the_new_one_cannot_take_its_place(tmp_path, monkeypatch):
    folder, rename = tmp_path / "pictures", Path.rename
    folder.mkdir()
    (folder / "old").touch()

    def fail(self, target):
        if self.name.endswith(".partial"):
            raise OSError("Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(OSError, match="Input/output error"), files.replacing_folder(folder):
        pass
    assert (names(folder), names(tmp_path)) == (["old"], ["pictures"])


@pytest.mark.parametrize("stays", [True, False])
def test_what_another_has_made_meanwhile_stays_where_it_is_as_good(tmp_path, stays):
    folder = tmp_path / "pictures"
    with files.replacing_folder(folder, keep=lambda found: stays) as partial:
        (partial / "own").touch()
        folder.mkdir()
        (folder / "other").touch()
    assert names(folder) == (["other"] if stays else ["own"])
    assert names(tmp_path) == ["pictures"]


def test_a_lock_is_of_one_and_ends(tmp_path):
    path = tmp_path / ".lock"
    for _ in range(2):
        with files.locked(path, "Taken."):
            with pytest.raises(OSError, match=r"Taken\."), files.locked(path, "Taken."):
                pass
            # Not taken for a lock that is held, nor does it keep the lock.
            with pytest.raises(TimeoutError, match="own"), files.locked(tmp_path / "b", "Taken."):
                raise TimeoutError("own")
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"), files.locked(tmp_path / "file" / "a", "Taken."):
        pass


def test_the_lock_of_a_process_that_is_killed_ends_with_it(tmp_path):
    code = (
        "import os, signal, sys; from keras_cvaegan.files import locked\n"
        "with locked(sys.argv[1], ''): os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path / ".lock")], check=False)
    assert killed.returncode == -signal.SIGKILL
    with files.locked(tmp_path / ".lock", "Taken."):
        pass

import json
import re
import shutil
import sys

import pytest

from datasets import tfrecords
from trainers import write_records

pytestmark = pytest.mark.slow


@pytest.fixture
def call(capsys, tmp_path):
    def call(*arguments, output=tmp_path / "records"):
        flags = ["--num_classes=2", f"--output={output}", *arguments]
        code = write_records.COMMAND.call(write_records.main, flags)
        return (code, *capsys.readouterr())

    return call


def test_it_writes_a_folder_and_says_so(call, tmp_path, monkeypatch):
    monkeypatch.setattr(tfrecords.writing, "_THREADS", 1)
    code, output, _ = call("--splits=validation", "--image_size=8", "--shards=2", "--nocompress")
    assert code == 0
    assert output.startswith("Records: 1,000/1,000  ")
    assert re.search(r"  \d:\d\d in all  2/2 files\nvalidation: ", output)
    assert "validation: 1,000 pictures in 2 files\n2 classes, 8 px: " in output
    assert sorted(path.name for path in (tmp_path / "records").iterdir()) == [
        "description.json",
        "validation-00000-of-00002.tfrecord",
        "validation-00001-of-00002.tfrecord",
    ]
    code, _, errors = call("--image_size=8")
    assert code == 1
    assert "is there already" in errors
    shutil.rmtree(tmp_path / "records")


def test_the_size_is_the_presets_by_default(call, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    asked = []

    def write(folder, records, **_):
        asked.append(records)
        return {"splits": {}, "image_size": records.image_size, "class_names": []}

    monkeypatch.setattr(tfrecords, "write", write)
    assert call()[0] == 0
    assert (asked[0].image_size, asked[0].shards, asked[0].compress) == (32, 4, True)
    assert asked[0].splits == ("train", "validation", "test")
    assert json.loads(json.dumps(asked[0].options))["num_classes"] == 2


def test_the_output_may_be_in_the_home_folder_or_a_url(call, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    asked = []

    def write(folder, records, **_):
        asked.append(folder)
        return {"splits": {}, "image_size": records.image_size, "class_names": []}

    monkeypatch.setattr(tfrecords, "write", write)
    for output in ("~/records", "gs://bucket/records"):
        assert call(output=output)[0] == 0
    assert asked == [f"{tmp_path}/records", "gs://bucket/records"]


def test_wrong_flags_are_one_line(call, monkeypatch):
    code, _, errors = call("--splits=train,dev")
    assert (code, errors.count("\n")) == (1, 1)
    assert "--splits takes train, validation, test. Received: 'dev'." in errors
    code, _, errors = call("--beam_option=--runner=DirectRunner")
    assert (code, errors) == (
        1,
        "error: --beam_option is for --beam: add it, or leave the option out.\n",
    )
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    code, _, errors = call("--beam", "--image_size=8")
    assert code == 1
    assert "pip install apache-beam" in errors

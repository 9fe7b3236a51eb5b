"""What the page on serving tells to type, against a double of TensorFlow Serving."""

import contextlib
import io
import json
import re
import shutil
import subprocess

import pytest

from tests.helpers.running import ROOT
from tests.helpers.server import Double
from tests.helpers.tiny_model import exported

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("serving")]

PAGE = (ROOT / "deploy" / "README.md").read_text()
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
CURL = [
    (command, answer)
    for command, answer in re.findall(r"```sh\n(curl .*?)```\s+```json\n(.*?)```", PAGE, re.DOTALL)
]


@pytest.fixture(scope="module")
def double(tmp_path_factory):
    with Double(exported(tmp_path_factory)[1]) as double:
        yield double


def at(text, double):
    """The text with the double's addresses."""
    text = text.replace("http://localhost:8501", double.rest_url)
    return text.replace("grpc://localhost:8500", double.grpc_url)


def form(value):
    """Keys and types; of lists those of the first element."""
    if isinstance(value, dict):
        return {key: form(each) for key, each in value.items()}
    if isinstance(value, list):
        return [form(value[0])]
    return type(value)


def test_the_page_has_its_examples():
    assert len(CURL) == 5
    assert len(re.findall(r"^curl ", PAGE, re.MULTILINE)) == len(CURL)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize(("command", "answer"), CURL)
def test_requests_by_curl_are_answered_as_the_page_says(command, answer, double):
    result = subprocess.run(
        ["bash", "-c", at(command, double)], check=True, capture_output=True, timeout=30
    )
    received, promised = json.loads(result.stdout), json.loads(answer)
    assert form(received) == form(promised)
    if "error" in promised:
        expected = promised["error"].strip("… ").replace("to 9", "to 2")
        assert expected in received["error"]
    if "b64" in answer:
        start = promised["predictions"][0]["b64"].rstrip("…")
        assert all(each["b64"].startswith(start[:20]) for each in received["predictions"])


def test_there_is_a_probability_a_class():
    answers = [json.loads(answer) for _, answer in CURL]
    [described] = [answer["outputs"] for answer in answers if "outputs" in answer]
    [classified] = [
        a for (command, _), a in zip(CURL, answers, strict=True) if "classify" in command
    ]
    for probabilities in classified["predictions"]:
        assert len(probabilities) == described["num_classes"][0]
        assert sum(probabilities) == pytest.approx(1)


def test_the_metadata_lists_the_signatures(double):
    path = re.search(r"`(/v1/models/keras_cvaegan/metadata)`", PAGE)[1]
    result = subprocess.run(
        ["curl", "-s", double.rest_url + path], check=True, capture_output=True, timeout=30
    )
    assert "generate_png" in json.loads(result.stdout)["metadata"]["signature_def"]["signature_def"]


@pytest.mark.parametrize("kind", ["rest", "grpc"])
def test_the_python_example(kind, double):
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    code, names = code.replace("grpc://localhost:8500", double.url(kind)), {}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(code, names)
    assert printed.getvalue().startswith("Description(class_names=('rose'")
    assert names["pictures"].shape == names["as_another_class"].shape == (3, 16, 16, 3)


def test_the_program(double, tmp_path, capsys):
    from trainers import request

    [command] = re.findall(r"python -m trainers\.request (.*)", PAGE)
    flags = [at(flag, double) for flag in command.replace("generated", str(tmp_path)).split()]
    assert request.COMMAND.call(request.main, flags) == 0
    assert "16 pictures of 2 classes" in capsys.readouterr().out


def test_programs_and_flags_exist():
    from trainers import export

    for flags in re.findall(r"python -m trainers\.export (.*)", PAGE):
        export.COMMAND.parse(flags.split())


def test_files_that_the_page_names_exist():
    assert (ROOT / "tests/helpers/server.py").is_file()
    for name in re.findall(r"--(?:file|filename|from-file)=(\S+)", PAGE):
        assert (ROOT / name).is_file()

"""report.html of run directories that are written here, without a model."""

import json

import numpy as np
import pytest

from keras_cvaegan import pictures
from tests.helpers.html_page import Page
from trainers import report

NAMES = ["<b>&\"'", "daisy"]
IMAGE_SIZE = 16


def sheet(rows, columns, size=IMAGE_SIZE):
    images = np.random.default_rng(0).integers(0, 256, (rows * columns, size, size, 3), np.uint8)
    return pictures.grid(images, columns)


@pytest.fixture
def run_dir(tmp_path):
    """A run directory whose training has begun."""
    run_dir = tmp_path / "a run & more"
    run_dir.mkdir()
    config = {
        "model": "cvae_gan",
        "preset": "compact",
        "dataset": "folder",
        "data_dir": "/<pictures>",
        "image_size": IMAGE_SIZE,
        "steps": 40,
    }
    record = {
        "config": config,
        "class_names": NAMES,
        "command": "python -m trainers.fit --steps=40 --data_dir='/<pictures>'",
        "versions": {"keras": "3.15.1"},
    }
    (run_dir / "config.json").write_text(json.dumps(record))
    return run_dir


@pytest.fixture
def finished(run_dir):
    """A run directory with everything."""
    lines = [{"step": step, "seconds": 1.0, "loss_<x>": 1 / step} for step in (10, 20, 40)]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (run_dir / "metrics.jsonl").write_text(text + '{"step": 60, "los')
    (run_dir / "model.keras").touch()
    (run_dir / "samples").mkdir()
    pictures.write_png(run_dir / "samples" / "latest.png", sheet(2, 8))
    pictures.write_png(run_dir / "samples" / "real_and_generated.png", sheet(2, 11))
    pictures.write_png(run_dir / "samples" / "nearest_training.png", sheet(2, 9))
    pictures.write_png(run_dir / "samples" / "reconstructions.png", sheet(2, 8))
    by_class = {NAMES[0]: 0.25, NAMES[1]: None}
    results = {
        "generated": {"top1_accuracy": 0.25, "top1_accuracy_by_class": by_class},
        "real": {"top1_accuracy": 1.0, "top1_accuracy_by_class": by_class},
        "settings": {"generated": {"<Metric>": {"k": 3}}},
        "notes": ["few <samples>"],
        "extractor": {"name": "<judge>", "fingerprint": "0123abcd", "feature_dim": 64},
        "judge": {"name": "<judge>"},
        "reference": {"split": "train", "samples": 1234},
        "samples": {
            "generated_per_class": 5,
            "generated": 10,
            "seed": 7,
            "real": 3,
            "real_split": "test",
            "step": 40,
        },
        "pictures": {
            "real_and_generated.png": {"titles": NAMES, "caption": "Left <real>."},
            "nearest_training.png": {"titles": NAMES, "caption": "Nearest <ones>."},
            "reconstructions.png": {"titles": ["held out", "made"], "caption": "Both."},
        },
        "versions": {"keras": "3.16.0"},
    }
    (run_dir / "evaluation.json").write_text(json.dumps(results))
    return run_dir


def written(run_dir, capsys):
    assert report.COMMAND.call(report.main, [f"--run_dir={run_dir}"]) == 0
    output = capsys.readouterr().out
    assert output == f"Report: '{run_dir / 'report.html'}'\n"
    return (run_dir / "report.html").read_text("utf-8")


def test_a_finished_run_is_shown_whole(finished, capsys):
    page = Page(written(finished, capsys))
    assert "Not here" not in page.text
    assert page.tags.count("img") == 8
    assert page.tags.count("svg") == 1
    for text in ("Top-1 accuracy", "0.250", "1.000", "1,234 pictures of the split train"):
        assert text in page.text
    for text in (
        "0123abcd",
        "seed 7",
        "few <samples>",
        "Left <real>.",
        "Nearest <ones>.",
        '"k": 3',
    ):
        assert text in page.text
    for text in ("loss <x>", "3.15.1", "3.16.0", '"data_dir": "/<pictures>"', "step 40 of 40"):
        assert text in page.text
    assert "python -m trainers.fit --steps=40" in page.text
    assert "tensorflow_model_server" in page.text


def test_nothing_is_fetched(finished, capsys):
    text = written(finished, capsys)
    page = Page(text)
    assert all(address.startswith(("data:image/png;base64,", "#")) for address in page.addresses)
    assert not {"link", "script", "iframe", "object", "embed"} & set(page.tags)
    assert "@import" not in text
    assert "url(http" not in text


def test_text_is_escaped(finished, capsys):
    text = written(finished, capsys)
    assert "&lt;b&gt;&amp;&quot;&#x27;" in text
    for tag in ("<b>", "<pictures>", "<judge>", "<samples>", "<ones>", "<Metric>", "<x>"):
        assert tag not in text
    assert "a run &amp; more" in text


def test_a_run_that_has_just_begun(run_dir, capsys):
    page = Page(written(run_dir, capsys))
    for text in ("metrics.jsonl", "model.keras", "evaluation.json", "latest.png"):
        assert text in page.text
    assert "python -m trainers.evaluate" in page.text
    assert "img" not in page.tags


def test_a_run_without_evaluation(finished, capsys):
    (finished / "evaluation.json").unlink()
    page = Page(written(finished, capsys))
    assert "evaluation.json: no figures" in page.text
    assert page.tags.count("img") == 2
    assert "svg" in page.tags


def test_damaged_files_are_named(finished, capsys):
    (finished / "evaluation.json").write_text("{")
    (finished / "samples" / "latest.png").write_bytes(b"no picture")
    page = Page(written(finished, capsys))
    assert "evaluation.json cannot be shown ('" in page.text
    assert "evaluation.json' cannot be read (Expecting" in page.text
    assert "latest.png: Cannot read" in page.text


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        (("generated",), "it lacks 'generated'"),
        (("samples", "real"), "it lacks 'real'"),
        (("samples", "seed"), "it lacks 'seed'"),
        (("reference",), "it lacks 'reference'"),
        (("extractor", "fingerprint"), "it lacks 'fingerprint'"),
        (("notes",), "it lacks 'notes'"),
        ((), "it holds no object of JSON"),
    ],
)
def test_an_evaluation_that_lacks_something_is_named(finished, capsys, path, reason):
    results = json.loads((finished / "evaluation.json").read_text())
    inner = results
    for name in path[:-1]:
        inner = inner[name]
    if path:
        del inner[path[-1]]
    (finished / "evaluation.json").write_text(json.dumps(results if path else []))
    page = Page(written(finished, capsys))
    assert "evaluation.json cannot be shown (" in page.text
    assert reason in page.text
    assert "No evaluation.json." in page.text


def test_figures_of_an_earlier_step(finished, capsys):
    with (finished / "metrics.jsonl").open("a") as file:
        file.write('\n{"step": 80, "seconds": 9.0, "loss_<x>": 0.1}\n')
    page = Page(written(finished, capsys))
    assert "Figures of step 80: these are of step 40" in page.text


def test_large_sheets_are_cut(finished, capsys):
    record = json.loads((finished / "config.json").read_text())
    record["config"]["image_size"] = 128
    record["class_names"] = [str(label) for label in range(20)]
    (finished / "config.json").write_text(json.dumps(record))
    pictures.write_png(finished / "samples" / "latest.png", sheet(16, 8, 128))
    text = written(finished, capsys)
    assert "The first 1 of 16 rows." in text
    assert len(text) < 3_000_000


def test_a_model_without_classes_has_one_row_of_samples(finished, capsys):
    pictures.write_png(finished / "samples" / "latest.png", sheet(1, 8))
    page = Page(written(finished, capsys))
    assert page.tags.count("img") == 7


def test_lines_whose_step_is_no_number_are_left_out(finished, capsys):
    with (finished / "metrics.jsonl").open("a") as file:
        for step in ("1e400", "-1e400", "NaN"):
            file.write(f'\n{{"step": {step}, "loss_<x>": 0.1}}\n')
    assert "step 40 of 40" in Page(written(finished, capsys)).text


def test_long_and_broken_curves():
    from trainers.reports import curves

    steps = np.arange(100_000)
    values = np.sin(steps / 1e4)
    values[5:50] = np.nan
    svg = curves.draw({"loss": (steps, values), "flat": (steps[:1], values[:1])})
    assert len(svg) < 60_000
    assert "currentColor" in svg

"""trainers.retrieve on untrained models."""

import json
import os

import numpy as np
import pytest

import keras_cvaegan
from keras_cvaegan import pictures
from keras_cvaegan.applications import LatentIndex
from tests.helpers.applied import call, read_grid, untrained_runs
from trainers import retrieve
from trainers.pictures.held_out import HeldOut, RunPictures

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def runs(shared_cache, tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    with untrained_runs(root, shared_cache, "cvae_gan", "lr_li_vae", "cvae", "vae", "gan"):
        yield root


@pytest.fixture
def files(tmp_path):
    """A folder of seven pictures, one of them damaged."""
    rng = np.random.default_rng(0)
    (tmp_path / "files").mkdir()
    for number in range(6):
        picture = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
        pictures.write_png(tmp_path / "files" / f"{number}.png", picture)
    (tmp_path / "files" / "3b.png").write_bytes(b"no picture")
    return tmp_path / "files"


def build(run_dir):
    training = RunPictures(run_dir, "train")
    batches = training.batches(np.arange(len(training)))
    return LatentIndex.build(keras_cvaegan.load(run_dir), batches), training


@pytest.mark.parametrize("name", ["cvae_gan", "lr_li_vae"])
@pytest.mark.parametrize("other", [False, True])
def test_held_out_pictures_among_training_pictures(runs, tmp_path, capsys, name, other):
    run_dir = runs / name
    flags = [f"--run_dir={run_dir}", f"--index={tmp_path / 'codes'}", f"--output={tmp_path}"]
    flags += ["--count=3", "--seed=2", "--k=4", *["--other_classes_only"] * other]
    code, output, errors = call(retrieve, capsys, *flags)
    assert code == 0, errors
    assert "Index: 24/24  " in output
    queries = HeldOut(run_dir).draw(3, 2)
    index, training = build(run_dir)
    found = index.query(queries.images, queries.labels, k=4, other_classes_only=other)
    sheet = read_grid(tmp_path / "retrieved.png", 3, 6)
    np.testing.assert_array_equal(sheet[:, 0], queries.images)
    assert (sheet[:, 1] == 255).all()
    results = json.loads((tmp_path / "retrieve.json").read_text())
    assert results["index"] == {"path": str(tmp_path / "codes" / "index.npz"), "pictures": 24}
    for row, of_query in enumerate(results["found"]):
        nearest = training.take(found.indices[row])
        np.testing.assert_array_equal(sheet[row, 2:], nearest.images)
        assert of_query["query"] == queries.names[row]
        assert of_query["names"] == nearest.names
        assert of_query["distances"] == pytest.approx(found.distances[row], rel=1e-4)
        first = f"{queries.names[row]}\n   1. {found.distances[row, 0]:.3f}  {nearest.names[0]}\n"
        assert first in output
        if other:
            assert queries.labels[row] not in nearest.labels
    # It is there now.
    output = call(retrieve, capsys, *flags)[1]
    assert "Index:" not in output
    assert json.loads((tmp_path / "retrieve.json").read_text()) == results
    assert "Index: 24/24  " in call(retrieve, capsys, *flags, "--rebuild")[1]


def test_by_default_all_lies_in_the_run(runs, capsys):
    flags = [f"--run_dir={runs / 'vae'}", "--count=1", "--other_classes_only"]
    code, _, errors = call(retrieve, capsys, *flags)
    assert code == 0, errors
    names = {path.name for path in (runs / "vae" / "retrieve").iterdir()}
    assert names == {"index.npz", "retrieved.png", "retrieve.json"}
    # It has no classes, the data have.
    found = json.loads((runs / "vae" / "retrieve" / "retrieve.json").read_text())["found"][0]
    own = found["query"].split()[-1]
    assert all(name.split()[-1] != own for name in found["names"])


def test_files_among_files(runs, files, tmp_path, capsys, monkeypatch):
    run_dir = runs / "cvae_gan"
    index, query = tmp_path / "mine.npz", files / "4.png"
    flags = [f"--run_dir={run_dir}", f"--index={index}", f"--output={tmp_path}", "--k=3"]
    flags += [f"--query={query},{files / '0.png'}"]
    code, output, errors = call(retrieve, capsys, *flags, f"--pictures={files}")
    assert code == 0, errors
    assert "Left out 1 of 7 pictures. The first: Cannot read '" in output
    assert "3b.png': not a picture, or damaged" in output
    found = json.loads((tmp_path / "retrieve.json").read_text())["found"]
    model = keras_cvaegan.load(run_dir)
    images = np.stack([pictures.read_picture(files / f"{number}.png") for number in range(6)])
    labels = model.classify(images).argmax(axis=1)
    names = [str(files / f"{number}.png") for number in range(6)]
    expected = LatentIndex.build(model, [(images, labels, names)]).query(images[[4, 0]], k=3)
    for row, number in enumerate((4, 0)):
        assert found[row]["names"] == [names[n] for n in expected.indices[row]]
        guessed = model.class_names[labels[number]]
        assert found[row]["query"] == f"{files / f'{number}.png'} ({guessed}, guessed)"
        assert found[row]["names"][0] == names[number]
        sheet = read_grid(tmp_path / "retrieved.png", 2, 5)[row]
        np.testing.assert_array_equal(sheet[2:], images[expected.indices[row]])
    # What it is of stands in the index, from wherever it is asked.
    monkeypatch.chdir(tmp_path)
    again = call(retrieve, capsys, *flags, "--labels=light")[1]
    assert f"{query} (light)\n" in again
    assert call(retrieve, capsys, *flags, "--pictures=files")[0] == 0


def test_an_index_of_other_pictures(runs, files, tmp_path, capsys):
    index = tmp_path / "index.npz"
    flags = [f"--run_dir={runs / 'cvae_gan'}", f"--index={index}", f"--output={tmp_path / 'new'}"]
    message = "is of other pictures, or they have changed. Build it anew with --rebuild"
    assert call(retrieve, capsys, *flags, "--count=1")[0] == 0
    assert message in call(retrieve, capsys, *flags, f"--pictures={files}")[2]
    assert call(retrieve, capsys, *flags, f"--pictures={files}", "--rebuild", "--k=2")[0] == 0
    os.utime(files / "2.png", (1, 1))
    assert message in call(retrieve, capsys, *flags, f"--pictures={files}")[2]
    errors = call(retrieve, capsys, f"--run_dir={runs / 'lr_li_vae'}", *flags[1:])[2]
    assert "was built with another model, a CVAEGAN (" in errors
    assert "Received: a LRLIVAE (" in errors


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--run_dir=RUNS/gan"], "GAN has no encoder. Models with one: vae"),
        (["--k=25"], "at most the number of pictures in the index, 24. Received: 25"),
        (["--k=17", "--other_classes_only"], "of other classes in the index, 16. Received: 17"),
        (["--pictures=FILES/empty"], "--pictures: the folder"),
        (["--pictures=FILES/3b.png"], "An index needs at least one picture. Received: none"),
        (["--query=FILES/9.png"], "There is no file or folder"),
        (["--query=FILES/3b.png"], "Cannot read"),
        (["--labels=0"], "--labels are those of --query"),
        (["--query=FILES/0.png", "--labels=rose"], "--labels takes numbers from 0 to 2, or names"),
        (
            ["--run_dir=RUNS/cvae", "--query=FILES/0.png"],
            "CVAE reconstructs under a label, and has",
        ),
        (["--run_dir=RUNS/cvae", "--pictures=FILES/0.png"], "CVAE reconstructs under a label, and"),
        (
            ["--run_dir=RUNS/vae", "--query=FILES/0.png", "--other_classes_only"],
            "1 pictures of unknown class in the pictures to search by",
        ),
        (["--run_dir=RUNS/vae", "--query=FILES/0.png", "--labels=0"], "for models with classes"),
        (["--run_dir=missing"], "There is no model at 'missing"),
        (["--run_dir="], "--run_dir is missing"),
    ],
)
def test_errors_are_one_line_and_write_no_results(runs, files, tmp_path, capsys, flags, message):
    (files / "empty").mkdir()
    flags = [flag.replace("RUNS", str(runs)).replace("FILES", str(files)) for flag in flags]
    given = [f"--run_dir={runs / 'cvae_gan'}", f"--output={tmp_path / 'new'}", "--count=5"]
    code, _, errors = call(retrieve, capsys, *given, f"--index={tmp_path / 'index'}", *flags)
    assert (code, errors.count("\n")) == (1, 1)
    assert message in errors
    assert not (tmp_path / "new").exists()


def test_too_many_queries(runs, files, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(retrieve, "MOST", 2)
    (files / "3b.png").unlink()
    flags = [f"--run_dir={runs / 'cvae_gan'}", f"--output={tmp_path}", f"--query={files}"]
    errors = call(retrieve, capsys, *flags)[2]
    assert "--query takes at most 2 pictures. Received: 6" in errors

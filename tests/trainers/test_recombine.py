"""trainers.recombine on an untrained model."""

import json

import numpy as np
import pytest

import keras_cvaegan
from keras_cvaegan import pictures
from keras_cvaegan.applications import recombine as recombine_pictures
from tests.helpers.applied import call, read_grid, untrained_runs
from trainers import recombine
from trainers.pictures.held_out import HeldOut

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def runs(shared_cache, tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    with untrained_runs(root, shared_cache, "lr_li_vae", "cvae_gan"):
        yield root


@pytest.fixture
def files(tmp_path):
    """A folder of three pictures of no known class."""
    rng = np.random.default_rng(0)
    (tmp_path / "files").mkdir()
    for number in range(3):
        picture = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
        pictures.write_png(tmp_path / "files" / f"{number}.png", picture)
    return tmp_path / "files"


def check_grid(path, run_dir, rows, columns):
    """Originals on the left and on top, and recombined pictures between."""
    found = read_grid(path, len(rows) + 1, len(columns) + 1)
    assert (found[0, 0] == 255).all()
    np.testing.assert_array_equal(found[1:, 0], rows)
    np.testing.assert_array_equal(found[0, 1:], columns)
    expected = recombine_pictures(keras_cvaegan.load(run_dir), rows, columns)
    np.testing.assert_array_equal(found[1:, 1:], pictures.to_uint8(expected))


def test_pictures_of_files(runs, files, tmp_path, capsys):
    run_dir = runs / "lr_li_vae"
    flags = [f"--relevant={files}", f"--irrelevant={files / '2.png'},{files / '0.png'}"]
    code, output, errors = call(
        recombine, capsys, f"--run_dir={run_dir}", *flags, f"--output={tmp_path / 'new'}"
    )
    assert code == 0, errors
    images = np.stack([pictures.read_picture(files / f"{number}.png") for number in range(3)])
    check_grid(tmp_path / "new" / "recombined.png", run_dir, images, images[[2, 0]])
    results = json.loads((tmp_path / "new" / "recombine.json").read_text())
    assert results["relevant"] == [str(files / f"{number}.png") for number in range(3)]
    assert results["irrelevant"] == [str(files / "2.png"), str(files / "0.png")]
    assert f"Columns, which give z_u: {files / '2.png'}; {files / '0.png'}\n" in output


def test_a_given_picture_is_not_overwritten(runs, files, tmp_path, capsys):
    taken = files / "recombined.png"
    (files / "0.png").rename(taken)
    before = taken.read_bytes()
    flags = [f"--relevant={taken}", f"--irrelevant={files}", f"--output={files}"]
    code, _, errors = call(recombine, capsys, f"--run_dir={runs / 'lr_li_vae'}", *flags)
    assert (code, taken.read_bytes()) == (1, before)
    assert f"{str(taken)!r} would be overwritten by the result. Choose another" in errors


def test_held_out_pictures_by_label(runs, files, tmp_path, capsys):
    run_dir = runs / "lr_li_vae"
    flags = [f"--run_dir={run_dir}", f"--output={tmp_path}", "--count=3", "--seed=4"]
    labels = ["--relevant_labels=light,0", "--irrelevant_labels=light"]
    code, _, errors = call(recombine, capsys, *flags, *labels)
    assert code == 0, errors
    results = json.loads((tmp_path / "recombine.json").read_text())
    held_out = HeldOut(run_dir)
    rows = held_out.draw_in_turn([1, 0], 3, [4, 0])
    columns = held_out.draw_in_turn([1], 3, [4, 1])
    assert [results["relevant"], results["irrelevant"]] == [rows.names, columns.names]
    check_grid(tmp_path / "recombined.png", run_dir, rows.images, columns.images)


def test_held_out_pictures_of_all_classes(runs, files, tmp_path, capsys):
    drawn = []
    for seed in (0, 0, 1):
        flags = [f"--run_dir={runs / 'lr_li_vae'}", f"--output={tmp_path}", f"--seed={seed}"]
        assert call(recombine, capsys, *flags, f"--irrelevant={files}")[0] == 0
        drawn.append(json.loads((tmp_path / "recombine.json").read_text())["relevant"])
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(set(drawn[0])) == 6
    classes = [name.split()[-1] for name in drawn[0]]
    assert classes[:3] == classes[3:]
    assert len(set(classes)) == 3


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--run_dir=RUNS/cvae_gan"], "CVAEGAN has one code, z. Models with two, z_s and z_u: lr"),
        (["--relevant=RUNS/none"], "--relevant takes files or folders"),
        (
            ["--relevant_labels=rose"],
            "--relevant_labels takes numbers from 0 to 2, or names: dark, light",
        ),
        (["--relevant_labels=0", "--count=5"], "Of 'dark' there are 4 pictures held out, too few"),
        (["--relevant=RUNS/pictures", "--relevant_labels=0"], "give one of the two"),
        (["--count=101"], "--count=101"),
    ],
)
def test_errors_are_one_line_and_write_nothing(runs, tmp_path, capsys, flags, message):
    flags = [flag.replace("RUNS", str(runs)) for flag in flags]
    flags = [f"--run_dir={runs / 'lr_li_vae'}", f"--output={tmp_path / 'new'}", *flags]
    code, _, errors = call(recombine, capsys, *flags)
    assert (code, errors.count("\n")) == (1, 1)
    assert message in errors
    assert not (tmp_path / "new").exists()


def test_too_many_files(runs, files, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(recombine, "MOST", 2)
    flags = [f"--run_dir={runs / 'lr_li_vae'}", f"--output={tmp_path}", f"--irrelevant={files}"]
    errors = call(recombine, capsys, *flags)[2]
    assert "--irrelevant takes at most 2 pictures. Received: 3" in errors

"""trainers.transfer on untrained models."""

import json

import numpy as np
import pytest

import keras_cvaegan
from keras_cvaegan import applications, pictures
from tests.helpers.applied import call, read_grid, untrained_runs
from trainers import transfer
from trainers.pictures.held_out import HeldOut

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def runs(shared_cache, tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    with untrained_runs(root, shared_cache, "lr_li_vae", "cvae_gan", "cvae", "cgan", "vae"):
        yield root


@pytest.fixture
def files(tmp_path):
    """A folder of two pictures, the first of one colour."""
    (tmp_path / "files").mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    for number, picture in enumerate([np.zeros_like(noise), noise]):
        pictures.write_png(tmp_path / "files" / f"{number}.png", picture)
    return tmp_path / "files"


def check_grid(path, model, images, labels, targets):
    """Originals, reconstructions, and a column a target."""
    found = read_grid(path, len(images), 2 + len(targets))
    np.testing.assert_array_equal(found[:, 0], images)
    expected = applications.reconstruct(model, images, labels)
    np.testing.assert_array_equal(found[:, 1], pictures.to_uint8(expected))
    for column, target in enumerate(targets, 2):
        expected = applications.transfer(model, images, [target] * len(images), labels)
        np.testing.assert_array_equal(found[:, column], pictures.to_uint8(expected))


@pytest.mark.parametrize("name", ["cvae_gan", "lr_li_vae"])
def test_held_out_pictures_of_chosen_classes(runs, tmp_path, capsys, name):
    run_dir, new = runs / name, tmp_path / "new"
    flags = [f"--run_dir={run_dir}", f"--output={new}", "--count=3", "--seed=4"]
    code, output, errors = call(
        transfer, capsys, *flags, "--labels=light,0", "--to_labels=middle,dark"
    )
    assert code == 0, errors
    assert {path.name for path in new.iterdir()} == {"transferred.png", "transfer.json"}
    taken = HeldOut(run_dir).draw_in_turn([1, 0], 3, 4)
    model = keras_cvaegan.load(run_dir)
    check_grid(new / "transferred.png", model, taken.images, taken.labels, [2, 0])
    results = json.loads((new / "transfer.json").read_text())
    assert results["rows"] == taken.names
    assert results["classes"] == ["light", "dark", "light"]
    assert results["columns"] == ["original", "reconstruction", "middle", "dark"]
    assert "Columns from left to right: original; reconstruction; middle; dark\n" in output
    assert "Their classes, given: light; dark; light\n" in output


def test_all_classes_by_lot_and_the_first_targets(runs, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(transfer, "SHOWN_CLASSES", 2)
    drawn = []
    for seed in (0, 0, 1):
        flags = [f"--run_dir={runs / 'cvae'}", f"--output={tmp_path}", f"--seed={seed}"]
        assert call(transfer, capsys, *flags)[0] == 0
        results = json.loads((tmp_path / "transfer.json").read_text())
        assert results["columns"] == ["original", "reconstruction", "dark", "light"]
        assert len(set(results["rows"])) == 6
        assert set(results["classes"][:3]) == set(results["classes"][3:])
        assert len(set(results["classes"])) == 3
        drawn.append(results["rows"])
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize("labels", [None, "light", "2,0"])
def test_given_pictures(runs, files, tmp_path, capsys, labels):
    run_dir, model = runs / "cvae_gan", keras_cvaegan.load(runs / "cvae_gan")
    flags = [f"--run_dir={run_dir}", f"--pictures={files}", f"--output={tmp_path}"]
    flags += [f"--labels={labels}"] if labels else []
    code, output, errors = call(transfer, capsys, *flags)
    assert code == 0, errors
    images = np.stack([pictures.read_picture(files / f"{number}.png") for number in range(2)])
    expected = {None: model.classify(images).argmax(axis=1), "light": [1, 1], "2,0": [2, 0]}[labels]
    check_grid(tmp_path / "transferred.png", model, images, expected, [0, 1, 2])
    results = json.loads((tmp_path / "transfer.json").read_text())
    assert results["classes"] == [model.class_names[label] for label in expected]
    assert results["labels"] == ("given" if labels else "guessed by its classifier")
    assert f"Their classes, {results['labels']}: " in output


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--run_dir=RUNS/vae"], "VAE has no classes: there is no other to show a picture as"),
        (["--run_dir=RUNS/cgan"], "CGAN has no encoder. Models with one: vae"),
        (
            ["--run_dir=RUNS/cvae", "--pictures=FILES"],
            "CVAE reconstructs under a label, and has no classifier",
        ),
        (["--to_labels=0,3"], "--to_labels takes numbers from 0 to 2, or names: dark, light"),
        (["--labels=rose"], "--labels takes numbers from 0 to 2, or names: dark, light"),
        (["--labels=0", "--count=5"], "Of 'dark' there are 4 pictures held out, too few"),
        (["--pictures=FILES", "--labels=0,1,2"], "one for each of the 2. Received: 3"),
        (["--pictures=FILES/9.png"], "There is no file or folder"),
        (["--count=101"], "--count=101"),
        (["--run_dir=missing"], "There is no model at 'missing"),
    ],
)
def test_errors_are_one_line_and_write_nothing(runs, files, tmp_path, capsys, flags, message):
    flags = [flag.replace("RUNS", str(runs)).replace("FILES", str(files)) for flag in flags]
    given = [f"--run_dir={runs / 'cvae_gan'}", f"--output={tmp_path / 'new'}"]
    code, _, errors = call(transfer, capsys, *given, *flags)
    assert (code, errors.count("\n")) == (1, 1)
    assert message in errors
    assert not (tmp_path / "new").exists()


def test_a_given_picture_is_not_overwritten(runs, files, tmp_path, capsys):
    taken = files / "transferred.png"
    (files / "0.png").rename(taken)
    before = taken.read_bytes()
    flags = [f"--pictures={files}", f"--output={files}"]
    code, _, errors = call(transfer, capsys, f"--run_dir={runs / 'cvae_gan'}", *flags)
    assert (code, taken.read_bytes()) == (1, before)
    assert f"{str(taken)!r} would be overwritten by the result. Choose another" in errors


def test_codes_found_by_optimisation(runs, files, tmp_path, capsys):
    flags = [f"--run_dir={runs / 'cgan'}", f"--output={tmp_path / 'new'}", "--find_codes=2"]
    pictures_of = [f"--pictures={files}", "--labels=0,1"]
    code, _, errors = call(transfer, capsys, *flags, *pictures_of)
    assert code == 0, errors
    assert json.loads((tmp_path / "new" / "transfer.json").read_text())["model"] == "CGAN"
    errors = call(transfer, capsys, *flags[:2], *pictures_of)[2]
    # The message says how.
    assert "Or have codes searched for, as by --find_codes=200." in errors


def test_too_many(runs, files, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(transfer, "MOST", 1)
    flags = [f"--run_dir={runs / 'cvae_gan'}", f"--output={tmp_path}", f"--pictures={files}"]
    assert "--pictures takes at most 1 pictures. Received: 2." in call(transfer, capsys, *flags)[2]
    errors = call(transfer, capsys, *flags, "--to_labels=0,1")[2]
    assert "--to_labels takes at most 1 classes. Received: 2." in errors

"""trainers.super_resolve on untrained models."""

import json

import numpy as np
import pytest
import tensorflow as tf

import keras_cvaegan
from keras_cvaegan import applications, pictures
from tests.helpers.applied import call, read_grid, untrained_runs
from trainers import super_resolve
from trainers.applications import small_pictures, super_resolution
from trainers.pictures.held_out import HeldOut

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def runs(shared_cache, tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    with untrained_runs(root, shared_cache, "lr_li_vae", "cvae_gan", "cvae", "vae", "gan"):
        yield root


@pytest.fixture
def files(tmp_path):
    """A folder of small pictures: two of 8 pixels, the first of one colour, and one of 4."""
    (tmp_path / "files").mkdir()
    rng = np.random.default_rng(0)
    for name, side in (("1", 8), ("2", 4), ("3", 8)):
        picture = rng.integers(0, 256, (side, side, 3), dtype=np.uint8)
        picture = np.full_like(picture, 255) if name == "1" else picture
        pictures.write_png(tmp_path / "files" / f"{name}.png", picture)
    return tmp_path / "files"


def psnr(images, others):
    """Mean over pictures, of values in [0, 255]."""
    errors = np.mean((images - (others + 1) * 127.5) ** 2, axis=(1, 2, 3))
    return np.mean(20 * np.log10(255 / np.sqrt(errors)))


def check_figures(found, images, expected):
    assert found["psnr"] == pytest.approx(psnr(images, expected), rel=1e-4)
    similar = tf.image.ssim(images, pictures.to_uint8(expected), max_val=255).numpy()
    assert found["ssim"] == pytest.approx(float(similar.mean()), abs=1e-4)


def test_two_models_on_held_out_pictures(runs, tmp_path, capsys):
    first, second = runs / "lr_li_vae", runs / "cvae_gan"
    flags = [f"--run_dir={first}", f"--against={second}", f"--output={tmp_path}", "--shown=3"]
    code, output, errors = call(super_resolve, capsys, *flags, "--count=5", "--rounds=2,1")
    assert code == 0, errors
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"x2.png", "x4.png", "super_resolve.json"}
    taken = HeldOut(first).draw(5, 0)
    results = json.loads((tmp_path / "super_resolve.json").read_text())
    assert results["pictures"] == {"x2": 5, "x4": 5}
    assert results["shown"] == dict.fromkeys(("x2", "x4"), taken.names[:3])
    assert results["labels"] == {"LRLIVAE": "not needed", "CVAEGAN": "given"}
    models = {"LRLIVAE": keras_cvaegan.load(first), "CVAEGAN": keras_cvaegan.load(second)}
    for factor in (2, 4):
        blocks = taken.images.reshape(5, 16 // factor, factor, 16 // factor, factor, 3)
        small = np.rint(blocks.mean(axis=(2, 4))).astype(np.uint8)
        y = pictures.from_uint8(small)
        expected = {"bicubic": applications.enlarge(y, factor)}
        expected["bicubic, made to agree"] = applications.back_project(expected["bicubic"], y)
        for title, model in models.items():
            for number, text in ((1, "1 round"), (2, "2 rounds")):
                expected[f"{title}, {text}"] = applications.super_resolve(
                    model, small, taken.labels, rounds=number
                )
        found = results["figures"][f"x{factor}"]
        assert list(found) == list(expected)
        sheet = read_grid(tmp_path / f"x{factor}.png", len(expected) + 2, 3)
        nearest = small.repeat(factor, axis=1).repeat(factor, axis=2)
        np.testing.assert_array_equal(sheet[0], nearest[:3])
        np.testing.assert_array_equal(sheet[-1], taken.images[:3])
        for row, (title, images) in enumerate(expected.items(), 1):
            check_figures(found[title], taken.images, images)
            # Of three pictures instead of five the networks' sums are rounded otherwise.
            shown = pictures.to_uint8(images[:3]).astype(int)
            assert np.abs(sheet[row] - shown).max() <= 1
    assert results["rows"] == ["small", *expected, "original"]
    assert "| x2 psnr | x2 ssim | x4 psnr | x4 ssim |" in output
    assert output.count("| LRLIVAE, ") == output.count("| CVAEGAN, ") == 2
    assert "Means over 5 pictures" in output
    assert "Highest: x2 psnr: bicubic, made to agree; " in output


def test_batches_are_those_of_the_whole(runs, tmp_path, capsys, monkeypatch):
    found = []
    for size in (128, 2):
        monkeypatch.setattr(super_resolution, "BATCH_SIZE", size)
        flags = [f"--run_dir={runs / 'cvae_gan'}", f"--output={tmp_path}", "--count=5"]
        assert call(super_resolve, capsys, *flags, "--rounds=1", "--factors=8")[0] == 0
        results = json.loads((tmp_path / "super_resolve.json").read_text())
        found.append(results["figures"]["x8"])
    for title, figures in found[0].items():
        assert found[1][title] == pytest.approx(figures, rel=1e-4)


def test_labels_are_guessed_where_told_to(runs, tmp_path, capsys):
    run_dir = runs / "cvae_gan"
    flags = [f"--run_dir={run_dir}", f"--output={tmp_path}", "--count=4", "--nolabels_given"]
    code, output, errors = call(super_resolve, capsys, *flags, "--rounds=1", "--factors=4")
    assert code == 0, errors
    assert "Labels: CVAEGAN: guessed by its classifier." in output
    images = HeldOut(run_dir).draw(4, 0).images
    small = small_pictures.reduce_pictures(images, 4)
    expected = applications.super_resolve(keras_cvaegan.load(run_dir), small)
    results = json.loads((tmp_path / "super_resolve.json").read_text())
    check_figures(results["figures"]["x4"]["CVAEGAN, 1 round"], images, expected)


def test_a_given_picture_is_not_overwritten(runs, files, tmp_path, capsys):
    taken = files / "x2.png"
    (files / "1.png").rename(taken)
    before = taken.read_bytes()
    flags = [f"--pictures={files}", "--rounds=1", f"--output={files}"]
    code, _, errors = call(super_resolve, capsys, f"--run_dir={runs / 'cvae_gan'}", *flags)
    assert (code, taken.read_bytes()) == (1, before)
    assert f"{str(taken)!r} would be overwritten by the result. Choose another" in errors


@pytest.mark.parametrize("labels", [None, "light", "2,0,1"])
def test_own_small_pictures_by_their_size(runs, files, tmp_path, capsys, labels):
    run_dir, new = runs / "cvae_gan", tmp_path / "new"
    flags = [f"--run_dir={run_dir}", f"--pictures={files}", "--rounds=1", f"--output={new}"]
    flags += [f"--labels={labels}"] if labels else []
    code, output, errors = call(super_resolve, capsys, *flags)
    assert code == 0, errors
    assert "psnr" not in output
    results = json.loads((new / "super_resolve.json").read_text())
    assert results["figures"] == {}
    expected = {"x2": [str(files / "1.png"), str(files / "3.png")], "x4": [str(files / "2.png")]}
    assert results["shown"] == expected
    of_file = {"1": 2, "2": 0, "3": 1} if labels == "2,0,1" else dict.fromkeys("123", 1)
    for name, numbers in (("x2", "13"), ("x4", "2")):
        small = np.stack([pictures.read_picture(files / f"{number}.png") for number in numbers])
        given = [of_file[number] for number in numbers] if labels else None
        enlarged = applications.super_resolve(keras_cvaegan.load(run_dir), small, given)
        sheet = read_grid(new / f"{name}.png", 4, len(numbers))
        np.testing.assert_array_equal(sheet[3], pictures.to_uint8(enlarged))
    assert results["rows"] == ["small", "bicubic", "bicubic, made to agree", "CVAEGAN, 1 round"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--run_dir=RUNS/gan"], "GAN has no encoder. Models with one: vae"),
        (["--run_dir=RUNS/cvae", "--nolabels_given"], "CVAE reconstructs under a label, and has"),
        (["--run_dir=RUNS/cvae", "--pictures=FILES"], "CVAE reconstructs under a label, and has"),
        (["--factors=3"], "divide the pictures' side, 16: 2, 4, 8, 16. Received: 3"),
        (["--factors=1"], "Received: 1"),
        (["--factors=2,x"], "--factors takes an integer. Received: 'x'"),
        (["--factors=2", "--pictures=FILES"], "those of --pictures follow from their size"),
        (["--rounds=0"], "--rounds takes numbers of at least 1. Received: 0"),
        (["--labels=0"], "--labels are those of --pictures"),
        (["--pictures=FILES", "--labels=0,1"], "one for each of the 3. Received: 2"),
        (["--pictures=FILES", "--labels=3"], "--labels takes numbers from 0 to 2"),
        (["--pictures=FILES", "--labels=0", "--run_dir=RUNS/vae"], "These have none"),
        (["--pictures=FILES/9.png"], "There is no file or folder"),
        (["--pictures=FILES/../notes.txt"], "not a picture, or damaged"),
        (["--pictures=FILES/../large.png"], "of 8×8, 4×4, 2×2, 1×1 pixels for a model of 16×16"),
        (["--pictures=FILES/../large.png"], "large.png', which has 16×16."),
        (["--pictures=FILES/../wide.png"], "wide.png', which has 8×4."),
        (["--against=missing"], "There is no model at 'missing"),
        (["--run_dir="], "--run_dir is missing"),
    ],
)
def test_errors_are_one_line_and_write_nothing(runs, files, tmp_path, capsys, flags, message):
    pictures.write_png(tmp_path / "large.png", np.zeros((16, 16, 3), np.uint8))
    pictures.write_png(tmp_path / "wide.png", np.zeros((4, 8, 3), np.uint8))
    (tmp_path / "notes.txt").write_text("none")
    flags = [flag.replace("RUNS", str(runs)).replace("FILES", str(files)) for flag in flags]
    given = [f"--run_dir={runs / 'lr_li_vae'}", f"--output={tmp_path / 'new'}", "--count=2"]
    code, _, errors = call(super_resolve, capsys, *given, *flags)
    assert (code, errors.count("\n")) == (1, 1)
    assert message in errors
    assert not (tmp_path / "new").exists()

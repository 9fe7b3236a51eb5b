"""trainers.inpaint on untrained models."""

import json

import numpy as np
import pytest

import keras_cvaegan
from keras_cvaegan import applications, pictures
from keras_cvaegan.applications import masks
from tests.helpers.applied import call, read_grid, untrained_runs
from trainers import inpaint
from trainers.applications import inpainting
from trainers.pictures.held_out import HeldOut

pytestmark = pytest.mark.slow

SHAPE = (16, 16, 3)


@pytest.fixture(scope="module")
def runs(shared_cache, tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    with untrained_runs(root, shared_cache, "lr_li_vae", "cvae_gan", "cvae", "gan"):
        yield root


@pytest.fixture
def files(tmp_path):
    """A folder of two pictures, and a mask of their size."""
    rng = np.random.default_rng(0)
    (tmp_path / "files").mkdir()
    for number in range(2):
        picture = rng.integers(0, 256, SHAPE, dtype=np.uint8)
        pictures.write_png(tmp_path / "files" / f"{number}.png", picture)
    mask = np.zeros(SHAPE, np.uint8)
    mask[3:5, 8:] = 255
    pictures.write_png(tmp_path / "scratch.png", mask)
    return tmp_path / "files"


def by_hand(images, filled, mask):
    """Mean over pictures of the mean squared error inside the hole."""
    exact = images / 127.5 - 1
    inside = np.broadcast_to(mask, images.shape[:3])
    return np.mean([np.mean((x[m] - y[m]) ** 2)
                    for x, y, m in zip(exact, filled, inside, strict=True)])  # fmt: skip


def test_the_regions_are_those_of_the_library():
    assert tuple(masks.REGIONS) == inpaint.REGIONS


def test_two_models_on_held_out_pictures(runs, tmp_path, capsys):
    first, second = runs / "lr_li_vae", runs / "cvae_gan"
    flags = [f"--run_dir={first}", f"--against={second}", f"--output={tmp_path}", "--shown=3"]
    code, output, errors = call(inpaint, capsys, *flags, "--count=5", "--rounds=2,1", "--seed=3")
    assert code == 0, errors
    taken = HeldOut(first).draw(5, 3)
    results = json.loads((tmp_path / "inpaint.json").read_text())
    assert results["pictures"] == {"count": 5, "shown": taken.names[:3]}
    assert results["labels"] == {"LRLIVAE": "not needed", "CVAEGAN": "given"}
    models = {"LRLIVAE": keras_cvaegan.load(first), "CVAEGAN": keras_cvaegan.load(second)}
    for name in inpaint.REGIONS:
        mask = masks.region_mask(name, SHAPE)
        assert results["share_of_picture"][name] == mask.mean()
        filled = applications.fill_holes(taken.images / 127.5 - 1, mask)
        errors_of = results["squared_error"]
        expected = by_hand(taken.images, filled, mask)
        assert errors_of["filled with the mean"][name] == pytest.approx(expected, rel=1e-4)
        sheet = read_grid(tmp_path / f"{name}.png", 6, 3)
        np.testing.assert_array_equal(sheet[0], taken.images[:3])
        assert (sheet[1][:, mask] == 128).all()
        np.testing.assert_array_equal(sheet[1][:, ~mask], taken.images[:3, ~mask])
        row = 2
        for title, model in models.items():
            for number in (1, 2):
                of_round = applications.inpaint(
                    model, taken.images, mask, taken.labels, rounds=number
                )[number]
                expected = by_hand(taken.images, of_round, mask)
                found = errors_of[title][name][str(number)]
                assert found == pytest.approx(expected, rel=1e-4)
                np.testing.assert_array_equal(sheet[row], pictures.to_uint8(of_round[:3]))
                row += 1
    assert results["rows"][:3] == ["original", "corrupted", "LRLIVAE, 1 round"]
    assert results["rows"][5] == "CVAEGAN, 2 rounds"
    assert "right_half |  eyes | nose_and_mouth | bottom_half |" in output
    assert output.count("| LRLIVAE, ") == output.count("| CVAEGAN, ") == 2
    assert "of 5 pictures" in output


def test_batches_are_those_of_the_whole(runs, tmp_path, capsys, monkeypatch):
    found = []
    for size in (128, 2):
        monkeypatch.setattr(inpainting, "BATCH_SIZE", size)
        flags = [f"--run_dir={runs / 'cvae_gan'}", f"--output={tmp_path}", "--count=5"]
        assert call(inpaint, capsys, *flags, "--mask=hole", "--rounds=2", "--shown=2")[0] == 0
        results = json.loads((tmp_path / "inpaint.json").read_text())
        found.append((results["squared_error"], read_grid(tmp_path / "hole.png", 3, 2)))
    assert found[0][0]["CVAEGAN"]["hole"]["2"] == pytest.approx(
        found[1][0]["CVAEGAN"]["hole"]["2"], rel=1e-5
    )
    np.testing.assert_array_equal(found[0][1], found[1][1])


def test_files_with_labels_and_masks_of_each_kind(runs, files, tmp_path, capsys):
    flags = [f"--run_dir={runs / 'cvae'}", f"--pictures={files}", "--labels=light,0", "--rounds=1"]
    kinds = ["hole", "rectangle:0,0.5,0.25,1", tmp_path / "scratch.png"]
    flags += [f"--mask={kind}" for kind in kinds]
    code, output, errors = call(inpaint, capsys, *flags, f"--output={tmp_path / 'new'}")
    assert code == 0, errors
    names = {path.name for path in (tmp_path / "new").iterdir()}
    rectangle = "rectangle_0_0.5_0.25_1"
    assert names == {"hole.png", f"{rectangle}.png", "scratch.png", "inpaint.json"}
    images = np.stack([pictures.read_picture(files / f"{number}.png") for number in range(2)])
    expected = {
        "hole": applications.hole_masks(2, SHAPE, seed=0),
        rectangle: np.arange(16)[:, None] // 4 + (np.arange(16) < 8) == 0,
        "scratch": np.isin(np.arange(16)[:, None], (3, 4)) & (np.arange(16) >= 8),
    }
    model = keras_cvaegan.load(runs / "cvae")
    results = json.loads((tmp_path / "new" / "inpaint.json").read_text())
    for name, mask in expected.items():
        filled = applications.inpaint(model, images, mask, [1, 0])[1]
        found = results["squared_error"]["CVAE"][name]["1"]
        assert found == pytest.approx(by_hand(images, filled, mask), rel=1e-4)
    assert "Labels: CVAE: given." in output


@pytest.mark.parametrize("source", ["files", "held out"])
def test_labels_that_are_not_given_are_guessed(runs, files, tmp_path, capsys, source):
    run_dir = runs / "cvae_gan"
    taken = HeldOut(run_dir).draw(2, 0).images
    flags = ["--count=2", "--nolabels_given"]
    if source == "files":
        taken = np.stack([pictures.read_picture(files / f"{number}.png") for number in range(2)])
        flags = [f"--pictures={files}"]
    flags += [f"--run_dir={run_dir}", "--mask=eyes", "--rounds=1", f"--output={tmp_path}"]
    code, output, errors = call(inpaint, capsys, *flags)
    assert code == 0, errors
    assert "Labels: CVAEGAN: guessed by its classifier." in output
    expected = applications.inpaint(
        keras_cvaegan.load(run_dir), taken, masks.region_mask("eyes", SHAPE)
    )
    found = read_grid(tmp_path / "eyes.png", 3, 2)[2]
    np.testing.assert_array_equal(found, pictures.to_uint8(expected[1]))


def test_runs_of_one_model_are_told_apart(runs, tmp_path, capsys):
    other = tmp_path / "other"
    other.mkdir()
    (other / "model.keras").write_bytes((runs / "cvae" / "model.keras").read_bytes())
    flags = [f"--run_dir={runs / 'cvae'}", f"--against={runs / 'cvae'}", f"--against={other}"]
    flags += ["--mask=eyes", "--rounds=1", "--count=2", f"--output={tmp_path}"]
    code, output, errors = call(inpaint, capsys, *flags)
    assert code == 0, errors
    assert output.count(f"| CVAE ({other}), 1 round") == 1
    assert output.count(f"| CVAE ({runs / 'cvae'}), 1 round") == 1


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--run_dir=RUNS/gan"], "GAN has no encoder. Models with one: vae"),
        (["--run_dir=RUNS/cvae", "--nolabels_given"], "CVAE reconstructs under a label, and has"),
        (["--against=RUNS/cvae", "--pictures=FILES"], "CVAE reconstructs under a label, and has"),
        (["--labels=0"], "--labels are those of --pictures"),
        (["--pictures=FILES", "--labels=0,1,2"], "one for each of the 2. Received: 3"),
        (["--pictures=FILES/9.png"], "There is no file or folder"),
        (["--rounds=0"], "--rounds takes numbers of at least 1. Received: 0"),
        (["--rounds=1,x"], "--rounds takes an integer. Received: 'x'"),
        (["--mask=nose"], "--mask takes right_half, eyes, nose_and_mouth, bottom_half, hole, rect"),
        (["--mask=rectangle:0,0,1"], "takes four. Received: 'rectangle:0,0,1'"),
        (["--mask=rectangle:0,0,1,x"], "takes a number. Received: 'x'"),
        (["--mask=rectangle:0,0,2,1"], "shares of height and width"),
        (["--mask=rectangle:0,0,1,1"], "leaves nothing"),
        (["--mask=FILES/0.png", "--mask=FILES/../0.png"], "two holes are named '0'"),
        (["--mask=FILES/../small.png"], "small.png: A mask must have the size of the pictures, 16"),
        (["--mask=FILES/../notes.txt"], "not a picture, or damaged"),
        (["--against=missing"], "There is no model at 'missing"),
    ],
)
def test_errors_are_one_line_and_write_nothing(runs, files, tmp_path, capsys, flags, message):
    small = np.full((4, 4, 3), 255, np.uint8)
    pictures.write_png(tmp_path / "small.png", small)
    pictures.write_png(tmp_path / "0.png", pictures.read_picture(files / "0.png"))
    (tmp_path / "notes.txt").write_text("none")
    flags = [flag.replace("RUNS", str(runs)).replace("FILES", str(files)) for flag in flags]
    given = [f"--run_dir={runs / 'lr_li_vae'}", f"--output={tmp_path / 'new'}", "--count=2"]
    code, _, errors = call(inpaint, capsys, *given, *flags)
    assert (code, errors.count("\n")) == (1, 1)
    assert message in errors
    assert not (tmp_path / "new").exists()


def test_runs_on_other_data(runs, tmp_path, capsys):
    from keras_cvaegan.models import VAE

    VAE.from_preset("compact", image_shape=(32, 32, 3), latent_dim=3).save(tmp_path / "model.keras")
    flags = [f"--run_dir={runs / 'lr_li_vae'}", f"--against={tmp_path}"]
    errors = call(inpaint, capsys, *flags)[2]
    assert "--against takes runs on the same data. Received: " in errors
    assert "(16, 16, 3) and dark, light, middle" in errors
    assert "(32, 32, 3) and any" in errors

"""trainers.morph on untrained models."""

import json

import numpy as np
import pytest
from PIL import Image

import keras_cvaegan
from keras_cvaegan import applications, pictures
from tests.helpers.applied import call, read_grid, untrained_runs
from trainers import morph
from trainers.applications import morphing
from trainers.pictures.held_out import HeldOut

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def runs(shared_cache, tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    with untrained_runs(root, shared_cache, "lr_li_vae", "cvae_gan", "cvae", "vae", "gan"):
        yield root


@pytest.fixture
def files(tmp_path):
    """A folder of two pictures, the first of one colour."""
    (tmp_path / "files").mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    for number, picture in enumerate([np.full_like(noise, 255), noise]):
        pictures.write_png(tmp_path / "files" / f"{number}.png", picture)
    return tmp_path / "files"


def check_grid(path, run_dir, ends, labels=(None, None), steps=9):
    """Originals at both ends of each row, and what lies between."""
    found = read_grid(path, len(ends[0]), steps + 2)
    np.testing.assert_array_equal(found[:, 0], ends[0])
    np.testing.assert_array_equal(found[:, -1], ends[1])
    expected = applications.morph(keras_cvaegan.load(run_dir), *ends, *labels, steps=steps)
    np.testing.assert_array_equal(found[:, 1:-1], pictures.to_uint8(expected))


def taken(run_dir, names):
    """Held-out pictures and labels by what they are called."""
    return HeldOut(run_dir).take(np.array([int(name.split()[1]) for name in names]))


def test_pairs_of_held_out_pictures_of_a_class(runs, tmp_path, capsys):
    run_dir = runs / "cvae_gan"
    flags = [f"--run_dir={run_dir}", f"--output={tmp_path / 'new'}", "--steps=4", "--seed=3"]
    code, output, errors = call(morph, capsys, *flags, "--labels=light,0", "--count=3")
    assert code == 0, errors
    assert {path.name for path in (tmp_path / "new").iterdir()} == {"morph.png", "morph.json"}
    results = json.loads((tmp_path / "new" / "morph.json").read_text())
    first, second = (taken(run_dir, names) for names in zip(*results["rows"], strict=True))
    assert first.labels.tolist() == second.labels.tolist() == [1, 0, 1]
    assert len({name for pair in results["rows"] for name in pair}) == 6
    ends, labels = (first.images, second.images), (first.labels, second.labels)
    check_grid(tmp_path / "new" / "morph.png", run_dir, ends, labels, steps=4)
    assert results["labels"] == "given"
    assert f"{first.names[0]} → {second.names[0]}; {first.names[1]} → " in output


def test_all_classes_by_lot(runs, tmp_path, capsys):
    drawn = []
    for seed in (0, 0, 1):
        flags = [f"--run_dir={runs / 'lr_li_vae'}", f"--output={tmp_path}", f"--seed={seed}"]
        assert call(morph, capsys, *flags, "--steps=2")[0] == 0
        drawn.append(json.loads((tmp_path / "morph.json").read_text())["rows"])
    assert drawn[0] == drawn[1] != drawn[2]
    # All pictures there are, in pairs of a class.
    assert len({name for pair in drawn[0] for name in pair}) == 12
    classes = [[name.split()[-1] for name in pair] for pair in drawn[0]]
    assert all(first == second for first, second in classes)
    assert len({first for first, _ in classes[:3]}) == 3


@pytest.mark.parametrize("name", ["cvae", "lr_li_vae", "vae"])
def test_between_classes(runs, tmp_path, capsys, name):
    run_dir = runs / name
    flags = [f"--run_dir={run_dir}", f"--output={tmp_path}", "--between=middle,0", "--count=4"]
    code, output, errors = call(morph, capsys, *flags)
    assert code == 0, errors
    results = json.loads((tmp_path / "morph.json").read_text())
    first, second = (taken(run_dir, names) for names in zip(*results["rows"], strict=True))
    assert [first.labels.tolist(), second.labels.tolist()] == [[2] * 4, [0] * 4]
    ends, labels = (first.images, second.images), (first.labels, second.labels)
    check_grid(tmp_path / "morph.png", run_dir, ends, labels)
    assert f"Labels: {'given' if name == 'cvae' else 'not needed'}." in output


def test_a_given_picture_is_not_overwritten(runs, files, tmp_path, capsys):
    taken = files / "morph.png"
    (files / "0.png").rename(taken)
    before = taken.read_bytes()
    flags = [f"--first={taken}", f"--second={files / '1.png'}", f"--output={files}"]
    code, _, errors = call(morph, capsys, f"--run_dir={runs / 'cvae_gan'}", *flags)
    assert (code, taken.read_bytes()) == (1, before)
    assert f"{str(taken)!r} would be overwritten by the result. Choose another" in errors


@pytest.mark.parametrize(
    ("flags", "labels"),
    [
        ([], None),
        (["--labels=light"], ([1, 1], [1, 1])),
        (["--labels=2,0"], ([2, 0], [2, 0])),
        (["--between=2,0"], ([2, 2], [0, 0])),
    ],
)
def test_given_pictures(runs, files, tmp_path, capsys, flags, labels):
    run_dir, new = runs / "cvae_gan", tmp_path / "new"
    ends = [f"--first={files}", f"--second={files / '1.png'},{files / '0.png'}"]
    code, output, errors = call(
        morph, capsys, f"--run_dir={run_dir}", *ends, *flags, f"--output={new}"
    )
    assert code == 0, errors
    images = np.stack([pictures.read_picture(files / f"{number}.png") for number in range(2)])
    ends = images, images[::-1]
    check_grid(new / "morph.png", run_dir, ends, labels or (None, None))
    known = "given" if labels else "guessed by its classifier"
    assert f"Labels: {known}." in output
    rows = json.loads((new / "morph.json").read_text())["rows"]
    assert rows[0] == [str(files / "0.png"), str(files / "1.png")]


def test_an_animation_there_and_back(runs, tmp_path, capsys):
    flags = [f"--run_dir={runs / 'vae'}", f"--output={tmp_path}", "--gif", "--labels=dark"]
    code, output, errors = call(morph, capsys, *flags, "--count=2", "--steps=3")
    assert code == 0, errors
    assert {path.name for path in tmp_path.iterdir()} == {"morph.png", "morph.gif", "morph.json"}
    assert "morph.png, morph.gif, morph.json" in output
    with Image.open(tmp_path / "morph.gif") as animation:
        # 16 pixels six times, beside each other, with 2 between and around.
        assert animation.size == (2 * 98 + 2, 98 + 2)


def test_frames_of_an_animation(tmp_path):
    values = np.array([[0, 100, 200], [50, 150, 250]], np.uint8)
    images = np.broadcast_to(values[..., None, None, None], (2, 3, 120, 120, 3))
    morphing.write_animation(tmp_path / "morph.gif", images)
    found, rests = [], []
    with Image.open(tmp_path / "morph.gif") as animation:
        assert animation.info["loop"] == 0
        assert animation.size == (2 * 122 + 2, 124)
        for number in range(animation.n_frames):
            animation.seek(number)
            frame = np.array(animation.convert("RGB"))
            found.append([int(frame[60, 60, 0]), int(frame[60, 180, 0])])
            rests.append(animation.info["duration"])
    assert found == [[0, 50], [100, 150], [200, 250], [100, 150]]
    assert rests == [700, 100, 700, 100]
    assert [path.name for path in tmp_path.iterdir()] == ["morph.gif"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--run_dir=RUNS/gan"], "GAN has no encoder. Models with one: vae"),
        (["--first=FILES"], "--first gives pictures on the left, --second those on the right"),
        (["--first=FILES", "--second=FILES/0.png"], "as each other, at most 100. Received: 2 and"),
        (["--first=FILES", "--second=FILES/9.png"], "--second takes files or folders"),
        (["--first=FILES", "--second=FILES", "--labels=0,1,2"], "one for each of the 2. Received"),
        (
            ["--first=FILES", "--second=FILES", "--run_dir=RUNS/cvae"],
            "CVAE reconstructs under a label, and has no classifier",
        ),
        (
            ["--first=FILES", "--second=FILES", "--run_dir=RUNS/vae", "--between=0,1"],
            "VAE has no classes: leave out --labels or --between",
        ),
        (["--labels=0", "--between=0,1"], "give one of the two"),
        (["--labels=rose"], "--labels takes numbers from 0 to 2, or names: dark, light"),
        (["--between=0"], "--between takes two classes, as in 0,3. Received: '0'"),
        (["--between=0,rose"], "--between takes numbers from 0 to 2, or names: dark"),
        (["--labels=0", "--count=3"], "Of 'dark' there are 4 pictures held out, and 3 rows take 6"),
        (["--between=0,1", "--count=5"], "Of 'dark' there are 4 pictures held out, and 5 rows"),
        (["--steps=1"], "--steps=1"),
        (["--run_dir=missing"], "There is no model at 'missing"),
        (["--run_dir="], "--run_dir is missing"),
    ],
)
def test_errors_are_one_line_and_write_nothing(runs, files, tmp_path, capsys, flags, message):
    flags = [flag.replace("RUNS", str(runs)).replace("FILES", str(files)) for flag in flags]
    given = [f"--run_dir={runs / 'cvae_gan'}", f"--output={tmp_path / 'new'}"]
    code, _, errors = call(morph, capsys, *given, *flags)
    assert (code, errors.count("\n")) == (1, 1)
    assert message in errors
    assert not (tmp_path / "new").exists()

"""trainers.novelty on what stands for models that copy, and that do not."""

import json

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from keras_cvaegan import pictures, saving
from keras_cvaegan.applications import find_copies
from keras_cvaegan.models import VAE
from tests.helpers.applied import call, read_grid, untrained_runs
from tests.helpers.untrained import Painter
from trainers import novelty
from trainers.applications import novelty as room
from trainers.pictures.held_out import RunPictures

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def runs(shared_cache, tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    with untrained_runs(root, shared_cache, "cvae_gan", "gan"):
        yield root


class Copier(Painter):
    """Its samples are the pictures of a split."""

    def __init__(self, pictures, conditional=True):
        super().__init__(conditional)
        self._images = pictures.images

    def generate(self, labels, seed=0):
        return np.array(self._images[np.asarray(seed) % len(self._images)])


def flat(images):
    return images.reshape(len(images), -1) / 255


def judge(model, runs, tmp_path, capsys, monkeypatch, *flags):
    monkeypatch.setattr(saving, "load", lambda path: model)
    given = [f"--run_dir={runs / 'cvae_gan'}", f"--output={tmp_path}", "--samples=50", "--shown=4"]
    code, output, errors = call(novelty, capsys, *given, *flags)
    assert code == 0, errors
    return json.loads((tmp_path / "novelty.json").read_text()), output


def test_training_pictures_are_copies(runs, tmp_path, capsys, monkeypatch):
    training = RunPictures(runs / "cvae_gan", "train")
    results, output = judge(Copier(training), runs, tmp_path, capsys, monkeypatch)
    assert results["memorised"] is True
    assert results["p_value"] < 1e-9
    assert results["identical_to_training"] == 50
    assert len(results["copies"]) == 50
    assert results["figures"]["generated"]["copies"] == 1
    assert "Verdict: the model copies training pictures. 50 of 50 samples are taken for" in output
    assert output.count("100.0%") == 1
    sheet = read_grid(tmp_path / "nearest.png", 4, 7)
    np.testing.assert_array_equal(sheet[:, 0], sheet[:, 2])
    assert (sheet[:, 1] == 255).all()


@pytest.mark.parametrize("conditional", [True, False])
def test_held_out_pictures_are_none(runs, tmp_path, capsys, monkeypatch, conditional):
    test = RunPictures(runs / "cvae_gan", "test")
    results, output = judge(Copier(test, conditional), runs, tmp_path, capsys, monkeypatch)
    assert results["memorised"] is False
    assert results["identical_to_training"] == 0
    # The nearest one of twelve is below the threshold, which it is itself.
    assert results["figures"]["generated"]["copies"] == pytest.approx(1 / 12, abs=0.02)
    assert results["figures"]["held out"]["copies"] == pytest.approx(1 / 12)
    assert results["false_alarms"] == pytest.approx(1 / 13)
    assert "Verdict: no sign of copying. " in output
    assert "of new pictures 7.7% would be" in output


def test_figures_and_sheets_are_those_of_all_distances(runs, tmp_path, capsys, monkeypatch):
    training, test = (RunPictures(runs / "cvae_gan", split) for split in ("train", "test"))
    model = Painter()
    # In parts, too.
    monkeypatch.setattr(room, "MAX_BYTES", 7 * 4 * 16 * 16 * 3)
    results, output = judge(model, runs, tmp_path, capsys, monkeypatch, "--level=0.2")
    samples = model.generate(np.arange(50) % 3, np.arange(50))
    distances = cdist(flat(samples), flat(training.images))
    of_held_out = cdist(flat(test.images), flat(training.images))
    expected = find_copies(np.sort(distances), np.sort(of_held_out), level=0.2)
    figures = results["figures"]
    assert figures["generated"]["distance_median"] == pytest.approx(
        np.median(distances.min(axis=1)), rel=1e-4
    )
    assert figures["held out"]["ratio_smallest"] == pytest.approx(
        expected.held_out_ratios.min(), rel=1e-4
    )
    assert results["threshold"] == pytest.approx(expected.threshold, rel=1e-4)
    assert results["p_value"] == pytest.approx(expected.p_value, rel=1e-4)
    assert len(results["copies"]) == expected.flagged.sum()
    assert results["sheets"]["nearest.png"]["titles"][0].startswith(
        f"sample {expected.ratios.argmin()} ("
    )
    # Rows: a picture, and the training pictures nearest to it.
    for name, images, of in (("nearest", samples, distances), ("random", samples, distances),
                             ("held_out", test.images, of_held_out)):  # fmt: skip
        sheet = read_grid(tmp_path / f"{name}.png", 4, 7)
        for row in sheet:
            [number] = np.flatnonzero((images == row[0]).all(axis=(1, 2, 3)))
            nearest = np.argsort(of[number])[:5]
            np.testing.assert_array_equal(row[2:], training.images[nearest])
    order = np.argsort(expected.held_out_ratios)[:4]
    sheet = read_grid(tmp_path / "held_out.png", 4, 7)
    np.testing.assert_array_equal(sheet[:, 0], test.images[order])
    assert results["sheets"]["held_out.png"]["titles"] == test.names(order)
    assert "Samples: 1,200/1,200  " in output
    assert pictures.read_picture(tmp_path / "distances.png").std() > 0


def test_held_out_pictures_that_are_training_pictures_are_left_out(
    runs, tmp_path, capsys, monkeypatch
):
    take = RunPictures.take

    def leaking(self, rows):
        found = take(self, rows)
        if self.description.split == "test":
            found.images[:3] = take(self.training, np.arange(3)).images
        return found

    training = RunPictures(runs / "cvae_gan", "train")
    monkeypatch.setattr(RunPictures, "training", training, raising=False)
    monkeypatch.setattr(RunPictures, "take", leaking)
    results, output = judge(Copier(training), runs, tmp_path, capsys, monkeypatch)
    assert results["held_out_in_training"] == 3
    assert results["figures"]["held out"]["pictures"] == 9
    assert results["memorised"] is True
    assert "among the training pictures too, left out here: 3 of 12." in output


def test_nothing_to_compare_with(runs, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(saving, "load", lambda path: Painter())
    monkeypatch.setattr(
        room, "search",
        lambda title, taken, training: room.PicturesWithNeighbours(
            taken.images, taken.names, np.zeros((len(taken), 2)), np.zeros((len(taken), 2), int)
        ),
    )  # fmt: skip
    flags = [f"--run_dir={runs / 'cvae_gan'}", f"--output={tmp_path / 'new'}", "--samples=3"]
    code, _, errors = call(novelty, capsys, *flags)
    assert (code, errors.count("\n")) == (1, 1)
    assert "All of 12 held-out pictures are among the training pictures" in errors
    assert not (tmp_path / "new").exists()


def test_a_model_without_classes_or_encoder(runs, tmp_path, capsys):
    flags = [f"--run_dir={runs / 'gan'}", "--samples=5", f"--output={tmp_path}", "--held_out=4"]
    code, output, errors = call(novelty, capsys, *flags)
    assert code == 0, errors
    results = json.loads((tmp_path / "novelty.json").read_text())
    assert results["figures"]["held out"]["pictures"] == 4
    assert results["sheets"]["random.png"]["titles"][0].endswith(" (any)")
    assert read_grid(tmp_path / "random.png", 5, 7).shape[0] == 5
    assert "| held out | generated |" in output


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--samples=0"], "--samples=0"),
        (["--level=0.9"], "--level=0.9"),
        (["--run_dir=missing"], "There is no model at 'missing"),
        (["--run_dir="], "--run_dir is missing"),
    ],
)
def test_errors_are_one_line_and_write_nothing(runs, tmp_path, capsys, flags, message):
    given = [f"--run_dir={runs / 'cvae_gan'}", f"--output={tmp_path / 'new'}"]
    code, _, errors = call(novelty, capsys, *given, *flags)
    assert (code, errors.count("\n")) == (1, 1)
    assert message in errors
    assert not (tmp_path / "new").exists()


def test_a_model_of_other_pictures(runs, tmp_path, capsys, monkeypatch):
    vae = VAE.from_preset("compact", image_shape=(32, 32, 3), latent_dim=3)
    monkeypatch.setattr(saving, "load", lambda path: vae)
    errors = call(novelty, capsys, f"--run_dir={runs / 'gan'}", f"--output={tmp_path}")[2]
    assert "The pictures have the shape (16, 16, 3), those of the model (32, 32, 3)" in errors

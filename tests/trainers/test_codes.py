"""The program that measures what codes know, on codes that are known."""

import json

import numpy as np
import pytest

import datasets
from keras_cvaegan.models import MODELS
from tests.helpers.applied import call, untrained_runs
from trainers import codes
from trainers.applications import code_contents

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def runs(tmp_path_factory, shared_cache):
    root = tmp_path_factory.mktemp("runs")
    with untrained_runs(root, shared_cache, "cvae", "lr_li_vae", "gan") as found:
        yield found


class Knowing:
    """Encodes the class in z_s, the picture's x and nothing else in z_u, which is drawn."""

    conditional, relevant_dim = True, 1

    @staticmethod
    def inference_names():
        return ("encoder",)

    def __init__(self, splits, log_variance):
        self.found = {
            image.tobytes(): (label, x)
            for split in splits
            for image, label, x in zip(
                split.images, split.labels, split.attributes["x"], strict=True
            )
        }
        self.log_variance = log_variance

    def encode(self, images, labels):
        rows = np.array([self.found[image.tobytes()] for image in images], np.float32)
        log_variance = np.full_like(rows, self.log_variance)
        return rows * [[1.0, 10.0]] + [[0.0, 0.0]], log_variance.astype(np.float32)


@pytest.mark.parametrize(("log_variance", "r2"), [(-20.0, 1.0), (0.0, 0.43)])
def test_drawn_codes_know_what_their_noise_leaves(log_variance, r2):
    options = {"image_size": 8, "num_classes": 4}
    training = datasets.prepare("petals", "train", count=3000, **options)
    test = datasets.prepare("petals", "test", count=1000, **options)
    model = Knowing((training, test), log_variance)
    figures = code_contents.measure(model, training, test, max_images=5000, seed=0)["z"]
    names = ["background_hue", "brightness", "rotation", "size", "tint", "x", "y"]
    assert sorted(figures) == sorted([code_contents.CLASS, *names])
    # x is uniform with a deviation of 0.0866: ten times that against noise of 1.
    assert figures["x"] == pytest.approx(r2, abs=0.06)
    assert all(figures[name] < 0.05 for name in names if name != "x")
    if log_variance < 0:
        assert figures[code_contents.CLASS] == 1.0


def test_the_parts_of_two_codes_are_read_apart():
    model = MODELS["lr_li_vae"].from_preset(image_shape=(16, 16, 3), num_classes=2, latent_dim=3)
    images = np.random.default_rng(0).integers(256, size=(5, 16, 16, 3), dtype=np.uint8)
    read = code_contents.read_codes(model, images, np.zeros(5, np.int32), seed=0)
    np.testing.assert_allclose(read["z_s"], model.codes(images).relevant)
    _, z_log_var = model.encode(images, np.zeros(5, np.int32))
    noise = np.random.default_rng(0).standard_normal((5, 6), np.float32)[:, 3:]
    expected = model.codes(images).irrelevant + np.exp(0.5 * z_log_var[:, 3:]) * noise
    np.testing.assert_allclose(read["z_u"], expected, rtol=1e-5)


def test_a_run_gets_a_table_and_a_file(runs, capsys, monkeypatch):
    monkeypatch.setattr(code_contents, "measure", lambda *_, **__: {"z_s": {"class": 0.5}})
    flags = [f"--run_dir={runs / 'lr_li_vae'}"] * 2
    code, output, errors = call(codes, capsys, *flags, "--max_images=7", "--seed=3")
    assert code == 0, errors
    assert "| z_s    |   0.500 ± 0.000 |" in output
    assert "| chance |           0.333 |" in output
    written = json.loads((runs / "lr_li_vae" / "codes.json").read_text())
    assert written == {
        "settings": {"max_images": 7, "seed": 3},
        "codes": {"z_s": {"class": 0.5}},
    }


def test_the_models_own_classifier_stands_beside():
    options = {"image_size": 16, "num_classes": 2}
    training = datasets.prepare("petals", "train", count=30, **options)
    test = datasets.prepare("petals", "test", count=30, **options)
    model = MODELS["lr_li_vae"].from_preset(image_shape=(16, 16, 3), num_classes=2, latent_dim=3)
    found = code_contents.measure(model, training, test, max_images=30, seed=0)
    right = model.classify(np.asarray(test.images)).argmax(axis=1) == test.labels
    assert found[code_contents.OWN_CLASSIFIER] == {code_contents.CLASS: right.mean()}


def test_what_cannot_be_is_one_line(runs, capsys):
    for flags, message in (
        ([], "--run_dir is missing"),
        ([f"--run_dir={runs / 'none'}"], "none"),
        ([f"--run_dir={runs / 'gan'}"], "GAN has no encoder"),
    ):
        code, _, errors = call(codes, capsys, *flags)
        assert code == 1
        assert errors.startswith("error: ") and errors.count("\n") == 1
        assert message in errors

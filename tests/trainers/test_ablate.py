"""trainers.ablate on models that were never trained, and sharpness against SciPy."""

import contextlib
import io
import json
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.ndimage
from untrained import TINY, fit_without_training, judge_without_training, write_pictures

from keras_cvaegan import pictures
from trainers import ablate, fit
from trainers.sharpness import sharpness

pytestmark = pytest.mark.xdist_group("compare")


def call(output, *arguments):
    """Exit code, output and errors of the program."""
    printed, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(errors):
        code = ablate.COMMAND.call(ablate.main, [f"--output={output}", *arguments])
    return SimpleNamespace(code=code, output=printed.getvalue(), errors=errors.getvalue())


@pytest.fixture(scope="module")
def ablated(shared_cache, tmp_path_factory):
    """An ablation of which one training failed, and that was started again."""
    from keras_cvaegan.metrics import recognition

    root = tmp_path_factory.mktemp("ablated")
    flags = [*TINY, write_pictures(root / "pictures"), "--set=kl_weight=2"]
    directories = []

    def fail_without_pixels(values):
        if "without_pixels" in values.run_dir:
            raise ValueError("The training has diverged.")
        fit_without_training(values)

    def count(values):
        directories.append(values.run_dir)
        fit_without_training(values)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_CVAEGAN_CACHE", str(shared_cache))
        patch.setattr(recognition, "train_classifier", judge_without_training)
        patch.setattr(fit, "main", fail_without_pixels)
        failed = call(root / "output", *flags)
        patch.setattr(fit, "main", count)
        finished = call(root / "output", *flags)
    return SimpleNamespace(
        directories=directories,
        failed=failed,
        finished=finished,
        output=root / "output",
        results=json.loads((root / "output" / "ablate.json").read_text()),
    )


def test_a_run_that_fails_is_told_and_left_out(ablated):
    assert ablated.failed.code == 1
    assert ablated.failed.errors == "error: The training has diverged.\n"
    assert "Failed, and left out here: without_pixels, seed 0" in ablated.failed.output
    assert "without pixels detail is lost: undecided, since a train" in ablated.failed.output
    assert "| without C's features |" in ablated.failed.output


def test_it_goes_on_with_what_failed(ablated):
    assert ablated.finished.code == 0, ablated.finished.errors
    assert ablated.directories == [str(ablated.output / "without_pixels" / "seed_0")]
    assert ablated.results["failed"] == []


def test_each_variant_lacks_its_term_alone(ablated):
    weights = ("discriminator_feature_weight", "classifier_feature_weight", "pixel_weight")
    zero = {}
    for variant in ablate.VARIANTS:
        record = json.loads((ablated.output / variant / "seed_0" / "config.json").read_text())
        objective = record["config"]["objective"]
        zero[variant] = [name for name in weights if objective[name] == 0]
        assert (record["config"]["model"], objective["kl_weight"]) == ("cvae_gan", 2)
    assert zero == {
        "all_terms": [],
        "without_discriminator": ["discriminator_feature_weight"],
        "without_classifier": ["classifier_feature_weight"],
        "without_pixels": ["pixel_weight"],
    }


def test_figures_are_of_reconstructions_of_held_out_pictures(ablated):
    # Untrained networks reconstruct grey, whose error is that of the pictures themselves.
    variants = ablated.results["variants"]
    assert list(variants) == list(ablate.VARIANTS)
    assert "Of 3 held-out pictures." in ablated.finished.output
    for of in variants.values():
        mse, psnr = of["mse"]["mean"], of["psnr"]["mean"]
        assert 0.05 < mse < 0.8
        assert psnr == pytest.approx(10 * np.log10(4 / mse), abs=3)
        assert 0 <= of["sharpness"]["mean"] < 1
        assert 0 <= of["top1_accuracy"]["mean"] <= 1


def test_the_picture_has_originals_and_four_reconstructions(ablated):
    height, width, _ = pictures.read_picture(ablated.output / "reconstructions.png").shape
    assert (height, width) == (5 * 18 + 2, 3 * 18 + 2)
    assert "from top to bottom originals, all terms, without D's" in ablated.finished.output


@pytest.mark.parametrize(
    ("without", "whole", "said"),
    [
        ([0.4], [0.7], "confirmed. Sharpness 0.400 without, 0.700 with them."),
        ([0.7], [0.4], "refuted."),
        ([0.4, 0.8], [0.7, 0.7], "undecided: it holds in 1 of 2 seeds. Sharpness 0.600 without"),
    ],
)
def test_verdict(without, whole, said):
    figures = {
        "without_discriminator": {seed: {"sharpness": x} for seed, x in enumerate(without)},
        "all_terms": {seed: {"sharpness": x} for seed, x in enumerate(whole)},
    }
    assert said in ablate.verdict(ablate.CLAIMS[0], figures)


def test_sharpness_is_the_variance_of_scipys_laplacian():
    images = np.random.default_rng(0).integers(0, 256, (3, 9, 12, 3), np.uint8)
    for image, value in zip(images, sharpness(images), strict=True):
        grey = image.astype(float) @ [0.299, 0.587, 0.114]
        expected = scipy.ndimage.laplace(grey)[1:-1, 1:-1].var()
        assert value == pytest.approx(expected, rel=1e-12)


def test_blur_is_less_sharp():
    images = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3)).astype(float)
    blurred = [
        sharpness(scipy.ndimage.gaussian_filter(images, (0, sigma, sigma, 0)))[0]
        for sigma in (0, 0.5, 1, 2)
    ]
    assert blurred == sorted(blurred, reverse=True)
    assert blurred[-1] < 0.01 * blurred[0]

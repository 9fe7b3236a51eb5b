"""trainers.ablate on stubs of models, and sharpness against SciPy."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.ndimage

from keras_cvaegan import pictures
from keras_cvaegan.metrics.sharpness import sharpness
from tests.helpers.untrained import (
    CLASSES,
    TINY,
    Painter,
    caller,
    judge_without_training,
    run_without_training,
    write_pictures,
)
from trainers import ablate
from trainers.sweeps import ablation, sweep

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("compare")]

call = caller(ablate, "--judge=trained")


def blur(x, labels):
    return scipy.ndimage.gaussian_filter(x, (0, 1, 1, 0))


def next_class(x, labels):
    """A picture as bright as one of the class after its own; of the last, of the first."""
    values = list(CLASSES.values())
    change = np.array([values[(label + 1) % 3] - values[label] for label in labels])
    return x + change[:, None, None, None] / 127.5


# What stands for each variant's reconstructions. All keep the class but one.
RECONSTRUCT = {
    "all_terms": lambda x, labels: 0.99 * x,
    "without_discriminator": blur,
    "without_classifier": next_class,
    "without_pixels": lambda x, labels: x[:, ::-1],
}


@pytest.fixture(scope="module")
def ablated(shared_cache, tmp_path_factory):
    """An ablation of which one training failed, and that was started again."""
    from keras_cvaegan import saving
    from keras_cvaegan.metrics import recognition

    root = tmp_path_factory.mktemp("ablated")
    flags = [*TINY, write_pictures(root / "pictures"), "--set=kl_weight=2"]
    directories, loaded, reconstructed = [], [], []

    def fail_without_pixels(config, data, run_dir, command):
        if "without_pixels" in str(run_dir):
            raise ValueError("The training has diverged.")
        return count(config, data, run_dir, command)

    def count(config, data, run_dir, command):
        directories.append(str(run_dir))
        return run_without_training(config, data, run_dir, command=command)

    def load(path):
        variant = path.parent.parent.name
        loaded.append(variant)

        def reconstruct(images, labels):
            reconstructed.append(variant)
            result = RECONSTRUCT[variant](pictures.from_uint8(images), np.asarray(labels))
            return result.astype(np.float32)

        return Painter(reconstruct=reconstruct)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_CVAEGAN_CACHE", str(shared_cache))
        patch.setattr(recognition, "train_classifier", judge_without_training)
        patch.setattr(saving, "load", load)
        patch.setattr(sweep, "run", fail_without_pixels)
        failed = call(root / "output", *flags)
        patch.setattr(sweep, "run", count)
        finished = call(root / "output", *flags)
    return SimpleNamespace(
        directories=directories,
        loaded=loaded,
        reconstructed=reconstructed,
        failed=failed,
        finished=finished,
        root=root,
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
    last = str(ablated.output / "without_pixels" / "seed_0")
    assert (len(ablated.directories), ablated.directories[-1]) == (4, last)
    assert ablated.results["failed"] == []


def test_each_model_is_loaded_and_measured_once(ablated):
    """Another time only to draw the few pictures that are shown."""
    variants = list(ablation.VARIANTS)
    assert ablated.loaded == [*variants[:3], *variants]
    # To be measured, and to be shown; the second time to be shown alone.
    twice = [variant for variant in variants[:3] for _ in range(2)]
    assert ablated.reconstructed == [*twice, *variants[:3], *variants[3:] * 2]


def test_each_variant_lacks_its_term_alone(ablated):
    weights = ("discriminator_feature_weight", "classifier_feature_weight", "pixel_weight")
    zero = {}
    for variant in ablation.VARIANTS:
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


@pytest.mark.parametrize("variant", RECONSTRUCT)
def test_figures_are_of_reconstructions_of_held_out_pictures(ablated, variant):
    paths = [
        (path, label)
        for label, name in enumerate(CLASSES)
        for path in sorted((ablated.root / "pictures" / "test" / name).iterdir())
    ]
    images = np.array([pictures.read_picture(path) for path, _ in paths])
    labels = np.array([label for _, label in paths])
    reconstructed = RECONSTRUCT[variant](images / 127.5 - 1, labels)
    errors = np.mean((reconstructed - (images / 127.5 - 1)) ** 2, axis=(1, 2, 3))
    as_bytes = np.clip(np.rint((reconstructed + 1) * 127.5), 0, 255)

    def mean_sharpness(pictures_):
        grey = pictures_.astype(float) @ [0.299, 0.587, 0.114]
        return np.mean([scipy.ndimage.laplace(x)[1:-1, 1:-1].var() for x in grey])

    expected = {
        "mse": errors.mean(),
        "psnr": np.mean(20 * np.log10(2 / np.sqrt(errors))),
        "sharpness": mean_sharpness(as_bytes) / mean_sharpness(images),
        "top1_accuracy": 0 if variant == "without_classifier" else 1,
    }
    figures = ablated.results["variants"][variant]
    assert figures.keys() == expected.keys()
    for name, value in expected.items():
        # Halves are rounded to either side.
        assert figures[name]["by_seed"] == [pytest.approx(value, rel=1e-3)], name


def test_claims_are_judged_by_these_figures(ablated):
    assert len(ablated.results["verdicts"]) == 3
    for said in ablated.results["verdicts"]:
        assert ": confirmed. " in said
        assert said in ablated.finished.output


def test_what_was_measured_is_said(ablated):
    assert ablated.results["samples"] == {"real": 12, "real_split": "test"}
    fingerprint = ablated.results["extractor"]["fingerprint"]
    assert "Of 12 held-out pictures, of the split test." in ablated.finished.output
    assert f"the real training pictures ({fingerprint})." in ablated.finished.output


def test_the_picture_has_originals_and_four_reconstructions(ablated):
    sheet = pictures.read_picture(ablated.output / "reconstructions.png")
    assert sheet.shape == (5 * 18 + 2, 8 * 18 + 2, 3)
    assert "from top to bottom originals, all terms, without D's" in ablated.finished.output
    # The first picture, and what the variant without pixels makes of it.
    np.testing.assert_array_equal(sheet[2:18, 2:18][::-1], sheet[74:90, 2:18])


@pytest.mark.parametrize(
    "weight", ["pixel_weight", "discriminator_feature_weight", "classifier_feature_weight"]
)
def test_weights_that_variants_leave_out_are_refused(tmp_path, weight):
    refused = call(tmp_path / "output", f"--set=kl_weight=2,{weight}=0")
    assert refused.code == 1
    assert refused.errors.startswith("error: --set takes what the variants have in common: ")
    assert refused.errors.endswith(f"Received: '{weight}'.\n")
    assert not (tmp_path / "output").exists()


@pytest.mark.parametrize(
    ("without", "whole", "said"),
    [
        ([0.4], [0.7], "confirmed. Sharpness 0.400 without, 0.700 with them."),
        ([0.7], [0.4], "blurred: refuted."),
        ([0.4], [0.4], "neither confirmed nor refuted: no difference. Sharpness 0.400 without"),
        ([0.4, 0.8], [0.7, 0.7], "nor refuted: it holds in 1 of 2 seeds. Sharpness 0.600 without"),
        ([0.7, 0.8, 0.7], [0.7, 0.7, 0.7], "nor refuted: it holds in 0 of 3 seeds."),
        ([0.7, 0.8, 0.8], [0.7, 0.7, 0.7], "blurred: refuted."),
    ],
)
def test_verdict(without, whole, said):
    figures = {
        "without_discriminator": {seed: {"sharpness": x} for seed, x in enumerate(without)},
        "all_terms": {seed: {"sharpness": x} for seed, x in enumerate(whole)},
    }
    assert said in ablation.verdict(ablation.CLAIMS[0], figures)


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

"""Trainings in which some pictures have no label."""

import json

import numpy as np
import pytest

from keras_cvaegan import pictures
from tests.helpers.running import variables
from trainers import fit

pytestmark = pytest.mark.slow

REST = ["--model=lr_li_vae", "--labelled_share=0.1", "--unlabelled_rest"]


@pytest.fixture
def call(capsys, tiny, tmp_path):
    def call(*arguments, run="run"):
        flags = [*tiny, "--noexport", f"--run_dir={tmp_path / run}", *arguments]
        return fit.COMMAND.call(fit.main, flags), *capsys.readouterr()

    return call


def test_a_run_with_few_labels_goes_on_where_it_stopped(call, tmp_path):
    flags = [*REST, "--log_every=1"]
    code, output, errors = call(*flags, "--steps=1", run="two")
    assert code == 0, errors
    assert "(of 0.1 of them the label counts, the others are seen without)" in output
    assert call(*flags, "--steps=2", run="two")[0] == call(*flags, "--steps=2", run="one")[0] == 0
    received, expected = (
        variables(tmp_path / run / "checkpoints" / "step_00000002.weights.h5").values()
        for run in ("two", "one")
    )
    for x, y in zip(received, expected, strict=True):
        np.testing.assert_array_equal(x, y)
    # Each part of a step has images with a label.
    lines = (tmp_path / "two" / "metrics.jsonl").read_text().splitlines()
    for name in ("classification_loss", "latent_classification_loss", "latent_uniformity_loss"):
        assert all(json.loads(line)[name] > 0 for line in lines), name
    config = json.loads((tmp_path / "two" / "config.json").read_text())["config"]
    assert config["labelled_share"] == 0.1 and config["unlabelled_rest"]
    code, _, errors = call(*flags, "--steps=2", "--labelled_share=0.2", run="two")
    assert code == 1 and "labelled_share was 0.1 and is now 0.2" in errors


def test_pictures_of_a_folder_have_no_labels(call, tmp_path):
    (tmp_path / "others").mkdir()
    for number in range(40):
        image = np.full((20, 24, 3), 6 * number, np.uint8)
        pictures.write_png(tmp_path / "others" / f"{number}.png", image)
    folder = f"--unlabelled_data_dir={tmp_path / 'others'}"
    code, output, errors = call("--model=lr_li_vae_gan", folder, "--steps=2", "--log_every=2")
    assert code == 0, errors
    assert f"and pictures without labels from {tmp_path / 'others'}" in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model=cvae_gan", *REST[1:]], "without labels: lr_li_vae, lr_li_vae_gan. Received: "),
        ([*REST, "--unlabelled_data_dir=x"], "Choose one of them."),
        (["--model=lr_li_vae", "--unlabelled_rest"], "choose a labelled_share below 1"),
        (["--model=lr_li_vae", "--labelled_share=0"], "must be in (0, 1]. Received: 0.0"),
        (
            ["--model=lr_li_vae", "--unlabelled_data_dir=/nowhere"],
            "unlabelled_data_dir is no folder: '/nowhere'",
        ),
    ],
)
def test_what_cannot_be_is_one_line(call, arguments, message):
    code, _, errors = call("--steps=2", "--log_every=2", *arguments)
    assert code == 1
    assert errors.startswith("error: ") and errors.count("\n") == 1
    assert message in errors

"""trainers.compare on stubs of models, with a judge that tells classes by their brightness."""

import json
import shutil
from types import SimpleNamespace

import pytest

from keras_cvaegan import pictures
from tests.helpers.untrained import (
    CLASSES,
    TINY,
    Painter,
    caller,
    judge_without_training,
    run_without_training,
    write_pictures,
)
from trainers import compare
from trainers.command_line.command import INTERRUPTED
from trainers.sweeps import claims, sweep

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("compare")]
FLAGS = (
    "--models=gan,cvae",
    "--seeds=2",
    "--samples_per_class=4",
    "--labels=middle,dark",
    "--judge=trained",
)
RUNS = [("gan", 0), ("cvae", 0), ("gan", 1), ("cvae", 1)]

call = caller(compare, *FLAGS)


@pytest.fixture(scope="module")
def patched(shared_cache):
    """What runs hold is painted: samples of the CVAE always have their class's brightness."""
    from keras_cvaegan import saving
    from keras_cvaegan.metrics import recognition

    def load(path):
        conditional = "cvae" in path.parts
        return Painter(conditional, batches_per_step=1 if conditional else 6)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_CVAEGAN_CACHE", str(shared_cache))
        patch.setattr(recognition, "train_classifier", judge_without_training)
        patch.setattr(saving, "load", load)
        yield patch


@pytest.fixture(scope="module")
def compared(patched, tmp_path_factory):
    """A comparison that stopped after its first run, then had one fail, then came to its end."""
    root = tmp_path_factory.mktemp("compared")
    flags, output = [*TINY, write_pictures(root / "pictures")], root / "output"
    train, directories = sweep.run, []

    def stop_after_one(config, data, run_dir, command):
        if directories:
            print(f"To go on:\n  {command}")
            return SimpleNamespace(complete=False)
        directories.append(str(run_dir))
        return train(config, data, run_dir, command=command)

    def fail_one(config, data, run_dir, command):
        if str(run_dir).endswith("cvae/seed_0"):
            raise ValueError("The training has diverged.")
        return count(config, data, run_dir, command)

    def count(config, data, run_dir, command):
        directories.append(str(run_dir))
        return run_without_training(config, data, run_dir, command=command)

    calls = []
    for run in (stop_after_one, fail_one, count):
        patched.setattr(sweep, "run", run)
        calls.append(call(output, *flags))
        (output / "gan/seed_0/evaluation.json").write_text("of trainers.evaluate")
        path = output / "compare.json"
        calls[-1].results = json.loads(path.read_text()) if path.exists() else None
    stopped, failed, finished = calls
    return SimpleNamespace(
        flags=flags,
        directories=directories,
        stopped=stopped,
        failed=failed,
        finished=finished,
        output=output,
        results=finished.results,
    )


def test_an_interrupted_comparison_says_how_to_go_on(compared):
    assert compared.stopped.code == INTERRUPTED
    assert "Run 2 of 4: CVAE, seed 0, about " in compared.stopped.output
    assert "python -m trainers.compare --models=gan,cvae" in compared.stopped.output


def test_it_goes_on_with_the_runs_that_are_left(compared):
    assert compared.finished.code == 0, compared.finished.errors
    assert "1 of 4 runs are complete" in compared.failed.output
    assert "3 of 4 runs are complete" in compared.finished.output
    trained = [("gan", 0), ("gan", 1), ("cvae", 1), ("cvae", 0)]
    folders = [str(compared.output / model / f"seed_{seed}") for model, seed in trained]
    assert compared.directories == folders


@pytest.mark.parametrize(("model", "seed"), RUNS)
def test_each_run_is_of_its_model_and_seed(compared, model, seed):
    record = json.loads((compared.output / model / f"seed_{seed}" / "config.json").read_text())
    config = record["config"]
    assert (config["model"], config["steps"], config["seed"]) == (model, 2, seed)


def test_the_table_has_a_row_for_real_data_and_each_model(compared):
    text = (compared.output / "table.md").read_text()
    assert text.strip() in compared.finished.output
    rows = [line.split("|")[1:3] for line in text.splitlines() if line.startswith("|")]
    rows = [(title.strip(), accuracy.strip()) for title, accuracy in rows]
    assert rows[0] == ("", "Top-1 accuracy")
    assert rows[2:] == [("real data", "1.000"), ("GAN", "–"), ("CVAE", "1.000 ± 0.000")]


def test_the_figures_are_those_of_each_run(compared):
    models = compared.results["models"]
    assert models["cvae"]["top1_accuracy"]["by_seed"] == [1, 1]
    assert models["gan"]["top1_accuracy"]["by_seed"] == [None, None]
    for model, seed in RUNS:
        path = compared.output / model / f"seed_{seed}" / "compared.json"
        generated = json.loads(path.read_text())["figures"]["generated"]
        for figure in ("realism", "frechet_distance", "coverage"):
            assert models[model][figure]["by_seed"][seed] == generated[figure]
    assert compared.results["real"]["top1_accuracy"] == 1
    assert compared.results["failed"] == []


def test_what_trainers_evaluate_wrote_stays(compared):
    path = compared.output / "gan/seed_0/evaluation.json"
    assert path.read_text() == "of trainers.evaluate"


def test_a_run_that_failed_leaves_its_seed_empty(compared):
    assert compared.failed.code == 1
    assert "Failed, and left out here: cvae, seed 0" in compared.failed.output
    for figure in compared.failed.results["models"]["cvae"].values():
        assert figure["by_seed"][0] is None
    assert compared.failed.results["models"]["cvae"]["top1_accuracy"]["by_seed"] == [None, 1]
    [row] = [line for line in compared.failed.output.splitlines() if line.startswith("| CVAE ")]
    assert "±" not in row


def test_what_was_compared_is_said(compared):
    results = compared.results
    assert results["samples"] == {
        "generated_per_class": 4,
        "generated": 12,
        "seed": 0,
        "real": 12,
        "real_split": "test",
    }
    assert (results["reference"]["split"], results["reference"]["samples"]) == ("train", 24)
    fingerprint = results["extractor"]["fingerprint"]
    for text in (
        "12 real and, of each training, 12 generated pictures. Real pictures are of the split test",
        f"compared with 24 pictures of the split train, by 3 features of: residual network on the "
        f"real training pictures ({fingerprint})",
        "- GAN: 48 images seen in 2 steps of 6 batches of 4; Adam, learning rates generator 0.0002",
        "- CVAE: 8 images seen in 2 steps of 1 batch of 4; Adam, learning rates encoder 0.001, gen",
    ):
        assert text in compared.finished.output
    assert results["training"]["gan"]["images"] == 48


def test_held_out_pictures_are_read_once_for_all_models(compared):
    assert compared.failed.output.count("Held-out pictures: 12/12  ") == 1


def test_the_picture_has_real_rows_and_those_of_each_model(compared):
    sheet = pictures.read_picture(compared.output / "samples.png").astype(int)
    # The classes have fewer held-out pictures than the nine samples of each model.
    assert sheet.shape == (2 * 3 * 18 + 2, 9 * 18 + 2, 3)
    # Real, GAN, CVAE of middle, then of dark.
    looks = ["middle", "middle", "middle", "dark", "middle", "dark"]
    for row, (name, columns) in enumerate(zip(looks, [4, 9, 9] * 2, strict=True)):
        for column in range(columns):
            top, left = 2 + 18 * row, 2 + 18 * column
            picture = sheet[top : top + 16, left : left + 16]
            assert CLASSES[name] <= picture.min() <= picture.max() < CLASSES[name] + 60
    classes = "middle (4 held out, 9 of each model), dark (4 held out, 9 of each model)"
    assert f"pictures of {classes}; from top to bottom real, GAN, CVAE." in compared.finished.output


@pytest.fixture
def measured(patched, monkeypatch):
    """The models that are measured, of runs that are not trained."""
    from trainers.evaluation import measuring

    def never(*arguments, **_):
        raise AssertionError

    def measure(model, *arguments, **keywords):
        models.append("cvae" if model.conditional else "gan")
        return original(model, *arguments, **keywords)

    models, original = [], measuring.measure
    monkeypatch.setattr(sweep, "run", never)
    monkeypatch.setattr(measuring, "measure", measure)
    return models


def test_a_finished_comparison_is_neither_trained_nor_measured_again(compared, measured):
    again = call(compared.output, *compared.flags)
    assert again.code == 0, again.errors
    assert "4 of 4 runs are complete" in again.output
    assert json.loads((compared.output / "compare.json").read_text()) == compared.results
    assert measured == []


def test_damaged_figures_are_measured_again(compared, measured):
    for model, text in (("gan", "{"), ("cvae", "[]")):
        (compared.output / model / "seed_1" / "compared.json").write_text(text)
    again = call(compared.output, *compared.flags)
    assert measured == ["gan", "cvae"]
    assert again.output.count("compared.json' cannot be read (") == 2
    results = json.loads((compared.output / "compare.json").read_text())
    assert results["models"]["cvae"]["top1_accuracy"]["by_seed"] == [1, 1]


def test_other_samples_are_measured(compared, measured, tmp_path):
    shutil.copytree(compared.output, tmp_path / "output")
    again = call(tmp_path / "output", *compared.flags, "--samples_per_class=5")
    assert again.code == 0, again.errors
    assert measured == [model for model, _ in RUNS]
    results = json.loads((tmp_path / "output" / "compare.json").read_text())
    assert results["samples"]["generated"] == 15


def test_a_run_without_a_checkpoint_takes_other_flags(compared, tmp_path):
    """As in `trainers.fit`: there is nothing to go on with."""
    from trainers import fit
    from trainers.command_line.training_config import training_config
    from trainers.sweeps.sweep import Contender, Sweep

    run = tmp_path / "cvae" / "seed_0"
    run.mkdir(parents=True)
    shutil.copy(compared.output / "cvae/seed_0/config.json", run)
    flags = [*compared.flags, "--model=cvae", "--set=kl_weight=9"]
    contender = Contender("cvae", "CVAE", training_config(fit.COMMAND.parse(flags)))
    assert Sweep(tmp_path, [contender], 1).failed() == ["cvae, seed 0"]
    (run / "checkpoints").mkdir()
    (run / "checkpoints" / "step_00000001.weights.h5").touch()
    with pytest.raises(ValueError, match=r"objective.kl_weight was 3.0 and is now 9.0"):
        Sweep(tmp_path, [contender], 1)


def test_a_new_model_needs_no_title(monkeypatch):
    from keras_cvaegan.models import CVAE, MODELS

    monkeypatch.setitem(MODELS, "ls_cgan", type("LSCGAN", (CVAE,), {}))
    assert [claims.title(model) for model in ("ls_cgan", "cvae_gan")] == ["LSCGAN", "CVAE-GAN"]


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        (
            "--set=kl_weight=9",
            "objective.kl_weight was 3.0 and is now 9.0. Start it with",
        ),
        ("--batch_size=6", "batch_size was 4 and is now 6"),
        ("--steps=1", "it has taken 2 steps, all are to take 1"),
    ],
)
def test_another_configuration_is_refused(compared, argument, message):
    before = (compared.output / "compare.json").read_bytes()
    refused = call(compared.output, *compared.flags, argument)
    assert refused.code == 1
    assert refused.errors.count("\n") == 1
    assert message in refused.errors
    assert (compared.output / "compare.json").read_bytes() == before


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--models=cvae,gans", "--models takes vae, gan, "),
        ("--seeds=0", "--seeds=0"),
        (
            "--set=gan.kl_weight=1",
            "--set does not know 'gan.kl_weight'. Allowed: gan: augm",
        ),
        ("--set=vae.kl_weight=1", "--set does not know 'vae.kl_weight'."),
        ("--set=kl_weight=a", "CVAE: --set=kl_weight takes a number. Received: 'a'."),
        ("--labels=bright", "or names: dark, light, middle. Received: 'bright'."),
    ],
)
def test_bad_values_are_one_line(compared, tmp_path, argument, message):
    refused = call(tmp_path / "output", *compared.flags, argument)
    assert refused.code == 1
    assert refused.errors.startswith("error: ")
    assert refused.errors.count("\n") == 1
    assert message in refused.errors
    assert not (tmp_path / "output").exists()

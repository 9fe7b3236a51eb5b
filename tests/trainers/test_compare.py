"""trainers.compare on two tiny models, with a judge that tells classes by their brightness."""

import contextlib
import io
import json
from types import SimpleNamespace

import numpy as np
import pytest
from untrained import TINY, judge_without_training, write_pictures

from keras_cvaegan import pictures
from trainers import command_line, compare, fit

pytestmark = pytest.mark.xdist_group("compare")
FLAGS = ("--models=gan,cvae", "--seeds=1", "--samples_per_class=4", "--labels=middle")


def call(output, *arguments):
    """Exit code, output and errors of the program."""
    printed, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(errors):
        code = compare.COMMAND.call(compare.main, [*FLAGS, f"--output={output}", *arguments])
    return SimpleNamespace(code=code, output=printed.getvalue(), errors=errors.getvalue())


@pytest.fixture(scope="module")
def patched(shared_cache):
    from keras_cvaegan.metrics import recognition

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_CVAEGAN_CACHE", str(shared_cache))
        patch.setattr(recognition, "train_classifier", judge_without_training)
        yield patch


@pytest.fixture(scope="module")
def compared(patched, tmp_path_factory):
    """A comparison that was stopped after its first run, and started again."""
    root = tmp_path_factory.mktemp("compared")
    flags = [*TINY, write_pictures(root / "pictures")]
    main, directories = fit.main, []

    def stop_after_one(values):
        if directories:
            return command_line.INTERRUPTED
        directories.append(values.run_dir)
        return main(values)

    patched.setattr(fit, "main", stop_after_one)
    stopped = call(root / "output", *flags)

    def count(values):
        directories.append(values.run_dir)
        return main(values)

    patched.setattr(fit, "main", count)
    finished = call(root / "output", *flags)
    return SimpleNamespace(
        flags=flags,
        directories=directories,
        stopped=stopped,
        finished=finished,
        output=root / "output",
        results=json.loads((root / "output" / "compare.json").read_text()),
    )


def test_an_interrupted_comparison_says_how_to_go_on(compared):
    assert compared.stopped.code == command_line.INTERRUPTED
    assert "Run 2 of 2: CVAE, seed 0, about " in compared.stopped.output
    assert "python -m trainers.compare --models=gan,cvae" in compared.stopped.output


def test_it_goes_on_with_the_runs_that_are_left(compared):
    assert compared.finished.code == 0, compared.finished.errors
    assert "1 of 2 runs are complete" in compared.finished.output
    folders = [str(compared.output / model / "seed_0") for model in ("gan", "cvae")]
    assert compared.directories == folders
    config = json.loads((compared.output / "cvae/seed_0/config.json").read_text())["config"]
    assert (config["model"], config["steps"], config["seed"]) == ("cvae", 2, 0)


def test_the_table_has_a_row_for_real_data_and_each_model(compared):
    text = (compared.output / "table.md").read_text()
    assert text.strip() in compared.finished.output
    rows = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("|")]
    assert rows[0] == ""
    assert rows[2:] == ["real data", "GAN", "CVAE"]
    by_row = [line.split("|")[2].strip() for line in text.splitlines() if line.startswith("|")]
    assert by_row[0] == "Top-1 accuracy"
    assert by_row[2] == "1.000"
    assert by_row[3] == "–"
    assert 0 <= float(by_row[4]) <= 1


def test_the_figures_are_those_of_each_run(compared):
    models = compared.results["models"]
    assert models["gan"]["top1_accuracy"]["mean"] is None
    for model in ("gan", "cvae"):
        evaluation = json.loads((compared.output / model / "seed_0/evaluation.json").read_text())
        for figure in ("realism", "frechet_distance", "coverage"):
            assert models[model][figure]["by_seed"] == [evaluation["generated"][figure]]
    assert compared.results["real"]["top1_accuracy"] == 1
    assert compared.results["failed"] == []


def test_the_picture_has_a_real_row_and_one_a_model(compared):
    height, width, _ = pictures.read_picture(compared.output / "samples.png").shape
    # The class has fewer held-out pictures than the nine samples of each model.
    assert (height, width) == (3 * 18 + 2, 9 * 18 + 2)
    assert "of middle; from top to bottom real, GAN, CVAE." in compared.finished.output


def test_a_finished_comparison_is_neither_trained_nor_measured_again(
    compared, patched, monkeypatch
):
    from trainers import measuring

    def never(*arguments, **_):
        raise AssertionError

    monkeypatch.setattr(fit, "main", never)
    monkeypatch.setattr(measuring, "measure", never)
    again = call(compared.output, *compared.flags)
    assert again.code == 0, again.errors
    assert "2 of 2 runs are complete" in again.output
    assert json.loads((compared.output / "compare.json").read_text()) == compared.results


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--set=kl_weight=9", "objective.kl_weight was 3.0 and is now 9.0. Start with the flags"),
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
        ("--set=gan.kl_weight=1", "--set does not know 'gan.kl_weight'. Allowed: gan: average_"),
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


def summary(**accuracies):
    return {
        model: {"top1_accuracy": {"mean": np.mean(values), "std": 0.0, "by_seed": values}}
        for model, values in accuracies.items()
    }


@pytest.mark.parametrize(
    ("accuracies", "said"),
    [
        ({"cvae": [0.1], "cgan": [0.5], "fm_cgan": [0.7], "cvae_gan": [0.9]}, "holds: CVAE 0.100"),
        ({"cvae": [0.1], "cgan": [0.9], "fm_cgan": [0.7]}, "FM-CGAN, does not hold: CVAE 0.100, "),
        ({"cgan": [0.1, 0.9], "cvae": [0.2, 0.2]}, "holds in the mean, and in 1 of 2 seeds"),
        ({"cgan": [0.1]}, "is that of CVAE, CGAN, FM-CGAN and CVAE-GAN"),
    ],
)
def test_the_order_is_the_papers(accuracies, said):
    assert said in compare.verdict(summary(**accuracies))

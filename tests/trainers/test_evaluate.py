"""trainers.evaluate on a tiny run of few pictures, with a judge that was never trained."""

import contextlib
import io
import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from keras_cvaegan import pictures
from trainers import evaluate

COUNT, GENERATED = 120, 80
FLAGS = ("--samples_per_class=40",)

pytestmark = pytest.mark.xdist_group("evaluate")


def rewrite_config(run_dir, **options):
    record = json.loads((run_dir / "config.json").read_text())
    record["config"]["dataset_options"] |= options
    (run_dir / "config.json").write_text(json.dumps(record))


@pytest.fixture(scope="module")
def trainings():
    """What was asked of `train_classifier`, which returns its network untrained."""
    from keras_cvaegan.metrics import recognition

    asked = []

    def train_classifier(train, validation, num_classes, *, augment, **_):
        asked.append((len(train[0]), len(validation[0]), augment))
        return recognition.recognition_network(train[0].shape[1:], num_classes, augment)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recognition, "train_classifier", train_classifier)
        yield asked


@pytest.fixture(scope="module")
def evaluated(finished_run, tmp_path_factory, shared_cache, trainings):
    """A run, what its first evaluation printed, its figures, and the trainings of the judge."""
    run_dir = tmp_path_factory.mktemp("evaluated") / "run"
    shutil.copytree(finished_run, run_dir)
    rewrite_config(run_dir, count=COUNT)
    output = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(output):
        patch.setenv("KERAS_CVAEGAN_CACHE", str(shared_cache))
        assert evaluate.COMMAND.call(evaluate.main, [f"--run_dir={run_dir}", *FLAGS]) == 0
    return SimpleNamespace(
        run_dir=run_dir,
        output=output.getvalue(),
        results=read(run_dir),
        trainings=list(trainings),
    )


def read(run_dir):
    return json.loads((run_dir / "evaluation.json").read_text())


def call(capsys, run_dir, *flags):
    code = evaluate.COMMAND.call(evaluate.main, [f"--run_dir={run_dir}", *FLAGS, *flags])
    return (code, *capsys.readouterr())


@pytest.fixture(scope="module")
def yardstick(evaluated, shared_cache):
    """The real side, as another program would open it."""
    from keras_cvaegan.training.run_directory import RunDirectory
    from trainers import configuration
    from trainers.yardstick import Yardstick

    run = RunDirectory(evaluated.run_dir)
    config = run.read_config()["config"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_CVAEGAN_CACHE", str(shared_cache))
        return Yardstick(
            configuration.data_arguments(config),
            *evaluate.judge(run, config, 2),
            statistics=run.evaluation_statistics,
        )


SHARES = ("top1_accuracy", "precision", "recall", "coverage", "intra_class_diversity")
POSITIVE = ("frechet_distance", "density", "intra_class_frechet_distance", "nearest_pixel_distance")


@pytest.mark.parametrize("side", ["real", "generated"])
def test_all_figures_are_there_and_in_range(evaluated, side):
    figures = evaluated.results[side]
    for name in SHARES:
        assert 0 <= figures[name] <= 1
    for name in POSITIVE:
        assert figures[name] >= 0
    assert 1 - 1e-6 <= figures["inception_score"] <= 2
    assert 1 - 1e-6 <= figures["realism"] <= 2
    assert abs(figures["kernel_distance"]) < 1e6
    assert {"inception_score_std", "kernel_distance_std", "nearest_feature_copies"} <= set(figures)


def test_a_figure_by_class_has_the_classes_names(evaluated):
    names = json.loads((evaluated.run_dir / "config.json").read_text())["class_names"]
    for side in ("real", "generated"):
        for figure in ("top1_accuracy", "intra_class_frechet_distance", "intra_class_diversity"):
            assert list(evaluated.results[side][f"{figure}_by_class"]) == names


def test_the_file_says_what_was_compared(evaluated):
    results = evaluated.results
    counts = results["samples"]
    assert (counts["generated"], counts["generated_per_class"], counts["seed"]) == (80, 40, 0)
    assert (counts["real"], counts["real_split"], counts["step"]) == (COUNT, "test", 4)
    assert results["reference"]["split"] == "train"
    assert results["reference"]["samples"] == COUNT
    assert results["extractor"]["knows_labels"]
    assert len(results["extractor"]["fingerprint"]) == 16
    assert results["judge"]["name"] == results["extractor"]["name"]
    assert results["settings"]["generated"]["KernelDistance"]["samples"] == GENERATED
    assert any("--samples_per_class=60" in note for note in results["notes"])
    assert any("intra_class_frechet_distance" in note for note in results["notes"])
    assert set(results["versions"]) == {"keras_cvaegan", "keras", "numpy", "tensorflow"}


def test_only_generated_pictures_have_reconstructions(evaluated):
    assert evaluated.results["generated"]["reconstruction_mse"] > 0
    assert "reconstruction_mse" not in evaluated.results["real"]


def test_progress_and_a_table_are_printed(evaluated):
    for title in ("Training pictures: 120 of 120", "Held-out pictures: 120", "Samples: 80 of 80"):
        assert title in evaluated.output
    assert "images/s" in evaluated.output
    assert "Top-1 accuracy  " in evaluated.output
    assert f"Report: {evaluated.run_dir / 'report.html'}\n" in evaluated.output


def test_sheets_have_a_title_a_row(evaluated):
    described = evaluated.results["pictures"]
    assert set(described) == {"nearest_training.png", "reconstructions.png"}
    for name, columns in (("nearest_training.png", 9), ("reconstructions.png", 8)):
        sheet = pictures.read_picture(evaluated.run_dir / "samples" / name)
        rows = len(described[name]["titles"])
        assert sheet.shape == (2 + 18 * rows, 2 + 18 * columns, 3)


def test_judge_and_statistics_are_made_once(evaluated, trainings, capsys):
    code, output, _ = call(capsys, evaluated.run_dir, "--metrics=frechet_distance,precision")
    assert code == 0
    assert evaluated.trainings == trainings == [(COUNT, COUNT, False)]
    assert "Training pictures" not in output
    results = read(evaluated.run_dir)
    assert set(results["generated"]) == {"frechet_distance", "precision", "recall"}
    for side in ("real", "generated"):
        for name, value in results[side].items():
            assert value == pytest.approx(evaluated.results[side][name], rel=1e-6)


def test_damaged_statistics_are_computed_anew(evaluated, capsys, caplog):
    (evaluated.run_dir / "evaluation_statistics.npz").write_bytes(b"PK damaged")
    code, output, _ = call(capsys, evaluated.run_dir, "--metrics=frechet_distance")
    assert code == 0
    assert "Training pictures: 120 of 120" in output
    assert "computing them anew" in caplog.text
    figures = read(evaluated.run_dir)["generated"]
    expected = evaluated.results["generated"]["frechet_distance"]
    assert figures == {"frechet_distance": pytest.approx(expected, rel=1e-6)}


def test_the_classification_accuracy_score_is_beside_the_judges(evaluated, trainings, capsys):
    flags = ("--cas", "--metrics=top1_accuracy", "--max_test_images=30")
    assert call(capsys, evaluated.run_dir, *flags)[0] == 0
    training, validation, _ = trainings.pop()
    assert training + validation == GENERATED
    results = read(evaluated.run_dir)
    assert 0 <= results["generated"]["classification_accuracy_score"] <= 1
    assert results["real"]["classification_accuracy_score"] == results["real"]["top1_accuracy"]
    assert results["samples"]["real"] == 30


def test_another_extractor_leaves_accuracy_to_the_judge(evaluated, cache_dir, capsys, monkeypatch):
    from keras_cvaegan import metrics

    class Means:
        """Mean colours, without classes."""

        name, fingerprint, feature_dim = "means", "0123", 3
        num_classes, knows_labels = None, False

        def __init__(self, weights):
            assert weights == "imagenet"

        def __call__(self, images):
            return images.mean(axis=(1, 2)).astype(np.float32), None

        def describe(self):
            return {"name": self.name, "fingerprint": self.fingerprint, "feature_dim": 3}

    monkeypatch.setattr(metrics, "InceptionExtractor", Means)
    flags = ("--extractor=inception", "--metrics=top1_accuracy,inception_score,frechet_distance")
    assert call(capsys, evaluated.run_dir, *flags)[0] == 0
    results = read(evaluated.run_dir)
    assert results["extractor"]["name"] == "means"
    assert "inception_score" not in results["generated"]
    for side in ("real", "generated"):
        expected = evaluated.results[side]["top1_accuracy_by_class"]
        assert results[side]["top1_accuracy_by_class"] == expected
    # Where other runs on the same pictures find them.
    assert len(list(cache_dir.glob("petals-train-16px-*/statistics-0123.npz"))) == 1


def test_reconstruction_alone_needs_no_judge(evaluated, tmp_path, capsys):
    run_dir = tmp_path / "run"
    shutil.copytree(evaluated.run_dir, run_dir)
    (run_dir / "evaluation_classifier.keras").unlink()
    assert call(capsys, run_dir, "--metrics=reconstruction")[0] == 0
    assert not (run_dir / "evaluation_classifier.keras").exists()
    results = read(run_dir)
    assert results["samples"]["generated"] == 0
    assert set(results["generated"]) == {"reconstruction_mse", "reconstruction_psnr"}


def test_a_model_without_classes_has_no_figures_by_class(yardstick):
    from keras_cvaegan.models import GAN
    from trainers import measuring

    model = GAN.from_preset("compact", image_shape=(16, 16, 3), num_classes=2)
    names = measuring.possible_names(model)
    assert not {"top1_accuracy", "intra_class_diversity", "reconstruction"} & set(names)
    with pytest.raises(ValueError, match="GAN has no classes, thus no top1_accuracy"):
        measuring.possible_names(model, ["top1_accuracy"])
    with pytest.raises(ValueError, match="GAN has no encoder, thus no reconstruction"):
        measuring.possible_names(model, ["reconstruction"])
    results = measuring.measure(
        model, yardstick, names=["inception_score", "frechet_distance"], samples_per_class=4
    )
    assert results["samples"]["generated"] == 8
    assert results["generated"]["frechet_distance"] > 0
    assert results["pictures"] == {}


def test_models_that_share_a_yardstick_share_its_real_figures(yardstick):
    assert yardstick.real(["inception_score"]) is yardstick.real(("inception_score",))


def test_fewer_samples_are_the_first_of_more(finished_run):
    import keras_cvaegan
    from trainers import measuring

    model = keras_cvaegan.load(finished_run)

    def draw(total, seed):
        parts = list(measuring.samples(model, model.class_names, total, seed))
        return [np.concatenate(part) for part in zip(*parts, strict=True)]

    images, labels = draw(300, seed=0)
    assert labels[:4].tolist() == [0, 1, 0, 1]
    fewer, _ = draw(10, seed=0)
    # Batches of another size round otherwise.
    assert np.abs(images[:10].astype(int) - fewer).max() <= 1
    others, _ = draw(10, seed=1)
    assert np.abs(others.astype(int) - fewer).max() > 1
    assert len(np.unique(images, axis=0)) == 300


def test_data_that_changed_since_the_training(evaluated, tmp_path, capsys):
    run_dir = tmp_path / "run"
    shutil.copytree(evaluated.run_dir, run_dir)
    rewrite_config(run_dir, num_classes=3)
    code, _, errors = call(capsys, run_dir)
    assert code == 1
    assert errors.startswith("error: The data have 3 classes, ")
    assert errors.count("\n") == 1


def test_an_unknown_metric(finished_run, capsys):
    code, _, errors = call(capsys, finished_run, "--metrics=precision,fid")
    assert code == 1
    assert errors.startswith("error: --metrics takes names of top1_accuracy, ")
    assert errors.endswith("Received: 'fid'.\n")


def test_names_offered_are_those_that_are_measured():
    from trainers import measuring

    assert evaluate.METRICS == measuring.NAMES


def test_progress_tells_what_is_left(capsys):
    from trainers.counting import counted
    from trainers.status import StatusLine

    line = StatusLine(seconds_between=0)
    assert len(list(counted("Samples", [(np.zeros(10),)] * 3, 30, line))) == 3
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("Samples: 20 of 30, ")
    assert lines[0].endswith(" images/s, 0:00 left")
    assert lines[1].startswith("Samples: 30 of 30, ")
    assert lines[1].endswith(" images/s, 0:00 in all")

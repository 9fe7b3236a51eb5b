"""trainers.evaluate on a tiny run of few pictures, and on stubs whose figures are known."""

import contextlib
import io
import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

import datasets
from datasets import petals
from keras_cvaegan import pictures
from trainers import evaluate
from trainers.evaluation import measuring

# Of each split another number, so that none stands for another.
SIZES = {"train": 120, "validation": 40, "test": 60}
GENERATED = 80
FLAGS = ("--samples_per_class=40", "--judge=trained")

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("evaluate")]


def rewrite_config(run_dir, **options):
    record = json.loads((run_dir / "config.json").read_text())
    record["config"]["dataset_options"] |= options
    (run_dir / "config.json").write_text(json.dumps(record))


@pytest.fixture(scope="module", autouse=True)
def sizes(finished_run):
    """Few flowers, after the run was trained on many."""
    with pytest.MonkeyPatch.context() as patch:
        for split, count in SIZES.items():
            patch.setitem(petals.SPLIT_SIZES, split, count)
        yield


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


def test_real_figures_are_of_held_out_pictures_against_training_ones(evaluated):
    import keras

    from keras_cvaegan import metrics

    train, test = (
        datasets.prepare("petals", split, 16, num_classes=2)
        for split in SIZES
        if split != "validation"
    )
    classifier = keras.saving.load_model(
        evaluated.run_dir / "evaluation_classifier.keras", compile=False
    )
    judge = metrics.ClassifierExtractor(classifier)
    reference = metrics.reference_statistics([(train.images, train.labels)], judge)
    suite = metrics.MetricSuite(reference, judge, class_names=test.description.class_names)
    suite.update_state(test.images, test.labels)
    with pytest.warns(metrics.FewSamplesWarning):
        expected = suite.result()
    assert expected.keys() < evaluated.results["real"].keys()
    for name, value in expected.items():
        assert evaluated.results["real"][name] == pytest.approx(value, rel=1e-4, abs=1e-7), name


def test_a_figure_by_class_has_the_classes_names(evaluated):
    names = json.loads((evaluated.run_dir / "config.json").read_text())["class_names"]
    for side in ("real", "generated"):
        for figure in ("top1_accuracy", "intra_class_frechet_distance", "intra_class_diversity"):
            assert list(evaluated.results[side][f"{figure}_by_class"]) == names


def test_the_file_says_what_was_compared(evaluated):
    results = evaluated.results
    counts = results["samples"]
    assert (counts["generated"], counts["generated_per_class"], counts["seed"]) == (80, 40, 0)
    assert (counts["real"], counts["real_split"], counts["step"]) == (60, "test", 4)
    assert results["reference"]["split"] == "train"
    assert results["reference"]["samples"] == 120
    assert results["extractor"]["knows_labels"]
    assert len(results["extractor"]["fingerprint"]) == 16
    assert results["judge"]["name"] == results["extractor"]["name"]
    assert results["settings"]["generated"]["KernelDistance"]["samples"] == GENERATED
    assert any("--samples_per_class=30" in note for note in results["notes"])
    assert any("intra_class_frechet_distance" in note for note in results["notes"])
    assert set(results["versions"]) == {"keras_cvaegan", "keras", "numpy", "tensorflow"}


def test_only_generated_pictures_have_reconstructions(evaluated):
    assert evaluated.results["generated"]["reconstruction_mse"] > 0
    assert "reconstruction_mse" not in evaluated.results["real"]


def test_progress_and_a_table_are_printed(evaluated):
    for title in (
        "Training pictures: 120/120  ",
        "Held-out pictures: 60/60  ",
        "Samples: 80/80  ",
    ):
        assert title in evaluated.output
    assert "images/s" in evaluated.output
    assert "Top-1 accuracy  " in evaluated.output
    assert f"Report: {evaluated.run_dir / 'report.html'}\n" in evaluated.output


def test_sheets_have_a_title_a_row(evaluated):
    described = evaluated.results["pictures"]
    columns = {
        "real_and_generated.png": 11,
        "nearest_training.png": 9,
        "reconstructions.png": 8,
        "transferred.png": 8,
    }
    assert described.keys() == columns.keys()
    for name in columns:
        sheet = pictures.read_picture(evaluated.run_dir / "samples" / name)
        rows = len(described[name]["titles"])
        assert sheet.shape == (2 + 18 * rows, 2 + 18 * columns[name], 3)


def test_judge_and_statistics_are_made_once(evaluated, trainings, capsys):
    code, output, _ = call(capsys, evaluated.run_dir, "--metrics=frechet_distance,precision")
    assert code == 0
    assert evaluated.trainings == trainings == [(120, 40, False)]
    assert "Training pictures" not in output
    results = read(evaluated.run_dir)
    assert set(results["generated"]) == {"frechet_distance", "precision", "recall"}
    for side in ("real", "generated"):
        for name, value in results[side].items():
            assert value == pytest.approx(evaluated.results[side][name], rel=1e-6)


def test_a_damaged_judge_is_trained_anew(evaluated, tmp_path, trainings, capsys):
    from keras_cvaegan.training.run_directory import RunDirectory
    from trainers.evaluation.judge import open_judge
    from trainers.runs.data import open_data, read_config

    shutil.copytree(evaluated.run_dir, tmp_path / "run")
    run = RunDirectory(tmp_path / "run")
    data = open_data(read_config(run))
    whole, description = run.evaluation_classifier, run.path / "evaluation_classifier.json"
    for path, content in (
        (whole, whole.read_bytes()[:1000]),
        (description, b""),
        (description, b"[]"),
    ):
        path.write_bytes(content)
        open_judge(run.evaluation_classifier, data)
        assert "The kept classifier cannot be read: training another." in capsys.readouterr().out
        assert trainings.pop() == (120, 40, False)
        open_judge(run.evaluation_classifier, data)
        assert len(trainings) == 1


def test_damaged_statistics_are_computed_anew(evaluated, capsys, caplog):
    (evaluated.run_dir / "evaluation_statistics.npz").write_bytes(b"PK damaged")
    code, output, _ = call(capsys, evaluated.run_dir, "--metrics=frechet_distance")
    assert code == 0
    assert "Training pictures: 120/120  " in output
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
    from trainers.evaluation import evaluating

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

    monkeypatch.setattr(evaluating, "InceptionExtractor", Means)
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
    assert evaluate.METRICS == measuring.NAMES

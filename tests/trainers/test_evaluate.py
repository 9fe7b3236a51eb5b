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
from tests.helpers.untrained import CLASSES, Painter, judge_without_training, write_pictures
from trainers import evaluate

# Of each split another number, so that none stands for another.
SIZES = {"train": 120, "validation": 40, "test": 60}
GENERATED = 80
FLAGS = ("--samples_per_class=40",)

pytestmark = pytest.mark.xdist_group("evaluate")


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
    assert set(described) == {"nearest_training.png", "reconstructions.png"}
    for name, columns in (("nearest_training.png", 9), ("reconstructions.png", 8)):
        sheet = pictures.read_picture(evaluated.run_dir / "samples" / name)
        rows = len(described[name]["titles"])
        assert sheet.shape == (2 + 18 * rows, 2 + 18 * columns, 3)


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


@pytest.fixture(scope="module")
def bright(tmp_path_factory, shared_cache):
    """Returns a function that opens a real_side of pictures whose classes differ in brightness.

    Of six held-out ones of a class two look like the next class.
    """
    from trainers.evaluation.real_side import RealSide

    def open_real_side(count=10, **options):
        if count not in folders:
            folders[count] = tmp_path_factory.mktemp("bright")
            counts = {"train": count, "validation": 1, "test": 6}
            write_pictures(folders[count], counts, wrong=lambda number: number >= 4)
        data = datasets.open_dataset("folder", 16, data_dir=folders[count])
        train = data.prepare("train")
        judge = judge_without_training((train.images, train.labels), None, 3, augment=False)
        about = {"name": "brightness", "augmentation": False}
        return RealSide(data, judge, about, **options)

    folders = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_CVAEGAN_CACHE", str(shared_cache))
        yield open_real_side


def test_samples_are_measured_against_the_labels_they_were_made_for(bright):
    from trainers.evaluation import measuring

    results = measuring.measure(
        Painter(confused=0), bright(), names=["top1_accuracy"], samples_per_class=5
    )
    assert results["generated"]["top1_accuracy_by_class"] == {"dark": 0, "light": 1, "middle": 1}
    assert results["generated"]["top1_accuracy"] == pytest.approx(2 / 3)
    assert results["real"]["top1_accuracy"] == pytest.approx(4 / 6)


def test_reconstructions_are_compared_with_their_own_pictures(bright):
    from trainers.evaluation import measuring

    real_side = bright()
    images, labels = real_side.test.images / 127.5 - 1, np.asarray(real_side.test.labels)

    def reconstruct(images, labels):
        images = pictures.from_uint8(images)
        return 0.7 * images + 0.1 * np.asarray(labels, np.float32)[:, None, None, None]

    for conditional in (True, False):
        model = Painter(conditional, reconstruct=reconstruct)
        results = measuring.measure(model, real_side, names=["reconstruction"])["generated"]
        given = labels if conditional else 0 * labels
        errors = (0.1 * given[:, None, None, None] - 0.3 * images) ** 2
        assert results["reconstruction_mse"] == pytest.approx(errors.mean(), rel=1e-5)
        # The peak is 2, from −1 to 1.
        psnr = np.mean(20 * np.log10(2 / np.sqrt(errors.mean(axis=(1, 2, 3)))))
        assert results["reconstruction_psnr"] == pytest.approx(psnr, rel=1e-5)


def test_the_score_of_samples_is_judged_on_the_held_out_pictures_drawn_by_lot(bright, monkeypatch):
    from keras_cvaegan.metrics import recognition
    from trainers.evaluation import measuring

    monkeypatch.setattr(recognition, "train_classifier", judge_without_training)
    real_side = bright(max_test_images=8)
    middles = np.array(list(CLASSES.values())) + 30
    test = real_side.test
    looks = np.abs(test.images.mean(axis=(1, 2, 3))[:, None] - middles).argmin(axis=1)
    right = looks == test.labels
    drawn = right[real_side.test_rows].mean()
    assert len(set(real_side.test_rows)) == 8
    assert len({drawn, right[:8].mean(), right.mean()}) == 3
    results = measuring.measure(
        Painter(), real_side, names=["frechet_distance"], samples_per_class=20, cas=True
    )
    for side in ("real", "generated"):
        assert results[side]["classification_accuracy_score"] == pytest.approx(drawn)
    assert "top1_accuracy" not in results["real"]


def test_titles_of_nearest_pictures_are_the_samples_classes(bright, tmp_path, monkeypatch):
    from trainers.evaluation import measuring, real_side

    # Fewer than the samples, so that which ones are shown is left to chance.
    for module in (measuring, real_side):
        monkeypatch.setattr(module, "NOVELTY_SAMPLES", 8)
    results = measuring.measure(
        Painter(), bright(), names=["novelty"], samples_per_class=20, pictures_dir=tmp_path
    )
    titles = results["pictures"]["nearest_training.png"]["titles"]
    assert (len(titles), len(set(titles))) == (6, 3)
    sheet = pictures.read_picture(tmp_path / "nearest_training.png")
    for row, title in enumerate(titles):
        sample = sheet[2 + 18 * row : 18 + 18 * row, 2:18]
        assert CLASSES[title] <= sample.min() <= sample.max() < CLASSES[title] + 60


def test_statistics_of_other_pictures_do_not_serve(bright, tmp_path):
    statistics = tmp_path / "statistics.npz"
    first = bright(statistics=statistics).describe_reference()
    # The same classes and the same judge, of other pictures.
    other = bright(count=11, statistics=statistics)
    other.judge.fingerprint = bright().judge.fingerprint
    described = other.describe_reference()
    assert (first["samples"], described["samples"]) == (30, 33)
    assert first["key"]["digest"] != described["key"]["digest"]


def test_the_judge_passes_each_picture_once(bright, monkeypatch):
    """For statistics, novelty, real and generated figures together."""
    from keras_cvaegan import metrics
    from trainers.evaluation import measuring

    seen, original = [], metrics.ClassifierExtractor.__call__

    def counting(self, images):
        seen.extend(image.tobytes() for image in images)
        return original(self, images)

    monkeypatch.setattr(metrics.ClassifierExtractor, "__call__", counting)
    real_side = bright()
    for _ in range(2):
        measuring.measure(Painter(), real_side, names=["frechet_distance", "novelty"])
    training = [image.tobytes() for image in real_side.training.images]
    # Once among all, and once to seek the nearest other one of each.
    assert [seen.count(image) for image in training] == [2] * len(training)


def test_held_out_pictures_are_read_once(bright, capsys):
    real_side = bright(names=["top1_accuracy", "frechet_distance"])
    figures, settings, _ = real_side.real(["frechet_distance"])
    assert figures.keys() == {"frechet_distance"}
    assert settings.keys() == {"FrechetDistance"}
    assert {"top1_accuracy", "frechet_distance"} < real_side.real(real_side._names)[0].keys()
    assert capsys.readouterr().out.count("Held-out pictures: ") == 1
    assert "coverage" in real_side.real(["frechet_distance", "coverage"])[0]
    assert capsys.readouterr().out.count("Held-out pictures: ") == 1


@pytest.mark.parametrize(("samples_per_class", "noted"), [(6, False), (40, True)])
def test_pairs_of_pictures_with_themselves_are_noted(bright, samples_per_class, noted):
    from trainers.evaluation import measuring

    results = measuring.measure(
        Painter(), bright(), names=["intra_class_diversity"], samples_per_class=samples_per_class
    )
    notes = [note for note in results["notes"] if "intra_class_diversity counts" in note]
    assert len(notes) == noted
    if noted:
        assert "0.833 in the real column and 0.975 in the generated one" in notes[0]


def test_a_model_without_classes_has_no_figures_by_class(bright):
    from keras_cvaegan.models import GAN
    from trainers.evaluation import measuring

    model = GAN.from_preset("compact", image_shape=(16, 16, 3), num_classes=2)
    names = measuring.possible_names(model)
    assert not {"top1_accuracy", "intra_class_diversity", "reconstruction"} & set(names)
    with pytest.raises(ValueError, match="GAN has no classes, thus no top1_accuracy"):
        measuring.possible_names(model, ["top1_accuracy"])
    with pytest.raises(ValueError, match="GAN has no encoder, thus no reconstruction"):
        measuring.possible_names(model, ["reconstruction"])
    results = measuring.measure(
        Painter(conditional=False),
        bright(),
        names=["inception_score", "frechet_distance"],
        samples_per_class=4,
    )
    assert results["samples"]["generated"] == 12
    assert results["generated"]["frechet_distance"] > 0
    assert results["pictures"] == {}


def test_fewer_samples_are_the_first_of_more(finished_run):
    import keras_cvaegan
    from trainers.evaluation import measuring

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
    from trainers.evaluation import measuring

    assert evaluate.METRICS == measuring.NAMES

"""What is measured of stubs whose figures are known."""

import numpy as np
import pytest

import datasets
import keras_cvaegan
from keras_cvaegan import pictures
from tests.helpers.untrained import CLASSES, Painter, judge_without_training, write_pictures
from trainers.evaluation import measuring
from trainers.evaluation.real_side import RealSide
from trainers.reports import picture_grids

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bright(tmp_path_factory, shared_cache):
    """Returns a function that opens a real_side of pictures whose classes differ in brightness.

    Of six held-out ones of a class two look like the next class.
    """

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
    results = measuring.measure(
        Painter(confused=0), bright(), names=["top1_accuracy"], samples_per_class=5
    )
    assert results["generated"]["top1_accuracy_by_class"] == {"dark": 0, "light": 1, "middle": 1}
    assert results["generated"]["top1_accuracy"] == pytest.approx(2 / 3)
    assert results["real"]["top1_accuracy"] == pytest.approx(4 / 6)


def test_reconstructions_are_compared_with_their_own_pictures(bright):
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


def test_real_pictures_are_beside_samples_of_their_class(bright, tmp_path):
    real_side = bright()
    results = measuring.measure(
        Painter(), real_side, names=["novelty"], samples_per_class=20, pictures_dir=tmp_path
    )
    titles = results["pictures"]["real_and_generated.png"]["titles"]
    assert sorted(titles) == sorted(CLASSES)
    sheet = pictures.read_picture(tmp_path / "real_and_generated.png")
    assert sheet.shape == (2 + 18 * 3, 2 + 18 * 11, 3)
    test = real_side.test
    for row, title in enumerate(titles):
        places = [
            sheet[2 + 18 * row : 18 + 18 * row, 2 + 18 * column : 18 + 18 * column]
            for column in range(11)
        ]
        of_class = np.asarray(test.labels) == real_side.class_names.index(title)
        held_out = {picture.tobytes() for picture in test.images[of_class]}
        shown = {place.tobytes() for place in places[:5]}
        assert len(shown) == 5
        assert shown <= held_out
        assert (places[5] == 255).all()
        for place in places[6:]:
            assert CLASSES[title] <= place.min() <= place.max() < CLASSES[title] + 60


def test_few_real_pictures_leave_places_blank():
    def row(count, value):
        return np.full((count, 4, 4, 3), value, np.uint8)

    grid = picture_grids.real_and_generated(
        [row(1, 10), row(3, 20)], [row(2, 30), row(2, 40)], ["a", "b"]
    )
    values = [list(row[:, 0, 0, 0]) for row in grid.rows]
    assert values == [[10, 255, 255, 255, 30, 30], [20, 20, 20, 255, 40, 40]]


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


def test_a_second_evaluation_passes_no_training_picture_through_the_judge(
    bright, monkeypatch, tmp_path, caplog
):
    from keras_cvaegan import metrics

    seen, original = [], metrics.ClassifierExtractor.__call__

    def counting(self, images):
        seen.extend(image.tobytes() for image in images)
        return original(self, images)

    monkeypatch.setattr(metrics.ClassifierExtractor, "__call__", counting)
    kept = {"statistics": tmp_path / "statistics.npz", "features": tmp_path / "features.npz"}
    names = ["frechet_distance", "novelty"]
    first = measuring.measure(Painter(), bright(**kept), names=names)
    training = {image.tobytes() for image in bright().training.images}
    assert training <= set(seen)
    seen.clear()
    second = measuring.measure(Painter(), bright(**kept), names=names)
    assert second == first
    # The nearest other picture of some is sought by the features themselves.
    assert sum(image in training for image in seen) <= len(training)
    kept["features"].write_bytes(b"PK damaged")
    assert measuring.measure(Painter(), bright(**kept), names=names) == first
    assert f"The features in {kept['features']} cannot be read" in caplog.text


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
    results = measuring.measure(
        Painter(), bright(), names=["intra_class_diversity"], samples_per_class=samples_per_class
    )
    notes = [note for note in results["notes"] if "intra_class_diversity counts" in note]
    assert len(notes) == noted
    if noted:
        assert "0.833 in the real column and 0.975 in the generated one" in notes[0]


def test_a_model_without_classes_has_no_figures_by_class(bright):
    from keras_cvaegan.models import GAN

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

"""A classifier trained on samples, tested on real data."""

import numpy as np
import pytest

from keras_cvaegan.metrics import ClassificationAccuracyScore, FewSamplesWarning, recognition


def striped(count, seed):
    """Two classes: horizontal and vertical stripes."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    rows = np.where(random.integers(0, 2, (count, 8, 1, 1)) > 0, 220, 30)
    images = np.where(labels[:, None, None, None] > 0, rows, rows.transpose(0, 2, 1, 3))
    images = np.broadcast_to(images, (count, 8, 8, 3)) + random.integers(0, 30, (count, 8, 8, 3))
    return images.astype(np.uint8), labels


@pytest.mark.slow
def test_good_samples_teach_and_mislabelled_ones_do_not():
    real = striped(60, 0)
    metric = ClassificationAccuracyScore(real, 2, augment=False, epochs=3)
    scores = []
    for flip in (False, True):
        metric.reset_state()
        images, labels = striped(300, 1)
        for rows in np.array_split(np.arange(300), 3):
            metric.update_state(images[rows], labels[rows] ^ flip)
        result = metric.result()
        scores.append(result["classification_accuracy_score"])
        by_class = result["classification_accuracy_score_by_class"]
        assert np.mean(by_class) == pytest.approx(scores[-1])
    assert scores[0] > 0.9
    assert scores[1] < 0.1


def test_samples_are_stored_and_divided_by_lot(monkeypatch, tmp_path):
    """What the training gets is all samples, once each, whatever the batches."""
    trainings = []

    def train_classifier(train, validation, num_classes, **settings):
        trainings.append([np.array(part) for part in (*train, *validation)])
        assert isinstance(train[0], np.memmap)
        assert settings == {"augment": True, "epochs": 60, "seed": 5, "verbose": 0}
        return recognition.recognition_network((8, 8, 3), num_classes, False)

    monkeypatch.setattr(recognition, "train_classifier", train_classifier)
    images, labels = striped(200, 1)
    for parts in (1, 200):
        metric = ClassificationAccuracyScore(
            striped(10, 0), 2, augment=True, directory=tmp_path, seed=5
        )
        for rows in np.array_split(np.arange(200), parts):
            metric.update_state(images[rows], labels[rows])
        metric.result()
        about = metric.describe()
        assert about["training_samples"] + about["validation_samples"] == 200
        assert 8 <= about["validation_samples"] <= 35
        assert about["real_samples"] == 10
    for one, other in zip(*trainings, strict=True):
        np.testing.assert_array_equal(one, other)
    received = np.concatenate([trainings[0][0], trainings[0][2]])
    assert {image.tobytes() for image in received} == {image.tobytes() for image in images}
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_samples(count):
    metric = ClassificationAccuracyScore(striped(10, 0), 2, augment=False)
    images, labels = striped(10, 1)
    metric.update_state(images[:count], labels[:count])
    with pytest.warns(FewSamplesWarning, match=f"some dozens of samples. Received: {count}"):
        assert set(metric.result().values()) == {None}


def test_wrong_arguments():
    images, labels = striped(10, 0)
    with pytest.raises(ValueError, match="one image or more"):
        ClassificationAccuracyScore((images[:0], labels[:0]), 2, augment=False)
    metric = ClassificationAccuracyScore((images, labels), 2, augment=False)
    with pytest.raises(ValueError, match=r"real images' shape, \(8, 8, 3\). Received: \(8, 7, 3\)"):
        metric.update_state(images[:, :, :7], labels)

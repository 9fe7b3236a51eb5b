import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_cvaegan import metrics
from tests.helpers import tfx_examples as examples
from trainers.tfx import judging, module

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("tfx")]

_, CONFIG = module.parse({"num_classes": examples.CLASSES, "image_size": examples.SIZE})


@pytest.fixture(scope="module")
def judge():
    keras.utils.set_random_seed(0)
    return metrics.recognition_network((16, 16, 3), examples.CLASSES, augment=False)


@pytest.fixture(scope="module")
def results(trained, petals, judge):
    return judging.evaluate(trained.args.serving_model_dir, judge, petals[1], CONFIG, samples=30)


def test_figures_are_those_of_the_library(results, trained, petals, judge):
    extractor = metrics.ClassifierExtractor(judge)
    images, labels = judging.arrays(petals[1], CONFIG, 100)
    order = np.random.default_rng(0).permutation(40)
    reference = metrics.FeatureMoments.of(extractor(images[order[::2]])[0])
    generate = tf.saved_model.load(trained.args.serving_model_dir).signatures["generate"]
    asked = {"labels": np.arange(30) % 2, "seed": np.arange(30)}
    samples = generate(**{name: tf.constant(value) for name, value in asked.items()})["images"]
    for side, pictures, classes in (
        ("generated", samples.numpy(), asked["labels"]),
        ("real", images[order[1::2]], labels[order[1::2]]),
    ):
        features, probabilities = extractor(pictures)
        distance = metrics.FrechetDistance(reference)
        with pytest.warns(metrics.FewSamplesWarning):
            distance.update_state(features)
            expected = distance.result()["frechet_distance"]
        assert results[side]["frechet_distance"] == pytest.approx(expected, rel=1e-4)
        accuracy = np.mean(probabilities.argmax(axis=1) == classes)
        assert results[side]["top1_accuracy"] == pytest.approx(accuracy)
    assert results["samples"] == {
        "generated": 30,
        "seed": 0,
        "real": 20,
        "reference": 20,
        "split": "eval",
    }
    assert any("frechet_distance rests on 30 samples" in note for note in results["notes"])


def test_without_classes_there_is_no_accuracy(petals, judge, monkeypatch):
    def generated(path, classes, samples, seed):
        assert classes == 1
        yield np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3), np.uint8), np.zeros(4, int)

    monkeypatch.setattr(judging, "_generated", generated)
    found = judging.evaluate("", judge, petals[1], CONFIG, conditional=False, samples=4)
    assert list(found["generated"]) == ["frechet_distance"]


@pytest.mark.parametrize(
    ("thresholds", "expected"),
    [
        ({}, []),
        ({"min_top1_accuracy": 0.5, "max_frechet_distance": 10}, []),
        ({"min_top1_accuracy": 0.51}, ["top1_accuracy is 0.5, below 0.51"]),
        ({"max_frechet_distance": 9.5}, ["frechet_distance is 10, above 9.5"]),
    ],
)
def test_thresholds(thresholds, expected):
    figures = {"top1_accuracy": 0.5, "frechet_distance": 10.0}
    assert judging.failures(figures, thresholds) == expected


def test_a_figure_that_cannot_be_said_is_a_failure():
    limits = {"max_frechet_distance": 1.0}
    assert judging.failures({}, limits) == ["frechet_distance cannot be said"]
    assert judging.failures({"frechet_distance": float("nan")}, limits) != []


@pytest.mark.parametrize(
    ("thresholds", "message"),
    [
        ({"min_accuracy": 1}, "no threshold 'min_accuracy'. Allowed: min_top1_accuracy, max_fre"),
        ({"min_top1_accuracy": "high"}, "min_top1_accuracy must be a number .*'high'"),
        ({"max_frechet_distance": -1}, "must be a number of at least 0. Received: -1"),
        ({"max_frechet_distance": float("nan")}, "must be a number of at least 0"),
    ],
)
def test_wrong_thresholds(thresholds, message):
    with pytest.raises(ValueError, match=message):
        judging.check_thresholds(thresholds)


def test_the_verdict_is_kept_with_the_figures(results, tmp_path):
    limits = {"min_top1_accuracy": 1.0, "max_frechet_distance": 0.0}
    refused = judging.write_verdict(results, limits, str(tmp_path / "evaluation"))
    kept = json.loads((tmp_path / "evaluation" / "evaluation.json").read_text())
    assert kept["generated"] == results["generated"]
    assert (kept["thresholds"], kept["blessed"], kept["failures"]) == (limits, False, refused)
    assert len(refused) == 2
    assert judging.write_verdict(results, {}, str(tmp_path)) == []
    assert json.loads((tmp_path / "evaluation.json").read_text())["blessed"]


def test_the_judge_is_stopped_by_what_it_does_not_learn_from(petals, monkeypatch):
    asked = []

    def train_classifier(train, validation, num_classes, **settings):
        asked.append((train, validation, num_classes, settings))

    monkeypatch.setattr(judging, "train_classifier", train_classifier)
    judging.train_judge(petals[0], CONFIG, augment=True)
    ((train, validation, num_classes, settings),) = asked
    assert (len(train[1]), len(validation[1]), num_classes) == (36, 4, 2)
    assert settings == {"augment": True, "epochs": 60, "seed": 0}
    together = np.concatenate([train[0], validation[0]])
    images, _ = judging.arrays(petals[0], CONFIG, 100)
    np.testing.assert_array_equal(np.unique(together, axis=0), np.unique(images, axis=0))


def test_limits_of_what_is_held(petals):
    assert [len(part) for part in judging.arrays(petals[0], CONFIG, 25)] == [25, 25]
    with pytest.raises(ValueError, match=r"20 train Examples or more\. Received: 19"):
        judging.train_judge(petals[0], CONFIG, augment=False, max_examples=19)


def test_a_saved_model_of_something_else(tmp_path, petals, judge, trained):
    other = tf.Module()
    other.double = tf.function(lambda x: 2 * x, [tf.TensorSpec([], tf.float32)])
    tf.saved_model.save(other, str(tmp_path), signatures={"double": other.double})
    with pytest.raises(ValueError, match=r"no signature 'generate'\. Found: double"):
        judging.evaluate(str(tmp_path), judge, petals[1], CONFIG, samples=4)
    _, more = module.parse({"num_classes": 3, "image_size": examples.SIZE})
    path = trained.args.serving_model_dir
    with pytest.raises(ValueError, match="does not generate pictures of the 3 classes"):
        judge = metrics.recognition_network((16, 16, 3), 3, augment=False)
        judging.evaluate(path, judge, petals[1], more, samples=4)

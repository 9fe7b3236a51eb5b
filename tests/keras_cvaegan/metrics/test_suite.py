"""All metrics of one stream."""

import json
import subprocess
import sys

import numpy as np
import pytest

from keras_cvaegan import metrics
from tests.helpers import measure_with_back_end
from tests.helpers.running import on_jax

NAMES = [
    "top1_accuracy",
    "inception_score",
    "realism",
    "frechet_distance",
    "kernel_distance",
    "precision",
    "recall",
    "density",
    "coverage",
    "intra_class_frechet_distance",
    "intra_class_diversity",
]


@pytest.fixture
def reference(extractor, draw):
    return metrics.reference_statistics([draw(200, seed=0)], extractor)


def test_figures_are_those_of_the_metrics_alone(reference, extractor, draw):
    suite = metrics.MetricSuite(reference, extractor, seed=3)
    images, labels = draw(150, seed=1)
    for rows in np.array_split(np.arange(150), 4):
        suite.update_state(images[rows], labels[rows])
    assert extractor.calls == 1 + 4  # One pass a batch.
    features, probabilities = extractor(images)
    expected = {}
    for metric, *arrays in (
        (metrics.Top1Accuracy(3), labels, probabilities),
        (metrics.InceptionScore(seed=3), probabilities),
        (metrics.FrechetDistance(reference.moments), features),
        (metrics.KernelDistance(reference.features, seed=3), features),
        (metrics.PrecisionRecall(reference.features), features),
        (metrics.DensityCoverage(reference.features), features),
        (metrics.IntraClassFrechetDistance(reference.features_by_class), features, labels),
        (metrics.IntraClassDiversity(3, seed=3), images, labels),
    ):
        metric.update_state(*arrays)
        expected |= metric.result()
    received = suite.result()
    assert received.keys() == expected.keys()
    assert [name for name in received if not name.endswith(("_std", "_by_class"))] == NAMES
    for name, value in expected.items():
        np.testing.assert_allclose(received[name], value, rtol=1e-5, atol=1e-9, err_msg=name)


def test_results_and_description_are_json(reference, extractor, draw):
    suite = metrics.MetricSuite(reference, extractor, class_names=["red", "green", "blue"])
    images, labels = draw(60, seed=1, num_classes=2)
    suite.update_state(images, labels)
    results = json.loads(json.dumps(suite.result(), allow_nan=False))
    assert results["top1_accuracy_by_class"]["blue"] is None
    assert list(results["intra_class_diversity_by_class"]) == ["red", "green", "blue"]
    about = json.loads(json.dumps(suite.describe(), allow_nan=False))
    assert about["samples"] == 60
    assert about["samples_by_class"] == [*np.bincount(labels), 0]
    assert about["extractor"]["fingerprint"] == "1"
    assert about["reference"]["split"] == "train"
    assert about["reference"]["samples"] == 200
    assert about["metrics"]["KernelDistance"]["samples"] == 60
    assert set(about["metrics"]) == {type(metric).__name__ for metric in suite.metrics}


def test_held_out_real_images_are_nearer_than_others(reference, extractor, draw):
    suite = metrics.MetricSuite(reference, extractor)
    results = []
    for darker in (1, 2):
        suite.reset_state()
        images, labels = draw(200, seed=1)
        suite.update_state(images // darker, labels)
        results.append(suite.result())
    real, dark = results
    for name in ("frechet_distance", "kernel_distance", "intra_class_frechet_distance"):
        assert abs(real[name]) < dark[name] / 10
    for name in ("precision", "recall", "density", "coverage"):
        assert real[name] > 0.7
        assert dark[name] < 0.1


def test_without_samples_every_figure_is_none(reference, extractor):
    suite = metrics.MetricSuite(reference, extractor)
    suite.update_state(np.zeros((0, 8, 8, 3), np.uint8), np.zeros(0, int))
    for value in suite.result().values():
        assert value is None or set(value) == {None}
    assert suite.describe()["samples"] == 0


def test_one_image_a_class(reference, extractor, draw):
    suite = metrics.MetricSuite(reference, extractor)
    images, _ = draw(3, seed=1)
    suite.update_state(images, np.arange(3))
    with pytest.warns(metrics.FewSamplesWarning) as given:
        results = suite.result()
    assert len(given) == 3  # The Fréchet distance and both pairs.
    assert results["top1_accuracy"] is not None
    assert results["intra_class_frechet_distance"] is None
    assert results["precision"] is None


def test_chosen_metrics_and_probabilities_that_are_missing(reference, extractor, draw):
    suite = metrics.MetricSuite(
        reference, extractor, metrics=[metrics.FrechetDistance(reference.moments)]
    )
    suite.update_state(*draw(20, seed=1))
    assert list(suite.result()) == ["frechet_distance"]
    extractor.num_classes, extractor.knows_labels = None, False
    standard = metrics.standard_metrics(reference, extractor)
    assert not [metric for metric in standard if "probabilities" in metric.inputs]


def test_wrong_arguments(reference, extractor, draw):
    suite = metrics.MetricSuite(reference, extractor)
    images, labels = draw(4, seed=1)
    with pytest.raises(ValueError, match="uint8"):
        suite.update_state(images / 255, labels)
    with pytest.raises(ValueError, match=r"shape \(4,\)"):
        suite.update_state(images, labels[:3])
    with pytest.raises(ValueError, match=r"class_names must be 3. Received: 2"):
        metrics.MetricSuite(reference, extractor, class_names=["a", "b"])
    extractor.fingerprint = "2"
    with pytest.raises(ValueError, match=r"need one extractor. Received: 'mean colours' \(1\)"):
        metrics.MetricSuite(reference, extractor)


@pytest.mark.slow
def test_jax_gives_the_same_figures(classifier, tmp_path):
    """With one file of weights, in a process of its own."""
    path = tmp_path / "classifier.keras"
    classifier.save(path)
    process = subprocess.Popen(
        [sys.executable, measure_with_back_end.__file__, path],
        env=on_jax(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    expected = measure_with_back_end.measure(path)
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors[-4000:]
    received = json.loads(output.splitlines()[-1])
    assert received.keys() == expected.keys()
    assert received.pop("fingerprint") == expected.pop("fingerprint")
    for name, value in expected.items():
        np.testing.assert_allclose(received[name], value, rtol=1e-3, atol=1e-6, err_msg=name)

"""Features and probabilities of images."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_cvaegan import metrics, networks, pictures
from keras_cvaegan.metrics.extractors import TF1Bilinear
from tests.helpers.checks import dtype_policy


def images(count, size=16, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, size, size, 3), np.uint8)


def test_features_are_the_input_of_the_last_fully_connected_layer(classifier):
    extractor = metrics.ClassifierExtractor(classifier)
    x = images(10)
    features, probabilities = extractor(x)
    logits = classifier(pictures.from_uint8(x), training=False)
    body = keras.Model(classifier.input, classifier.get_layer("features").output)
    np.testing.assert_allclose(features, body(pictures.from_uint8(x), training=False), atol=1e-5)
    np.testing.assert_allclose(probabilities, keras.ops.softmax(logits), atol=1e-5)
    assert features.dtype == probabilities.dtype == np.float32
    assert (extractor.feature_dim, extractor.num_classes) == (64, 3)
    assert extractor.knows_labels


def test_an_image_does_not_depend_on_its_batch(classifier):
    x = images(21)
    whole = metrics.ClassifierExtractor(classifier)(x)
    for size in (1, 4, 8):
        parts = metrics.ClassifierExtractor(classifier, batch_size=size)(x)
        for part, expected in zip(parts, whole, strict=True):
            np.testing.assert_allclose(part, expected, atol=1e-5)
    features, probabilities = metrics.ClassifierExtractor(classifier)(x[:0])
    assert features.shape == (0, 64)
    assert probabilities.shape == (0, 3)


def test_classifier_of_a_model():
    """The networks of this package say their features themselves."""
    classifier = networks.compact.compact_classifier((16, 16, 3), num_classes=3, base_filters=4)
    x = images(3)
    outputs = classifier(pictures.from_uint8(x), training=False)
    features, probabilities = metrics.ClassifierExtractor(classifier)(x)
    np.testing.assert_allclose(features, outputs["features"], atol=1e-5)
    np.testing.assert_allclose(probabilities, keras.ops.softmax(outputs["logits"]), atol=1e-5)


def test_sequential_classifier_of_probabilities_and_another_layer():
    classifier = keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            keras.layers.Conv2D(5, 3, name="maps"),
            keras.layers.Flatten(),
            keras.layers.Dense(4, activation="softmax"),
        ],
        name="own",
    )
    x = images(3)
    extractor = metrics.ClassifierExtractor(classifier, feature_layer="maps", from_logits=False)
    features, probabilities = extractor(x)
    assert extractor.name == "own, layer maps"
    maps = classifier.get_layer("maps")(pictures.from_uint8(x))
    np.testing.assert_allclose(features, np.mean(maps, axis=(1, 2)), atol=1e-5)
    np.testing.assert_allclose(probabilities, classifier(pictures.from_uint8(x)), atol=1e-6)
    assert metrics.ClassifierExtractor(classifier, from_logits=False).feature_dim == 14 * 14 * 5


def test_classifier_without_features():
    convolutional = keras.Sequential(
        [keras.Input((16, 16, 3)), keras.layers.Conv2D(4, 3), keras.layers.GlobalMaxPooling2D()]
    )
    with pytest.raises(ValueError, match="with a Dense layer at its end; or name a feature_layer"):
        metrics.ClassifierExtractor(convolutional)
    with pytest.raises(ValueError, match="cannot be found"):
        metrics.ClassifierExtractor(keras.Sequential([keras.layers.Dense(4)]))
    with pytest.raises(ValueError, match="No such layer: absent"):
        metrics.ClassifierExtractor(convolutional, feature_layer="absent")


def test_fingerprint_is_of_name_and_weights(classifier):
    first = metrics.ClassifierExtractor(classifier)
    assert metrics.ClassifierExtractor(classifier).fingerprint == first.fingerprint
    assert metrics.ClassifierExtractor(classifier, name="b").fingerprint != first.fingerprint
    copy = keras.models.clone_model(classifier)
    copy.set_weights(classifier.get_weights())
    assert metrics.ClassifierExtractor(copy).fingerprint == first.fingerprint
    copy.weights[-1].assign_add(keras.ops.ones(3))
    assert metrics.ClassifierExtractor(copy).fingerprint != first.fingerprint
    assert first.describe() == {
        "name": "recognition",
        "fingerprint": first.fingerprint,
        "feature_dim": 64,
        "num_classes": 3,
        "knows_labels": True,
    }


def test_features_do_not_follow_the_dtype_policy_of_the_process(classifier):
    x = images(4)
    expected = metrics.ClassifierExtractor(classifier)(x)
    with dtype_policy("mixed_bfloat16"):
        received = metrics.ClassifierExtractor(classifier)(x)
    for values, others in zip(received, expected, strict=True):
        np.testing.assert_array_equal(values, others)


def test_wrong_images(classifier):
    extractor = metrics.ClassifierExtractor(classifier)
    with pytest.raises(ValueError, match=r"takes images of the shape \(16, 16, 3\).*\(8, 8, 3\)"):
        extractor(images(2, size=8))
    with pytest.raises(ValueError, match="uint8 of the shape"):
        extractor(images(2).astype(np.float32))


@pytest.mark.parametrize("size", [(1, 1), (8, 12), (32, 32), (75, 33), (299, 299), (310, 400)])
def test_resizing_is_that_of_tensorflow_1(size):
    x = np.random.default_rng(0).integers(0, 256, (2, *size, 3), np.uint8)
    expected = tf.compat.v1.image.resize_bilinear(x, (299, 299))
    np.testing.assert_allclose(TF1Bilinear(299, 299)(x), expected, atol=1e-3)
    layer = TF1Bilinear.from_config(TF1Bilinear(7, 9).get_config())
    assert layer(x).shape == (2, 7, 9, 3)
    assert layer.compute_output_shape((None, None, None, 3)) == (None, 7, 9, 3)


@pytest.fixture(scope="module")
def inception():
    keras.utils.set_random_seed(0)
    return metrics.InceptionExtractor(weights=None, batch_size=2)


@pytest.mark.slow
def test_inception_takes_images_of_any_size(inception):
    assert (inception.feature_dim, inception.num_classes) == (2048, 1000)
    assert not inception.knows_labels
    assert inception.name == "keras inception_v3, random weights, TF1 bilinear"
    for size in (32, 48):
        features, probabilities = inception(images(2, size))
        assert features.shape == (2, 2048)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    with pytest.raises(ValueError, match=r"of the shape \(None, None, 3\)"):
        inception(np.zeros((1, 32, 32, 1), np.uint8))


@pytest.mark.slow
def test_inception_has_no_top1_accuracy(inception):
    x, labels = images(8), np.arange(8) % 2
    with pytest.raises(ValueError, match="not the data's: pass num_classes"):
        metrics.reference_statistics([(x, labels)], inception)
    reference = metrics.reference_statistics([(x, labels)], inception, num_classes=2)
    standard = metrics.standard_metrics(reference, inception)
    assert "Top1Accuracy" not in [type(metric).__name__ for metric in standard]
    assert len(standard) == 7
    suite = metrics.MetricSuite(reference, inception, metrics=[standard[0], standard[2]])
    suite.update_state(images(8, seed=1), labels)
    results = suite.result()
    assert results["inception_score"] >= 1
    assert abs(results["kernel_distance"]) < 1


def test_failed_download_is_said(monkeypatch):
    def fail(weights):
        raise Exception(f"URL fetch failure on https://host/{weights}: None -- no route")

    monkeypatch.setattr(keras.applications, "InceptionV3", fail)
    with pytest.raises(OSError, match=r"had from 'imagenet' \(URL fetch failure .* Check the conn"):
        metrics.InceptionExtractor()

"""The probe: a logistic regression on frozen features, as one network."""

import keras
import numpy as np
import pytest
import scipy.special
from sklearn.linear_model import LogisticRegression

from keras_cvaegan import pictures
from keras_cvaegan.metrics import probe
from keras_cvaegan.metrics.probe import train_probe
from tests.helpers import checks
from tests.helpers.network_cases import small_trunk

COLOURS = np.array([[200, 60, 60], [60, 200, 60], [60, 60, 200], [180, 180, 60]])


def coloured(labels, seed):
    """Noisy pictures of 16 px of the colour of their class."""
    noise = np.random.default_rng(seed).normal(0, 20, (len(labels), 16, 16, 3))
    noise += np.random.default_rng(seed + 1).normal(0, 20, (len(labels), 1, 1, 3))
    return (COLOURS[labels][:, None, None] + noise).clip(0, 255).astype(np.uint8)


def labels_of(count, classes):
    return np.random.default_rng(0).choice(classes, count)


@pytest.fixture(scope="module")
def frozen(tmp_path_factory):
    """A trunk of random weights for pictures of 32 px, and its file."""
    keras.utils.set_random_seed(0)
    network, path = small_trunk(32, 12), tmp_path_factory.mktemp("trunk") / "trunk.keras"
    network.save(path)
    return network, str(path)


def trained(frozen, labels, num_classes, **options):
    images = coloured(labels, 0)
    return train_probe(images, labels, num_classes, trunk=frozen[1], side=32, **options)


def logits_of(network, images):
    return checks.arrays(network(pictures.from_uint8(images), training=False))["logits"]


def test_held_out_pictures_are_recognised(frozen):
    network = trained(frozen, labels_of(200, 4), 4)
    labels = np.arange(80) % 4
    found = logits_of(network, coloured(labels, 7)).argmax(axis=1)
    assert (found == labels).mean() > 0.9
    outputs = {name: tuple(x.shape) for name, x in network.output.items()}
    assert outputs == {"logits": (None, 4), "features": (None, 12)}


@pytest.mark.parametrize("classes", [[0, 1, 2], [0, 1, 3], [1, 3]])
def test_it_is_the_regression_on_standardised_features(frozen, classes, monkeypatch):
    """Against scikit-learn's, whose features are computed here; absent classes have no share."""
    monkeypatch.setattr(probe, "INVERSE_REGULARISATIONS", (0.02,))
    labels = labels_of(90, classes)
    network = trained(frozen, labels, 4, batch_size=32)
    resize = keras.layers.Resizing(32, 32, interpolation="bilinear")

    def features(images):
        return checks.arrays(frozen[0](resize(pictures.from_uint8(images))))["pooled"]

    of_training = features(coloured(labels, 0))
    mean, deviation = of_training.mean(axis=0), of_training.std(axis=0) + 1e-6
    regression = LogisticRegression(C=0.02).fit((of_training - mean) / deviation, labels)
    images = coloured(np.arange(40) % 4, 7)
    expected = np.zeros((40, 4))
    expected[:, classes] = regression.predict_proba((features(images) - mean) / deviation)
    found = scipy.special.softmax(logits_of(network, images), axis=1)
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_absent_classes_never_win(frozen):
    network = trained(frozen, labels_of(60, [0, 2]), 4)
    images = np.random.default_rng(0).integers(0, 256, (200, 16, 16, 3), np.uint8)
    images = np.concatenate([images, coloured(np.arange(40) % 4, 3)])
    images = np.concatenate([images, np.zeros_like(images[:1]), np.full_like(images[:1], 255)])
    logits = logits_of(network, images)
    assert set(logits.argmax(axis=1)) == {0, 2}
    np.testing.assert_array_equal(logits[:, [1, 3]], -100)


def test_saved_it_judges_the_same(frozen, tmp_path):
    network = trained(frozen, labels_of(40, 3), 3)
    assert [x.path for x in network.trainable_variables] == ["logits/kernel", "logits/bias"]
    network.save(tmp_path / "judge.keras")
    again = keras.saving.load_model(tmp_path / "judge.keras", compile=False)
    images = coloured(np.arange(6) % 3, 5)
    np.testing.assert_array_equal(logits_of(again, images), logits_of(network, images))


def test_the_weight_decay_is_the_best_on_pictures_held_back():
    """Of many features, one of which says the class: the strongest of the three overlooks it."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 60)
    features = rng.normal(size=(60, 300))
    features[:, 0] += 2 * labels
    order = np.random.default_rng(4).permutation(60)
    held, rest = order[:12], order[12:]
    scores = {
        c: LogisticRegression(C=c)
        .fit(features[rest], labels[rest])
        .score(features[held], labels[held])
        for c in probe.INVERSE_REGULARISATIONS
    }
    assert len(set(scores.values())) > 1
    assert scores[probe._best_regularisation(features, labels, seed=4)] == max(scores.values())


def test_without_pictures_there_is_no_judge(frozen):
    with pytest.raises(ValueError, match=r"A judge needs training pictures\. Received: none"):
        trained(frozen, np.zeros(0, int), 3)


@pytest.mark.parametrize(("label", "num_classes"), [(0, 1), (2, 3)])
def test_with_pictures_of_one_class_all_are_of_it(frozen, label, num_classes):
    """As those of a folder without classes are."""
    network = trained(frozen, np.full(5, label), num_classes)
    found = logits_of(network, coloured(np.array([0, 1, 2]), 7))
    assert found.shape == (3, num_classes)
    np.testing.assert_array_equal(found.argmax(axis=1), label)
    assert scipy.special.softmax(found, axis=1)[:, label].min() > 0.999


@pytest.mark.slow
def test_of_the_network_that_judges_by_default():
    labels = np.arange(60) % 4
    network = train_probe(coloured(labels, 0), labels, 4, side=64)
    assert network.name == "probe_of_efficientnet_lite1"
    assert network.output["features"].shape == (None, 1280)
    held = np.arange(20) % 4
    assert (logits_of(network, coloured(held, 7)).argmax(axis=1) == held).mean() > 0.9

"""The papers' networks together: their sizes, and one step."""

import keras
import numpy as np
import pytest

import keras_cvaegan
from keras_cvaegan.models import CVAEGAN, LRLIVAE, LRLIVAEGAN

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model():
    return CVAEGAN.from_preset("paper", num_classes=200)


def test_sizes(model):
    assert model.image_shape == (128, 128, 3)
    assert model.latent_dim == 256
    generator = model.generator
    channels = [
        layer.filters for layer in generator.layers if isinstance(layer, keras.layers.Conv2D)
    ]
    assert channels == [256, 256, 128, 92, 64, 3]
    counts = {name: network.count_params() for name, network in model.networks.items()}
    assert counts == {
        "encoder": 6_622_592,
        "generator": 3_966_003,
        "discriminator": 4_342_017,
        "classifier": 25_550_440,
    }
    weights = (model.kl_weight, model.matching_weight)
    weights += (model.mean_matching_weight, model.class_matching_weight)
    assert weights == (3.0, 1.0, 1e-3, 1e-3)


def test_one_step(model):
    model.compile()
    images = np.random.default_rng(0).uniform(-1, 1, (2, 128, 128, 3)).astype("float32")
    before = {n: network.get_weights() for n, network in model.networks.items()}
    logs = model.train_on_batch(images, np.array([3, 199]), return_dict=True)
    assert all(np.isfinite(value) for value in logs.values()), logs
    for name, network in model.networks.items():
        assert any(
            not np.array_equal(a, b)
            for a, b in zip(before[name], network.get_weights(), strict=True)
        ), name
    assert int(model.step) == 1


@pytest.fixture(scope="module")
def small():
    return LRLIVAEGAN.from_preset("paper", image_shape=(32, 32, 3), num_classes=10)


def sizes_of_codes(model):
    return model.relevant_dim, model.irrelevant_dim, model.latent_dim


def test_sizes_of_two_codes(small):
    assert sizes_of_codes(small) == (100, 200, 300)
    counts = {name: network.count_params() for name, network in small.networks.items()}
    assert counts == {
        "relevant_encoder": 1_579_332,
        "irrelevant_encoder": 1_886_832,
        "mixture": 2 * 10 * 100,
        "latent_classifier": 200 * 256 + 256 + 256 * 10 + 10,
        "generator": 4_668_643,
        "discriminator": 4_668_066,
    }
    weights = (small.likelihood_weight, small.irrelevant_kl_weight, small.mixture_steps)
    assert weights == (0.1, 10.0, 3)


def test_one_step_with_two_codes(small, tmp_path):
    small.compile(run_eagerly=True)
    images = np.random.default_rng(0).uniform(-1, 1, (8, 32, 32, 3)).astype("float32")
    before = {n: network.get_weights() for n, network in small.networks.items()}
    logs = small.train_on_batch(images, np.arange(8), return_dict=True)
    assert all(np.isfinite(value) for value in logs.values()), logs
    for name, network in small.networks.items():
        assert any(
            not np.array_equal(a, b)
            for a, b in zip(before[name], network.get_weights(), strict=True)
        ), name
    small.save(tmp_path / "model.keras")
    loaded = keras_cvaegan.load(tmp_path)
    assert sizes_of_codes(loaded) == (100, 200, 300)
    np.testing.assert_array_equal(loaded.generate([0, 9], seed=1), small.generate([0, 9], seed=1))


def test_two_codes_at_64_px():
    model = LRLIVAEGAN.from_preset("paper", num_classes=3)
    assert model.image_shape == (64, 64, 3)
    assert sizes_of_codes(model) == (512, 512, 1024)
    assert model.generate([2], seed=1).shape == (1, 64, 64, 3)


@pytest.mark.parametrize(
    ("latent_dim", "sizes"),
    [(None, (16, 16, 32)), (4, (4, 4, 8)), ((3, 5), (3, 5, 8)), ([3, 5], (3, 5, 8))],
)
def test_dimensions_of_two_codes(latent_dim, sizes):
    model = LRLIVAE.from_preset(
        "compact", image_shape=(16, 16, 3), num_classes=2, latent_dim=latent_dim
    )
    assert sizes_of_codes(model) == sizes


@pytest.mark.parametrize(
    ("cls", "latent_dim", "message"),
    [
        (LRLIVAE, (3,), r"latent_dim of LRLIVAE must be one integer .* pair .* Received: \(3,\)"),
        (LRLIVAE, (3, 4, 5), r"or a pair of them\. Received: \(3, 4, 5\)"),
        (LRLIVAE, 0, "`latent_dim` must be an integer of at least 1. Received: latent_dim=0"),
        (LRLIVAE, (3, 0), "Received: latent_dim=0"),
        (CVAEGAN, (3, 4), r"must be an integer of at least 1\. Received: latent_dim=\(3, 4\)"),
        (CVAEGAN, 0, "must be an integer of at least 1. Received: latent_dim=0"),
    ],
)
def test_wrong_dimensions(cls, latent_dim, message):
    with pytest.raises(ValueError, match=message):
        cls.from_preset("compact", image_shape=(16, 16, 3), num_classes=2, latent_dim=latent_dim)

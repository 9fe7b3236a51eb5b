"""The paper's networks together: their sizes, and one step at 128 px."""

import keras
import numpy as np
import pytest

from keras_cvaegan.models import CVAEGAN


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

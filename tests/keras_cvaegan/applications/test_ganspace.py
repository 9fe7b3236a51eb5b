"""GANSpace's directions where they are known, and against NumPy's least squares."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_cvaegan.applications import ganspace, ganspace_directions
from keras_cvaegan.models import GAN
from keras_cvaegan.networks import feature_network
from keras_cvaegan.ops import random

LATENT_DIM = 4
SCALES = np.array([4.0, 2.0, 1.0, 0.5])


def linear(offset=0.0):
    """A generator of one linear layer, and the right singular vectors of its weight."""
    rng = np.random.default_rng(0)
    u, _ = np.linalg.qr(rng.standard_normal((12, LATENT_DIM)))
    v, _ = np.linalg.qr(rng.standard_normal((LATENT_DIM, LATENT_DIM)))
    network = keras.Sequential(
        [
            keras.Input((LATENT_DIM,)),
            layers.Dense(12, name="features"),
            layers.Reshape((2, 2, 3), name="images"),
        ]
    )
    network.set_weights([(u * SCALES @ v.T).T, np.full(12, offset)])
    return network, v.T


def curved():
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    network = keras.Sequential(
        [
            keras.Input((LATENT_DIM,)),
            layers.Dense(9, activation="tanh", name="hidden"),
            layers.Dense(7, activation="relu", name="features"),
            layers.Dense(3),
        ]
    )
    network.layers[0].kernel.assign(rng.normal(size=(LATENT_DIM, 9)) * [[2], [1], [0.7], [0.4]])
    network.layers[1].kernel.assign(rng.normal(size=(9, 7)))
    return network


def assert_same_lines(vectors, expected, tolerance):
    lengths = [np.linalg.norm(x, axis=1) for x in (vectors, expected)]
    cosines = np.abs(np.sum(vectors * expected, axis=1)) / lengths[0] / lengths[1]
    np.testing.assert_allclose(cosines, 1, atol=tolerance)


@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_of_a_linear_generator_they_are_its_singular_vectors(offset):
    network, v = linear(offset)
    found = ganspace_directions(network, "features", samples=5000)
    assert found.vectors.shape == (LATENT_DIM, LATENT_DIM)
    assert_same_lines(found.vectors, v, 2e-3)
    np.testing.assert_allclose(np.linalg.norm(found.vectors, axis=1), 1, atol=0.03)
    np.testing.assert_allclose(found.shares, SCALES**2 / np.sum(SCALES**2), atol=0.02)
    assert np.all(found.vectors.max(axis=1) >= -found.vectors.min(axis=1))


def test_an_edit_of_1_is_a_standard_deviation_of_the_component():
    network, _ = linear()
    found = ganspace_directions(network, "features", samples=300)
    features = feature_network(network, "features")
    z = random.normal(np.arange(300), LATENT_DIM, seed=0, stream=ganspace.GANSPACE_STREAM)
    y = np.array(features(z)["features"])
    moved = np.array(features(z + found.vectors[0])["features"])
    component = np.linalg.svd(y - y.mean(axis=0), full_matrices=False)[2][0]
    assert abs(np.mean((moved - y) @ component)) == pytest.approx((y @ component).std(), rel=0.01)


@pytest.mark.parametrize("held", [True, False])
def test_of_a_curved_generator_they_are_the_least_squares(held, monkeypatch):
    if not held:
        monkeypatch.setattr(ganspace, "_HELD", 0)
    network = curved()
    found = ganspace_directions(network, "features", count=2, samples=2000)
    z = np.array(
        random.normal(np.arange(2000), LATENT_DIM, seed=0, stream=ganspace.GANSPACE_STREAM)
    )
    y = np.array(feature_network(network, "features")(z)["features"]).astype(float)
    _, s, v = np.linalg.svd(y - y.mean(axis=0), full_matrices=False)
    x = (y - y.mean(axis=0)) @ v[:2].T / s[:2] * np.sqrt(len(y) - 1)
    expected = np.linalg.lstsq(x, z, rcond=None)[0]
    # IncrementalPCA forgets, batch by batch, what lies outside its components.
    assert_same_lines(found.vectors, expected, 1e-6 if held else 0.02)
    lengths = np.linalg.norm(expected, axis=1)
    np.testing.assert_allclose(
        np.linalg.norm(found.vectors, axis=1), lengths, rtol=1e-4 if held else 0.05
    )
    assert np.all(lengths < 1)
    tolerance = 1e-5 if held else 0.02
    np.testing.assert_allclose(found.shares, s[:2] ** 2 / np.sum(s**2), atol=tolerance)


def test_random_draws_do_not_matter():
    found = [
        ganspace_directions(curved(), "features", count=1, samples=5000, seed=seed)
        for seed in range(2)
    ]
    assert_same_lines(found[0].vectors, found[1].vectors, 0.01)
    np.testing.assert_allclose(found[0].vectors, found[1].vectors, atol=0.05)
    assert np.abs(found[0].vectors - found[1].vectors).max() > 0


def test_maps_of_a_model_are_averaged_over_a_grid():
    model = GAN.from_preset("compact", image_shape=(16, 16, 3), latent_dim=LATENT_DIM)
    shapes = {
        grid: ganspace_directions(model, "block_1_conv", count=3, samples=200, grid=grid)
        for grid in (1, 2)
    }
    assert {found.vectors.shape for found in shapes.values()} == {(3, LATENT_DIM)}
    assert np.abs(shapes[1].vectors - shapes[2].vectors).max() > 1e-4


def test_fewer_directions_than_latents():
    network, _ = linear()
    # The mean of a channel has three numbers.
    assert ganspace_directions(network, "images", samples=100).vectors.shape == (3, LATENT_DIM)
    with pytest.raises(ValueError, match="from 1 to 3: z has 4 dimensions and the layer 3"):
        ganspace_directions(network, "images", count=4, samples=100)
    kernel = network.layers[0].kernel
    kernel.assign(np.array(kernel) * [[1], [0], [0], [0]])
    assert ganspace_directions(network, "features", samples=100).vectors.shape == (1, LATENT_DIM)
    with pytest.raises(ValueError, match=r"along 1 directions only\. Received: count=2"):
        ganspace_directions(network, "features", count=2, samples=100)
    kernel.assign(np.zeros(kernel.shape))
    with pytest.raises(ValueError, match="along 0 directions only"):
        ganspace_directions(network, "features", samples=100)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"layer": "other"}, "no layer 'other'.*features, images"),
        ({"samples": LATENT_DIM + 1}, "samples must be an integer of at least 6"),
        ({"count": 0}, "count must be an integer of at least 1"),
    ],
)
def test_wrong_inputs(arguments, message):
    arguments = {"layer": "features", **arguments}
    with pytest.raises(ValueError, match=message):
        ganspace_directions(linear()[0], **arguments)


def test_features_that_are_not_finite():
    network, _ = linear(offset=np.inf)
    with pytest.raises(ValueError, match=r"must be finite\. Received: 0% of them finite"):
        ganspace_directions(network, "features", samples=100)

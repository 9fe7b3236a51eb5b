"""The survey of layers, of a generator whose layers are known."""

import importlib

import keras
import numpy as np
import pytest
from keras import layers

from keras_cvaegan import pictures
from keras_cvaegan.applications import LayerClusters, layer_survey
from keras_cvaegan.metrics import find_clusters
from keras_cvaegan.models import GAN
from keras_cvaegan.networks import feature_layers, feature_network, mlp_discriminator, mlp_generator

LIGHT, DARK = 0.8, -0.6


@pytest.fixture(scope="module")
def generator():
    """Grey pictures, light where z_0 > 0; layers of z_0, of z_1, of a constant, and of space."""
    z = keras.Input((3,), name="z")
    first = layers.Dense(1, use_bias=False, name="first")(z)
    second = layers.Dense(1, use_bias=False, name="second")(z)
    sign = layers.Activation("tanh", name="sign")(first * 1e4)
    other = layers.Activation("tanh", name="other")(second * 1e4)
    dead = layers.Dense(1, kernel_initializer="zeros", name="dead")(second)
    light = layers.Dense(16, name="light")(layers.Concatenate(name="both")([sign, other, dead]))
    maps = layers.Reshape((4, 4, 1), name="map")(light)
    images = layers.Conv2D(3, 1, name="images", kernel_initializer="ones")(maps)
    network = keras.Model(z, images, name="generator")
    network.get_layer("first").kernel.assign([[1.0], [0.0], [0.0]])
    network.get_layer("second").kernel.assign([[0.0], [1.0], [0.0]])
    kernel = np.zeros((3, 16))
    kernel[0] = (LIGHT - DARK) / 2
    network.get_layer("light").kernel.assign(kernel)
    network.get_layer("light").bias.assign(np.full(16, (LIGHT + DARK) / 2))
    return network


def read(images):
    assert images.dtype == np.uint8
    return {
        "light": images.mean(axis=(1, 2, 3)),
        "first pixel": images[:, 0, 0].astype(float)[:, :1],
    }


def test_each_layer_tells_what_it_knows(generator):
    survey = layer_survey(generator, count=300, read=read)
    found = {each.name: each for each in survey}
    # "dead" is the same of all pictures.
    assert set(found) == set(feature_layers(generator)) - {"dead"}
    assert list(found)[-4:] == ["both", "light", "map", "images"]
    assert found["sign"].mutual_information["light"] == pytest.approx(1, abs=0.01)
    assert found["other"].mutual_information["light"] < 0.02
    assert found["map"].mutual_information["first pixel"] == pytest.approx(1, abs=0.01)
    assert found["map"].features == 1
    assert found["light"].features == 16
    for each in survey:
        assert each.sizes.sum() == 300
        assert each.sizes[0] >= each.sizes[1]
        assert each.means.shape == (2, 4, 4, 3)
        assert each.means.dtype == np.uint8
    assert found["sign"].silhouette == pytest.approx(1, abs=0.01)
    assert found["first"].silhouette < 0.8
    expected = pictures.to_uint8(np.array([DARK, LIGHT]))
    np.testing.assert_array_equal(np.sort(found["sign"].means[:, 0, 0, 0]), expected)
    assert np.ptp(found["other"].means.mean(axis=(1, 2, 3))) < 40


def test_clusters_are_those_of_the_layers_features(generator):
    """The same z for all layers, whichever are asked for, in batches or not."""
    (alone,) = layer_survey(generator, count=200, layers=["first"], n_clusters=3, seed=1)
    both = layer_survey(generator, count=200, layers=["map", "first"], n_clusters=2, seed=1)
    assert [each.name for each in both] == ["map", "first"]
    assert alone.mutual_information is None
    assert alone.sizes.shape == alone.outliers.shape == (3,)
    again = layer_survey(generator, count=200, layers=["first"], n_clusters=3, seed=1)[0]
    np.testing.assert_array_equal(again.means, alone.means)
    other = layer_survey(generator, count=200, layers=["first"], n_clusters=3, seed=2)[0]
    assert other.silhouette != alone.silhouette


def test_features_are_those_of_the_feature_network(generator, monkeypatch):
    seen = {}

    def find(features, n_clusters, seed):
        seen["features"] = features
        return find_clusters(features, n_clusters, seed=seed)

    def latents(count, latent_dim, seed):
        return seen.setdefault("z", np.random.default_rng(0).normal(size=(count, latent_dim)))

    # The package has a function of the module's name.
    module = importlib.import_module("keras_cvaegan.applications.layer_survey")
    monkeypatch.setattr(module, "find_clusters", find)
    monkeypatch.setattr(module, "_latents", latents)
    layer_survey(generator, count=150, layers=["map"], grid=2)
    expected = feature_network(generator, "map", grid=2)(seen["z"])["features"]
    assert seen["features"].shape == (150, 4)
    np.testing.assert_allclose(seen["features"], expected, atol=1e-5)


def test_points_of_a_model_of_ours():
    gan = GAN(mlp_generator(num_classes=1, latent_dim=4), mlp_discriminator())
    survey = layer_survey(gan, count=60, read=lambda points: {"x": points[:, 0]})
    assert [each.name for each in survey][-1] == "images"
    assert isinstance(survey[-1], LayerClusters)
    assert survey[-1].means.shape == (2, 2)
    assert survey[-1].means.dtype == np.float32
    assert np.linalg.norm(survey[-1].means[1] - survey[-1].means[0]) > 0
    assert survey[-1].mutual_information.keys() == {"x"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_clusters": 0}, "n_clusters"),
        ({"count": 1}, "count"),
        ({"layers": []}, "At least one layer"),
        ({"layers": ["first", "third"]}, "no layer 'third'"),
        ({"layers": ["dead"], "count": 10}, "layer 'dead' cannot be clustered: 2 clusters need"),
        ({"grid": 0}, "grid"),
    ],
)
def test_wrong_arguments(generator, arguments, message):
    with pytest.raises(ValueError, match=message):
        layer_survey(generator, **arguments)

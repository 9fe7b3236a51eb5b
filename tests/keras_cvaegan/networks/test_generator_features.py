"""Generators as networks of z alone, and features of their layers."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_cvaegan.layers import BatchNormalization, GridMeans, UpsamplingConv2D
from keras_cvaegan.models import CGAN, GAN
from keras_cvaegan.networks import (
    feature_layers,
    feature_network,
    layers_network,
    mlp_discriminator,
    mlp_generator,
    unconditional_network,
)
from keras_cvaegan.ops.precision import full_precision_dtype
from tests.helpers.checks import dtype_policy

SHAPE = (16, 16, 3)
Z = np.random.default_rng(0).normal(size=(6, 5)).astype("float32")
LABELS = np.ones((6, 1), "float32")


def small_generator(num_classes=1):
    """As the networks of this package, but quick to build."""
    z = keras.Input((5,), name="z")
    labels = keras.Input((num_classes,), name="labels")
    x = layers.Concatenate(name="join_labels")([z, labels])
    x = layers.Dense(64, name="dense", bias_initializer="normal")(x)
    x = layers.Reshape((4, 4, 4), name="map")(x)
    x = BatchNormalization(name="norm")(x)
    x = UpsamplingConv2D(4, 3, activation="relu", name="block")(x)
    x = UpsamplingConv2D(3, 3, name="block_2")(x)
    images = layers.Activation("tanh", dtype=full_precision_dtype(), name="images")(x)
    return keras.Model({"z": z, "labels": labels}, images, name="generator")


@pytest.fixture(scope="module")
def gan():
    return GAN(small_generator(), mlp_discriminator(), average_decay=0.9)


def nested():
    """A Sequential in a Sequential in a functional model, with statistics that were learnt."""
    head = keras.Sequential(
        [
            layers.Dense(12, name="dense"),
            keras.Sequential(
                [
                    layers.BatchNormalization(name="norm"),
                    layers.Dropout(0.5, name="dropout"),
                    layers.Reshape((2, 3, 2), name="map"),
                ],
                name="inner",
            ),
        ],
        name="head",
    )
    x = z = keras.Input((5,), name="noise")
    x = layers.Dense(8, activation="relu", name="dense")(x)
    x = head(x) * 2.0
    network = keras.Model(z, layers.Conv2D(3, 3, padding="same", name="images")(x), name="nested")
    network.get_layer("head").get_layer("inner").get_layer("norm").moving_mean.assign(np.arange(12))
    return network


def array(x):
    return keras.ops.convert_to_numpy(x)


def test_it_draws_the_samplers_images(gan):
    gan.average_generator.set_weights([0.9 * w for w in gan.generator.get_weights()])
    network = unconditional_network(gan)
    expected = array(gan.average_generator({"z": Z, "labels": LABELS}, training=False))
    np.testing.assert_array_equal(array(network(Z)), expected)
    assert network.output_shape == (None, *SHAPE)
    twice = unconditional_network(network)
    np.testing.assert_array_equal(array(twice(Z)), expected)
    assert feature_layers(network) == feature_layers(gan)
    shared = {id(v) for v in network.variables}
    assert shared == {id(v) for v in gan.average_generator.variables}


def test_features_are_means_of_the_layers_output_beside_the_same_images(gan):
    generator = gan.sampler
    layer = "block"
    inside = keras.Model(generator.input, generator.get_layer(layer).output)
    maps = array(inside({"z": Z, "labels": LABELS}, training=False))
    found = feature_network(gan, layer)(Z)
    np.testing.assert_allclose(array(found["features"]), maps.mean(axis=(1, 2)), atol=1e-6)
    np.testing.assert_allclose(
        array(found["images"]), array(unconditional_network(gan)(Z)), atol=1e-6
    )
    quarters = maps.reshape(6, 2, maps.shape[1] // 2, 2, maps.shape[2] // 2, -1).mean(axis=(2, 4))
    found = feature_network(gan, layer, grid=2)(Z)["features"]
    np.testing.assert_allclose(array(found), quarters.reshape(6, -1), atol=1e-6)


def test_every_layer_of_a_model_of_ours_has_features(gan):
    names = feature_layers(gan)
    assert names[0] == "join_labels"
    assert names[-1] == "images"
    assert len(set(names)) == len(names)
    images, features = layers_network(gan, names)(Z)
    assert images.shape == (6, *SHAPE)
    for name, values in zip(names, features, strict=True):
        channels = gan.sampler.get_layer(name).output.shape[-1]
        assert values.shape == (6, channels)
        assert keras.backend.standardize_dtype(values.dtype) == "float32"


def test_layers_within_nested_models():
    network = nested()
    assert feature_layers(network) == (
        "dense",
        "head/dense",
        "head/inner/norm",
        "head/inner/dropout",
        "head/inner/map",
        "images",
    )
    head = network.get_layer("head")
    inner = head.get_layer("inner")
    hidden = array(inner.get_layer("norm")(head.get_layer("dense")(network.get_layer("dense")(Z))))
    images, (norm, dense, maps) = layers_network(
        network, ["head/inner/norm", "head/dense", "head/inner/map"]
    )(Z)
    np.testing.assert_allclose(array(norm), hidden, atol=1e-5)
    np.testing.assert_allclose(array(maps), hidden.reshape(6, 6, 2).mean(axis=1), atol=1e-5)
    np.testing.assert_allclose(array(images), array(network(Z, training=False)), atol=1e-5)
    # In the training of something around the generator, too.
    mean = array(inner.get_layer("norm").moving_mean)
    for whole in (unconditional_network(network), feature_network(network, "head/inner/norm")):
        found = whole(Z, training=True)
        found = found["images"] if isinstance(found, dict) else found
        np.testing.assert_allclose(array(found), array(images), atol=1e-5)
    np.testing.assert_array_equal(array(inner.get_layer("norm").moving_mean), mean)
    alone = array(feature_network(network, "head/dense")(Z)["features"])
    np.testing.assert_allclose(array(dense), alone, atol=1e-6)
    assert dense.shape == (6, 12)


def test_a_nested_model_of_several_inputs_and_outputs():
    """Inner layers count where they depend on z: "of_other" sees a constant of the labels."""
    first, last = keras.Input((5,), name="first"), keras.Input((1,), name="last")
    of_z = layers.Dense(4, name="of_z")(first)
    of_other = layers.Dense(4, name="of_other", bias_initializer="normal")(last)
    both = layers.Add(name="both")([of_z, of_other])
    inner = keras.Model({"first": first, "last": last}, {"b": both, "a": of_other}, name="inner")
    z, labels = keras.Input((5,), name="z"), keras.Input((1,), name="labels")
    found = inner({"first": layers.Dense(5, name="map")(z), "last": labels})
    images = layers.Dense(2, name="images")(found["b"] + 3 * found["a"])
    generator = keras.Model({"z": z, "labels": labels}, images)
    assert feature_layers(generator) == ("map", "inner/of_z", "inner/both", "images")
    expected = array(generator({"z": Z, "labels": LABELS}))
    images, (both, of_z) = layers_network(generator, ["inner/both", "inner/of_z"])(Z)
    np.testing.assert_allclose(array(images), expected, atol=1e-5)
    mapped = generator.get_layer("map")(Z)
    np.testing.assert_allclose(array(of_z), array(inner.get_layer("of_z")(mapped)), atol=1e-5)
    together = inner({"first": mapped, "last": keras.ops.convert_to_tensor(LABELS)})["b"]
    np.testing.assert_allclose(array(both), array(together), atol=1e-5)


def test_a_sequential_in_a_sequential():
    generator = keras.Sequential(
        [
            keras.Input((5,)),
            layers.Dense(4, name="first"),
            keras.Sequential([layers.Dense(12, name="second"), layers.Reshape((2, 2, 3))]),
        ]
    )
    name = feature_layers(generator)[1]
    assert name.endswith("/second")
    found = array(feature_network(generator, name)(Z)["features"])
    expected = array(generator(Z)).reshape(6, 12)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.tensorflow
@pytest.mark.parametrize("build", ["nested", "gan", "mixed", "float64"])
def test_networks_are_saved_and_loaded(build, gan, tmp_path):
    policies = {"mixed": "mixed_bfloat16", "float64": "float64"}
    with dtype_policy(policies.get(build, "float32")):
        network = {
            "nested": nested,
            "gan": lambda: gan,
        }.get(build, small_generator)()
    layer = "head/inner/map" if build == "nested" else "block"
    found = feature_network(network, layer, grid=2)
    assert not any(isinstance(each, layers.Lambda) for each in found.layers)
    found.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras")
    expected = found(Z)
    assert expected["features"].dtype == "float32"
    for name, values in loaded(Z).items():
        np.testing.assert_array_equal(array(values), array(expected[name]))
    unconditional_network(network).save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(array(loaded(Z)), array(unconditional_network(network)(Z)))


def test_points_and_a_z_of_its_own_name():
    generator = mlp_generator(num_classes=None, latent_dim=5)
    np.testing.assert_allclose(
        array(unconditional_network(generator)(Z)), array(generator(Z)), atol=1e-6
    )
    z = keras.Input((5,), name="z")
    one = keras.Model({"z": z}, layers.Dense(2, name="one_class")(z))
    assert feature_layers(one) == ("one_class",)
    expected = array(one({"z": Z}))
    np.testing.assert_allclose(array(unconditional_network(one)(Z)), expected, atol=1e-6)


def test_only_what_one_call_computes_from_z_has_features():
    z = keras.Input((5,), name="z")
    labels = keras.Input((1,), name="labels")
    of_labels = layers.Dense(5, name="of_labels")(labels)
    twice = layers.Dense(5, name="twice")
    x = twice(twice(z))
    x = layers.Add(name="sum")([x, of_labels])
    by_number = layers.Embedding(9, 5, name="by_number")(keras.ops.cast(x[:, 0], "int32"))
    x = layers.Add(name="again")([x, by_number])
    generator = keras.Model({"z": z, "labels": labels}, layers.Dense(2, name="last")(x))
    assert feature_layers(generator) == ("sum", "by_number", "again", "last")


@pytest.mark.parametrize(
    ("shape", "grid", "expected"),
    [((4, 3), 2, (8, 6)), ((2, 2), 3, (8, 8)), ((5, 5), 1, (2, 2)), ((1, 1), 4, (2, 2))],
)
def test_cells_of_a_grid(shape, grid, expected):
    maps = np.random.default_rng(0).normal(size=(3, *shape, 2)).astype("float32")
    rows, columns = (
        [(i * s // g, int(np.ceil((i + 1) * s / g))) for i in range(g)]
        for s, g in ((s, min(s, grid)) for s in shape)
    )
    cells = [maps[:, a:b, c:d].mean(axis=(1, 2)) for a, b in rows for c, d in columns]
    found = GridMeans(grid)(maps)
    np.testing.assert_allclose(array(found), np.concatenate(cells, axis=1), atol=1e-6)
    assert GridMeans(grid).compute_output_shape((None, *shape, 2)) == (None, found.shape[1])
    assert GridMeans(grid)(maps[:, 0]).shape == (3, 2 * min(grid, shape[1]))


class Subclassed(keras.Model):
    def call(self, z):
        return z


class WithItsOwnCall(keras.Model):
    def call(self, z):
        return super().call(z) + 1


def sequential(*shape, output=(2,)):
    return keras.Sequential(
        [keras.Input(shape), layers.Flatten(), layers.Dense(8), layers.Reshape(output)]
    )


def two_inputs():
    first, last = keras.Input((5,), name="z"), keras.Input((3,), name="pose")
    return keras.Model([first, last], layers.Concatenate()([first, last]))


def own_call():
    z = keras.Input((5,))
    return WithItsOwnCall(z, layers.Dense(2)(z))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: CGAN(small_generator(3), mlp_discriminator()),
            "must be unconditional.*Received: CGAN, of 3 classes",
        ),
        (lambda: mlp_generator(num_classes=2), "Received: Functional, of 2 classes"),
        (Subclassed, "whose layers can be told apart. Received: Subclassed"),
        (own_call, "Received: WithItsOwnCall"),
        (lambda: keras.Sequential([layers.Dense(2)]), "Received: Sequential"),
        (lambda: np.tanh, "Received: ufunc"),
        (two_inputs, "one input, z. Received: Functional with 2 inputs: z, pose"),
        (lambda: sequential(4, 4, output=(8,)), r"of shape \(n, d\).*\(None, 4, 4\)"),
        (lambda: sequential(5, output=(2, 4)), r"one output.*\(None, 2, 4\)"),
    ],
)
def test_wrong_generators(build, message):
    generator = build()
    for function in (unconditional_network, feature_layers):
        with pytest.raises(ValueError, match=message):
            function(generator)


def test_wrong_arguments(gan):
    with pytest.raises(ValueError, match=r"no layer 'z' with features. Allowed: .*block"):
        feature_network(gan, "z")
    with pytest.raises(ValueError, match="`grid` must be an integer of at least 1"):
        feature_network(gan, "images", grid=0)
    z = keras.Input((5,))
    x = layers.Reshape((1, 1, 5), name="map")(z)
    maps = layers.ZeroPadding2D(1)(x)
    assert feature_network(keras.Model(z, maps), "map", grid=7).output["features"].shape == (
        None,
        5,
    )
    with pytest.raises(ValueError, match="Take grid=1"):
        GridMeans(2)(keras.Input((None, 4, 3)))

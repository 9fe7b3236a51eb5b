"""SeFa's directions against NumPy's decomposition and finite differences of the layer's output."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_cvaegan.applications import sefa_directions
from keras_cvaegan.layers import ConditionalBatchNormalization, SpectralNormalization
from keras_cvaegan.models import GAN, LRLIVAE
from keras_cvaegan.networks import (
    cifar_decoder,
    compact_generator,
    mlp_generator,
    upsampling_generator,
)
from keras_cvaegan.networks.vgg import vgg_decoder

LATENT_DIM = 6


def reference(weight):
    """Directions and shares of A (outputs, d), by NumPy's singular values."""
    _, s, v = np.linalg.svd(weight.astype(float), full_matrices=True)
    s = np.pad(s, (0, len(v) - len(s)))
    return v, s**2 / np.sum(s**2)


def assert_found(found, weight):
    vectors, shares = reference(weight)
    count = len(found.vectors)
    # Of directions that the layer ignores, none is before another.
    told = shares[:count] > 1e-9
    np.testing.assert_allclose(found.shares, shares[:count], atol=1e-5)
    cosines = np.abs(np.sum(found.vectors * vectors[:count], axis=1))
    np.testing.assert_allclose(cosines[told], 1, atol=1e-4)
    assert np.all(found.vectors.max(axis=1) >= -found.vectors.min(axis=1))


def slopes(generator, name, labels=0):
    """A (outputs, d) by finite differences of a layer's output before its activation."""
    layer = generator.get_layer(name)
    activation, layer.activation = layer.activation, keras.activations.linear
    try:
        part = keras.Model(generator.input, layer.output)
        z = np.concatenate([np.eye(LATENT_DIM), -np.eye(LATENT_DIM)]).astype("float32")
        inputs = z
        if labels:
            inputs = {"z": z, "labels": np.full((len(z), labels), 1 / labels, "float32")}
        outputs = np.reshape(keras.ops.convert_to_numpy(part(inputs)), (len(z), -1))
    finally:
        layer.activation = activation
    return (outputs[:LATENT_DIM] - outputs[LATENT_DIM:]).T / 2


@pytest.mark.parametrize(
    ("generator", "name", "labels"),
    [
        (
            lambda: compact_generator((16, 16, 3), num_classes=3, latent_dim=LATENT_DIM),
            "project",
            3,
        ),
        (
            lambda: compact_generator((16, 16, 3), num_classes=None, latent_dim=LATENT_DIM),
            "project",
            0,
        ),
        (
            lambda: upsampling_generator(
                (32, 32, 3),
                num_classes=2,
                latent_dim=LATENT_DIM,
                channels=(4, 4, 4),
                kernel_sizes=(3, 3, 3, 3),
                hidden_units=16,
            ),
            "dense_1",
            2,
        ),
        (lambda: cifar_decoder((16, 16, 3), latent_dim=LATENT_DIM), "hidden_dense", 0),
        (lambda: vgg_decoder((32, 32, 3), latent_dim=LATENT_DIM), "hidden_dense", 0),
        (lambda: mlp_generator(num_classes=4, latent_dim=LATENT_DIM), None, 4),
        (
            lambda: mlp_generator((6,), num_classes=None, latent_dim=LATENT_DIM, residual=True),
            None,
            0,
        ),
    ],
)
def test_every_architecture(generator, name, labels):
    generator = generator()
    if name is None:
        name = next(x.name for x in generator.layers if isinstance(x, layers.Dense))
    weight = slopes(generator, name, labels)
    assert_found(sefa_directions(generator), weight)
    # Of all directions of length 1 the first changes the layer's output most.
    found = sefa_directions(generator, 1)
    assert found.vectors.shape == (1, LATENT_DIM) and found.shares.shape == (1,)
    others = np.random.default_rng(0).normal(size=(LATENT_DIM, 500))
    others /= np.linalg.norm(others, axis=0)
    largest = np.linalg.norm(weight @ found.vectors[0])
    assert largest >= np.linalg.norm(weight @ others, axis=0).max() * (1 - 1e-6)


def test_of_a_model_the_averaged_generator_counts():
    model = GAN.from_preset(
        "compact", image_shape=(16, 16, 3), latent_dim=LATENT_DIM, average_decay=0.9
    )
    kernel = model.sampler.get_layer("project").kernel
    kernel.assign(np.random.default_rng(1).normal(size=kernel.shape))
    assert_found(sefa_directions(model), np.array(kernel)[:LATENT_DIM].T)


def built(*stack):
    return keras.Sequential([keras.Input((LATENT_DIM,), name="z"), *stack])


@pytest.mark.parametrize(
    ("make", "taps"),
    [
        (lambda: layers.Conv2D(5, 1), lambda k: k[0, 0].T),
        (lambda: layers.Conv2D(5, 3, padding="same"), lambda k: k[1, 1].T),
        (lambda: layers.Conv2DTranspose(5, 4), lambda k: k.reshape(-1, LATENT_DIM)),
    ],
)
def test_a_convolution_of_one_position(make, taps):
    layer = make()
    generator = built(layers.Reshape((1, 1, LATENT_DIM)), layer, layers.ReLU())
    assert_found(sefa_directions(generator), taps(np.array(layer.kernel)))


@pytest.mark.parametrize(
    "normalized",
    [
        lambda dense: SpectralNormalization(dense),
        lambda dense: layers.SpectralNormalization(dense),
    ],
)
def test_spectral_normalization_keeps_the_directions(normalized):
    dense = layers.Dense(7, use_bias=False)
    generator = built(normalized(dense), layers.ReLU())
    generator(np.ones((2, LATENT_DIM)), training=True)
    assert_found(sefa_directions(generator), np.array(dense.kernel).T)


def test_a_normalization_of_z_counts_as_the_identity_and_an_order_does_not():
    dense = layers.Dense(7)
    generator = built(
        layers.UnitNormalization(),
        layers.Reshape((2, 3)),
        layers.Permute((2, 1)),
        layers.Flatten(),
        layers.Dropout(0.5),
        dense,
    )
    order = np.arange(LATENT_DIM).reshape(2, 3).T.reshape(-1)
    weight = np.empty((7, LATENT_DIM))
    weight[:, order] = np.array(dense.kernel).T
    assert_found(sefa_directions(generator), weight)


def test_nested_models_and_layers_by_name():
    inner = keras.Sequential([layers.Dense(8, activation="relu", name="first")], name="inner")
    z = keras.Input((LATENT_DIM,), name="z")
    skip = layers.Dense(3, name="skip")(z)
    x = layers.Dense(3, name="second")(inner(z))
    generator = keras.Model(z, layers.Add()([x, skip]))
    kernel = np.array(inner.get_layer("first").kernel).T
    assert_found(sefa_directions(generator), kernel)
    assert_found(sefa_directions(generator, layer="inner/first"), kernel)
    kernel = np.array(generator.get_layer("skip").kernel).T
    assert_found(sefa_directions(generator, layer="skip"), kernel)
    with pytest.raises(ValueError, match=r"affine one on z: inner/first, skip\. Received: second"):
        sefa_directions(generator, layer="second")


def test_more_latents_than_outputs():
    generator = built(layers.Dense(2))
    found = sefa_directions(generator)
    np.testing.assert_allclose(found.vectors @ found.vectors.T, np.eye(LATENT_DIM), atol=1e-6)
    np.testing.assert_allclose(found.shares[2:], 0, atol=1e-6)


def test_in_half_precision_many_latents_keep_their_places():
    z = keras.Input((300,), name="z")
    labels = keras.Input((3,), name="labels")
    policy = "mixed_bfloat16"
    joined = layers.Concatenate(dtype=policy)([labels, z])
    dense = layers.Dense(4, dtype=policy)
    generator = keras.Model({"z": z, "labels": labels}, dense(joined))
    found = sefa_directions(generator, 4)
    vectors, _ = reference(np.array(dense.kernel)[3:].T)
    np.testing.assert_allclose(np.abs(np.sum(found.vectors * vectors[:4], axis=1)), 1, atol=1e-4)


class Own(layers.Layer):
    def build(self, shape):
        self.scale = self.add_weight(shape=shape[1:], initializer="ones")

    def call(self, inputs):
        return inputs * self.scale


def test_wrong_inputs():
    generator = built(layers.Dense(3))
    with pytest.raises(ValueError, match=r"the dimensions of z, which are 6\. Received: 7"):
        sefa_directions(generator, 7)
    with pytest.raises(ValueError, match="count must be an integer of at least 1"):
        sefa_directions(generator, 0)
    with pytest.raises(ValueError, match="no fully connected layer or convolution on z itself"):
        sefa_directions(built(Own(), layers.Dense(3)))
    generator.set_weights([np.zeros((LATENT_DIM, 3)), np.ones(3)])
    with pytest.raises(ValueError, match="weights of z are all 0"):
        sefa_directions(generator)
    two = [keras.Input((2,), name="a"), keras.Input((2,), name="b")]
    with pytest.raises(ValueError, match=r'one of its inputs named "z"\. Received: Functional'):
        sefa_directions(keras.Model(two, layers.Add()(two)))
    model = LRLIVAE.from_preset("compact", image_shape=(16, 16, 3), num_classes=2, latent_dim=3)
    with pytest.raises(ValueError, match=r"its layers must be known\. Received: LRLIVAE"):
        sefa_directions(model)
    assert sefa_directions(model.generator, 2).vectors.shape == (2, 6)


def test_layers_that_take_z_as_a_condition_are_passed_over():
    z = keras.Input((LATENT_DIM,), name="z")
    maps = layers.Reshape((1, 1, LATENT_DIM))(z)
    x = ConditionalBatchNormalization()((maps, z))
    dense = layers.Dense(3, name="late")
    generator = keras.Model(z, layers.Add()([dense(z), layers.Dense(3)(layers.Flatten()(x))]))
    assert_found(sefa_directions(generator), np.array(dense.kernel).T)

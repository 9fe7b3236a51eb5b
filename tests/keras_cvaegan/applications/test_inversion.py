"""Codes found by optimisation: for any model, and for all applications."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_cvaegan.applications import encode_by_optimisation, find_codes, morph, reconstruct
from keras_cvaegan.applications.inversion import _energy
from keras_cvaegan.models import CGAN, CVAE, GAN
from keras_cvaegan.networks import mlp_discriminator

pytestmark = pytest.mark.slow


def linear(latent_dim=3):
    """A GAN whose pictures are 0.1 z_i in their i-th channel."""
    z = keras.Input((latent_dim,), name="z")
    labels = keras.Input((1,), name="labels")
    x = keras.layers.Rescaling(0.1)(keras.layers.Reshape((1, 1, latent_dim))(z))
    x = keras.layers.UpSampling2D(4)(x)
    generator = keras.Model({"z": z, "labels": labels}, x)
    return GAN(generator, mlp_discriminator())


@pytest.fixture
def cgan():
    return CGAN.from_preset("compact", image_shape=(16, 16, 3), num_classes=3, latent_dim=4)


def test_of_a_linear_generator_the_code_is_known():
    model = linear()
    z = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    images = model.decode(z, [0] * 5)
    found = find_codes(model, images, [0] * 5, prior_weight=0.0, learning_rate=0.1)
    np.testing.assert_allclose(found, z, atol=2e-3)
    # E = 0.01 mean (z* - z)^2 + w mean z^2 is least at z* / (1 + w / 0.01).
    ridge = find_codes(model, images, [0] * 5, prior_weight=0.01, learning_rate=0.1)
    np.testing.assert_allclose(ridge, z / 2, atol=2e-3)


def test_the_gradient_is_that_of_finite_differences(cgan):
    energy = _energy(cgan, 0.02)
    rng = np.random.default_rng(1)
    z, images = rng.normal(size=(2, 4)).astype("float32"), rng.uniform(-1, 1, (2, 16, 16, 3))
    rest = {"labels": np.eye(3, dtype="float32")[:2], "images": images.astype("float32")}
    _, gradient = cgan.compiled_gradient(energy, "z")(
        {"z": tf.constant(z), **{name: tf.constant(x) for name, x in rest.items()}}
    )
    for dimension in range(4):
        step = np.zeros((1, 4), "float32")
        step[0, dimension] = 1e-2
        up, down = (np.float64(energy({"z": z + s * step, **rest})) for s in (1, -1))
        np.testing.assert_allclose(gradient[:, dimension], (up - down) / 2e-2, rtol=0.05, atol=1e-4)


def test_what_is_found_is_nearer_than_the_best_draw(cgan):
    images = cgan.generate([0, 1, 2, 0], seed=3)
    exact = images / 127.5 - 1
    errors = []
    for steps in (1, 60):
        z = find_codes(cgan, images, [0, 1, 2, 0], steps=steps, prior_weight=0)
        errors.append(np.mean((cgan.decode(z, [0, 1, 2, 0]) - exact) ** 2, axis=(1, 2, 3)))
    assert (errors[1] < errors[0]).all()
    assert errors[1].mean() < 0.5 * errors[0].mean()


def test_a_picture_does_not_depend_on_the_others(cgan):
    images, labels = cgan.generate([0, 1, 2], seed=5), [0, 1, 2]
    whole = find_codes(cgan, images, labels, steps=3)
    parts = find_codes(cgan, images, labels, steps=3, batch_size=2)
    np.testing.assert_allclose(whole, parts, atol=1e-4)
    assert find_codes(cgan, images[:0], labels[:0], steps=3).shape == (0, 4)


def test_applications_take_it_for_an_encoder(cgan):
    images = cgan.generate([0, 1], seed=5)
    with pytest.raises(ValueError, match="CGAN has no encoder"):
        reconstruct(cgan, images, [0, 1])
    model = encode_by_optimisation(cgan, steps=3)
    assert isinstance(model, CGAN) and type(model).__name__ == "CGAN"
    with pytest.raises(ValueError, match="CGAN has no encoder"):
        reconstruct(cgan, images, [0, 1])
    z_mean, z_log_var = model.encode(images, [0, 1])
    np.testing.assert_array_equal(z_mean, find_codes(cgan, images, [0, 1], steps=3))
    assert z_log_var.max() < -10
    assert reconstruct(model, images, [0, 1]).shape == images.shape
    assert morph(model, images[:1], images[1:], [0], [1], steps=4).shape == (1, 4, 16, 16, 3)
    with pytest.raises(ValueError, match="classifier"):
        reconstruct(model, images)


def test_an_encoder_that_is_there_stays():
    model = CVAE.from_preset("compact", image_shape=(16, 16, 3), num_classes=2)
    assert type(encode_by_optimisation(model)) is CVAE


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"steps": 0}, "steps"),
        ({"starts": 0}, "starts"),
        ({"learning_rate": 0}, "learning_rate"),
        ({"prior_weight": -1}, "prior_weight"),
    ],
)
def test_wrong_arguments(cgan, arguments, message):
    images = np.zeros((2, 16, 16, 3), "uint8")
    with pytest.raises(ValueError, match=message):
        find_codes(cgan, images, [0, 1], **arguments)


def test_wrong_pictures(cgan):
    images = np.zeros((2, 16, 16, 3), "uint8")
    with pytest.raises(ValueError, match="2 images, 1 labels"):
        find_codes(cgan, images, [0])
    with pytest.raises(ValueError, match="images must have the shape"):
        find_codes(cgan, images[:, :8], [0, 1])

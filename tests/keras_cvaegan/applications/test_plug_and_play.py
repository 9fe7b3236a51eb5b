import keras
import numpy as np
import pytest
from keras import layers
from scipy.special import log_softmax, softmax

from keras_cvaegan.applications import PlugAndPlay, denoising_prior
from keras_cvaegan.applications.plug_and_play import WALK_STREAM
from keras_cvaegan.models import CVAEGAN
from keras_cvaegan.ops import random

pytestmark = pytest.mark.slow

rng = np.random.default_rng(0)
A, B = rng.normal(size=(3, 4)).astype("float32"), rng.normal(size=(4, 5)).astype("float32")


def linear(conditional=None, named_logits=False):
    """G(z) = A z as an image of 2×2, p(c | x) = softmax(B x)."""
    z = keras.Input((3,), name="z")
    draw = layers.Dense(4, use_bias=False)
    images = layers.Reshape((2, 2, 1))(draw(z))
    inputs = z
    if conditional:
        labels = keras.Input((conditional,), name="labels")
        images = images + 0.0 * layers.Reshape((1, 1, 1))(layers.Dense(1)(labels))
        inputs = {"z": z, "labels": labels}
    generator = keras.Model(inputs, images)
    draw.set_weights([A])
    x = keras.Input((2, 2, 1))
    judge = layers.Dense(5, use_bias=False)
    logits = judge(layers.Flatten()(x))
    judge.set_weights([B])
    return generator, keras.Model(x, {"logits": logits} if named_logits else logits)


def reference(labels, seed, steps, prior_step, class_step, noise, prior=lambda z: 0 * z):
    """The ascent in NumPy, float64, from the equation."""
    rows = np.arange(len(labels))

    def normal(step):
        return np.array(random.normal(rows, 3, seed=seed, step=step, stream=WALK_STREAM), float)

    z, target = normal(0), np.eye(5)[labels]
    for step in range(1, steps + 1):
        gradient = (target - softmax(z @ A @ B, axis=-1)) @ (A @ B).T.astype(float)
        z = z + prior_step * (prior(z) - z) + class_step * gradient + noise * normal(step)
    return z


@pytest.mark.parametrize("conditional", [None, 1, 5])
@pytest.mark.parametrize("named_logits", [False, True])
def test_against_the_equation_in_numpy(conditional, named_logits):
    settings = {"prior_step": 0.1, "class_step": 0.3, "noise": 0.05, "steps": 7}
    sampler = PlugAndPlay(*linear(conditional, named_logits), **settings)
    labels = np.array([0, 4, 2, 2])
    z = sampler.latents(labels, seed=3)
    np.testing.assert_allclose(z, reference(labels, 3, **settings), rtol=1e-4, atol=1e-5)
    # In parts, the same.
    np.testing.assert_allclose(sampler.latents(labels, seed=3, batch_size=3), z, atol=1e-5)


def test_a_learned_prior_takes_the_place_of_the_exact_one():
    class Half(keras.layers.Layer):
        def call(self, z):
            return 0.5 * z

    z = keras.Input((3,))
    settings = {"prior_step": 0.2, "class_step": 0.1, "noise": 0.0, "steps": 5}
    sampler = PlugAndPlay(*linear(), keras.Model(z, Half()(z)), **settings)
    wanted = reference(np.array([1, 3]), 0, **settings, prior=lambda z: 0.5 * z)
    np.testing.assert_allclose(sampler.latents([1, 3]), wanted, rtol=1e-4, atol=1e-5)


def test_the_classifier_comes_to_agree():
    sampler = PlugAndPlay(*linear(), steps=60)
    labels = np.repeat(np.arange(5), 4)
    before = reference(labels, 0, 0, 0, 0, 0)
    after = sampler.latents(labels)

    def mean_log_probability(z):
        return log_softmax(z @ A @ B, axis=-1)[np.arange(20), labels].mean()

    assert mean_log_probability(after) > mean_log_probability(before) + 1
    assert (np.argmax(after @ A @ B, axis=-1) == labels).mean() > 0.8


def test_images_of_a_model():
    model = CVAEGAN.from_preset("compact", image_shape=(16, 16, 3), num_classes=3)
    sampler = PlugAndPlay(model, model.classifier, steps=2)
    assert sampler.generate([0, 2]).shape == (2, 16, 16, 3)
    assert sampler.generate([]).shape == (0, 16, 16, 3)
    assert sampler.generate([1]).dtype == np.uint8
    # An image depends on its own row and label alone.
    np.testing.assert_array_equal(sampler.latents([0, 2])[0], sampler.latents([0, 1])[0])


@pytest.mark.slow
def test_a_denoising_prior_points_to_where_latents_are():
    """Of N(m, s²) the best denoiser is known: m + (z − m) s² / (s² + noise²)."""
    m, s, noise = np.array([1.0, -2.0]), 0.5, 0.5
    latents = m + s * np.random.default_rng(1).standard_normal((4000, 2))
    prior = denoising_prior(latents, noise=noise, hidden_units=64, steps=1500)
    z = m + np.random.default_rng(2).normal(0, 0.7, (200, 2))
    wanted = m + (z - m) * s**2 / (s**2 + noise**2)
    error = np.abs(prior(z.astype("float32")) - wanted)
    assert error.mean() < 0.06
    assert error.max() < 0.3  # Where examples are rare.


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([5], "labels must be from 0 to 4. Received: 5 to 5"),
        ([-1], "labels must be from 0 to 4. Received: -1"),
        ([0.5], r"labels must be integers of shape \(n,\)"),
        ([[1]], r"labels must be integers of shape \(n,\)"),
    ],
)
def test_wrong_labels(labels, message):
    with pytest.raises(ValueError, match=message):
        PlugAndPlay(*linear()).latents(labels)


def test_wrong_arguments():
    with pytest.raises(ValueError, match="The generator has 3 classes, the classifier 5"):
        PlugAndPlay(*linear(conditional=3))
    with pytest.raises(ValueError, match=r"latents must have the shape \(n, d\)"):
        denoising_prior(np.zeros(3))
    with pytest.raises(ValueError, match="noise must be above 0"):
        denoising_prior(np.zeros((3, 2)), noise=0)

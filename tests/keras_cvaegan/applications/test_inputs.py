"""What applications need of models: networks, codes, classes; and labels, given or guessed."""

import numpy as np
import pytest

from keras_cvaegan.applications import inputs, reconstruct
from keras_cvaegan.models import CVAE, GAN, VAE

LABELS = np.array([2, 0, 1, 1, 0])


def build(cls, **keywords):
    return cls.from_preset("compact", image_shape=(16, 16, 3), latent_dim=4, **keywords)


def test_models_that_need_a_label_to_reconstruct(cvae_gan, lr_li_vae):
    models = (cvae_gan, build(CVAE, num_classes=3), lr_li_vae, build(VAE))
    assert [inputs.takes_labels(model) for model in models] == [True, True, False, False]


def test_given_labels_are_those_of_the_model(cvae_gan, images):
    np.testing.assert_array_equal(
        reconstruct(cvae_gan, images, LABELS), cvae_gan.reconstruct(images, LABELS)
    )
    weights = np.eye(3)[LABELS] * 0.5 + 1 / 6
    np.testing.assert_array_equal(
        reconstruct(cvae_gan, images, weights), cvae_gan.reconstruct(images, weights)
    )


def test_labels_that_are_not_known_are_guessed(cvae_gan, images, monkeypatch):
    monkeypatch.setattr(cvae_gan, "classify", lambda x: np.eye(3)[LABELS[: len(x)]])
    np.testing.assert_array_equal(
        reconstruct(cvae_gan, images), cvae_gan.reconstruct(images, LABELS)
    )


def test_own_labels_are_given_or_guessed(cvae_gan, lr_li_vae, images, monkeypatch):
    weights = np.eye(3)[LABELS] * 0.5 + 1 / 6
    for model in (cvae_gan, lr_li_vae):
        monkeypatch.setattr(model, "classify", lambda x: np.eye(3)[LABELS[: len(x)]])
        np.testing.assert_array_equal(inputs.guess_labels(model, images), LABELS)
        np.testing.assert_array_equal(inputs.own_labels(model, images), np.eye(3)[LABELS])
        np.testing.assert_array_equal(
            inputs.own_labels(model, images, 2 - LABELS).argmax(1), 2 - LABELS
        )
        np.testing.assert_allclose(inputs.own_labels(model, images, weights), weights, rtol=1e-6)
        assert inputs.own_labels(model, images[:0]).shape == (0, 3)


def test_labels_that_no_one_looks_at_are_not_guessed(cvae_gan, lr_li_vae, images, monkeypatch):
    monkeypatch.setattr(lr_li_vae, "classify", None)
    for labels in (None, LABELS):
        np.testing.assert_array_equal(
            inputs.labels_to_encode(lr_li_vae, images, labels), np.eye(3)[[0] * 5]
        )
    np.testing.assert_array_equal(
        inputs.labels_to_encode(cvae_gan, images, LABELS), np.eye(3)[LABELS]
    )


def test_labels_of_a_model_without_classes(images):
    vae = build(VAE)
    assert inputs.guess_labels(vae, images) is None
    for found in (inputs.own_labels, inputs.labels_to_encode):
        np.testing.assert_array_equal(found(vae, images, LABELS), np.ones((5, 1)))


@pytest.mark.parametrize("function", [inputs.own_labels, inputs.labels_to_encode])
def test_labels_of_models_that_have_none(function, images):
    with pytest.raises(ValueError, match="GAN has no encoder"):
        function(build(GAN), images, LABELS)
    with pytest.raises(ValueError, match="CVAE reconstructs under a label, and has no classifier"):
        function(build(CVAE, num_classes=3), images)


@pytest.mark.parametrize("count", [0, 1])
def test_few_pictures(cvae_gan, lr_li_vae, images, count):
    for model in (cvae_gan, lr_li_vae):
        assert reconstruct(model, images[:count]).shape == (count, 16, 16, 3)


def test_models_that_need_no_label(lr_li_vae, images):
    np.testing.assert_array_equal(reconstruct(lr_li_vae, images), lr_li_vae.reconstruct(images))
    vae = build(VAE)
    expected = vae.reconstruct(images, np.zeros(5, int))
    np.testing.assert_array_equal(reconstruct(vae, images), expected)
    np.testing.assert_array_equal(reconstruct(vae, images, LABELS), expected)


def test_labels_that_can_neither_be_had_nor_guessed(images):
    cvae = build(CVAE, num_classes=3)
    assert reconstruct(cvae, images, LABELS).shape == images.shape
    with pytest.raises(ValueError, match="CVAE reconstructs under a label, and has no classifier"):
        reconstruct(cvae, images)


def test_a_model_without_an_encoder(images):
    expected = "GAN has no encoder. Models with one: vae, vae_gan, cvae, cvae_gan, lr_li_vae, lr_li"
    with pytest.raises(ValueError, match=expected):
        reconstruct(build(GAN), images, LABELS)


def test_a_model_with_one_code(cvae_gan, lr_li_vae):
    inputs.need_two_codes(lr_li_vae)
    with pytest.raises(ValueError, match=r"CVAEGAN has one code, z.*: lr_li_vae, lr_li_vae_gan"):
        inputs.need_two_codes(cvae_gan)


def test_wrong_labels(cvae_gan, images):
    with pytest.raises(ValueError, match=r"labels must be from 0 to 2\. Received: 3"):
        reconstruct(cvae_gan, images, LABELS + 1)
    with pytest.raises(ValueError, match=r"One label an image is needed\. Received: 5 images, 4"):
        reconstruct(cvae_gan, images, LABELS[:4])


def test_pictures_become_floats(cvae_gan, images):
    floats = inputs.float_pictures(cvae_gan, images)
    assert floats.dtype == np.float32
    np.testing.assert_allclose(floats, images / 127.5 - 1, atol=1e-6)
    np.testing.assert_array_equal(inputs.float_pictures(cvae_gan, floats.astype(float)), floats)
    assert inputs.float_pictures(cvae_gan, images[:0]).shape == (0, 16, 16, 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: x[:, :8], r"shape \(n, 16, 16, 3\)\. Received: \(5, 8, 16, 3\)"),
        (lambda x: x[0], r"Received: \(16, 16, 3\)"),
        (lambda x: 0, r"Received: \(\)"),
        (lambda x: x.astype(int), r"uint8, or floats in \[-1, 1\]\. Received: int64 from 0 to 255"),
        (lambda x: x / 100, "Received: float64 from 0 to 2.55"),
        (lambda x: x * np.nan, "Received: float64 from nan"),
    ],
)
def test_wrong_pictures(cvae_gan, images, change, message):
    with pytest.raises(ValueError, match=message):
        inputs.float_pictures(cvae_gan, change(images))

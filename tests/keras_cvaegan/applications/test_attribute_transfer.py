"""Section S8.1 of Bao et al. 2017."""

import numpy as np
import pytest

from keras_cvaegan.applications import transfer
from keras_cvaegan.models import CGAN, CVAE, GAN, VAE

LABELS = np.array([2, 0, 1, 1, 0])
TARGETS = np.array([1, 1, 2, 0, 0])


def build(cls):
    return cls.from_preset("compact", image_shape=(16, 16, 3), num_classes=3, latent_dim=4)


def test_encoded_under_its_own_label_and_decoded_under_the_target(cvae_gan, images):
    z, _ = cvae_gan.encode(images, LABELS)
    found = transfer(cvae_gan, images, TARGETS, LABELS)
    np.testing.assert_array_equal(found, cvae_gan.decode(z, TARGETS))
    assert np.abs(found - cvae_gan.decode(z, LABELS))[TARGETS != LABELS].max() > 1e-3
    assert np.abs(found - transfer(cvae_gan, images, TARGETS, TARGETS))[0].max() > 1e-4


def test_two_codes_keep_z_u_and_the_place_in_the_class(lr_li_vae, images):
    z_s, z_u = lr_li_vae.codes(images)
    means = np.array(lr_li_vae.head.means)
    deviations = np.exp(np.array(lr_li_vae.head.raw_log_variances) / 2)
    place = (z_s - means[LABELS]) / deviations[LABELS]
    expected = lr_li_vae.decode_codes(means[TARGETS] + deviations[TARGETS] * place, z_u)
    found = transfer(lr_li_vae, images, TARGETS, LABELS)
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("kind", ["cvae_gan", "lr_li_vae"])
def test_a_picture_as_its_own_class_is_its_reconstruction(kind, images, request):
    model = request.getfixturevalue(kind)
    found = transfer(model, images, LABELS, LABELS)
    np.testing.assert_allclose(found, model.reconstruct(images, LABELS), atol=1e-4)


@pytest.mark.parametrize("kind", ["cvae_gan", "lr_li_vae"])
def test_labels_that_are_not_known_are_guessed(kind, images, request, monkeypatch):
    model = request.getfixturevalue(kind)
    monkeypatch.setattr(model, "classify", lambda x: np.eye(3)[LABELS[: len(x)]])
    expected = transfer(model, images, TARGETS, LABELS)
    np.testing.assert_array_equal(transfer(model, images, TARGETS), expected)


def test_class_weights(cvae_gan, images):
    expected = transfer(cvae_gan, images, TARGETS, LABELS)
    found = transfer(cvae_gan, images, np.eye(3)[TARGETS], np.eye(3)[LABELS])
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("count", [0, 1])
def test_few_pictures_and_those_of_one_colour(cvae_gan, lr_li_vae, images, count):
    for model in (cvae_gan, lr_li_vae):
        for given in (images[:count], np.full_like(images[:count], 255)):
            found = transfer(model, given, TARGETS[:count])
            assert found.shape == (count, 16, 16, 3)
            assert np.isfinite(found).all()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"target_labels": TARGETS + 1}, r"labels must be from 0 to 2\. Received: 3"),
        ({"target_labels": [1]}, "One target label an image is needed. Received: 5 images, 1"),
        ({"labels": LABELS[:4]}, "One label an image is needed. Received: 5 images, 4 labels"),
        ({"labels": LABELS - 1}, r"labels must be from 0 to 2\. Received: -1"),
        ({"images": np.zeros((5, 8, 8, 3))}, r"images must have the shape \(n, 16, 16, 3\)"),
    ],
)
def test_wrong_inputs(cvae_gan, images, changed, message):
    given = {"images": images, "target_labels": TARGETS, "labels": LABELS, **changed}
    with pytest.raises(ValueError, match=message):
        transfer(cvae_gan, **given)


@pytest.mark.parametrize(
    ("cls", "message"),
    [
        (VAE, "VAE has no classes.*with classes and an encoder: cvae, cvae_gan, lr_li_vae, lr_li"),
        (GAN, "GAN has no classes"),
        (CGAN, "CGAN has no encoder"),
        (CVAE, "CVAE reconstructs under a label, and has no classifier"),
    ],
)
def test_models_that_cannot(cls, message, images):
    with pytest.raises(ValueError, match=message):
        transfer(build(cls), images, np.zeros(5, int))

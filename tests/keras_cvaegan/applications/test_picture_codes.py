"""Codes of pictures: of which model which part, and under which labels."""

import numpy as np
import pytest

from keras_cvaegan.applications import picture_codes
from keras_cvaegan.models import CVAE, GAN, VAE

LABELS = np.array([2, 0, 1, 1, 0])


def build(cls, **keywords):
    return cls.from_preset("compact", image_shape=(16, 16, 3), latent_dim=4, **keywords)


def test_codes_under_given_labels(cvae_gan, images):
    expected = cvae_gan.encode(images, LABELS)
    for labels in (LABELS, np.eye(3)[LABELS]):
        np.testing.assert_array_equal(picture_codes(cvae_gan, images, labels), expected)


def test_labels_are_guessed_where_they_are_needed(cvae_gan, images, monkeypatch):
    monkeypatch.setattr(cvae_gan, "classify", lambda x: np.eye(3)[LABELS[: len(x)]])
    expected = cvae_gan.encode(images, LABELS)
    np.testing.assert_array_equal(picture_codes(cvae_gan, images), expected)


def test_the_code_of_two_is_the_irrelevant_one_whatever_the_label(lr_li_vae, images):
    z_mean, z_log_var = picture_codes(lr_li_vae, images)
    np.testing.assert_allclose(z_mean, lr_li_vae.codes(images).irrelevant, atol=1e-5)
    np.testing.assert_array_equal(z_log_var, lr_li_vae.encode(images, LABELS)[1][:, 4:])
    np.testing.assert_array_equal(picture_codes(lr_li_vae, images, LABELS)[0], z_mean)


def test_a_model_without_classes(images):
    vae = build(VAE)
    expected = vae.encode(images, np.zeros(5, int))
    np.testing.assert_array_equal(picture_codes(vae, images, LABELS), expected)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ((CVAE, {"num_classes": 3}), "CVAE reconstructs under a label, and has no classifier"),
        ((GAN, {}), "GAN has no encoder. Models with one: vae"),
    ],
)
def test_what_has_no_codes(images, kind, message):
    with pytest.raises(ValueError, match=message):
        picture_codes(build(kind[0], **kind[1]), images)

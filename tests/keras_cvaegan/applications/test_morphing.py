"""Section 5.3 of Bao et al. 2017."""

import numpy as np
import pytest

from keras_cvaegan.applications import morph
from keras_cvaegan.models import CVAE, GAN, VAE

FIRST, LAST = np.array([2, 0]), np.array([2, 1])


def build(cls):
    return cls.from_preset("compact", image_shape=(16, 16, 3), num_classes=3, latent_dim=4)


@pytest.fixture
def pairs(images):
    return images[:2], images[2:4]


@pytest.fixture(params=["cvae_gan", "lr_li_vae"])
def model(request):
    return request.getfixturevalue(request.param)


def test_ends_are_reconstructions(model, pairs):
    found = morph(model, *pairs, FIRST, LAST, steps=4)
    assert found.shape == (2, 4, 16, 16, 3)
    for end, images, labels in zip((0, -1), pairs, (FIRST, LAST), strict=True):
        np.testing.assert_allclose(found[:, end], model.reconstruct(images, labels), atol=1e-5)
    assert np.abs(found[:, 0] - found[:, -1]).max() > 1e-3


def test_codes_and_labels_against_the_equation(cvae_gan, pairs):
    found = morph(cvae_gan, *pairs, FIRST, LAST, steps=5)
    z = [cvae_gan.encode(*of)[0] for of in zip(pairs, (FIRST, LAST), strict=True)]
    for number, alpha in enumerate([0, 0.25, 0.5, 0.75, 1]):
        weights = [[0, 0, 1], [1 - alpha, alpha, 0]]
        expected = cvae_gan.decode((1 - alpha) * z[0] + alpha * z[1], np.array(weights))
        np.testing.assert_allclose(found[:, number], expected, atol=1e-5)


def test_both_of_two_codes_are_interpolated_without_labels(lr_li_vae, pairs):
    found = morph(lr_li_vae, *pairs, steps=3)
    first, last = (lr_li_vae.codes(images) for images in pairs)
    middle = ((a + b) / 2 for a, b in zip(first, last, strict=True))
    np.testing.assert_allclose(found[:, 1], lr_li_vae.decode_codes(*middle), atol=1e-5)
    np.testing.assert_array_equal(found, morph(lr_li_vae, *pairs, FIRST, LAST, steps=3))


def test_there_is_the_reverse_of_back(model, pairs):
    there = morph(model, *pairs, FIRST, LAST, steps=5)
    back = morph(model, *pairs[::-1], LAST, FIRST, steps=5)
    np.testing.assert_allclose(there, back[:, ::-1], atol=1e-5)


def test_labels_that_are_not_known_are_guessed(cvae_gan, pairs, monkeypatch):
    labels = [LAST, FIRST]
    monkeypatch.setattr(cvae_gan, "classify", lambda x: np.eye(3)[labels.pop()])
    found = morph(cvae_gan, *pairs, steps=2)
    np.testing.assert_array_equal(found, morph(cvae_gan, *pairs, FIRST, LAST, steps=2))


def test_a_model_without_classes(pairs):
    vae = build(VAE)
    found = morph(vae, *pairs, steps=2)
    np.testing.assert_allclose(found[:, 1], vae.reconstruct(pairs[1], [0, 0]), atol=1e-5)
    np.testing.assert_array_equal(found, morph(vae, *pairs, FIRST, LAST, steps=2))


@pytest.mark.parametrize("count", [0, 1])
def test_few_pictures_and_those_of_one_colour(model, images, count):
    white = np.full_like(images[:count], 255)
    assert morph(model, images[:count], white).shape == (count, 9, 16, 16, 3)
    found = morph(model, white, white)
    np.testing.assert_allclose(found, np.repeat(found[:, :1], 9, axis=1), atol=1e-5)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"steps": 1}, "steps must be an integer of at least 2. Received: 1"),
        ({"images_b": np.zeros((3, 16, 16, 3))}, "needed. Received: 2 and 3 pictures"),
        ({"images_b": np.zeros((2, 8, 8, 3))}, r"images must have the shape \(n, 16, 16, 3\)"),
        ({"labels_a": [0]}, "One label an image is needed. Received: 2 images, 1 labels"),
        ({"labels_b": [0, 3]}, r"labels must be from 0 to 2\. Received: 3"),
    ],
)
def test_wrong_inputs(cvae_gan, pairs, changed, message):
    given = dict(zip(("images_a", "images_b"), pairs, strict=True))
    given |= {"labels_a": FIRST, "labels_b": LAST, **changed}
    with pytest.raises(ValueError, match=message):
        morph(cvae_gan, **given)


@pytest.mark.parametrize(("cls", "message"), [(GAN, "no encoder"), (CVAE, "no classifier")])
def test_models_that_cannot(cls, message, pairs):
    with pytest.raises(ValueError, match=message):
        morph(build(cls), *pairs)

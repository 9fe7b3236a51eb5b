"""Eq. 8 of Bao et al. 2017, in rounds."""

import numpy as np
import pytest

from keras_cvaegan import pictures
from keras_cvaegan.applications import fill_holes, hole_masks, inpaint, region_mask
from keras_cvaegan.models import CVAE, GAN

LABELS = np.array([2, 0, 1, 1, 0])
SHAPE = (16, 16, 3)


def arguments(kind):
    return {"labels": LABELS} if kind == "cvae_gan" else {}


@pytest.fixture(params=["cvae_gan", "lr_li_vae"])
def kind(request):
    return request.param


@pytest.fixture
def model(kind, request):
    return request.getfixturevalue(kind)


def test_rounds_against_the_equation(model, kind, images):
    masks = hole_masks(5, SHAPE)
    x = images / 127.5 - 1
    for number, mask in enumerate(masks):
        for channel in range(3):
            x[number, mask, channel] = x[number, ~mask, channel].mean()
    m = masks[..., np.newaxis].astype(float)
    expected = []
    for _ in range(3):
        reconstructed = model.reconstruct(x, LABELS)
        x = m * reconstructed + (1 - m) * x
        expected.append(x)
    found = inpaint(model, images, masks, rounds=[3, 1], **arguments(kind))
    assert list(found) == [3, 1]
    for number, result in found.items():
        assert result.dtype == np.float32
        np.testing.assert_allclose(result, expected[number - 1], atol=1e-4)
    assert np.abs(expected[2] - expected[0]).max() > 1e-3


def test_nothing_outside_the_hole_changes(model, kind, images):
    masks = hole_masks(5, SHAPE, seed=3)
    floats = np.random.default_rng(1).uniform(-1, 1, images.shape).astype(np.float32)
    for given in (images, floats):
        for result in inpaint(model, given, masks, rounds=[1, 4], **arguments(kind)).values():
            before = given if given is floats else pictures.from_uint8(given)
            np.testing.assert_array_equal(result[~masks], before[~masks])
            assert (result[masks] != before[masks]).mean() > 0.9
            if given is images:
                np.testing.assert_array_equal(pictures.to_uint8(result)[~masks], given[~masks])


def test_every_uint8_value_comes_back():
    values = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(pictures.to_uint8(pictures.from_uint8(values)), values)


def test_what_was_in_the_hole_does_not_matter(model, kind, images):
    mask = region_mask("right_half", SHAPE)
    others = images.copy()
    others[:, mask] = 255 - others[:, mask]
    first, second = (inpaint(model, x, mask, **arguments(kind))[1] for x in (images, others))
    np.testing.assert_array_equal(first, second)


def test_a_round_of_many_is_that_round(model, kind, images):
    mask = region_mask("bottom_half", SHAPE)
    several = inpaint(model, images, mask, rounds=[2, 5], **arguments(kind))
    for number, result in several.items():
        alone = inpaint(model, images, mask, rounds=number, **arguments(kind))
        np.testing.assert_array_equal(alone[number], result)


def test_an_empty_hole_leaves_all(model, kind, images):
    result = inpaint(model, images, np.zeros(SHAPE[:2]), **arguments(kind))[1]
    np.testing.assert_array_equal(pictures.to_uint8(result), images)


@pytest.mark.parametrize("count", [0, 1])
def test_few_pictures(cvae_gan, lr_li_vae, images, count):
    mask = region_mask("eyes", SHAPE)
    given = inpaint(cvae_gan, images[:count], mask, LABELS[:count], rounds=2)
    for result in (given, inpaint(cvae_gan, images[:count], mask, rounds=2)):
        assert result[2].shape == (count, *SHAPE)
    assert inpaint(lr_li_vae, images[:count], mask)[1].shape == (count, *SHAPE)


def test_labels_are_guessed_anew_in_each_round(cvae_gan, images, monkeypatch):
    mask, seen, used = region_mask("eyes", SHAPE), [], []

    def classify(x):
        seen.append(x)
        return np.eye(3)[(LABELS + len(seen)) % 3]

    def reconstruct(x, labels):
        used.append(labels)
        return np.full_like(x, 0.1 * len(used))

    monkeypatch.setattr(cvae_gan, "classify", classify)
    monkeypatch.setattr(cvae_gan, "reconstruct", reconstruct)
    inpaint(cvae_gan, images, mask, rounds=2)
    np.testing.assert_array_equal(np.argmax(used, axis=-1), [(LABELS + 1) % 3, (LABELS + 2) % 3])
    np.testing.assert_array_equal(seen[0], fill_holes(pictures.from_uint8(images), mask))
    np.testing.assert_allclose(seen[1][:, mask], 0.1)


def test_a_hole_has_the_mean_colour_of_its_own_picture():
    images = np.array([[[[1, 0], [0, 0.5]], [[0.5, 1], [0, 0]]], [[[0, 0]] * 2] * 2], np.float32)
    masks = np.array([[[0, 1], [0, 0]], [[1, 1], [0, 0]]])
    filled = fill_holes(images, masks)
    expected = images.copy()
    expected[0, 0, 1] = [0.5, 1 / 3]
    np.testing.assert_allclose(filled, expected, atol=1e-7)
    assert images[0, 0, 1, 1] == 0.5


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"masks": np.zeros((8, 8))}, r"masks must have the shape \(16, 16\)"),
        ({"masks": np.ones((16, 16))}, "leaves nothing"),
        ({"images": np.zeros((5, 8, 8, 3))}, r"images must have the shape \(n, 16, 16, 3\)"),
        ({"labels": [0, 1]}, "One label an image is needed. Received: 5 images, 2 labels"),
        ({"labels": [0, 1, 2, 3, 0]}, "labels must be from 0 to 2. Received: 3"),
        ({"rounds": 0}, "rounds must be an integer of at least 1. Received: 0"),
        ({"rounds": [1, -1]}, "rounds must be an integer"),
        ({"rounds": 1.5}, "rounds must be an integer"),
        ({"rounds": []}, "rounds must have at least one"),
    ],
)
def test_wrong_inputs(cvae_gan, images, changed, message):
    given = {"images": images, "masks": region_mask("eyes", SHAPE), "labels": LABELS, **changed}
    with pytest.raises(ValueError, match=message):
        inpaint(cvae_gan, **given)


@pytest.mark.parametrize(("cls", "message"), [(GAN, "no encoder"), (CVAE, "no classifier")])
def test_models_that_cannot(cls, message, images):
    model = cls.from_preset("compact", image_shape=SHAPE, num_classes=3, latent_dim=4)
    with pytest.raises(ValueError, match=message):
        inpaint(model, images, region_mask("eyes", SHAPE))

"""Small pictures made large by encoding, decoding and back-projection."""

import numpy as np
import pytest
from PIL import Image
from scipy import optimize

from keras_cvaegan import pictures
from keras_cvaegan.applications import back_project, enlarge, shrink, super_resolve
from keras_cvaegan.models import CVAE, GAN, VAE

LABELS = np.array([2, 0, 1, 1, 0])
SHAPE = (16, 16, 3)


def means(images, factor):
    """Area means, square by square."""
    size = images.shape[1] // factor
    found = np.zeros((len(images), size, size, 3))
    for y in range(size):
        for x in range(size):
            square = images[:, y * factor : (y + 1) * factor, x * factor : (x + 1) * factor]
            found[:, y, x] = square.mean(axis=(1, 2))
    return found


@pytest.fixture
def small():
    """Small pictures with much contrast, black and white among them, by factor."""
    rng = np.random.default_rng(1)
    found = {}
    for factor in (2, 4):
        found[factor] = rng.integers(0, 256, (5, 16 // factor, 16 // factor, 3), dtype=np.uint8)
        found[factor][:, 0, 0], found[factor][:, 0, 1] = 255, 0
    return found


@pytest.fixture(params=["cvae_gan", "lr_li_vae"])
def model(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("factor", [2, 4])
@pytest.mark.parametrize("rounds", [1, 3])
def test_results_agree_with_the_small_pictures(model, small, factor, rounds):
    y = pictures.from_uint8(small[factor])
    for given in (small[factor], y.astype(np.float64)):
        found = super_resolve(model, given, LABELS, rounds=rounds)
        assert (found.shape, found.dtype) == ((5, *SHAPE), np.float32)
        assert np.abs(found).max() <= 1
        np.testing.assert_allclose(means(found, factor), y, atol=2e-6)


def test_rounds_against_the_equation(cvae_gan, small):
    y = pictures.from_uint8(small[4])
    x = back_project(enlarge(y, 4), y)
    for number in range(1, 4):
        x = back_project(cvae_gan.reconstruct(x, LABELS), y)
        found = super_resolve(cvae_gan, small[4], LABELS, rounds=number)
        np.testing.assert_allclose(found, x, atol=1e-5)
    by_default = super_resolve(cvae_gan, small[4], LABELS)
    np.testing.assert_array_equal(by_default, super_resolve(cvae_gan, small[4], LABELS, rounds=1))


def test_a_model_that_knows_the_pictures_gives_them_back(cvae_gan, images, monkeypatch):
    exact = pictures.from_uint8(images)
    monkeypatch.setattr(cvae_gan, "reconstruct", lambda x, labels: exact)
    found = super_resolve(cvae_gan, shrink(exact, 4), LABELS)
    np.testing.assert_allclose(found, exact, atol=1e-5)


def test_labels_are_guessed_anew_in_each_round(cvae_gan, small, monkeypatch):
    seen, used = [], []

    def classify(x):
        seen.append(x)
        return np.eye(3)[(LABELS + len(seen)) % 3]

    def reconstruct(x, labels):
        used.append(labels)
        return 0.5 * x

    monkeypatch.setattr(cvae_gan, "classify", classify)
    monkeypatch.setattr(cvae_gan, "reconstruct", reconstruct)
    super_resolve(cvae_gan, small[2], rounds=2)
    np.testing.assert_array_equal(np.argmax(used, axis=-1), [(LABELS + 1) % 3, (LABELS + 2) % 3])
    y = pictures.from_uint8(small[2])
    np.testing.assert_array_equal(seen[0], back_project(enlarge(y, 2), y))
    np.testing.assert_array_equal(seen[1], back_project(0.5 * seen[0], y))


def test_a_model_without_classes(small):
    vae = VAE.from_preset("compact", image_shape=SHAPE, latent_dim=4)
    assert super_resolve(vae, small[2]).shape == (5, *SHAPE)


@pytest.mark.parametrize("count", [0, 1])
@pytest.mark.parametrize("value", [0, 77, 255])
def test_few_pictures_of_one_colour(model, count, value):
    small = np.full((count, 4, 4, 3), value, np.uint8)
    found = super_resolve(model, small)
    assert found.shape == (count, *SHAPE)
    y = pictures.from_uint8(small)
    np.testing.assert_allclose(means(found, 4), y, atol=2e-6)
    start = pictures.to_uint8(back_project(enlarge(y, 4), y))
    assert (start == value).all()


def test_a_picture_of_one_pixel(cvae_gan):
    found = super_resolve(cvae_gan, np.full((1, 1, 1, 3), 0.25), [0])
    np.testing.assert_allclose(found.mean(axis=(1, 2)), 0.25, atol=2e-6)


def test_area_means(images):
    floats = pictures.from_uint8(images)
    for factor in (1, 2, 8):
        np.testing.assert_allclose(shrink(floats, factor), means(floats, factor), atol=1e-6)
    assert shrink(np.zeros((2, 6, 4, 1)), 2).shape == (2, 3, 2, 1)


@pytest.mark.parametrize("shape", [(5, 3, 3), (6, 4, 3)])
def test_enlargement_is_that_of_pillow(shape):
    # Not so much contrast that Pillow would clip what overshoots after each of its two passes.
    image = np.random.default_rng(0).integers(64, 192, shape, dtype=np.uint8)
    for factor in (2, 3, 4):
        size = (factor * shape[1], factor * shape[0])
        expected = np.array(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))
        found = pictures.to_uint8(enlarge(pictures.from_uint8(image[np.newaxis]), factor))[0]
        assert np.abs(found.astype(int) - expected).max() <= 1


def test_back_projection_adds_a_bicubic_interpolation():
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-0.2, 0.2, (1, 8, 12, 3)), rng.uniform(-0.2, 0.2, (1, 4, 6, 3))
    added = back_project(x, y) - x
    # Some small picture, interpolated, is what was added: here found by least squares.
    columns = [enlarge(one[np.newaxis, ..., np.newaxis], 2).ravel()
               for one in 0.5 * np.eye(24).reshape(24, 4, 6)]  # fmt: skip
    interpolation = np.stack(columns, axis=1)
    for channel in range(3):
        wanted = added[..., channel].ravel()
        solution = np.linalg.lstsq(interpolation, wanted, rcond=None)[0]
        np.testing.assert_allclose(interpolation @ solution, wanted, atol=1e-5)


def test_back_projection_leaves_what_agrees(images):
    floats = pictures.from_uint8(images)
    np.testing.assert_allclose(back_project(floats, shrink(floats, 4)), floats, atol=1e-6)


def test_what_is_clipped_is_made_up_for_by_the_nearest_numbers():
    x, y = np.array([0.9, 0.5, -0.3, 0.1]), 0.7
    found = back_project(x.reshape(1, 2, 2, 1), np.full((1, 1, 1, 1), y)).ravel()
    expected = optimize.minimize(
        lambda v: np.sum((v - x) ** 2),
        np.full(4, y),
        bounds=[(-1, 1)] * 4,
        constraints={"type": "eq", "fun": lambda v: v.mean() - y},
        tol=1e-12,
    ).x
    assert found[0] == 1
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"small": np.zeros((5, 16, 16, 3))}, r"divided by one whole number.*\(16, 16, 3\)"),
        ({"small": np.zeros((5, 5, 5, 3))}, r"Received: \(5, 5, 3\)"),
        ({"small": np.zeros((5, 8, 4, 3))}, r"Received: \(8, 4, 3\)"),
        ({"small": np.zeros((5, 8, 8, 1))}, r"Received: \(8, 8, 1\)"),
        ({"small": np.zeros((5, 0, 8, 3))}, r"Received: \(0, 8, 3\)"),
        ({"small": np.zeros((8, 8, 3))}, r"the shape \(16, 16, 3\) of the large ones.*\(8, 3\)"),
        ({"small": 0}, r"Received: \(\)"),
        ({"small": np.full((5, 8, 8, 3), 255.0)}, r"floats in \[-1, 1\]"),
        ({"small": np.zeros((5, 8, 8, 3), int)}, "Received: int64"),
        ({"labels": [0]}, "One label an image is needed. Received: 5 images, 1 labels"),
        ({"labels": LABELS + 1}, r"labels must be from 0 to 2\. Received: 3"),
        ({"rounds": 0}, "rounds must be an integer of at least 1. Received: 0"),
    ],
)
def test_wrong_inputs(cvae_gan, small, changed, message):
    with pytest.raises(ValueError, match=message):
        super_resolve(cvae_gan, **{"small": small[2], "labels": LABELS, **changed})


def test_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match=r"multiples of 4\. Received: \(1, 6, 8, 3\)"):
        shrink(np.zeros((1, 6, 8, 3)), 4)
    with pytest.raises(ValueError, match=r"for each large one is needed\. Received: 1 for 2"):
        back_project(np.zeros((2, 4, 4, 3)), np.zeros((1, 2, 2, 3)))
    with pytest.raises(ValueError, match="divided by one whole number"):
        back_project(np.zeros((1, 4, 4, 3)), np.zeros((1, 3, 3, 3)))


@pytest.mark.parametrize(("cls", "message"), [(GAN, "no encoder"), (CVAE, "no classifier")])
def test_models_that_cannot(cls, message, small):
    model = cls.from_preset("compact", image_shape=SHAPE, num_classes=3, latent_dim=4)
    with pytest.raises(ValueError, match=message):
        super_resolve(model, small[2])

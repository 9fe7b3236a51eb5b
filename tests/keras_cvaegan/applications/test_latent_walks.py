"""Walks: what varies, what is shared, and where classes place it."""

import numpy as np
import pytest

from keras_cvaegan.applications import (
    dimension_changes,
    dimension_walk,
    direction_walk,
    latent_walk,
    part_of_code,
)
from keras_cvaegan.models import GAN

LABELS = [2, 0]


def test_parts_of_the_code(cvae_gan, lr_li_vae):
    numbers = np.arange(8)
    found = {part: numbers[part_of_code(lr_li_vae, part)].tolist()
             for part in ("all", "relevant", "irrelevant")}  # fmt: skip
    assert found == {
        "all": list(range(8)),
        "relevant": [0, 1, 2, 3],
        "irrelevant": [4, 5, 6, 7],
    }
    assert part_of_code(cvae_gan) == slice(0, 4)
    with pytest.raises(ValueError, match=r"CVAEGAN has one code, z\. Models with two"):
        part_of_code(cvae_gan, "irrelevant")
    with pytest.raises(ValueError, match="part must be one of all, relevant, irrelevant"):
        part_of_code(lr_li_vae, "z_u")


def test_z_s_varies_and_all_share_z_u(lr_li_vae):
    walk = latent_walk(lr_li_vae, LABELS, part="relevant", steps=5, seed=3)
    first, last, fixed = lr_li_vae.sample_latents(3, 3)
    assert walk.images.shape == (2, 5, 16, 16, 3)
    assert walk.z.shape == (2, 5, 8)
    np.testing.assert_array_equal(walk.z[..., 4:], np.broadcast_to(fixed[4:], (2, 5, 4)))
    np.testing.assert_array_equal(walk.z[0], walk.z[1])
    np.testing.assert_array_equal(walk.z[0, [0, 4], :4], [first[:4], last[:4]])
    np.testing.assert_allclose(walk.z[0, 2, :4], (first + last)[:4] / 2, atol=1e-6)


def test_z_u_varies_and_a_row_shares_z_s(lr_li_vae):
    walk = latent_walk(lr_li_vae, LABELS, part="irrelevant", steps=3, seed=3)
    first, last, fixed = lr_li_vae.sample_latents(3, 3)
    np.testing.assert_array_equal(walk.z[..., :4], np.broadcast_to(fixed[:4], (2, 3, 4)))
    np.testing.assert_array_equal(walk.z[1, [0, 2], 4:], [first[4:], last[4:]])


@pytest.mark.parametrize("part", ["relevant", "irrelevant"])
def test_a_class_places_standard_codes_by_its_gaussian(lr_li_vae, part):
    walk = latent_walk(lr_li_vae, LABELS, part=part, steps=3)
    means = np.array(lr_li_vae.head.means)
    deviations = np.exp(np.array(lr_li_vae.head.raw_log_variances) / 2)
    for row, label in enumerate(LABELS):
        z_s = means[label] + deviations[label] * walk.z[row, :, :4]
        expected = lr_li_vae.decode_codes(z_s, walk.z[row, :, 4:])
        np.testing.assert_allclose(walk.images[row], expected, atol=1e-4)
    assert np.abs(walk.images[0] - walk.images[1]).max() > 1e-3


def test_ends_are_pictures_of_the_end_codes(cvae_gan):
    walk = latent_walk(cvae_gan, LABELS, steps=2, seed=7)
    z = cvae_gan.sample_latents(3, 7)
    for row, label in enumerate(LABELS):
        expected = cvae_gan.decode(z[:2], [label, label])
        np.testing.assert_allclose(walk.images[row], expected, atol=1e-5)


def test_class_weights_one_row_and_none(cvae_gan):
    by_label = latent_walk(cvae_gan, LABELS, steps=2).images
    by_weight = latent_walk(cvae_gan, np.eye(3)[LABELS], steps=2).images
    np.testing.assert_array_equal(by_label, by_weight)
    alone = latent_walk(cvae_gan, LABELS[:1], steps=2).images
    np.testing.assert_allclose(alone, by_label[:1], atol=1e-5)
    assert latent_walk(cvae_gan, [], steps=2).images.shape == (0, 2, 16, 16, 3)


def test_single_dimensions_go_from_end_to_end(lr_li_vae):
    walk = dimension_walk(lr_li_vae, 1, [3, 0], part="irrelevant", reach=1.5, steps=3, seed=2)
    fixed = lr_li_vae.sample_latents(3, 2)[2]
    expected = np.tile(fixed, (2, 3, 1))
    expected[0, :, 4 + 3] = expected[1, :, 4 + 0] = [-1.5, 0, 1.5]
    np.testing.assert_array_equal(walk.z, expected)
    images = lr_li_vae.decode(expected[1], [1, 1, 1])
    np.testing.assert_allclose(walk.images[1], images, atol=1e-5)
    assert dimension_walk(lr_li_vae, 1, [], steps=3).images.shape == (0, 3, 16, 16, 3)


def test_a_model_without_labels():
    gan = GAN.from_preset("compact", image_shape=(16, 16, 3), latent_dim=3)
    assert latent_walk(gan, [0], steps=2).images.shape == (1, 2, 16, 16, 3)
    assert dimension_walk(gan, 0, [2], steps=2).images.shape == (1, 2, 16, 16, 3)
    with pytest.raises(ValueError, match=r"GAN is unconditional: labels must be 0\. Received: 1"):
        latent_walk(gan, [1])


def test_changes_of_a_linear_decoder(cvae_gan, monkeypatch):
    rng = np.random.default_rng(0)
    matrix, seen = rng.standard_normal((4, 6)), []

    def decode(z, labels):
        seen.extend(labels)
        return (z @ matrix + np.asarray(labels)[:, np.newaxis]).reshape(-1, 1, 2, 3)

    monkeypatch.setattr(cvae_gan, "decode", decode)
    # x(2) − x(−2) = 4 times the dimension's row of the matrix.
    expected = 4 * np.sqrt(np.mean(matrix**2, axis=1))
    np.testing.assert_allclose(dimension_changes(cvae_gan, LABELS), expected, rtol=1e-5)
    few = dimension_changes(cvae_gan, LABELS, [3, 1], reach=0.5, count=3)
    np.testing.assert_allclose(few, expected[[3, 1]] / 4, rtol=1e-5)
    assert seen[-3:] == [2, 0, 2]


def test_changes_of_the_parts_of_a_code(lr_li_vae):
    whole = dimension_changes(lr_li_vae, LABELS, count=2)
    irrelevant = dimension_changes(lr_li_vae, LABELS, part="irrelevant", count=2)
    np.testing.assert_allclose(irrelevant, whole[4:], rtol=1e-5)
    assert whole.shape == (8,)
    assert (whole > 0).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: latent_walk(m, [3]), r"labels must be from 0 to 2\. Received: 3"),
        (lambda m: latent_walk(m, [0], steps=1), "steps must be an integer of at least 2"),
        (lambda m: dimension_walk(m, 0, [4]), "dimensions must be from 0 to 3. Received: 4"),
        (lambda m: dimension_walk(m, 0, [-1]), "Received: -1"),
        (lambda m: dimension_walk(m, 0, [0.5]), "dimensions must be integers"),
        (lambda m: dimension_walk(m, 0, [0], reach=0), "reach must be a number above 0"),
        (lambda m: dimension_walk(m, 3, [0]), r"labels must be from 0 to 2\. Received: 3"),
        (lambda m: dimension_changes(m, []), "labels must have at least one"),
        (lambda m: dimension_changes(m, [0], count=0), "count must be an integer of at least 1"),
    ],
)
def test_wrong_inputs(cvae_gan, call, message):
    with pytest.raises(ValueError, match=message):
        call(cvae_gan)


def test_codes_move_along_a_direction(cvae_gan):
    z = cvae_gan.sample_latents(2, 5)
    direction = np.array([0, 0.6, 0, -0.8])

    def decode(codes):
        return cvae_gan.decode(codes, np.ones(len(codes), int))

    walk = direction_walk(decode, z, direction, [-2, 0, 0.5])
    assert walk.images.shape == (2, 3, 16, 16, 3)
    expected = np.stack([z - 2 * direction, z, z + 0.5 * direction], axis=1)
    np.testing.assert_allclose(walk.z, expected, atol=1e-6)
    for row in range(2):
        np.testing.assert_allclose(walk.images[row], decode(expected[row]), atol=1e-5)
    assert np.abs(walk.images[:, 0] - walk.images[:, 2]).max() > 1e-3


@pytest.mark.parametrize(
    ("z", "direction", "amounts", "message"),
    [
        (np.zeros((2, 3)), np.zeros(2), [1], r"Received: \(2, 3\), \(2,\) and \(1,\)"),
        (np.zeros(3), np.zeros(3), [1], r"Received: \(3,\), \(3,\)"),
        (np.zeros((2, 3)), np.zeros(3), 1.0, r"and \(\)"),
        (np.zeros((0, 3)), np.zeros(3), [1], "Received: 0 codes, 1 amounts"),
        (np.zeros((2, 3)), np.zeros(3), [], "Received: 2 codes, 0 amounts"),
        (np.zeros((2, 3)), np.full(3, np.nan), [1], "must be finite"),
    ],
)
def test_wrong_directions(z, direction, amounts, message):
    with pytest.raises(ValueError, match=message):
        direction_walk(lambda codes: codes, z, direction, amounts)

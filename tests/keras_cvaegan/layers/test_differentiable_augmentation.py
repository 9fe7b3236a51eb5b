"""Differentiable augmentation against its equations in NumPy, an image at a time."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.ndimage import map_coordinates

from keras_cvaegan.layers import DifferentiableAugmentation

SHAPE = (8, 16, 3)


def drawn(count, seed=0):
    random = np.random.default_rng(seed)
    images = random.uniform(-1, 1, (count, *SHAPE)).astype("float32")
    return images, random.uniform(0, 1, (count, 5)).astype("float32")


def moved(x, down, right):
    """An image moved by whole pixels; zeros move in."""
    result = np.zeros_like(x)
    height, width, _ = x.shape
    for i in range(height):
        for j in range(width):
            if 0 <= i - down < height and 0 <= j - right < width:
                result[i, j] = x[i - down, j - right]
    return result


def changed(x, u, strength, translation):
    x = x.astype(np.float64) + 0.6 * strength * (u[0] - 0.5)
    grey = x.mean(axis=-1, keepdims=True)
    x = grey + (1 + 1.4 * strength * (u[1] - 0.5)) * (x - grey)
    x = x.mean() + (1 + 0.8 * strength * (u[2] - 0.5)) * (x - x.mean())
    most = [int(strength * translation * side) for side in x.shape[:2]]
    return moved(x, *(int(each * (2 * m + 1)) - m for each, m in zip(u[3:], most, strict=True)))


@pytest.mark.parametrize(("strength", "translation"), [(1.0, 0.125), (0.5, 0.5), (1.0, 0.0)])
def test_equations(strength, translation):
    images, draws = drawn(12)
    found = DifferentiableAugmentation(strength, translation)(images, draws)
    for x, u, received in zip(images, draws, np.array(found), strict=True):
        np.testing.assert_allclose(received, changed(x, u, strength, translation), atol=1e-5)


def test_zoom_against_interpolation_by_scipy():
    """Places outside of the image, and less than a pixel from its edge, fade into zeros."""
    images, _ = drawn(6)
    draws = np.random.default_rng(1).uniform(0, 1, (6, 6)).astype("float32")
    draws[:, :3] = 0.5
    found = np.array(DifferentiableAugmentation(translation=0.25, zoom=0.3)(images, draws))
    for x, u, received in zip(images, draws, found, strict=True):
        scale = 1.3 ** (2 * u[5] - 1)
        sources = [
            (np.arange(side) - (side - 1) / 2 - 0.25 * side * (2 * draw - 1)) / scale
            + (side - 1) / 2
            for side, draw in zip(SHAPE[:2], u[3:5], strict=True)
        ]
        grid = np.meshgrid(*sources, indexing="ij")
        for channel in range(3):
            padded = np.pad(x[..., channel].astype(np.float64), 20)
            expected = map_coordinates(padded, [each + 20 for each in grid], order=1)
            np.testing.assert_allclose(received[..., channel], expected, atol=1e-5)


def test_a_zoom_with_draws_in_the_middle_changes_nothing():
    images, _ = drawn(2)
    draws = np.full((2, 6), 0.5, "float32")
    found = DifferentiableAugmentation(zoom=0.2)(images, draws)
    np.testing.assert_allclose(found, images, atol=1e-6)


def test_every_move_up_to_an_eighth_comes_as_often():
    """Of colour unchanged, u = ½, the pixel in the middle says where it went."""
    count = 3000
    draws = np.full((count, 5), 0.5, "float32")
    draws[:, 3:] = np.random.default_rng(0).uniform(0, 1, (count, 2))
    images = np.zeros((count, *SHAPE), "float32")
    images[:, 4, 8] = 1.0
    found = np.array(DifferentiableAugmentation()(images, draws))[..., 0]
    _, down, right = np.nonzero(found > 0.5)
    moves, counts = np.unique(np.stack([down - 4, right - 8], axis=1), axis=0, return_counts=True)
    assert moves.tolist() == [[i, j] for i in (-1, 0, 1) for j in (-2, -1, 0, 1, 2)]
    assert counts.sum() == count
    assert abs(counts / count - 1 / 15).max() < 0.02


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_no_move_is_larger_in_half_precision(dtype):
    """A draw of 0.9999 is 1 there."""
    images = np.ones((1, *SHAPE), "float32")
    draws = np.full((1, 5), 0.5, "float32")
    draws[:, 3:] = 0.9999
    found = DifferentiableAugmentation(dtype=dtype)(images, draws)
    found = np.array(tf.cast(found, "float32"))[0, ..., 0]
    assert (found == 0).sum() == found.size - 7 * 14


def test_images_do_not_depend_on_their_neighbours():
    images, draws = drawn(5)
    layer = DifferentiableAugmentation()
    together = np.array(layer(images, draws))
    for index in range(5):
        alone = np.array(layer(images[index : index + 1], draws[index : index + 1]))
        np.testing.assert_allclose(alone[0], together[index], atol=1e-6)


@pytest.mark.tensorflow
def test_gradients_are_those_of_finite_differences():
    images, draws = drawn(2)
    target = np.random.default_rng(1).normal(size=images.shape).astype("float32")
    layer, x = DifferentiableAugmentation(translation=0.3), tf.constant(images)
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.reduce_sum(layer(x, draws) * target)
    gradient = tape.gradient(loss, x).numpy()
    direction = np.random.default_rng(2).normal(size=images.shape)
    ends = [
        sum(
            np.sum(changed(x + sign * direction[index], draws[index], 1.0, 0.3) * target[index])
            for index, x in enumerate(images.astype(np.float64))
        )
        for sign in (1, -1)
    ]
    # The changes are linear in an image.
    assert np.sum(gradient * direction) == pytest.approx((ends[0] - ends[1]) / 2, rel=1e-4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"strength": 1.5}, r"strength must be in \[0, 1\]\. Received: 1\.5"),
        ({"strength": -0.1}, r"strength must be in \[0, 1\]\. Received: -0\.1"),
        ({"zoom": -0.1}, r"zoom must be a number of at least 0\. Received: -0\.1"),
        ({"translation": 1.0}, r"translation must be in \[0, 1\)\. Received: 1\.0"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        DifferentiableAugmentation(**arguments)

"""MS-SSIM against TensorFlow's, and the diversity of Eq. 12 from its definition."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from keras_cvaegan.metrics import IntraClassDiversity, ms_ssim, ssim
from keras_cvaegan.metrics.structural_similarity import SCALE_WEIGHTS, scale_weights


def images(count, size, seed=0, channels=3):
    """Images of a few large patches and noise."""
    random = np.random.default_rng(seed)
    height, width = size
    patches = random.integers(0, 256, (count, height // 8 + 1, width // 8 + 1, channels))
    patches = patches.repeat(8, axis=1).repeat(8, axis=2)[:, :height, :width]
    return np.clip(patches + random.normal(0, 20, patches.shape), 0, 255).astype(np.uint8)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "scales"),
    [((16, 16), 1), ((32, 32), 2), ((33, 47), 2), ((96, 64), 3), ((176, 176), 5)],
)
def test_similarity_is_that_of_tensorflow(size, scales):
    pictures = images(6, size)
    pictures[5] = np.clip(pictures[4].astype(int) + 9, 0, 255)  # Two that are similar.
    pairs = np.array(list(itertools.combinations(range(6), 2)))
    weights = scale_weights(*size)
    assert len(weights) == scales
    assert sum(weights) == pytest.approx(1)
    expected = tf.image.ssim_multiscale(
        pictures[pairs[:, 0]], pictures[pairs[:, 1]], 255, power_factors=weights
    )
    # Where structure is unlike, TensorFlow's own rounding shows: it sums about 0.5, not about 0.
    np.testing.assert_allclose(ms_ssim(pictures, pairs), expected, rtol=1e-4, atol=1e-5)


def test_the_published_weights_and_grey_images():
    assert scale_weights(161, 200) == pytest.approx(np.array(SCALE_WEIGHTS) / sum(SCALE_WEIGHTS))
    pictures = images(2, (32, 32), channels=1)
    weights = (0.5, 0.5)
    expected = tf.image.ssim_multiscale(*pictures, 255, power_factors=weights)
    received = ms_ssim(pictures, np.array([[0, 1]]), weights)
    np.testing.assert_allclose(received[0], expected, rtol=1e-4)


@pytest.mark.parametrize("size", [(1, 1), (5, 9), (10, 10)])
def test_images_below_the_window_have_one_scale(size):
    pictures = images(2, size)
    same, other = ms_ssim(pictures, np.array([[0, 0], [0, 1]]))
    assert same == pytest.approx(1, abs=1e-5)
    assert 0 <= other < 1


def test_pairs_beyond_one_batch(monkeypatch):
    from keras_cvaegan.metrics import structural_similarity

    pictures = images(9, (16, 16))
    pairs = np.array(list(itertools.product(range(9), repeat=2)))
    at_once = ms_ssim(pictures, pairs)
    monkeypatch.setattr(structural_similarity, "_BATCH", 16 * 16 * 3 * 4)
    np.testing.assert_allclose(ms_ssim(pictures, pairs), at_once, atol=1e-6)
    assert ms_ssim(pictures, pairs[:0]).shape == (0,)


def test_diversity_is_the_mean_over_all_pairs_of_a_class():
    pictures, labels = images(12, (16, 16)), np.array([0] * 7 + [2] * 4 + [3])
    metric = IntraClassDiversity(5)
    metric.update_state(pictures, labels)
    result = metric.result()
    expected = []
    for label in (0, 2):
        of_class = pictures[labels == label]
        pairs = np.array(list(itertools.product(range(len(of_class)), repeat=2)))
        similarities = tf.image.ssim_multiscale(
            of_class[pairs[:, 0]], of_class[pairs[:, 1]], 255, power_factors=(1.0,)
        )
        expected.append(1 - np.mean(similarities))
    by_class = result["intra_class_diversity_by_class"]
    assert [by_class[1], by_class[3], by_class[4]] == [None] * 3
    np.testing.assert_allclose([by_class[0], by_class[2]], expected, rtol=1e-4)
    assert result["intra_class_diversity"] == pytest.approx(np.mean(expected), rel=1e-4)
    assert result["intra_class_diversity_std"] == pytest.approx(np.std(expected), rel=1e-3)


def test_one_repeated_image_has_no_diversity():
    metric = IntraClassDiversity(1)
    metric.update_state(np.repeat(images(1, (32, 32)), 5, axis=0), np.zeros(5, int))
    assert metric.result()["intra_class_diversity"] == pytest.approx(0, abs=1e-5)


def test_ssim_is_of_one_scale():
    images = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    others = images // 2 + images[:, ::-1] // 4
    expected = tf.image.ssim(images, others, max_val=255).numpy()
    assert expected.min() > 0
    np.testing.assert_allclose(ssim(images, others), expected, atol=1e-4)
    np.testing.assert_allclose(ssim(images, images), 1, atol=1e-5)
    with pytest.raises(ValueError, match=r"shape \(3, 32, 32, 3\) and others of \(2, 32, 32, 3\)"):
        ssim(images, others[:2])


def test_one_image_a_class_has_no_pair():
    metric = IntraClassDiversity(3)
    metric.update_state(images(3, (16, 16)), np.arange(3))
    assert metric.result() == {
        "intra_class_diversity": None,
        "intra_class_diversity_std": None,
        "intra_class_diversity_by_class": [None, None, None],
    }


def test_held_images_are_bounded():
    metric = IntraClassDiversity(2, max_samples_per_class=4)
    metric.update_state(images(30, (16, 16)), np.arange(30) % 2)
    assert [len(rows) for rows in metric._sample.rows_by_class()] == [4, 4]
    assert metric.describe() == {
        "max_samples_per_class": 4,
        "seed": 0,
        "scale_weights": [1.0],
    }


def test_wrong_images():
    metric = IntraClassDiversity(2)
    with pytest.raises(ValueError, match="uint8 of the shape"):
        metric.update_state(np.zeros((1, 8, 8, 3)), np.zeros(1, int))
    metric.update_state(np.zeros((1, 8, 8, 3), np.uint8), np.zeros(1, int))
    with pytest.raises(ValueError, match=r"of one shape, \(8, 8, 3\). Received: \(16, 16, 3\)"):
        metric.update_state(np.zeros((1, 16, 16, 3), np.uint8), np.zeros(1, int))

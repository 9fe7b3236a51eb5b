"""Pictures that a graph decodes, beside those that are read for training."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_cvaegan.pictures import read_picture
from keras_cvaegan.pictures.graph import MAX_PIXELS, decode_pictures


def encode(picture, kind, **options):
    file = io.BytesIO()
    Image.fromarray(picture).save(file, kind, **options)
    return file.getvalue()


def smooth_noise(height, width):
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8))
    return np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC))


@pytest.mark.parametrize("size", [(16, 16), (90, 61), (61, 90), (16, 500), (7, 7), (1, 1)])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_as_pictures_are_read_for_training(size, kind):
    file = encode(smooth_noise(*size), kind)
    ours = decode_pictures(tf.constant([file, file]), (16, 16, 3)).numpy()
    expected = read_picture(file, 16).astype(int)
    np.testing.assert_array_equal(ours[0], ours[1])
    difference = np.abs(ours[0] - expected)
    # Pillow rounds between its two passes, and decodes large JPEGs at a smaller scale.
    assert difference.max() <= (2 if kind == "PNG" else 12)
    assert difference.mean() <= (0.5 if kind == "PNG" else 3)


def test_pictures_that_are_not_square():
    file = encode(smooth_noise(40, 90), "PNG")
    found = decode_pictures(tf.constant([file]), (8, 12, 3)).numpy()[0]
    picture = Image.fromarray(smooth_noise(40, 90))
    middle = picture.resize((12, 8), Image.Resampling.LANCZOS, box=(15, 0, 75, 40))
    expected = np.asarray(middle).astype(int)
    assert np.abs(found - expected).max() <= 2


@pytest.mark.parametrize("channels", [1, 3])
def test_grey_pictures_and_grey_models(channels):
    grey = np.full((20, 20), 77, np.uint8)
    found = decode_pictures(tf.constant([encode(grey, "PNG")]), (16, 16, channels)).numpy()
    np.testing.assert_array_equal(found, np.full((1, 16, 16, channels), 77))


def test_a_small_file_of_a_huge_picture_is_refused_before_it_unfolds():
    bomb = bytearray(encode(np.zeros((8, 8, 3), np.uint8), "PNG"))
    bomb[16:24] = (60_000).to_bytes(4, "big") * 2
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"1 to {MAX_PIXELS} pixels"):
        decode_pictures(tf.constant([bytes(bomb)]), (16, 16, 3))

"""The nearest training pictures, against all distances at once."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from keras_cvaegan.metrics.novelty import TrainingPictures, nearest_training


def pictures(count, seed):
    return np.random.default_rng(seed).integers(0, 256, (count, 6, 6, 3), np.uint8)


def flat(images):
    return images.reshape(len(images), -1) / 255


@pytest.mark.parametrize("block_size", [4, 7, 30, 1000])
@pytest.mark.parametrize("k", [1, 5, 30])
def test_distances_and_pictures_are_those_of_scipy(block_size, k):
    training, images = pictures(30, 0), pictures(8, 1)
    searched = []
    found = nearest_training(
        TrainingPictures(training), images, k, block_size, progress=searched.append
    )
    distances, indices = found["pixel"]
    expected = cdist(flat(images), flat(training))
    np.testing.assert_array_equal(indices, np.argsort(expected, axis=1)[:, :k])
    np.testing.assert_allclose(distances, np.sort(expected, axis=1)[:, :k], rtol=1e-5)
    assert searched[-1] == 30
    assert np.diff([0, *searched]).max() <= block_size


def test_of_fewer_training_pictures_all_are_found():
    distances, indices = nearest_training(TrainingPictures(pictures(3, 0)), pictures(2, 1), 50)[
        "pixel"
    ]
    assert distances.shape == (2, 3)
    assert sorted(indices[0]) == [0, 1, 2]


def test_no_more_than_a_block_is_read_at_a_time():
    seen = []

    class Watched(TrainingPictures):
        def points(self, start, stop):
            seen.append((start, stop))
            return super().points(start, stop)

    nearest_training(Watched(pictures(10, 0)), pictures(2, 1), 2, block_size=4)
    assert seen == [(0, 4), (4, 8), (8, 10)]

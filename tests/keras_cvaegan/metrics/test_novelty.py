"""Nearest training pictures, against scikit-learn over everything at once."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from keras_cvaegan.metrics import NearestNeighbourNovelty
from keras_cvaegan.metrics.novelty import TrainingPictures


def pictures(count, seed, size=8):
    return np.random.default_rng(seed).integers(0, 256, (count, size, size, 3), np.uint8)


def flat(images):
    return images.reshape(len(images), -1) / 255


@pytest.mark.parametrize("block_size", [7, 1000])
def test_neighbours_are_those_of_scikit_learn(extractor, block_size):
    training, samples = pictures(60, 0), pictures(20, 1)
    metric = NearestNeighbourNovelty(training, extractor, k=4, block_size=block_size)
    metric.update_state(samples)
    result = metric.result()
    for space, of in (("pixel", flat), ("feature", lambda x: extractor(x)[0].astype(float))):
        search = NearestNeighbors(n_neighbors=4, algorithm="kd_tree").fit(of(training))
        distances, indices = search.kneighbors(of(samples))
        received = metric.neighbours[space]
        np.testing.assert_allclose(received.distances, distances, rtol=1e-4)
        np.testing.assert_array_equal(received.indices, indices)
        own, _ = search.kneighbors(n_neighbors=1)
        median = result[f"nearest_{space}_distance"]
        assert median == pytest.approx(np.median(distances[:, 0]), rel=1e-4)
        of_training = result[f"nearest_{space}_distance_of_training"]
        assert of_training == pytest.approx(np.median(own), rel=1e-4)
        expected = np.mean(distances[:, 0] <= np.percentile(own, 1))
        assert result[f"nearest_{space}_copies"] == pytest.approx(expected)
    np.testing.assert_array_equal(metric.samples, samples)


def test_copies_are_found():
    training = pictures(50, 0, size=32)
    metric = NearestNeighbourNovelty(training)
    metric.update_state(np.concatenate([training[10:15], pictures(15, 1, size=32)]))
    result = metric.result()
    assert result["nearest_pixel_copies"] == pytest.approx(0.25, abs=0.06)
    np.testing.assert_array_equal(metric.neighbours["pixel"].indices[:5, 0], np.arange(10, 15))
    np.testing.assert_array_equal(metric.neighbours["pixel"].distances[:5, 0], 0)
    assert (metric.neighbours["pixel"].distances[5:, 0] > 1).all()


def test_training_pictures_that_occur_several_times():
    training = np.repeat(pictures(10, 0), 4, axis=0)
    metric = NearestNeighbourNovelty(training, k=2)
    metric.update_state(pictures(5, 1))
    result = metric.result()
    assert result["nearest_pixel_distance_of_training"] == 0
    assert result["nearest_pixel_distance"] > 1
    assert result["nearest_pixel_copies"] == 0


@pytest.mark.slow
@pytest.mark.parametrize(("max_bytes", "passes"), [(10**6, 1), (0, 2)])
def test_what_is_found_of_the_training_pictures_serves_all(extractor, max_bytes, passes):
    training, several = pictures(60, 0), [pictures(20, 1), pictures(9, 2)]
    alone = []
    for samples in several:
        metric = NearestNeighbourNovelty(training, extractor, k=2, max_samples=30, block_size=7)
        metric.update_state(samples)
        alone.append((metric.result(), metric.neighbours))
    shared = TrainingPictures(training, extractor, max_bytes)
    seen, extract = [], extractor.__call__
    shared.extractor = lambda images: seen.append(len(images)) or extract(images)
    for samples, (figures, neighbours) in zip(several, alone, strict=True):
        metric = NearestNeighbourNovelty(shared, k=2, max_samples=30, block_size=7)
        metric.update_state(samples)
        assert metric.result() == pytest.approx(figures)
        for space, expected in neighbours.items():
            np.testing.assert_array_equal(metric.neighbours[space].indices, expected.indices)
    # Neighbours of 30 training pictures are sought once.
    assert sum(seen) == 20 + 30 + 9 + passes * 60


def test_features_that_were_computed_anyway_are_kept(extractor):
    training = pictures(20, 0)
    shared = TrainingPictures(training, extractor)
    shared.keep(0, extractor(training[:15])[0])
    shared.keep(15, extractor(training[15:])[0])
    extractor.calls = 0
    np.testing.assert_array_equal(shared.points(3, 18)["feature"], extractor(training[3:18])[0])
    assert extractor.calls == 1  # That of the test.


def test_held_samples_are_bounded():
    metric = NearestNeighbourNovelty(pictures(30, 0), k=1, max_samples=6)
    for seed in range(4):
        metric.update_state(pictures(5, seed))
    metric.result()
    assert len(metric.samples) == len(metric.neighbours["pixel"].indices) == 6
    about = metric.describe()
    assert (about["samples"], about["training_pictures_sought"]) == (6, 6)
    metric.reset_state()
    assert metric.neighbours == {}


def test_a_memory_map_serves(tmp_path):
    np.save(tmp_path / "images.npy", pictures(30, 0))
    training = np.load(tmp_path / "images.npy", mmap_mode="r")
    metric = NearestNeighbourNovelty(training, block_size=7)
    metric.update_state(training[3:4])
    assert metric.result()["nearest_pixel_copies"] == 1
    assert metric.neighbours["pixel"].indices[0, 0] == 3


def test_wrong_arguments():
    with pytest.raises(ValueError, match=r"more than k=5 pictures. Received: 5"):
        NearestNeighbourNovelty(pictures(5, 0))
    with pytest.raises(ValueError, match="have an extractor of their own"):
        NearestNeighbourNovelty(TrainingPictures(pictures(6, 0)), object())
    metric = NearestNeighbourNovelty(pictures(6, 0))
    with pytest.raises(ValueError, match=r"shape, \(8, 8, 3\). Received: \(9, 9, 3\)"):
        metric.update_state(pictures(1, 0, size=9))

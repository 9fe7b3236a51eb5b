"""Clusters of features, and which of them hold outliers."""

import dataclasses

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score

from keras_cvaegan.metrics import Clusters, cluster_means, clusters, find_clusters

RNG = np.random.default_rng(0)


def blobs(*parts, features=4):
    """Normal samples of (count, place of the first coordinate, deviation), shuffled."""
    rng = np.random.default_rng(1)
    samples = [
        rng.normal(0, spread, (count, features)) + place * np.eye(features)[0]
        for count, place, spread in parts
    ]
    labels = np.repeat(np.arange(len(parts)), [count for count, *_ in parts])
    order = rng.permutation(len(labels))
    return np.concatenate(samples)[order], labels[order]


def test_clusters_are_numbered_by_size():
    samples, labels = blobs((100, 0, 1), (300, 20, 1), (200, 40, 1))
    found = find_clusters(samples, 3)
    assert found.sizes.tolist() == [300, 200, 100]
    np.testing.assert_array_equal(found.labels, np.array([2, 0, 1])[labels])
    for cluster in range(3):
        mean = samples[found.labels == cluster].mean(axis=0)
        np.testing.assert_allclose(found.centers[cluster], mean, atol=1e-4)
    np.testing.assert_array_equal(found.assign(samples), found.labels)
    assert found.assign(found.centers).tolist() == [0, 1, 2]
    assert found.assign(np.zeros((0, 4))).tolist() == []
    assert found.silhouette == pytest.approx(silhouette_score(samples, labels), abs=1e-5)
    assert found.silhouettes @ found.sizes / 600 == pytest.approx(found.silhouette)
    assert not found.outliers.any()
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.silhouette = 1.0


def test_it_is_the_best_of_k_means_and_the_same_again():
    samples = RNG.normal(size=(100, 3))
    found, again = (find_clusters(samples, 5, seed=3) for _ in range(2))
    inertia = np.square(samples - found.centers[found.labels]).sum()
    expected = KMeans(5, n_init=10, random_state=7).fit(samples).inertia_
    assert inertia == pytest.approx(expected, rel=0.02)
    np.testing.assert_array_equal(found.labels, again.labels)


def test_an_offset_of_all_does_not_matter():
    samples, _ = blobs((200, 0, 1), (100, 12, 1))
    np.testing.assert_array_equal(
        find_clusters(samples + 3000, 2).labels, find_clusters(samples, 2).labels
    )


def test_many_samples_go_by_batches(monkeypatch):
    monkeypatch.setattr(clusters, "MAX_WHOLE", 500)
    monkeypatch.setattr(clusters, "MAX_SILHOUETTES", 300)
    monkeypatch.setattr(clusters, "KMeans", None)
    samples, labels = blobs((2900, 0, 1), (100, 30, 1))
    found = find_clusters(samples, 2)
    np.testing.assert_array_equal(found.labels, labels)
    whole = silhouette_score(samples, labels)
    assert found.silhouette == pytest.approx(whole, abs=0.01)
    assert not np.isnan(found.silhouettes).any()


def test_a_small_far_cluster_is_one_of_outliers():
    samples, _ = blobs((400, 0, 1), (6, 50, 1))
    found = find_clusters(samples, 2)
    assert found.sizes.tolist() == [400, 6]
    assert found.outliers.tolist() == [False, True]
    assert find_clusters(samples, 2, min_share=0.01).outliers.tolist() == [False, False]


def test_a_scattered_minority_is_one_of_outliers():
    samples, _ = blobs((270, 0, 1), (30, 40, 8))
    found = find_clusters(samples, 2)
    assert found.sizes[1] == pytest.approx(30, abs=2)
    assert found.outliers.tolist() == [False, True]
    assert find_clusters(samples, 2, max_spread=100).outliers.tolist() == [False, False]


@pytest.mark.parametrize(
    "parts",
    [
        ((150, 0, 1), (150, 10, 1)),
        ((240, 0, 1), (60, 10, 1)),
        ((180, 0, 1), (120, 40, 8)),
        ((100, 0, 1),),
    ],
)
def test_good_clusters_are_not(parts):
    found = find_clusters(blobs(*parts)[0], 2)
    assert found.outliers.tolist() == [False, False]


def test_one_cluster():
    samples, _ = blobs((50, 3, 1))
    found = find_clusters(samples, 1)
    np.testing.assert_allclose(found.centers[0], samples.mean(axis=0), atol=1e-5)
    assert found.sizes.tolist() == [50]
    assert found.silhouette == 0
    assert found.outliers.tolist() == [False]


def test_as_many_clusters_as_samples():
    found = find_clusters(np.eye(3), 3)
    assert found.sizes.tolist() == [1, 1, 1]
    assert found.silhouette == 0
    assert found.outliers.all()


@pytest.mark.parametrize(
    ("samples", "arguments", "message"),
    [
        (np.eye(2), {"n_clusters": 3}, "3 clusters need.*Received: 2 samples of which 2"),
        (np.ones((9, 2)), {}, "2 clusters need.*Received: 9 samples of which 1"),
        (np.zeros((0, 2)), {}, "of which 0"),
        ([[np.nan], [1.0]], {}, "features must be finite"),
        (np.zeros(4), {}, "features must have the shape"),
        (np.eye(2), {"n_clusters": 0}, "n_clusters must be an integer"),
        (np.eye(2), {"min_share": 2}, "min_share=2"),
        (np.eye(2), {"max_spread": 0}, "max_spread=0"),
    ],
)
def test_wrong_inputs(samples, arguments, message):
    with pytest.raises(ValueError, match=message):
        find_clusters(samples, **arguments)


def test_features_of_another_number_cannot_be_assigned():
    found = find_clusters(np.eye(3), 2)
    assert isinstance(found, Clusters)
    with pytest.raises(ValueError, match=r"shape \(n, 3\)"):
        found.assign(np.eye(4))


def test_means_of_images():
    images = RNG.integers(0, 256, (50, 4, 3, 3), dtype=np.uint8)
    labels = RNG.integers(0, 2, 50)
    expected = [np.rint(images[labels == k].mean(axis=0)) for k in range(2)]
    whole = cluster_means([(images, labels)], 3)
    assert whole.dtype == np.uint8
    np.testing.assert_array_equal(whole[:2], expected)
    assert not whole[2].any()
    parts = ((images[i : i + 7], labels[i : i + 7]) for i in range(0, 50, 7))
    np.testing.assert_array_equal(cluster_means(parts, n_clusters=3), whole)


def test_means_of_points():
    points, labels = RNG.normal(size=(20, 2)), np.arange(20) % 2
    means = cluster_means([(points, labels)], 2)
    assert means.dtype == np.float32
    np.testing.assert_allclose(means[1], points[1::2].mean(axis=0), rtol=1e-5)


def test_wrong_batches_of_images():
    with pytest.raises(ValueError, match="no batches"):
        cluster_means([], 2)
    with pytest.raises(ValueError, match=r"labels must be from 0 to 1. Received: 2"):
        cluster_means([(np.zeros((1, 2, 2, 3), np.uint8), np.array([2]))], 2)
    with pytest.raises(ValueError, match=r"integers of the shape \(1,\)"):
        cluster_means([(np.zeros((1, 2, 2, 3), np.uint8), np.array([0, 1]))], 2)

"""What clusters have to do with attributes, on clusters made from attributes."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_mutual_info_score

from keras_cvaegan.metrics import ClusterReader, mutual_information

COUNT = 3000


@pytest.fixture(scope="module")
def known():
    """Attributes, named and shaped as those that a reader of petals' attributes gives."""
    rng = np.random.default_rng(0)
    turns = rng.uniform(-0.5, 0.5, COUNT)
    angle = np.stack([np.cos(2 * np.pi * turns), np.sin(2 * np.pi * turns)], axis=1)
    return {
        "size": rng.uniform(0.3, 0.45, (COUNT, 1)),
        "x": rng.normal(size=COUNT),
        "background_hue": angle * rng.uniform(0.1, 3, (COUNT, 1)),
        "species": rng.integers(0, 40, COUNT),
    }


def told(clusters, known):
    return mutual_information(np.asarray(clusters), known)


def test_what_decides_the_cluster_tells_all_and_the_rest_nothing(known):
    hue = np.arctan2(*known["background_hue"].T[::-1])
    clusters = {
        "size": known["size"][:, 0] > np.median(known["size"]),
        "x": np.digitize(known["x"], np.quantile(known["x"], [0.25, 0.5, 0.75])),
        "background_hue": hue > np.median(hue),
        "species": known["species"] % 3,
    }
    for name, labels in clusters.items():
        found = told(labels, known)
        assert list(found) == list(known)
        assert found.pop(name) == pytest.approx(1, abs=0.01)
        assert max(found.values()) < 0.01


def test_a_threshold_within_a_bin_costs_little(known):
    found = told(known["x"] > np.quantile(known["x"], 0.45), known)
    assert 0.94 < found["x"] < 0.97


def test_chance_is_taken_away(known):
    """Raw mutual information of few samples with many values is far from 0."""
    rng = np.random.default_rng(1)
    found = [
        mutual_information(rng.integers(0, 2, 60), {"species": rng.integers(0, 40, 60)})["species"]
        for _ in range(40)
    ]
    assert np.mean(found) < 0.1


def test_it_is_adjusted_mutual_information_where_both_say_the_same(known):
    """scikit-learn's divides by the smaller entropy, here that of the clusters."""
    rng = np.random.default_rng(2)
    clusters = (known["species"] + rng.integers(0, 15, COUNT)) > 25
    expected = adjusted_mutual_info_score(clusters, known["species"], average_method="min")
    assert 0.1 < expected < 0.9
    assert told(clusters, known)["species"] == pytest.approx(expected)


def test_the_share_is_of_the_clusters_not_of_the_attribute(known):
    four = np.digitize(known["x"], np.quantile(known["x"], [0.25, 0.5, 0.75]))
    half = {"of two": (known["x"] > np.median(known["x"])).astype(float)}
    assert told(four, half)["of two"] == pytest.approx(0.5, abs=0.01)


def test_one_cluster_and_no_attribute(known):
    assert set(told(np.zeros(COUNT, int), known).values()) == {0.0}
    assert told(np.zeros(3, int), {}) == {}
    assert told(np.arange(3), {"each its own": np.arange(3)}) == {"each its own": 0.0}


@pytest.mark.parametrize(
    ("clusters", "values", "message"),
    [
        ([0, 1], np.zeros(3), r"size must have a value for each of 2 pictures.*\(3, 1\)"),
        ([0, 1], np.zeros((2, 3)), "the cosine and sine of an angle. Received: 3 numbers"),
        ([0, 1], [np.nan, 1.0], "size must be finite"),
        ([0.5, 1.0], [0.0, 1.0], "clusters must be integers.*float64"),
        ([[0], [1]], [0.0, 1.0], r"clusters must be integers.*\(2, 1\)"),
        ([0, -1], [0.0, 1.0], "at least 0. Received: -1"),
    ],
)
def test_wrong_inputs(clusters, values, message):
    with pytest.raises(ValueError, match=message):
        mutual_information(np.array(clusters), {"size": values})
    if "3 numbers" not in message:
        with pytest.raises(ValueError, match=message.replace("size", "values")):
            ClusterReader().fit(values, np.array(clusters))


def test_a_reader_of_a_number(known):
    x, half = known["x"], COUNT // 2
    between = (np.abs(x) < 1).astype(int)
    reader = ClusterReader().fit(x[:half], between[:half])
    found = reader.accuracy(x[half:], between[half:])
    assert found["overall"] > 0.98
    assert min(found["by_cluster"]) > 0.97
    assert reader.predict([[0.0], [5.0], [-5.0]]).tolist() == [1, 0, 0]
    wrong = reader.accuracy(x[half:], 1 - between[half:])
    assert wrong["overall"] == pytest.approx(1 - found["overall"])


@pytest.mark.parametrize("start", [-0.5, -0.1, 0.2, 0.4])
def test_a_reader_of_an_angle(known, start):
    """Any half and any quarter of the circle, of pairs of any length."""
    pairs, half = known["background_hue"], COUNT // 2
    turns = (np.arctan2(pairs[:, 1], pairs[:, 0]) / (2 * np.pi) - start) % 1
    for share in (0.5, 0.25):
        within = (turns < share).astype(int)
        reader = ClusterReader().fit(pairs[:half], within[:half])
        assert reader.accuracy(pairs[half:], within[half:])["overall"] > 0.97
        scaled = reader.predict(0.01 * pairs[half:])
        np.testing.assert_array_equal(scaled, reader.predict(pairs[half:]))
    assert len(reader.predict(np.zeros((1, 2)))) == 1


def test_small_clusters_weigh_as_much_as_large_ones():
    rng = np.random.default_rng(3)
    clusters = (np.arange(4000) % 20 == 0).astype(int)
    values = rng.normal(1.5 * clusters, 1)
    found = ClusterReader().fit(values, clusters).accuracy(values, clusters)
    assert found["by_cluster"][1] > 0.6


def test_an_attribute_that_says_nothing_reaches_chance(known):
    rng = np.random.default_rng(4)
    clusters, half = rng.integers(0, 2, COUNT), COUNT // 2
    reader = ClusterReader().fit(known["x"][:half], clusters[:half])
    found = reader.accuracy(known["x"][half:], clusters[half:])
    assert found["overall"] == pytest.approx(0.5, abs=0.05)


def test_a_cluster_without_pictures_has_no_accuracy():
    reader = ClusterReader().fit([0.0, 1.0, 2.0], [0, 1, 2])
    assert reader.accuracy([0.0, 2.0], [0, 2]) == {"overall": 1.0, "by_cluster": [1.0, None, 1.0]}


def test_wrong_readers():
    with pytest.raises(ValueError, match=r"at least two clusters apart. Received: 1"):
        ClusterReader().fit([1.0, 2.0], [0, 0])
    with pytest.raises(ValueError, match="call fit first"):
        ClusterReader().predict([1.0])
    reader = ClusterReader().fit([1.0, 2.0], [0, 1])
    with pytest.raises(ValueError, match=r"takes 1 numbers a picture. Received: 2"):
        reader.predict([[1.0, 0.0]])
    with pytest.raises(ValueError, match="values must be finite"):
        reader.predict([np.inf])
    with pytest.raises(ValueError, match="for each of 2 pictures"):
        reader.accuracy([1.0], [0, 1])
    with pytest.raises(ValueError, match="at least one"):
        reader.accuracy([], np.zeros(0, int))
    assert reader.predict([]).tolist() == []

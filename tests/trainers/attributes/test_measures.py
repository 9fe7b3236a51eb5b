"""What applications keep, of models whose code is the attributes, against NumPy by hand."""

import numpy as np
import pytest

import datasets
from keras_cvaegan.metrics.attribute_distances import distances
from trainers.attributes import measures
from trainers.attributes.measures import KnownPictures

CLASSES = 4


def paint(labels, values):
    """Pictures that are their class and attributes: a pixel a number."""
    labels = np.asarray(labels)
    pixels = np.stack(
        [labels / 10, values["size"][:, 0], *(values["hue"].T + 1) / 2,
         *(values["phase"].T + 1) / 2], axis=1,
    )  # fmt: skip
    return np.repeat(pixels[:, None, :, None], 3, axis=3) * 2 - 1


def read(images):
    if images.dtype == np.uint8:
        images = images / 127.5 - 1
    pixels = (np.asarray(images, np.float64)[:, 0, :, 0] + 1) / 2
    values = {"size": pixels[:, 1:2], "hue": pixels[:, 2:4] * 2 - 1, "phase": pixels[:, 4:] * 2 - 1}
    return np.rint(pixels[:, 0] * 10).astype(int), values


class Reader:
    """Reads without error what a picture's pixels say."""

    def read(self, images):
        assert images.dtype == np.uint8
        return read(images)[1]


def judge(images, training):
    return np.eye(CLASSES)[read(images)[0]]


class Faithful:
    """Its code is the attributes; what it decodes has them, and the class asked for."""

    conditional, latent_dim, num_classes = True, 5, CLASSES
    class_names = ("a", "b", "c", "d")
    image_shape = (1, 6, 3)

    def inference_names(self):
        return ("generator", "encoder")

    def class_weights(self, labels):
        labels = np.asarray(labels)
        return labels if labels.ndim == 2 else np.eye(CLASSES, dtype=np.float32)[labels]

    def encode(self, images, labels):
        found, values = read(images)
        np.testing.assert_array_equal(self.class_weights(labels).argmax(axis=1), found)
        z = np.concatenate([values["size"], values["hue"], values["phase"]], axis=1)
        return z.astype(np.float32), np.zeros_like(z)

    def decode(self, z, labels):
        values = {"size": z[:, :1], "hue": z[:, 1:3], "phase": z[:, 3:]}
        return paint(self.class_weights(labels).argmax(axis=1), values)


class Forgetful(Faithful):
    """What it decodes is always of one class and the same."""

    def decode(self, z, labels):
        constant = np.array([[0.5, 1.0, 0.0, 1.0, 0.0]], np.float32)
        return super().decode(np.repeat(constant, len(z), axis=0), np.zeros(len(z), int))


def known(count, seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, CLASSES, count)
    angles = 2 * np.pi * rng.random((2, count))
    hue, phase = np.stack([np.cos(angles), np.sin(angles)], axis=2)
    values = {"size": rng.random((count, 1)), "hue": hue, "phase": phase}
    images = np.rint((paint(labels, values) + 1) * 127.5).astype(np.uint8)
    # The phase of the first two classes is of one kind, those of the others of their own.
    return KnownPictures(images, labels, values, {"phase": np.array([3, 3, 5, 7])})


def test_what_is_transferred_is_compared_with_the_source():
    pictures = known(300, seed=0)
    figures, share = measures.transferred(Faithful(), judge, Reader(), pictures, seed=1)
    assert share == 1
    assert figures["size"] == {"mean": pytest.approx(0, abs=0.005), "pairs": 300}
    assert figures["hue"]["mean"] == pytest.approx(0, abs=0.005)
    targets = (pictures.labels + np.random.default_rng(1).integers(1, 4, 300)) % 4
    kinds = np.array([3, 3, 5, 7])
    comparable = kinds[pictures.labels] == kinds[targets]
    assert 20 < comparable.sum() < 80
    assert figures["phase"]["pairs"] == comparable.sum()
    figures, share = measures.transferred(Forgetful(), judge, Reader(), pictures, seed=1)
    assert share == np.mean(targets == 0)
    expected = np.abs(pictures.values["size"] - 0.5).mean()
    assert figures["size"]["mean"] == pytest.approx(expected, abs=0.005)
    assert figures["hue"]["mean"] == pytest.approx(0.25, abs=0.03)


def test_what_is_found_is_compared_by_the_truth():
    pictures, searched = known(7, seed=0), known(140, seed=1)
    rows = np.arange(1, 140, 2)
    figures = measures.retrieved(Faithful(), pictures, searched, rows, k=3)
    codes = [
        np.concatenate(list(read(each.images)[1].values()), axis=1) for each in (pictures, searched)
    ]
    apart = np.linalg.norm(codes[0][:, None] - codes[1][None, rows], axis=2)
    size, phase = [], []
    for row in range(7):
        for found in rows[np.argsort(apart[row])[:3]]:
            size.append(abs(pictures.values["size"][row, 0] - searched.values["size"][found, 0]))
            ours, theirs = pictures.labels[row], searched.labels[found]
            if ours == theirs or {ours, theirs} == {0, 1}:
                ends = pictures.values["phase"][[row]], searched.values["phase"][[found]]
                phase.append(distances(*ends)[0])
    assert figures["size"] == {"mean": pytest.approx(np.mean(size)), "pairs": 21}
    assert figures["phase"] == {"mean": pytest.approx(np.mean(phase)), "pairs": len(phase)}


def test_random_pairs_are_of_different_pictures():
    pictures = known(200, seed=0)
    figures = measures.random_pairs(pictures, seed=0)
    size = pictures.values["size"][:, 0]
    expected = np.abs(size[:, None] - size).sum() / (200 * 199)
    assert figures["size"]["mean"] == pytest.approx(expected, rel=0.03)
    assert figures["hue"]["mean"] == pytest.approx(0.25, abs=0.02)
    counts = np.bincount(pictures.labels, minlength=4) / 200
    share = (counts[0] + counts[1]) ** 2 + counts[2] ** 2 + counts[3] ** 2
    assert figures["phase"]["pairs"] == pytest.approx(10_000 * share, rel=0.05)
    two = pictures.take(np.array([3, 8]))
    assert measures.random_pairs(two, seed=0)["size"]["mean"] == pytest.approx(
        abs(size[3] - size[8])
    )


def test_pairs_are_two_pictures_of_a_class():
    labels = np.array([0, 1, 1, 2, 2, 2])
    pairs = measures.pairs_within_classes(labels, 200, seed=0)
    assert (labels[pairs[:, 0]] == labels[pairs[:, 1]]).all()
    assert (pairs[:, 0] != pairs[:, 1]).all()
    assert len(np.unique(pairs, axis=0)) == 2 + 6
    with pytest.raises(ValueError, match="Two pictures of a class are needed"):
        measures.pairs_within_classes(np.array([0, 1]), 3, seed=0)


def test_morphs_change_what_differs_in_order():
    pictures = known(80, seed=0)
    pairs = measures.pairs_within_classes(pictures.labels, 60, seed=0)
    figures = measures.morphed(Faithful(), Reader(), pictures, pairs, steps=5)
    size = pictures.values["size"]
    apart = np.abs(size[pairs[:, 0]] - size[pairs[:, 1]])
    assert figures["size"] == {"mean": pytest.approx(1), "pairs": np.sum(apart > size.std())}
    hue = pictures.values["hue"]
    apart = distances(hue[pairs[:, 0]], hue[pairs[:, 1]])
    assert figures["hue"]["pairs"] == pytest.approx(np.sum((apart > 0.204) & (apart < 0.45)), abs=4)
    assert figures["hue"]["mean"] == pytest.approx(1)
    still = measures.morphed(Forgetful(), Reader(), pictures, pairs, steps=5)
    assert still["size"]["mean"] == still["hue"]["mean"] == 0


def test_without_a_pair_there_is_no_mean():
    pictures = known(4, seed=0)
    same = np.array([[0, 0], [1, 1]])
    figures = measures.morphed(Faithful(), Reader(), pictures, same, steps=3)
    assert figures["size"] == {"mean": None, "pairs": 0}
    labels = np.array([2, 2])
    ours = {name: each[:2] for name, each in pictures.values.items()}
    found = measures.differences(pictures, ours, labels, ours, labels + 1)
    assert found["phase"] == {"mean": None, "pairs": 0}


def test_petals_of_equal_counts_are_compared_in_their_rotation():
    prepared = datasets.prepare("petals", "test", image_size=8, count=30, num_classes=10)
    pictures = KnownPictures.of(prepared)
    assert pictures.values["rotation"].shape == (30, 2)
    assert pictures.values["size"].shape == (30, 1)
    assert "petal_count" not in pictures.values
    counts = prepared.attributes["petal_count"].astype(int)
    np.testing.assert_array_equal(pictures.kinds["rotation"][pictures.labels], counts)
    others = np.roll(np.arange(30), 8)
    np.testing.assert_array_equal(
        pictures.comparable("rotation", pictures.labels, pictures.labels[others]),
        counts == counts[others],
    )
    assert pictures.comparable("size", pictures.labels, pictures.labels[others]).all()

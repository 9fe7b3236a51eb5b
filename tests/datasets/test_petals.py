import colorsys
import hashlib
import itertools

import numpy as np
import pytest

import datasets
from datasets import petals

KINDS = petals.species(10)
EVERY_SHAPE = [next(kind for kind in KINDS if kind.shape == shape) for shape in petals.SHAPES]

# Change petals.VERSION with these: caches hold the old bytes.
GOLDEN = {
    8: "8d8d6f31ae2a63b40c96e49271b56a4051d1d1181eb766bc59e3ebb304a4f6cb",
    32: "0a027b67d4526dc13ce4e6e8adfcc0c6c2efe6b390193bf4da74b5f567552238",
    49: "f5c4ab1dc3c70b4f0ad2edfc1d31a81fe56bc1aa8e2e03d46f84a4b36d4457d7",
    64: "64a7a59a07e9b1e8fd6178792158e1e7fa8e8bbe3a83717521ed4d3c11c8e06c",
}
GOLDEN_ATTRIBUTES = {
    "background_hue": 0.977978813,
    "brightness": 0.943310188,
    "x": 0.026843155,
    "y": 0.090511692,
    "rotation": 0.765762071,
    "size": 0.411382535,
    "tint": 0.547836007,
}


def test_the_same_bytes_everywhere():
    digests = {}
    for image_size in (8, 32, 49, 64):
        digest = hashlib.sha256()
        for index in range(10):
            values = petals.attributes("train", index)
            digest.update(petals.draw(KINDS[index], values, image_size).tobytes())
        digests[image_size] = digest.hexdigest()
    assert digests == GOLDEN


def test_attributes_never_change():
    values = petals.attributes("validation", 7, seed=3)
    assert {name: round(value, 9) for name, value in values.items()} == GOLDEN_ATTRIBUTES


@pytest.mark.parametrize("num_classes", range(2, 201))
def test_species_differ_and_share_hues(num_classes):
    kinds = petals.species(num_classes)
    assert len(kinds) == num_classes
    assert len(set(kinds)) == len({kind.name for kind in kinds}) == num_classes
    for _, family in itertools.groupby(kinds, key=lambda kind: kind.hue):
        family = list(family)
        assert len(family) >= 2
        assert len({(kind.shape, kind.count) for kind in family}) == len(family)
    hues = sorted({kind.hue for kind in kinds})
    # Families do not overlap: a tint moves the hue by 0.015 at most.
    assert all(second - first > 0.03 for first, second in itertools.pairwise(hues))


@pytest.mark.parametrize("num_classes", [-1, 0, 1, 201])
def test_refuses_other_numbers_of_species(num_classes):
    with pytest.raises(ValueError, match=f"2 to 200 classes.*{num_classes}"):
        petals.species(num_classes)


def test_pairs_that_share_a_hue_differ_in_shape():
    values = petals.attributes("train", 0)
    for first, second in itertools.pairwise(KINDS):
        if first.hue == second.hue:
            masks = [flower_mask(kind, values) for kind in (first, second)]
            overlap = np.sum(masks[0] & masks[1]) / np.sum(masks[0] | masks[1])
            assert first.shape != second.shape
            assert overlap < 0.9


@pytest.mark.parametrize("index", range(12))
def test_background_hue_and_brightness_are_those_of_the_picture(index):
    values = petals.attributes("test", index)
    image = petals.draw(KINDS[index % 10], values, 64)
    # The corner furthest from the flower.
    corner = image[0 if values["y"] > 0 else -1, 0 if values["x"] > 0 else -1] / 255
    hue, saturation, brightness = colorsys.rgb_to_hsv(*corner)
    assert abs((hue - values["background_hue"] + 0.5) % 1 - 0.5) < 0.02
    assert abs(saturation - 0.45) < 0.02
    assert abs(brightness - 0.75 * values["brightness"]) < 0.01


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_petals_have_the_hue_of_the_species_and_its_tint(kind):
    for index in range(3):
        values = petals.attributes("test", index)
        mask = flower_mask(kind, values) & (distance(values) > 0.35) & (distance(values) < 0.8)
        colors = petals.draw(kind, values, 96)[mask] / 255
        hues = np.array([colorsys.rgb_to_hsv(*color)[0] for color in colors])
        expected = kind.hue + 0.03 * (values["tint"] - 0.5)
        assert np.median(np.abs((hues - expected + 0.5) % 1 - 0.5)) < 0.01


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_position_is_the_centre_of_mass(kind):
    for x, y in ((0.1, 0.0), (-0.08, 0.1), (0.0, -0.1)):
        values = petals.attributes("train", 1) | {"x": x, "y": y, "size": 0.35}
        rows, columns = np.nonzero(flower_mask(kind, values))
        assert abs((columns.mean() + 0.5) / 96 - 0.5 - x) < 0.01
        assert abs((rows.mean() + 0.5) / 96 - 0.5 - y) < 0.01


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_larger_size_paints_a_larger_area(kind):
    sizes = np.array([0.3, 0.33, 0.36, 0.39, 0.42])
    values = petals.attributes("train", 2) | {"x": 0.0, "y": 0.0}
    areas = [flower_mask(kind, values | {"size": size}).sum() for size in sizes]
    assert np.all(np.diff(areas) > 0)
    np.testing.assert_allclose(areas / areas[0], (sizes / sizes[0]) ** 2, rtol=0.08)
    # The size is the petals' length; their corners lie somewhat further out.
    far = distance(values | {"size": 0.3}) > 1.22
    assert not np.any(flower_mask(kind, values | {"size": 0.3}) & far)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_rotation_by_one_petal_changes_nothing_and_by_half_a_petal_does(kind):
    values = petals.attributes("train", 3) | {"rotation": 0.0}
    still, whole, half = (
        flower_mask(kind, values | {"rotation": turn / kind.count}) for turn in (0, 1, 0.5)
    )
    assert np.mean(still != whole) < 0.005
    assert np.mean(still != half) > 2 * np.mean(still != whole) + 0.003


@pytest.mark.parametrize("image_size", [8, 9, 31, 48, 49, 130])
def test_any_resolution_shows_the_same_flower(image_size):
    for index, kind in enumerate(EVERY_SHAPE):
        values = petals.attributes("train", index)
        image = petals.draw(kind, values, image_size)
        assert image.shape == (image_size, image_size, 3)
        assert image.dtype == np.uint8
        large = petals.draw(kind, values, 4 * image_size).astype(float)
        small = large.reshape(image_size, 4, image_size, 4, 3).mean(axis=(1, 3))
        assert np.abs(image - small).mean() < 3


def test_edges_are_smooth():
    values = petals.attributes("train", 0)
    images = [
        petals.draw(KINDS[0], values | {"background_hue": hue}, 32).astype(int) for hue in (0, 0.5)
    ]
    difference = np.abs(images[0] - images[1]).max(axis=2)
    share_of_background = difference / difference.max()
    assert np.sum((share_of_background > 0.05) & (share_of_background < 0.95)) > 40


def test_splits_indices_and_seeds_share_no_random_numbers():
    drawn = [
        value
        for split in datasets.SPLITS
        for seed in range(3)
        for index in range(50)
        for value in petals._uniforms(split, index, seed)
    ]
    assert len(set(drawn)) == len(drawn) == 3 * 3 * 50 * 8


def test_attributes_are_uniform():
    rows = [petals.attributes("train", index) for index in range(3000)]
    ranges = {
        "background_hue": (0, 1),
        "brightness": (0.65, 1),
        "x": (-0.15, 0.15),
        "y": (-0.15, 0.15),
        "rotation": (0, 1),
        "size": (0.3, 0.45),
        "tint": (0, 1),
    }
    assert set(ranges) == set(rows[0])
    for name, (low, high) in ranges.items():
        shares = (np.array([row[name] for row in rows]) - low) / (high - low)
        assert shares.min() >= 0
        assert shares.max() < 1
        counts = np.histogram(shares, 10, (0, 1))[0]
        assert np.all(np.abs(counts - 300) < 75)


def test_source_gives_each_image_with_its_label_and_attributes():
    source = petals.petals("test", image_size=12, num_classes=3, count=70)
    assert source.count == 70
    assert source.class_names == tuple(kind.name for kind in petals.species(3))
    batches = [read() for read in source.batches()]
    images = np.concatenate([batch.images for batch in batches])
    labels = np.concatenate([batch.labels for batch in batches])
    np.testing.assert_array_equal(labels, np.arange(70) % 3)
    for index in (0, 1, 69):
        kind, values = petals.species(3)[index % 3], petals.attributes("test", index)
        np.testing.assert_array_equal(images[index], petals.draw(kind, values, 12))
        expected = values | {
            "hue": kind.hue,
            "shape": petals.SHAPES.index(kind.shape),
            "petal_count": kind.count,
        }
        recorded = {
            name: np.concatenate([batch.attributes[name] for batch in batches])[index]
            for name in batches[0].attributes
        }
        assert recorded == expected


def test_default_counts():
    for split, count in (("train", 10_000), ("validation", 1_000), ("test", 2_000)):
        assert petals.petals(split, image_size=32).count == count


def test_key_changes_with_every_option():
    options = [{}, {"num_classes": 5}, {"drawing_seed": 1}, {"count": 100}]
    assert len({petals.petals("train", 32, **option).key for option in options}) == 4
    assert petals.petals("train", 32, count=10_000).key == petals.petals("train", 32).key


def test_another_drawing_seed_gives_other_flowers():
    first, second = (
        petals.petals("test", 16, drawing_seed=seed, count=10) for seed in (0, 2**64 - 1)
    )
    images = [next(source.batches())().images for source in (first, second)]
    assert first.class_names == second.class_names
    assert all(np.any(a != b) for a, b in zip(*images, strict=True))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"count": 9}, "count=9 for num_classes=10"),
        ({"count": 0}, "count=0"),
        ({"image_size": 7}, "at least 8 pixels.*image_size=7"),
        ({"num_classes": 1}, "num_classes=1"),
        ({"num_classes": 300}, "2 to 200"),
        ({"drawing_seed": -1}, "drawing_seed=-1"),
        ({"drawing_seed": 2**64}, "drawing_seed"),
    ],
)
def test_refuses_arguments_out_of_range(arguments, message):
    with pytest.raises(ValueError, match=message):
        petals.petals("train", **({"image_size": 32} | arguments))


def test_loads_like_every_data_set():
    dataset = datasets.load(
        "petals", "train", image_size=16, batch_size=8, num_classes=4, count=20, shuffle=False,
        with_attributes=True,
    )  # fmt: skip
    assert dataset.description.class_counts == (5, 5, 5, 5)
    images, labels, values = next(iter(dataset))
    np.testing.assert_array_equal(labels, np.arange(8) % 4)
    expected = petals.draw(petals.species(4)[2], petals.attributes("train", 2), 16)
    np.testing.assert_allclose(images[2], expected / 127.5 - 1, atol=1e-6)
    assert float(values["tint"][2]) == np.float32(petals.attributes("train", 2)["tint"])


def flower_mask(kind, values):
    """Which of 96×96 pixels show the flower: those that follow the brightness, not the ground."""
    plain = values | {"background_hue": 0.0}
    other = values | {"background_hue": 0.5}
    difference = petals.draw(kind, plain, 96).astype(int) - petals.draw(kind, other, 96)
    return np.abs(difference).max(axis=2) < 20


def distance(values):
    """The distance of 96×96 pixels from the flower's middle, in units of its size."""
    steps = (np.arange(96) + 0.5) / 96 - 0.5
    return np.hypot(steps - values["x"], (steps - values["y"])[:, None]) / values["size"]


def test_a_part_draws_its_own_flowers_alone(monkeypatch):
    arguments = {"name": "petals", "split": "test", "image_size": 8, "count": 20}
    whole = datasets.prepare(**arguments)
    drawn = []
    draw = petals.draw
    monkeypatch.setattr(petals, "draw", lambda *of: drawn.append(of) or draw(*of))
    part = datasets.prepare(**arguments, part=(1, 3))
    assert len(drawn) == len(part.images) == 7
    np.testing.assert_array_equal(part.images, whole.images[1::3])
    for name, column in whole.attributes.items():
        np.testing.assert_array_equal(part.attributes[name], column[1::3])

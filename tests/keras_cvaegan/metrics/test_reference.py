"""The real data's statistics and the file they are kept in."""

import json
import logging

import numpy as np
import pytest

from keras_cvaegan import metrics
from keras_cvaegan.metrics import reference as reference_module
from keras_cvaegan.metrics.neighbours import nearest_squared_distances


@pytest.fixture
def compute(extractor, draw, tmp_path):
    """Returns a function that computes statistics of 60 images, from a file where it may."""

    def compute(cache="reference.npz", **settings):
        images, labels = draw(60, seed=0)
        batches = ((images[i : i + 7], labels[i : i + 7]) for i in range(0, 60, 7))
        settings = {"key": {"data": "drawn"}, "max_samples": 20} | settings
        return metrics.reference_statistics(
            batches, extractor, cache=cache and tmp_path / "new" / cache, **settings
        )

    return compute


def test_statistics(compute, extractor, draw):
    statistics = compute()
    images, labels = draw(60, seed=0)
    features, _ = extractor(images)
    np.testing.assert_allclose(statistics.moments.mean, features.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(
        statistics.moments.covariance, np.cov(features, rowvar=False), rtol=1e-5
    )
    assert statistics.features.shape == (20, 3)
    np.testing.assert_array_equal(
        statistics.neighbours, nearest_squared_distances(statistics.features, 5)
    )
    for label, rows in enumerate(statistics.features_by_class):
        assert len(rows) == 13  # Twice 20, divided among 3.
        of_class = {row.tobytes() for row in features[labels == label]}
        assert {row.tobytes() for row in rows} <= of_class


def test_description_is_json(compute, extractor):
    about = json.loads(json.dumps(compute(split="validation").describe()))
    assert about["split"] == "validation"
    assert about["key"] == {"data": "drawn"}
    assert about["samples"] == 60
    assert about["samples_held"] == 20
    assert about["extractor"]["name"] == "mean colours"
    assert about["version"] == reference_module.VERSION


def arrays_of(statistics):
    return [
        statistics.moments.mean,
        statistics.moments.covariance,
        statistics.features,
        statistics.neighbours,
        *statistics.features_by_class,
    ]


def test_a_file_serves_the_next_time(compute, extractor, tmp_path, caplog):
    first = compute()
    calls = extractor.calls
    second = compute()
    assert extractor.calls == calls
    for received, expected in zip(arrays_of(second), arrays_of(first), strict=True):
        np.testing.assert_allclose(received, expected, rtol=1e-12)
    assert second.describe() == first.describe()
    assert second.moments.count == 60
    assert not caplog.records
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["reference.npz"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"key": {"data": "other"}}, "another key"),
        ({"split": "test"}, "another split"),
        ({"seed": 1, "max_samples": 30}, "another max_samples, seed"),
    ],
)
def test_statistics_of_something_else_are_computed_anew(compute, extractor, caplog, change, said):
    compute()
    calls = extractor.calls
    with caplog.at_level(logging.WARNING):
        compute(**change)
    assert extractor.calls > calls
    assert len(caplog.records) == 1
    assert said in caplog.text
    calls = extractor.calls
    compute(**change)
    assert extractor.calls == calls


def test_another_extractor_or_version_computes_anew(compute, extractor, caplog, monkeypatch):
    compute()
    extractor.fingerprint = "2"
    compute()
    assert "another extractor" in caplog.text
    monkeypatch.setattr(reference_module, "VERSION", reference_module.VERSION + 1)
    compute()
    assert "another version" in caplog.text
    assert len(caplog.records) == 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: b"no file of arrays",
        lambda data: data[: len(data) // 2],
        lambda data: data[:2000] + b"\xff" * 16 + data[2016:],
    ],
    ids=["empty", "text", "cut", "changed"],
)
def test_damaged_files_are_replaced(compute, extractor, tmp_path, caplog, damage):
    expected = compute()
    path = tmp_path / "new" / "reference.npz"
    path.write_bytes(damage(path.read_bytes()))
    calls = extractor.calls
    received = compute()
    assert extractor.calls > calls
    assert len(caplog.records) == 1
    assert "cannot be read" in caplog.text
    for one, other in zip(arrays_of(received), arrays_of(expected), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)
    calls = extractor.calls
    compute()
    assert extractor.calls == calls


@pytest.mark.parametrize("missing", ["features", "mean", "class_counts"])
def test_files_without_an_array_or_of_another_shape_are_replaced(
    compute, extractor, tmp_path, caplog, missing
):
    compute()
    path = tmp_path / "new" / "reference.npz"
    with np.load(path) as arrays:
        kept = dict(arrays)
    for changed in (
        {name: value for name, value in kept.items() if name != missing},
        kept | {missing: kept[missing][..., :2]},
        kept | {"about": np.array("no JSON")},
        kept | {"about": np.array("[]")},
    ):
        np.savez(path, **changed)
        calls = extractor.calls
        compute()
        assert extractor.calls > calls
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 4
    assert "cannot be read" in caplog.text


def test_a_cache_that_cannot_be_written(compute, tmp_path):
    (tmp_path / "new").write_text("a file")
    with pytest.raises(OSError, match=r"Cannot keep .*reference.npz.* Choose another path"):
        compute()


def test_wrong_arguments(compute, extractor, draw):
    with pytest.raises(ValueError, match="With a cache, key must say"):
        compute(key=None)
    with pytest.raises(ValueError, match=r"two images or more. Received: 0"):
        metrics.reference_statistics([], extractor)
    images, labels = draw(5, seed=0)
    with pytest.raises(ValueError, match=r"labels must be from 0 to 2. Received: 3"):
        metrics.reference_statistics([(images, labels * 0 + 3)], extractor)


def test_one_class_and_few_images(extractor, draw):
    images, _ = draw(4, seed=0)
    statistics = metrics.reference_statistics([(images, np.ones(4, int))], extractor)
    assert [len(rows) for rows in statistics.features_by_class] == [0, 4, 0]
    assert statistics.neighbours.shape == (4, 3)

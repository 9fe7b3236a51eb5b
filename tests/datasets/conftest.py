import numpy as np
import pytest

from datasets.pipeline import registry
from keras_cvaegan import pictures


@pytest.fixture(autouse=True)
def cache_dir(tmp_path, monkeypatch):
    """Keeps decoded pictures out of the home directory."""
    path = tmp_path / "cache"
    monkeypatch.setenv("KERAS_CVAEGAN_CACHE", str(path))
    return path


@pytest.fixture
def no_other_datasets(monkeypatch):
    """Lets a test register data sets that are gone after it."""
    registry.names()
    monkeypatch.setattr(registry, "_DATASETS", dict(registry._DATASETS))


@pytest.fixture
def write_pictures():
    """Returns a function that writes `count` different pictures into a folder."""

    def write(folder, count, size=(12, 16), seed=0):
        folder.mkdir(parents=True, exist_ok=True)
        random = np.random.default_rng([seed, count, *folder.name.encode()])
        for number in range(count):
            picture = random.integers(0, 256, (*size, 3), np.uint8)
            pictures.write_png(folder / f"{number}.png", picture)
        return folder

    return write

"""The example of docs/new_model.md runs as it stands there."""

import re

import numpy as np
import pytest

import keras_cvaegan
from tests.helpers.running import ROOT

pytestmark = pytest.mark.slow

PAGE = ROOT / "docs" / "new_model.md"


def test_the_pages_model_trains_samples_and_loads(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model_file, use, *_ = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert model_file.count("\n") < 60
    names = {
        "__name__": "lscgan",
        "images": np.random.default_rng(0).integers(0, 256, (16, 16, 16, 3), np.uint8),
        "labels": np.arange(16) % 3,
    }
    exec(model_file, names)
    exec(use, names)
    loaded = keras_cvaegan.load(tmp_path / "lscgan.keras")
    assert type(loaded) is names["LSCGAN"]
    labels = [0, 1, 2]
    np.testing.assert_array_equal(loaded.generate(labels), names["model"].generate(labels))
    assert loaded.hyperparameters()["target"] == 1.0

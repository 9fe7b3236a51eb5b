"""Which layer and attribute a study of clusters takes, and what its figures say."""

from types import SimpleNamespace

import pytest

from trainers.clusters.study import most_telling
from trainers.clusters.verdicts import claims

pytestmark = pytest.mark.slow


def test_the_layer_that_tells_most_and_has_no_outliers():
    def layer(name, outliers, **shares):
        return SimpleNamespace(name=name, outliers=[outliers], mutual_information=shares)

    survey = [layer("a", True, x=0.9, y=0.2), layer("b", False, x=0.3, y=0.5)]
    assert most_telling(survey, None, None) == ("b", "y", 0.5)
    assert most_telling(survey, None, "x") == ("b", "x", 0.3)
    assert most_telling(survey, "a", None) == ("a", "x", 0.9)
    assert most_telling(survey[:1], None, "y") == ("a", "y", 0.2)


def test_claims():
    def of(value):
        return {"mean": value, "std": 0.0, "by_seed": [value]}

    ways = {"real": 1.0, "imle": 0.9, "gan": 0.8, "vae": 0.7, "sefa": 0.95, "ganspace": 0.6}
    summary = {"2": {name: {"attribute": of(value)} for name, value in ways.items()}}
    alone = {"generator": of(8.0), "imle": of(9.0), "imle_raw": of(12.0), "ratio": of(1.125)}
    order, raw, loss = claims(summary, alone)
    assert "refuted: SeFa 0.950, IMLE 0.900, GAN 0.800" in order
    assert "(IMLE, not calibrated): refuted: 8.000 becomes 12.000, +50.0%" in raw
    assert "(IMLE): refuted: 8.000 becomes 9.000, +12.5%" in loss
    summary["2"]["imle"]["attribute"] = of(0.99)
    alone = {"generator": of(8.0), "imle": of(8.8), "imle_raw": of(8.9)}
    assert all("confirmed" in line for line in claims(summary, alone))

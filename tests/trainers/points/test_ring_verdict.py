"""What trainings on the ring come to: the paper's claim, means and deviations."""

import numpy as np
import pytest

from tests.helpers.ring_points import polar
from trainers.points import ring_verdict
from trainers.points.history import History
from trainers.points.ring import Ring


def summary(**covered_at):
    return {
        method: {"seeds": list(range(len(steps))), "covered_at": steps}
        for method, steps in covered_at.items()
    }


@pytest.mark.parametrize(
    ("covered_at", "said"),
    [
        ({"gan": [None, 9], "fm_gan": [5, 5]}, "confirmed. Of 2 seeds, first in: GAN 0, mean"),
        ({"wgan": [4, 4], "fm_gan": [5, None]}, "refuted. Of 2 seeds, first in: WGAN 2, mean"),
        ({"wgan": [4, 6], "fm_gan": [5, 5]}, "neither confirmed nor refuted. Of 2 seeds, first"),
        (
            {"wgan": [4, None, None], "fm_gan": [None] * 3},
            "nor refuted. Of 3 seeds, first in: ",
        ),
        ({"wgan": [4, 4, None], "fm_gan": [None] * 3}, "refuted. Of 3 seeds, first in: WGAN 2"),
        ({"wgan": [5, 4], "fm_gan": [5, 5]}, "WGAN 1, mean matching 0; none in 1."),
        ({"gan": [None], "fm_gan": [None]}, "neither confirmed nor refuted. Of 1 seeds"),
        ({"gan": [1]}, "compares mean matching with another method"),
    ],
)
def test_verdict(covered_at, said):
    assert said in ring_verdict.verdict(summary(**covered_at))


def test_the_verdict_pairs_figures_of_one_seed():
    showed = summary(wgan=[4, 9], fm_gan=[5, 5])
    # Seed 0 of one and seed 2 of the other failed; in seed 1 mean matching is first.
    showed["wgan"]["seeds"], showed["fm_gan"]["seeds"] = [0, 1], [1, 2]
    assert "confirmed. Of 1 seeds, first in: WGAN 0, mean matching 1" in ring_verdict.verdict(
        showed
    )
    showed["fm_gan"]["seeds"] = [2, 3]
    assert "neither confirmed nor refuted. Of 0 seeds" in ring_verdict.verdict(showed)


def test_mean_and_deviation_are_over_seeds():
    ring = Ring(radius=20.0, width=10.0)
    histories = [History(), History()]
    for history, radius in zip(histories, (20, 24), strict=True):
        history.add(0, polar(radius, np.arange(360)), ring)
        history.add(7, polar(radius + 2, np.arange(360)), ring)
    showed = ring_verdict.summarize({"gan": dict(enumerate(histories)), "wgan": {}})["gan"]
    assert showed["steps"] == [0, 7]
    np.testing.assert_allclose(showed["distance"]["mean"], [2, 4])
    np.testing.assert_allclose(showed["distance"]["std"], [2, 2])
    assert showed["covered_at"] == [0, 0]

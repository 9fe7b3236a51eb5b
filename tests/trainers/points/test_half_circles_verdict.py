"""What trainings on the half circles come to: the paper's claim, and a table."""

import pytest

from trainers.points import half_circles_verdict
from trainers.points.half_circles import HalfCircles
from trainers.points.history import History, summarize


def summary(cvae_gan, lr_li_vae_gan):
    """What methods showed whose last spreads these are, by seed."""

    def showed(spreads):
        measures = {"spread": spreads, "spread_error": [abs(x - 1) for x in spreads]}
        measures["distance_y"] = [2 * x for x in spreads]
        by_seed = {name: {"by_seed": [[9.0, x] for x in of]} for name, of in measures.items()}
        return {"seeds": list(range(len(spreads))), **by_seed}

    return {"cvae_gan": showed(cvae_gan), "lr_li_vae_gan": showed(lr_li_vae_gan)}


@pytest.mark.parametrize(
    ("spreads", "said"),
    [
        (([0.5, 0.7], [0.75, 0.8]), "than CVAE-GAN: confirmed. It is so in 2 of 2 seeds. "),
        (
            ([0.5, 0.5], [0.9, 0.4]),
            "than CVAE-GAN: neither confirmed nor refuted. It is so in 1 of 2",
        ),
        (([0.5, 0.5, 0.5], [0.4, 0.9, 0.3]), "than CVAE-GAN: refuted. It is so in 1 of 3"),
        # More than the data's spread is not better.
        (([0.5], [1.8]), "than CVAE-GAN: refuted. It is so in 0 of 1"),
        (([1.5], [1.2]), "than CVAE-GAN: confirmed. It is so in 1 of 1"),
        (([0.5], [0.5]), "than CVAE-GAN: refuted. It is so in 0 of 1"),
        (
            ([0.5, 0.7], [0.75, 0.85]),
            "CVAE-GAN: spread 0.60 (data 1), distance 1.200; LR/LI-VAE-GAN: spread 0.80 (data 1), "
            "distance 1.600.",
        ),
    ],
)
def test_verdict(spreads, said):
    assert said in half_circles_verdict.verdict(summary(*spreads))


def test_the_verdict_pairs_figures_of_one_seed():
    showed = summary([0.9, 0.2], [0.5, 0.95])
    # Seed 0 of one and seed 2 of the other failed.
    showed["cvae_gan"]["seeds"], showed["lr_li_vae_gan"]["seeds"] = [1, 2], [0, 1]
    assert "CVAE-GAN: confirmed. It is so in 1 of 1 seeds. " in half_circles_verdict.verdict(showed)
    showed["lr_li_vae_gan"]["seeds"] = [0, 3]
    assert "undecided, since in each seed a training failed" in half_circles_verdict.verdict(showed)
    del showed["cvae_gan"]
    assert "claim compares LR/LI-VAE-GAN with CVAE-GAN" in half_circles_verdict.verdict(showed)


def test_the_table_has_data_and_methods_over_the_epochs():
    circles, history = HalfCircles(), History()
    for epoch in range(0, 9):
        history.add(epoch, circles.fresh(50, seed=1), circles)
    summary = summarize({"cvae_gan": {0: history}}, "epochs")
    lines = half_circles_verdict.table(summary, circles, samples=2000).splitlines()
    assert lines[0].split() == ["epoch", "1", "2", "4", "8"]
    assert len(lines) == 1 + 2 * len(half_circles_verdict.MEASURES)
    assert lines[1].startswith("spread along y (data 1.0")
    spread = f"{history.measures['spread'][0]:.3f}"
    assert lines[2].split() == ["CVAE-GAN", *[spread, "±", "0.000"] * 4]

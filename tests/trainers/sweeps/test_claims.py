"""What a comparison says of the papers' claims."""

import pytest

from trainers.sweeps import claims
from trainers.sweeps.over_seeds import over_seeds


def summary(**accuracies):
    return {
        model: {"top1_accuracy": over_seeds([{"accuracy": x} for x in values])["accuracy"]}
        for model, values in accuracies.items()
    }


@pytest.mark.parametrize(
    ("accuracies", "said"),
    [
        ({"cvae": [0.1], "cgan": [0.5], "fm_cgan": [0.7], "cvae_gan": [0.9]}, "holds: CVAE 0.100"),
        ({"cvae": [0.1], "cgan": [0.9], "fm_cgan": [0.7]}, "FM-CGAN, does not hold: CVAE 0.100, "),
        ({"cgan": [0.1, 0.9], "cvae": [0.2, 0.2]}, "holds in the mean, and in 1 of 2 seeds"),
        ({"cvae": [None, 0.2, 0.3], "cgan": [0.5, 0.1, None]}, "in 0 of 1 seeds that all have: C"),
        ({"cvae": [None, 0.2], "cgan": [0.5, None]}, "CVAE < CGAN, holds: CVAE 0.200, CGAN 0.500."),
        ({"cgan": [0.1]}, "is that of CVAE, CGAN, FM-CGAN and CVAE-GAN"),
    ],
)
def test_the_order_is_the_papers(accuracies, said):
    assert said in claims.verdict(summary(**accuracies))


def rivals(name, theirs, ours):
    of = [over_seeds([{name: x} for x in values]) for values in (theirs, ours)]
    return dict(zip(("cvae_gan", "lr_li_vae_gan"), of, strict=True))


@pytest.mark.parametrize(
    ("name", "theirs", "ours", "said"),
    [
        ("realism", [8.0, 9.0], [8.0, 9.5], "as CVAE-GAN: confirmed, in 2 of 2 seeds: 8.75"),
        ("realism", [8.0, 9.0, 9.0], [7.0, 8.5, 9.5], "refuted, in 1 of 3 seeds"),
        ("realism", [8.0, 9.0], [7.0, 9.5], "neither confirmed nor refuted, in 1 of 2"),
        ("intra_class_diversity", [0.5, 0.6], [0.5, 0.7], "than CVAE-GAN: neither confirmed nor"),
        (
            "intra_class_diversity",
            [None, 0.6],
            [0.5, 0.7],
            "confirmed, in 1 of 1 seeds: 0.700 against 0.600.",
        ),
    ],
)
def test_claims_of_diversity_are_judged_by_seeds(name, theirs, ours, said):
    [line] = claims.diversity_verdicts(rivals(name, theirs, ours))
    assert said in line


def test_claims_of_diversity_need_both_models():
    both = rivals("realism", [8.0], [9.0])
    for model in both:
        assert not claims.diversity_verdicts({model: both[model]})
    assert not claims.diversity_verdicts(rivals("realism", [None], [9.0]))
    assert not claims.diversity_verdicts(rivals("realism", [None, 8.0], [9.0, None]))

"""What the papers claim of models that are compared, and whether it holds."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from keras_cvaegan.models import MODELS
from trainers.reports.tables import number

TITLES = {
    **{"fm_gan": "FM-GAN", "vae_gan": "VAE/GAN", "fm_cgan": "FM-CGAN", "cvae_gan": "CVAE-GAN"},
    **{"lr_li_vae": "LR/LI-VAE", "lr_li_vae_gan": "LR/LI-VAE-GAN"},
}
"""Titles of the models that papers call otherwise than their classes."""
PAPER = ("cvae", "cgan", "fm_cgan", "cvae_gan")
"""Models of the paper, in the order of its Top-1 accuracy, from low to high."""
RIVALS = ("cvae_gan", "lr_li_vae_gan")
"""Models of Zheng & Sun 2019, who say of the second that it is the first one's equal in score
(Table 1) and more diverse within classes (Table 2)."""
DIVERSITY_CLAIMS = {
    "realism": ("at least as high a score as", lambda ours, theirs: ours >= theirs),
    "intra_class_diversity": ("more diversity in a class than", lambda ours, theirs: ours > theirs),
}


def title(model: str) -> str:
    """Returns what a model is called in tables.

    Example:

    >>> title("cvae"), title("cvae_gan")
    ('CVAE', 'CVAE-GAN')
    """
    return TITLES.get(model) or MODELS[model].__name__


def verdict(summary: Mapping[str, Mapping[str, Any]]) -> str:
    """Returns one line: whether the paper's order in Top-1 accuracy holds.

    Example:

    >>> from trainers.sweeps.over_seeds import over_seeds
    >>> of = lambda *values: {"top1_accuracy": over_seeds([{"a": x} for x in values])["a"]}
    >>> print(verdict({"cvae_gan": of(0.9, 0.8), "cgan": of(0.4, 0.85)}))
    The paper's order in Top-1 accuracy, CGAN < CVAE-GAN, holds in the mean, and in 1 of 2 seeds:
    CGAN 0.625, CVAE-GAN 0.850.

    Seeds in which a model failed do not count.
    """
    accuracies = {
        model: summary[model]["top1_accuracy"]
        for model in PAPER
        if summary.get(model, {}).get("top1_accuracy", {}).get("mean") is not None
    }
    if len(accuracies) < 2:
        return "The paper's order in Top-1 accuracy is that of CVAE, CGAN, FM-CGAN and CVAE-GAN."
    means = {model: accuracy["mean"] for model, accuracy in accuracies.items()}
    by_seed = list(zip(*(figure["by_seed"] for figure in accuracies.values()), strict=True))
    whole, seeds = [values for values in by_seed if None not in values], ""
    if whole and len(by_seed) > 1:
        right = sum(_rises(values) for values in whole)
        common = "" if len(whole) == len(by_seed) else " that all have"
        seeds = f" in the mean, and in {right} of {len(whole)} seeds{common}"
    holds = "holds" if _rises(list(means.values())) else "does not hold"
    return (
        f"The paper's order in Top-1 accuracy, {' < '.join(title(model) for model in means)}, "
        f"{holds}{seeds}: "
        + ", ".join(f"{title(model)} {number(mean)}" for model, mean in means.items())
        + "."
    )


def diversity_verdicts(summary: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Returns a line for each of `DIVERSITY_CLAIMS`, where both of `RIVALS` are compared.

    A claim is confirmed by all seeds, refuted where fewer than half of them bear it out. Seeds in
    which one of the two failed do not count.

    Example:

    >>> from trainers.sweeps.over_seeds import over_seeds
    >>> of = lambda *values: {"realism": over_seeds([{"a": x} for x in values])["a"]}
    >>> print(*diversity_verdicts({"cvae_gan": of(8.0, 9.0), "lr_li_vae_gan": of(8.5, 9.5)}))
    Claim: LR/LI-VAE-GAN has at least as high a score as CVAE-GAN: confirmed, in 2 of 2 seeds: 9.000
    against 8.500.
    """
    lines = []
    theirs, ours = (summary.get(model, {}) for model in RIVALS)
    for name, (words, holds) in DIVERSITY_CLAIMS.items():
        if not all(of.get(name, {}).get("mean") is not None for of in (ours, theirs)):
            continue
        pairs = list(zip(ours[name]["by_seed"], theirs[name]["by_seed"], strict=True))
        pairs = [pair for pair in pairs if None not in pair]
        if not pairs:
            continue
        right = sum(holds(*pair) for pair in pairs)
        word = "neither confirmed nor refuted"
        if right == len(pairs):
            word = "confirmed"
        elif 2 * right < len(pairs):
            word = "refuted"
        means = [sum(values) / len(pairs) for values in zip(*pairs, strict=True)]
        lines.append(
            f"Claim: {title(RIVALS[1])} has {words} {title(RIVALS[0])}: {word}, in {right} of "
            f"{len(pairs)} seeds: {number(means[0])} against {number(means[1])}."
        )
    return lines


def _rises(values: Sequence[float]) -> bool:
    return all(low < high for low, high in itertools.pairwise(values))

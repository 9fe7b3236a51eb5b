"""CVAE-GAN without each of the three terms of L_G: what its reconstructions lose."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_cvaegan import files, pictures
from keras_cvaegan.applications import reconstruct
from keras_cvaegan.metrics.reconstruction import error_figures, squared_errors
from keras_cvaegan.metrics.sharpness import sharpness
from keras_cvaegan.models import GenerativeModel
from keras_cvaegan.progress import counted
from keras_cvaegan.training.run_directory import write_json
from trainers.command_line import flags
from trainers.command_line.training_config import default_preset, parse_objective, training_config
from trainers.evaluation.real_side import RealSide, batches
from trainers.reports.tables import markdown, number
from trainers.sweeps.over_seeds import cell, over_seeds
from trainers.sweeps.sweep import Contender, Sweep

if TYPE_CHECKING:
    from absl.flags import FlagValues

ALL = "all_terms"
VARIANTS = {
    ALL: ("all terms", None),
    "without_discriminator": ("without D's features", "discriminator_feature_weight"),
    "without_classifier": ("without C's features", "classifier_feature_weight"),
    "without_pixels": ("without pixels", "pixel_weight"),
}
"""Variants by name: title, and the weight that is 0; in the order of Fig. S8."""

COLUMNS = {
    "mse": "Squared error",
    "psnr": "PSNR, dB",
    "sharpness": "Sharpness",
    "top1_accuracy": "Top-1 accuracy",
}
SHOWN = 8


@dataclasses.dataclass(frozen=True)
class Claim:
    """What the paper says that a term does.

    Args:
        variant: name of the variant without the term.
        text: words of the claim.
        figure: name of the figure that tells whether it is so.
        sign: sign of the change of the figure that the claim expects when the term is left out.
    """

    variant: str
    text: str
    figure: str
    sign: int


CLAIMS = (
    Claim("without_discriminator", "without D's features pictures are blurred", "sharpness", -1),
    Claim("without_classifier", "without C's features the class is lost", "top1_accuracy", -1),
    Claim("without_pixels", "without pixels detail is lost", "mse", +1),
)


def check(texts: Sequence[str]) -> None:
    """Checks `--set`.

    Raises:
        ValueError: for a weight that one of the variants leaves out.
    """
    weights = [weight for _, weight in VARIANTS.values() if weight is not None]
    for name in flags.assignments(texts, "set"):
        if name in weights:
            raise ValueError(
                f"--set takes what the variants have in common: each of {', '.join(weights)} is "
                f"left out of one of them. Received: {name!r}."
            )


def open_sweep(values: FlagValues, command: str) -> Sweep:
    """Returns the trainings of the variants.

    Args:
        values: flags of `trainers.ablate`.
        command: command that started the program.

    Raises:
        ValueError: for flags or data that cannot be.
    """
    check(values.set)
    preset = values.preset or default_preset(values.dataset, ["cvae_gan"])
    common = parse_objective(values.set, "cvae_gan", preset)
    contenders = []
    for name, (title, weight) in VARIANTS.items():
        objective = common if weight is None else {**common, weight: 0.0}
        config = training_config(values, model="cvae_gan", preset=preset, objective=objective)
        contenders.append(Contender(name, title, config))
    return Sweep(values.output, contenders, values.seeds, command, values.judge)


def measure(model: GenerativeModel, real_side: RealSide) -> dict[str, float]:
    """Returns the figures of a model's reconstructions of held-out pictures.

    `mse` is in units of [−1, 1]; `psnr` the mean over pictures; `sharpness` the mean variance of
    the Laplacian divided by that of the pictures themselves; `top1_accuracy` the share that the
    judge gives the class of the picture.
    """

    errors, sharp, sharp_real, right = [], [], [], []
    rows = real_side.test_rows
    for images, labels in counted("Reconstructions", batches(real_side.test, rows), len(rows)):
        exact = reconstruct(model, images, labels)
        errors.append(squared_errors(images, exact))
        reconstructed = pictures.to_uint8(exact)
        sharp.append(sharpness(reconstructed))
        sharp_real.append(sharpness(images))
        right.append(real_side.judge(reconstructed)[1].argmax(axis=1) == labels)
    mse, psnr = error_figures(np.concatenate(errors))
    return {
        "mse": mse,
        "psnr": psnr,
        "sharpness": float(np.concatenate(sharp).mean() / np.concatenate(sharp_real).mean()),
        "top1_accuracy": float(np.concatenate(right).mean()),
    }


def verdict(claim: Claim, by_variant: Mapping[str, Mapping[int, Mapping[str, float]]]) -> str:
    """Returns one line: whether a claim holds, and its figures.

    Args:
        claim: claim to judge.
        by_variant: figures by variant and seed.

    Example:

    >>> figures = {"all_terms": {0: {"mse": 0.1}}, "without_pixels": {0: {"mse": 0.3}}}
    >>> verdict(CLAIMS[2], figures)
    'Claim: without pixels detail is lost: confirmed. Squared error 0.300 without, 0.100 with them.'
    """
    without, whole = by_variant[claim.variant], by_variant[ALL]
    seeds = sorted(without.keys() & whole.keys())
    if not seeds:
        return f"Claim: {claim.text}: undecided, since a training failed."
    pairs = [(without[seed][claim.figure], whole[seed][claim.figure]) for seed in seeds]
    holding, opposed = (
        sum(sign * (x - y) > 0 for x, y in pairs) for sign in (claim.sign, -claim.sign)
    )
    if holding == len(seeds):
        word = "confirmed"
    elif 2 * opposed > len(seeds):
        word = "refuted"
    elif not holding and not opposed:
        word = "neither confirmed nor refuted: no difference"
    else:
        word = f"neither confirmed nor refuted: it holds in {holding} of {len(seeds)} seeds"
    x, y = (number(float(mean)) for mean in np.mean(pairs, axis=0))
    return f"Claim: {claim.text}: {word}. {COLUMNS[claim.figure]} {x} without, {y} with them."


def measure_all(
    sweep: Sweep, real_side: RealSide
) -> tuple[dict[str, dict[int, dict[str, float]]], dict[str, np.ndarray]]:
    """Returns the figures of complete runs by variant and seed, and the rows of Fig. S8 by title.

    The rows are held-out pictures, and their reconstructions by the first run of each variant.
    """

    rows = np.linspace(0, len(real_side.test_rows) - 1, SHOWN).astype(int)
    [(images, labels)] = batches(real_side.test, real_side.test_rows[np.unique(rows)])
    by_variant, shown = {name: {} for name in VARIANTS}, {"originals": images}
    complete = sweep.complete()
    for position, (contender, seed) in enumerate(complete, start=1):
        title = contender.title
        print(f"\nMeasuring {position} of {len(complete)}: {title}, seed {seed}", flush=True)
        by_variant[contender.name][seed] = sweep.measured(
            contender,
            seed,
            real_side,
            {"figures": list(COLUMNS)},
            lambda model: measure(model, real_side),
        )
        if title not in shown:
            model = sweep.model(contender, seed)
            shown[title] = pictures.to_uint8(model.reconstruct(images, labels))
    return by_variant, shown


def page(results: Mapping[str, Any], titles: Sequence[str]) -> str:
    """Returns the contents of table.md.

    Args:
        results: contents of ablate.json.
        titles: titles of the rows of reconstructions.png.
    """
    samples, judge = results["samples"], results["extractor"]
    return "\n\n".join(
        [
            markdown(
                ["reconstructions", *COLUMNS.values()],
                [
                    [VARIANTS[name][0], *(cell(figures.get(figure)) for figure in COLUMNS)]
                    for name, figures in results["variants"].items()
                ],
            ),
            f"Of {samples['real']:,} held-out pictures, of the split {samples['real_split']}. "
            "Sharpness: variance of the Laplacian, that of the pictures themselves being 1. "
            f"Top-1 accuracy by: {judge['name']} ({judge['fingerprint']}).",
            "\n".join(results["verdicts"]),
            f"reconstructions.png: from top to bottom {', '.join(titles)}.",
            *(f"Failed, and left out here: {run}" for run in results["failed"]),
        ]
    )


@dataclasses.dataclass(frozen=True, eq=False)
class Ablation:
    """What was measured of the variants.

    Args:
        results: contents of ablate.json but for the flags.
        shown: rows of reconstructions.png, by title.
    """

    results: dict[str, Any]
    shown: dict[str, np.ndarray]

    def write(self, output: Path, flags: Mapping[str, Any]) -> str:
        """Writes ablate.json, table.md and reconstructions.png; returns the text of table.md.

        Args:
            output: folder of the files, which is there.
            flags: flags of the program, for ablate.json.
        """
        text = page(self.results, list(self.shown))
        write_json(output / "ablate.json", {"flags": flags, **self.results})
        files.write_text(output / "table.md", f"{text}\n")
        grid = pictures.grid(list(self.shown.values()))
        pictures.write_png(output / "reconstructions.png", grid)
        return text


def ablate(sweep: Sweep, max_test_images: int) -> Ablation:
    """Measures the complete runs of a sweep.

    Args:
        sweep: trainings of the variants.
        max_test_images: largest number of held-out pictures to use.
    """
    real_side = sweep.real_side(max_test_images)
    by_variant, shown = measure_all(sweep, real_side)
    results = {
        "variants": {
            name: over_seeds([by_seed.get(seed, {}) for seed in range(sweep.seeds)])
            for name, by_seed in by_variant.items()
            if by_seed
        },
        "verdicts": [verdict(claim, by_variant) for claim in CLAIMS],
        "judge": real_side.about,
        "extractor": real_side.judge.describe(),
        "samples": {"real": len(real_side.test_rows), "real_split": "test"},
        "failed": sweep.failed(),
    }
    return Ablation(results, shown)

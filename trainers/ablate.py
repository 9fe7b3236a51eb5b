"""Trains CVAE-GAN without each of the three terms of L_G, and measures its reconstructions.

Supplement S7 of the paper (Bao et al. 2017, Eq. 9, Fig. S8). It claims that the pixels keep
detail, the features of the discriminator make sharp, and those of the classifier keep the class.
Started again, it goes on where it stopped.
"""

import dataclasses
import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from trainers import fit
from trainers.command_line import flags
from trainers.command_line.command import INTERRUPTED, TRAINING_ENVIRONMENT, Command
from trainers.reports import tables
from trainers.reports.tables import markdown
from trainers.sweeps.over_seeds import cell, over_seeds

if TYPE_CHECKING:
    from absl.flags import FlagValues

    from keras_cvaegan.models import GenerativeModel
    from trainers.evaluation.real_side import Yardstick
    from trainers.sweeps.sweep import Series

ALL = "all_terms"
VARIANTS = {
    ALL: ("all terms", None),
    "without_discriminator": ("without D's features", "discriminator_feature_weight"),
    "without_classifier": ("without C's features", "classifier_feature_weight"),
    "without_pixels": ("without pixels", "pixel_weight"),
}
"""Title of each, and the weight that is 0; in the order of Fig. S8."""

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
        variant: the one without the term.
        said: the claim.
        figure: tells whether it is so.
        sign: of the change of the figure that the claim expects when the term is left out.
    """

    variant: str
    said: str
    figure: str
    sign: int


CLAIMS = (
    Claim("without_discriminator", "without D's features pictures are blurred", "sharpness", -1),
    Claim("without_classifier", "without C's features the class is lost", "top1_accuracy", -1),
    Claim("without_pixels", "without pixels detail is lost", "mse", +1),
)

COMMAND = Command("trainers.ablate", __doc__, TRAINING_ENVIRONMENT)
flags.data_flags(COMMAND)
with COMMAND.section("Model"):
    COMMAND.adopt(fit.COMMAND, "preset", "latent_dim", "set")
with COMMAND.section("Training, of each of the four"):
    COMMAND.integer("seeds", 1, "trainings of each", lower_bound=1)
    COMMAND.adopt(fit.COMMAND, *("steps", "batch_size", "dtype_policy", "jit_compile"))
    COMMAND.adopt(fit.COMMAND, *("horizontal_flip", "log_every", "checkpoint_every"))
with COMMAND.section("Results"):
    COMMAND.integer("max_test_images", 10_000, "most held-out pictures to use", lower_bound=1)
    COMMAND.string(
        "output",
        "runs/ablate",
        "folder of ablate.json, table.md, reconstructions.png and all runs",
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


def measure(model: "GenerativeModel", yardstick: "Yardstick") -> dict[str, float]:
    """Returns the figures of a model's reconstructions of held-out pictures.

    `mse` is in units of [−1, 1]; `psnr` the mean over pictures; `sharpness` the mean variance of
    the Laplacian divided by that of the pictures themselves; `top1_accuracy` the share that the
    judge gives the class of the picture.
    """
    from keras_cvaegan import pictures
    from keras_cvaegan.applications import reconstruct
    from keras_cvaegan.metrics import reconstruction
    from keras_cvaegan.metrics.sharpness import sharpness
    from keras_cvaegan.progress import counted
    from trainers.evaluation.real_side import batches

    errors, sharp, sharp_real, right = [], [], [], []
    rows = yardstick.test_rows
    for images, labels in counted("Reconstructions", batches(yardstick.test, rows), len(rows)):
        exact = reconstruct(model, images, labels)
        errors.append(reconstruction.squared_errors(images, exact))
        reconstructed = pictures.to_uint8(exact)
        sharp.append(sharpness(reconstructed))
        sharp_real.append(sharpness(images))
        right.append(yardstick.judge(reconstructed)[1].argmax(axis=1) == labels)
    mse, psnr = reconstruction.error_figures(np.concatenate(errors))
    return {
        "mse": mse,
        "psnr": psnr,
        "sharpness": float(np.concatenate(sharp).mean() / np.concatenate(sharp_real).mean()),
        "top1_accuracy": float(np.concatenate(right).mean()),
    }


def verdict(claim: Claim, by_variant: Mapping[str, Mapping[int, Mapping[str, float]]]) -> str:
    """Returns one line: whether a claim holds, and its figures.

    Args:
        claim: the claim.
        by_variant: figures by variant and seed.

    Example:

    >>> figures = {"all_terms": {0: {"mse": 0.1}}, "without_pixels": {0: {"mse": 0.3}}}
    >>> verdict(CLAIMS[2], figures)
    'Claim: without pixels detail is lost: confirmed. Squared error 0.300 without, 0.100 with them.'
    """
    without, whole = by_variant[claim.variant], by_variant[ALL]
    seeds = sorted(without.keys() & whole.keys())
    if not seeds:
        return f"Claim: {claim.said}: undecided, since a training failed."
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
    x, y = (tables.number(float(mean)) for mean in np.mean(pairs, axis=0))
    return f"Claim: {claim.said}: {word}. {COLUMNS[claim.figure]} {x} without, {y} with them."


def measure_all(
    series: "Series", yardstick: "Yardstick"
) -> tuple[dict[str, dict[int, dict[str, float]]], dict[str, np.ndarray]]:
    """Returns the figures of complete runs by variant and seed, and the rows of Fig. S8 by title.

    The rows are held-out pictures, and their reconstructions by the first run of each variant.
    """
    from keras_cvaegan import pictures
    from trainers.evaluation.real_side import batches

    rows = np.linspace(0, len(yardstick.test_rows) - 1, SHOWN).astype(int)
    [(images, labels)] = batches(yardstick.test, yardstick.test_rows[np.unique(rows)])
    by_variant, shown = {name: {} for name in VARIANTS}, {"originals": images}
    complete = series.complete()
    for number, (contender, seed) in enumerate(complete, start=1):
        title = contender.title
        print(f"\nMeasuring {number} of {len(complete)}: {title}, seed {seed}", flush=True)
        by_variant[contender.name][seed] = series.measured(
            contender,
            seed,
            yardstick,
            {"figures": list(COLUMNS)},
            lambda model: measure(model, yardstick),
        )
        if title not in shown:
            model = series.model(contender, seed)
            shown[title] = pictures.to_uint8(model.reconstruct(images, labels))
    return by_variant, shown


def page(results: Mapping[str, Any], titles: Sequence[str]) -> str:
    """Returns the contents of table.md.

    Args:
        results: the contents of ablate.json.
        titles: of the rows of reconstructions.png.
    """
    samples, judge = results["samples"], results["extractor"]
    return "\n\n".join(
        [
            markdown(
                ["reconstructions", *COLUMNS.values()],
                [
                    [VARIANTS[name][0], *(cell(of.get(figure)) for figure in COLUMNS)]
                    for name, of in results["variants"].items()
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


def main(values: "FlagValues") -> int:
    check(values.set)

    from keras_cvaegan import files, pictures
    from keras_cvaegan.training.run_directory import write_json
    from trainers.sweeps.sweep import Contender, Series

    contenders = [
        Contender(name, title, [] if weight is None else [f"--set={weight}=0"])
        for name, (title, weight) in VARIANTS.items()
    ]
    arguments = ["--model=cvae_gan", *COMMAND.arguments_for(fit.COMMAND, values)]
    series = Series(values.output, contenders, values.seeds, arguments)
    if not series.train():
        print(f"To go on with the whole:\n  {COMMAND.command}")
        return INTERRUPTED
    yardstick = series.yardstick(values.max_test_images)
    by_variant, shown = measure_all(series, yardstick)
    results = {
        "flags": COMMAND.settings(values),
        "variants": {
            name: over_seeds([of.get(seed, {}) for seed in range(values.seeds)])
            for name, of in by_variant.items()
            if of
        },
        "verdicts": [verdict(claim, by_variant) for claim in CLAIMS],
        "judge": yardstick.about,
        "extractor": yardstick.judge.describe(),
        "samples": {"real": len(yardstick.test_rows), "real_split": "test"},
        "failed": series.failed(),
    }
    text, output = page(results, list(shown)), series.output.path
    write_json(output / "ablate.json", results)
    files.write_text(output / "table.md", f"{text}\n")
    pictures.write_png(output / "reconstructions.png", pictures.grid(list(shown.values())))
    print(f"\n{text}\n\nWritten to {shlex.quote(str(output))}:", end=" ")
    print("ablate.json, table.md, reconstructions.png")
    return 1 if results["failed"] else 0


if __name__ == "__main__":
    COMMAND.run(main)

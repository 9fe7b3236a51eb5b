"""What the figures of evaluation.json are called, and how they are read."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from trainers.reports.tables import number


@dataclasses.dataclass(frozen=True)
class Figure:
    """A figure of evaluation.json.

    Args:
        name: key of the figure; that of its standard deviation ends in "_std".
        title: name of the figure in tables.
        better: direction that is better, "higher" or "lower", or "" where neither is.
        meaning: line on what it says.
    """

    name: str
    title: str
    better: str
    meaning: str

    def text(self, figures: Mapping[str, Any]) -> str:
        """Returns value and standard deviation, or "–".

        Example:

        >>> FIGURES[1].text({"inception_score": 9.5, "inception_score_std": 0.25})
        '9.500 ± 0.250'
        """
        value, std = figures.get(self.name), figures.get(f"{self.name}_std")
        return number(value) + ("" if std is None else f" ± {number(std)}")


FIGURES = tuple(
    Figure(*fields)
    for fields in (
        ("top1_accuracy", "Top-1 accuracy", "higher", "share that the judge gives their class"),
        ("inception_score", "Inception score", "higher", "each surely of one class, all of many"),
        ("realism", "Realism, exp E KL", "higher", "the same, over all pictures at once"),
        ("frechet_distance", "Fréchet distance", "lower", "of normal distributions of features"),
        (
            "kernel_distance",
            "Kernel distance",
            "lower",
            "of features; 0 where none differs",
        ),
        ("precision", "Precision", "higher", "share that lies among the training pictures"),
        ("recall", "Recall", "higher", "share of training pictures that lies among these"),
        ("density", "Density", "higher", "training neighbourhoods around each; 1 is real"),
        ("coverage", "Coverage", "higher", "share of training neighbourhoods that are met"),
        (
            "intra_class_frechet_distance",
            "Fréchet distance in a class",
            "lower",
            "mean over classes",
        ),
        ("intra_class_diversity", "Diversity in a class", "higher", "1 − MS-SSIM of pairs"),
        (
            "nearest_pixel_distance",
            "Nearest training picture, pixels",
            "",
            "median distance; a model that copies is far below the next line",
        ),
        (
            "nearest_pixel_distance_of_training",
            "… of training pictures themselves",
            "",
            "median distance to the nearest other one",
        ),
        ("nearest_pixel_copies", "… share as near as the nearest 1 %", "", "0.01 is expected"),
        (
            "nearest_feature_distance",
            "Nearest training picture, features",
            "",
            "likewise, by features of the judge",
        ),
        (
            "nearest_feature_distance_of_training",
            "… of training pictures themselves",
            "",
            "likewise",
        ),
        ("nearest_feature_copies", "… share as near as the nearest 1 %", "", "likewise"),
        (
            "classification_accuracy_score",
            "Classification accuracy score",
            "higher",
            "accuracy on held-out pictures of a classifier trained on these",
        ),
        ("reconstruction_mse", "Reconstruction, squared error", "lower", "pixels of [−1, 1]"),
        ("reconstruction_psnr", "Reconstruction, PSNR in dB", "higher", "peak to noise"),
        (
            "transfer_accuracy",
            "Shown as others, accuracy",
            "higher",
            "share that the judge gives the class that a held-out picture is shown as",
        ),
        (
            "transfer_code_change",
            "… change of the code",
            "lower",
            "0 where pose and place stay, 1 as of another picture",
        ),
        (
            "transfer_frame_change",
            "… change near the edges",
            "lower",
            "0 where the background stays, 1 as of another picture",
        ),
    )
)
"""Figures, in the order of tables."""


def present(results: Mapping[str, Any]) -> list[Figure]:
    """Returns the figures that the contents of an evaluation.json have."""
    sides = [results.get(side) or {} for side in ("generated", "real")]
    return [figure for figure in FIGURES if any(figure.name in side for side in sides)]


def measured_with(results: Mapping[str, Any]) -> str:
    """Returns what the figures of an evaluation.json rest on, and can be compared with."""
    counts, extractor = results["samples"], results.get("extractor")
    text = (
        f"Real pictures are of the split {counts['real_split']}; generated ones "
        f"{counts['generated_per_class']:,} a class of the data, seed {counts['seed']}."
    )
    if extractor:
        text += (
            f" Both are compared with {results['reference']['samples']:,} pictures of the split "
            f"{results['reference']['split']}, by {extractor['feature_dim']} features of: "
            f"{extractor['name']} ({extractor['fingerprint']}). Figures of another extractor, or "
            "of other numbers of pictures, cannot be compared with these."
        )
    judge = results.get("judge")
    if judge and judge["name"] != (extractor or {}).get("name"):
        text += f" The judge: {judge['name']}."
    return text


def lowest_classes(results: Mapping[str, Any], count: int) -> list[tuple[str, str, str]]:
    """Returns class, Top-1 accuracy of real and of generated pictures, lowest of these first.

    Example:

    >>> sides = {"generated": {"a": 0.5, "b": 0.25}, "real": {"a": 1.0, "b": None}}
    >>> results = {k: {"top1_accuracy_by_class": v} for k, v in sides.items()}
    >>> lowest_classes(results, count=1)
    [('b', '–', '0.250')]
    """
    real, generated = (
        results[side].get("top1_accuracy_by_class", {}) for side in ("real", "generated")
    )
    lowest = sorted(generated, key=lambda name: (generated[name] is None, generated[name] or 0))
    return [(name, number(real.get(name)), number(generated[name])) for name in lowest[:count]]

"""What a comparison with training pictures shows: grids, histograms, a table, a verdict."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from keras_cvaegan.applications import Copies
from trainers.applications.novelty import (
    GENERATED,
    HELD_OUT,
    NoveltyStudy,
    PicturesWithNeighbours,
)
from trainers.pictures.held_out import RunPictures
from trainers.reports import picture_grids
from trainers.reports.picture_grids import PictureGrid
from trainers.reports.plots import write_figure
from trainers.reports.tables import markdown, number

SHOWN_NEIGHBOURS = 5
DISTANCE = "distance to the nearest training picture"
RATIO = "the same over that to the next ones"
TITLES = {
    "distance_smallest": f"{DISTANCE}: the smallest",
    "distance_nearest_percent": "… of the nearest 1 %",
    "distance_median": "… median",
    "ratio_smallest": f"{RATIO}: the smallest",
    "ratio_nearest_percent": "… of the nearest 1 %",
    "ratio_median": "… median",
}
COLORS = {HELD_OUT: "#7a7a7a", GENERATED: "#d33a2c"}


def write_pictures(
    study: NoveltyStudy, output: Path, shown: int, seed: int
) -> dict[str, dict[str, Any]]:
    """Writes grids of pictures and `distances.png`, and returns titles and captions of the grids.

    Args:
        study: result of the comparison.
        output: folder to write to.
        shown: number of pictures of each grid.
        seed: seed of the random samples that are shown.
    """
    at_random = np.random.default_rng(seed).permutation(len(study.generated))
    by_ratio, held_out_by_ratio = (np.argsort(study.ratios[side]) for side in (GENERATED, HELD_OUT))
    chosen = {
        "random.png": ("random samples", study.generated, at_random),
        "nearest.png": ("the samples likest to copies", study.generated, by_ratio),
        "held_out.png": (
            "the held-out pictures likest to copies",
            study.held_out,
            held_out_by_ratio,
        ),
    }
    grids = {
        name: neighbours_grid(caption, side.take(rows[:shown]), study.training)
        for name, (caption, side, rows) in chosen.items()
    }
    histograms = {DISTANCE: study.nearest, RATIO: study.ratios}
    write_figure(output / "distances.png", draw(histograms, study.copies.threshold))
    return picture_grids.write(grids, output)


def neighbours_grid(
    caption: str, shown: PicturesWithNeighbours, training: RunPictures
) -> PictureGrid:
    """Returns pictures, each in a row with the training pictures nearest to it."""
    rows = []
    for image, indices in zip(shown.images, shown.indices, strict=True):
        nearest = training.take(indices[:SHOWN_NEIGHBOURS]).images
        rows.append(np.stack([image, np.full_like(image, 255), *nearest]))
    return PictureGrid(rows, shown.names, caption)


def draw(values: Mapping[str, Mapping[str, np.ndarray]], threshold: float) -> Figure:
    """Returns histograms of distances and of ratios, with the threshold of these.

    Args:
        values: values of each side, by the title of their axis.
        threshold: ratio up to which a picture is taken for a copy.
    """
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    for axes, (title, by_side) in zip(figure.subplots(1, 2), values.items(), strict=True):
        edges = np.histogram_bin_edges(np.concatenate(list(by_side.values())), bins=40)
        for side, of_side in by_side.items():
            weights = np.full(len(of_side), 1 / len(of_side))
            axes.hist(of_side, edges, weights=weights, histtype="step", color=COLORS[side],
                      label=side)  # fmt: skip
        axes.set(xlabel=title, ylabel="share of pictures")
        axes.spines[["top", "right"]].set_visible(False)
    axes.axvline(threshold, color="black", linewidth=0.7, linestyle=":", label="threshold")
    axes.legend(fontsize=8, loc="upper left")
    return figure


def table(figures: Mapping[str, Mapping[str, float]]) -> str:
    """Returns `figures_of` held-out and of generated pictures, as Markdown."""
    rows = [["pictures", *(f"{of_side['pictures']:,}" for of_side in figures.values())]]
    for name, title in TITLES.items():
        rows.append([title, *(number(of_side[name]) for of_side in figures.values())])
    rows.append(["taken for copies", *(f"{side['copies']:.1%}" for side in figures.values())])
    return markdown(["", *figures], rows)


def notes(study: NoveltyStudy) -> str:
    """Returns what stands below the table: what the distances are, and what was left out."""
    lines = [
        f"Distances between pixels of [0, 1], to {len(study.training):,} training pictures; the "
        f"next ones are the 2nd to the {study.generated.distances.shape[1]}th nearest."
    ]
    if study.leaked:
        lines.append(
            f"Note: held-out pictures that are among the training pictures too, left out here: "
            f"{study.leaked:,} of {study.leaked + len(study.held_out):,}."
        )
    return "\n".join(lines)


def verdict(copies: Copies) -> str:
    """Returns in a sentence whether the model copies."""
    count, total = int(copies.flagged.sum()), len(copies.flagged)
    says = "the model copies training pictures" if copies.memorised else "no sign of copying"
    return (
        f"Verdict: {says}. {count:,} of {total:,} samples are taken for copies; of new pictures "
        f"{copies.false_alarms:.1%} would be, and so many or more with probability "
        f"{copies.p_value:.2g}."
    )

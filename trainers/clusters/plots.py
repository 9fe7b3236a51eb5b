"""The pictures of `trainers.cluster`: scatter plots, mean images, samples, strips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from sklearn.decomposition import PCA

from trainers.clusters.evaluation import AMOUNTS, POINTS, Evaluation, PaintedCodes
from trainers.reports.picture_grids import PictureGrid
from trainers.reports.plots import write_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from trainers.clusters.surveys import Survey

SCATTER = "features_and_codes.png"
MAX_LEGEND = 10


def colors(count: int) -> np.ndarray:
    """Returns a colour for each cluster, (count, 4).

    Example:

    >>> colors(3).shape, colors(40).shape
    ((3, 4), (40, 4))
    """
    if count <= 10:
        return matplotlib.colormaps["tab10"](np.arange(count))
    return matplotlib.colormaps["turbo"](np.linspace(0, 1, count))


def draw_scatter(evaluation: Evaluation, names: Sequence[str]) -> Figure:
    """Returns features and codes by cluster: Fig. 1, and the mapping's beside.

    Both panels of a row have the principal components of the left one.

    Args:
        evaluation: figures and pictures that are shown.
        names: names of the clusters.
    """
    figure = Figure(figsize=(9, 8.4), layout="constrained")
    panels = figure.subplots(2, 2, sharex="row", sharey="row")
    real, mapped = evaluation.held_out, evaluation.mapped
    kinds = {
        "features": (real.features, mapped.features),
        "z": (real.z[:POINTS], mapped.z[:POINTS]),
    }
    for row, (kind, points) in zip(panels, kinds.items(), strict=True):
        flat, shares = projected(*points)
        for axes, codes, shown, title in zip(
            row, (real, mapped), flat, ("random codes", "mapped codes"), strict=True
        ):
            _scatter(axes, shown, codes, names)
            axes.set_title(f"{kind}, {title}", fontsize=10)
        row[0].set_ylabel(f"second component, {shares[1]:.0%} of variance")
        for axes in row:
            axes.set_xlabel(f"first principal component, {shares[0]:.0%}")
    if len(names) <= MAX_LEGEND:
        panels[0, 0].legend(fontsize=8, markerscale=3, title="cluster")
    return figure


def projected(
    real: np.ndarray, mapped: np.ndarray
) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """Returns both on the first two principal components of the first, and their shares.

    Of a single dimension, or a single point, the rest is 0.

    Example:

    >>> (first, second), shares = projected(np.array([[1.0], [3.0]]), np.array([[2.0]]))
    >>> abs(first).tolist(), second.tolist(), shares.tolist()
    ([[1.0, 0.0], [1.0, 0.0]], [[0.0, 0.0]], [1.0, 0.0])
    """
    count = min(2, *real.shape)
    pca = PCA(count, svd_solver="full").fit(real.astype(np.float64))
    missing = 2 - count
    shown = [np.pad(pca.transform(x.astype(np.float64)), ((0, 0), (0, missing)))
             for x in (real, mapped)]  # fmt: skip
    shares = np.pad(np.nan_to_num(pca.explained_variance_ratio_), (0, missing))
    return (shown[0], shown[1]), shares


def _scatter(axes: Axes, points: np.ndarray, codes: PaintedCodes, names: Sequence[str]) -> None:
    labels, palette = codes.wanted[: len(points)], colors(len(names))
    # In one call, so that no cluster lies on top of the others.
    axes.scatter(*points.T, s=5, alpha=0.5, linewidths=0, color=palette[labels])
    for name, color in zip(names, palette, strict=True):
        axes.scatter([], [], s=5, color=color, label=name)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)


def grids(
    evaluation: Evaluation, names: Sequence[str], survey: Survey | None
) -> dict[str, PictureGrid]:
    """Returns the grids of pictures by file name.

    Args:
        evaluation: figures and pictures that are shown.
        names: names of the clusters.
        survey: survey of the layers, where one was made.
    """
    found = {"means.png": _means(evaluation, names), "samples.png": _samples(evaluation, names)}
    for method, images in evaluation.walks.items():
        found[f"{method.lower()}.png"] = _walk(method, images)
    if survey is not None:
        found["survey.png"] = PictureGrid(
            [layer.means for layer in survey.layers],
            [f"{layer.name}: {_sizes(layer.sizes)}" for layer in survey.layers],
            "Of each layer the mean pictures of its clusters, in order of computation.",
        )
    return found


def _sizes(sizes: Sequence[int] | np.ndarray) -> str:
    return " + ".join(f"{size:,}" for size in sizes)


def _means(evaluation: Evaluation, names: Sequence[str]) -> PictureGrid:
    rows = [
        np.stack([learned, mapped])
        for learned, mapped in zip(evaluation.learned.means, evaluation.mapped.means, strict=True)
    ]
    titles = [
        f"cluster {name}: {of['size']:,} codes, {of['share']:.0%}"
        for name, of in zip(names, evaluation.clusters, strict=True)
    ]
    caption = "The mean picture of each cluster, and beside it that of mapped codes."
    return PictureGrid(rows, titles, caption)


def _samples(evaluation: Evaluation, names: Sequence[str]) -> PictureGrid:
    rows, titles = [], []
    for cluster, name in enumerate(names):
        kinds = {"mapped": evaluation.mapped, "of random codes": evaluation.held_out}
        for kind, codes in kinds.items():
            if len(codes.images[cluster]):
                rows.append(codes.images[cluster])
                titles.append(f"cluster {name}, {kind}")
    return PictureGrid(
        rows,
        titles,
        "Random pictures, not picked: of mapped codes, and those of random codes whose features "
        "fall into the cluster.",
    )


def _walk(method: str, images: np.ndarray) -> PictureGrid:
    low, high = AMOUNTS[0], AMOUNTS[-1]
    return PictureGrid(
        list(images),
        [f"direction {number + 1}" for number in range(len(images))],
        f"From one random code along the first directions of {method}, α from {low:g} to "
        f"{high:g}.".replace("-", "−"),
    )


def write_scatter(folder: Path, evaluation: Evaluation, names: Sequence[str]) -> Mapping[str, str]:
    """Writes the scatter plots and returns caption by file name."""
    write_figure(folder / SCATTER, draw_scatter(evaluation, names))
    return {
        SCATTER: f"Features and codes by cluster, at most {POINTS:,} of each: of random codes that "
        "were not learned, and of mapped ones, on the principal components of the former."
    }

"""Codes of a run's pictures: where they lie, which dimensions they use, and how that is drawn."""

import dataclasses
import functools
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from keras_cvaegan import applications, pictures
from keras_cvaegan.models import LRLIVAE, GenerativeModel
from keras_cvaegan.progress import counted
from trainers.evaluation.real_side import some_rows
from trainers.pictures.held_out import RunPictures
from trainers.reports.plots import write_figure
from trainers.reports.projector import thumbnail_side, write_projector

THUMBNAIL = 64
ACTIVE, UNUSED = "#3b82c4", "#c8c8c8"


@dataclasses.dataclass(frozen=True, eq=False)
class EncodedPictures:
    """Pictures of a run's data, and their codes.

    Args:
        symbol: name of the code in papers.
        source: split that the pictures are of.
        rows: rows of the pictures in it, (n,).
        z_mean: means of the codes, (n, d).
        z_log_var: logarithms of their variances, (n, d).
    """

    symbol: str
    source: RunPictures
    rows: np.ndarray
    z_mean: np.ndarray
    z_log_var: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    @functools.cached_property
    def latent_map(self) -> applications.LatentMap:
        """Where the means lie in two dimensions."""
        return applications.latent_map(self.z_mean)

    @functools.cached_property
    def statistics(self) -> applications.LatentStatistics:
        """Which dimensions are used."""
        return applications.latent_statistics(self.z_mean, self.z_log_var)

    def cells(self, columns: int) -> np.ndarray:
        """Returns which picture is in each square of a map, -1 for none: see `map_cells`."""
        return applications.map_cells(self.latent_map.points, columns)

    def thumbnails(self, side: int, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Returns some of the pictures, at most so large, uint8 `(n, side, side, 3)`."""
        small = []
        for images, _, _ in self.source.batches(self.rows[rows]):
            if images.shape[1] > side:
                images = np.stack([pictures.resize_picture(image, side) for image in images])
            small.append(images)
        return np.concatenate(small)


def encode(model: GenerativeModel, run_dir: str, split: str, max_pictures: int) -> EncodedPictures:
    """Encodes pictures of a run's data, a batch at a time, and shows how far it is.

    Args:
        model: model of the run, with an encoder.
        run_dir: folder of the run.
        split: name of the split, "train", "validation" or "test".
        max_pictures: number of pictures that are drawn by lot where there are more.

    Raises:
        ValueError: for data that are not those of the model, or cannot be used.
    """
    source = RunPictures(run_dir, split)
    source.check_model(model)
    rows = some_rows(len(source), max_pictures)
    codes = [
        applications.picture_codes(model, images, labels)
        for images, labels, _ in counted("Pictures", source.batches(rows), len(rows))
    ]
    z_mean, z_log_var = (np.concatenate(each) for each in zip(*codes, strict=True))
    symbol = "z_u" if isinstance(model, LRLIVAE) else "z"
    return EncodedPictures(symbol, source, rows, z_mean, z_log_var)


def write(encoded: EncodedPictures, cells: np.ndarray, output: Path) -> list[str]:
    """Writes the map, the plot of the dimensions and `projector/`, and returns the files' names.

    Args:
        encoded: pictures and their codes.
        cells: picture in each square of the map, see `EncodedPictures.cells`.
        output: folder to write to.
    """
    pictures.write_png(output / "latent_map.png", map_grid(encoded, cells))
    figure = draw_dimensions(encoded.statistics, encoded.symbol)
    write_figure(output / "dimensions.png", figure)
    source, rows = encoded.source, encoded.rows
    write_projector(
        output / "projector",
        encoded.symbol,
        encoded.z_mean,
        encoded.thumbnails(min(THUMBNAIL, thumbnail_side(len(rows)))),
        source.names(rows),
        [source.class_names[label] for label in source.labels[rows]],
    )
    return ["latent_map.png", "dimensions.png"]


def map_grid(encoded: EncodedPictures, cells: np.ndarray) -> np.ndarray:
    """Returns a grid of pictures at their places, uint8 (grid_height, grid_width, 3)."""
    images = encoded.thumbnails(THUMBNAIL, cells[cells >= 0])
    placed = np.full((*cells.shape, *images.shape[1:]), 255, np.uint8)
    placed[cells >= 0] = images
    return pictures.grid(list(placed))


def draw_dimensions(statistics: applications.LatentStatistics, symbol: str) -> Figure:
    """Returns bars of the divergence, and of the variance of means, of each dimension."""
    size = len(statistics.mean)
    figure = Figure(figsize=(max(6.0, min(0.22 * size, 24.0)), 5), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    colors = [ACTIVE if used else UNUSED for used in statistics.active]
    above.bar(range(size), statistics.kl_divergence, color=colors)
    above.set(ylabel="KL divergence, nats")
    above.set_title(f"{int(statistics.active.sum())} of {size} dimensions are active", fontsize=10)
    below.bar(range(size), statistics.variance_of_means, color=colors, label="of means")
    below.plot(range(size), statistics.variance, "k_", markersize=6, label="of all, prior: 1")
    below.axhline(1, color="black", linewidth=0.5)
    below.set(ylabel="variance", xlabel=f"dimension of {symbol}")
    below.legend(fontsize=8, frameon=False, ncols=2, loc="lower right", bbox_to_anchor=(1, 1))
    below.xaxis.get_major_locator().set_params(integer=True)
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def describe(encoded: EncodedPictures) -> dict[str, Any]:
    """Returns what latent_map.json says of the codes."""
    statistics = encoded.statistics
    return {
        "code": encoded.symbol,
        "pictures": len(encoded),
        "shares_of_variance": encoded.latent_map.shares.tolist(),
        "active_dimensions": int(statistics.active.sum()),
        "kl_divergence": float(statistics.kl_divergence.sum()),
        "dimensions": {
            name: getattr(statistics, name).tolist()
            for name in ("mean", "variance", "variance_of_means", "kl_divergence", "active")
        },
    }


def summary(encoded: EncodedPictures) -> str:
    """Returns which dimensions are used, and how far the codes are from the prior, in lines."""
    statistics = encoded.statistics
    active, size = statistics.active, len(statistics.mean)
    return "\n".join(
        [
            f"Active dimensions of {encoded.symbol}, whose means have a variance above 0.01: "
            f"{int(active.sum())} of {size}",
            f"Divergence from the prior: {statistics.kl_divergence.sum():.2f} nats a picture",
            f"All codes together, where the prior has mean 0 and variance 1: means "
            f"{statistics.mean.min():.2f} to {statistics.mean.max():.2f}, variances "
            f"{statistics.variance.min():.2f} to {statistics.variance.max():.2f}",
        ]
    )

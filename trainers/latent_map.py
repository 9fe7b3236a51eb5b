"""Maps where pictures lie in the latent space, and measures which of its dimensions are used.

Section S8 of Bao et al. 2017, Fig. S1: the codes of pictures, projected to two dimensions by
principal components. Of LR/LI-VAE the code is z_u.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import datasets
from trainers.command_line import flags
from trainers.command_line.command import Command
from trainers.command_line.output import output_folder, print_written
from trainers.pictures.encoding import encoding_flag, load_encoding

if TYPE_CHECKING:
    from absl.flags import FlagValues
    from matplotlib.figure import Figure

    from keras_cvaegan.applications import LatentStatistics
    from keras_cvaegan.models import GenerativeModel
    from trainers.pictures.held_out import RunPictures

THUMBNAIL = 64
# A texture of the browser's has at most so many pixels a side.
SPRITE_SIDE = 8192
ACTIVE, UNUSED = "#3b82c4", "#c8c8c8"

COMMAND = Command("trainers.latent_map", __doc__)
flags.run_dir_flag(COMMAND)
with COMMAND.section("Run"):
    encoding_flag(COMMAND)
with COMMAND.section("Pictures"):
    COMMAND.enum("split", "train", datasets.SPLITS, "which of the run's data")
    COMMAND.integer("max_images", 10_000, "most pictures to use, drawn by lot", lower_bound=2)
with COMMAND.section("Map"):
    COMMAND.integer("columns", 24, "pictures from left to right", lower_bound=1, upper_bound=200)
with COMMAND.section("Results"):
    COMMAND.string(
        "output",
        None,
        "folder of latent_map.png, dimensions.png, latent_map.json and projector/ for TensorBoard "
        "(default: RUN_DIR/latent_map)",
    )


def encode(
    model: GenerativeModel, found: RunPictures, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Returns z_mean and z_log_var of pictures, read a batch at a time."""
    from keras_cvaegan.applications import picture_codes
    from keras_cvaegan.progress import counted

    codes = [
        picture_codes(model, images, labels)
        for images, labels, _ in counted("Pictures", found.batches(rows), len(rows))
    ]
    z_mean, z_log_var = (np.concatenate(each) for each in zip(*codes, strict=True))
    return z_mean, z_log_var


def thumbnails(found: RunPictures, rows: np.ndarray, side: int) -> np.ndarray:
    """Returns pictures that are at most so large, uint8 `(n, side, side, 3)`."""
    from keras_cvaegan import pictures

    small = []
    for images, _, _ in found.batches(rows):
        if images.shape[1] > side:
            images = np.stack([pictures.resize_picture(image, side) for image in images])
        small.append(images)
    return np.concatenate(small)


def map_sheet(cells: np.ndarray, found: RunPictures, rows: np.ndarray) -> np.ndarray:
    """Returns a sheet of pictures at their places.

    Args:
        cells: which picture is in each square, -1 for none: see `map_cells`.
        found: the pictures.
        rows: theirs, of the pictures that the squares number.
    """
    from keras_cvaegan import pictures

    images = thumbnails(found, rows[cells[cells >= 0]], THUMBNAIL)
    sheet = np.full((*cells.shape, *images.shape[1:]), 255, np.uint8)
    sheet[cells >= 0] = images
    return pictures.grid(list(sheet))


def draw_dimensions(statistics: LatentStatistics, symbol: str) -> Figure:
    """Returns bars of the divergence, and of the variance of means, of each dimension."""
    from matplotlib.figure import Figure

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


def write_projector(
    folder: Path, z: np.ndarray, found: RunPictures, rows: np.ndarray, symbol: str
) -> None:
    """Writes what TensorBoard's projector reads: codes, names with classes, and pictures.

    Args:
        folder: where; made when missing.
        z: (n, d).
        found: the pictures.
        rows: theirs, (n,).
        symbol: of the codes.
    """
    from tensorboard.plugins import projector

    from keras_cvaegan import pictures
    from keras_cvaegan.files import write_text

    folder.mkdir(parents=True, exist_ok=True)
    lines = ("\t".join(f"{value:.6g}" for value in code) for code in z)
    write_text(folder / "tensors.tsv", "\n".join(lines) + "\n")
    classes = [found.class_names[label] for label in found.labels[rows]]
    write_text(folder / "metadata.tsv", metadata(found.names(rows), classes))
    # It draws square sheets alone.
    columns = math.ceil(math.sqrt(len(rows)))
    images = thumbnails(found, rows, min(THUMBNAIL, SPRITE_SIDE // columns))
    blank = np.full((columns**2 - len(images), *images.shape[1:]), 255, np.uint8)
    sprite = pictures.grid(np.concatenate([images, blank]), columns, padding=0)
    pictures.write_png(folder / "sprite.png", sprite)
    config = projector.ProjectorConfig()
    embedding = config.embeddings.add(
        tensor_name=symbol, tensor_path="tensors.tsv", metadata_path="metadata.tsv"
    )
    embedding.sprite.image_path = "sprite.png"
    embedding.sprite.single_image_dim.extend([images.shape[2], images.shape[1]])
    projector.visualize_embeddings(str(folder), config)


def metadata(names: Sequence[str], classes: Sequence[str]) -> str:
    r"""Returns the contents of metadata.tsv.

    Example:

    >>> metadata(["test 0 (a\tb)"], ["a\tb"])
    'name\tclass\ntest 0 (a b)\ta b\n'
    """
    rows = [("name", "class"), *zip(names, classes, strict=True)]
    return "".join("\t".join(" ".join(cell.split()) for cell in row) + "\n" for row in rows)


def main(values: FlagValues) -> None:
    run_dir = flags.required_run_dir(values)

    from keras_cvaegan import pictures
    from keras_cvaegan.applications import latent_map, latent_statistics, map_cells
    from keras_cvaegan.models import LRLIVAE
    from keras_cvaegan.training.run_directory import write_json
    from trainers.evaluation.real_side import some_rows
    from trainers.pictures.held_out import RunPictures
    from trainers.reports.plots import write_figure

    model = load_encoding(run_dir, values)
    symbol = "z_u" if isinstance(model, LRLIVAE) else "z"
    found = RunPictures(run_dir, values.split)
    found.check_model(model)
    rows = some_rows(len(found), values.max_images)
    z_mean, z_log_var = encode(model, found, rows)
    mapped, statistics = latent_map(z_mean), latent_statistics(z_mean, z_log_var)
    cells = map_cells(mapped.points, values.columns)
    output = output_folder(values, "latent_map")
    pictures.write_png(output / "latent_map.png", map_sheet(cells, found, rows))
    write_figure(output / "dimensions.png", draw_dimensions(statistics, symbol))
    write_projector(output / "projector", z_mean, found, rows, symbol)
    by_dimension = {
        name: getattr(statistics, name).tolist()
        for name in ("mean", "variance", "variance_of_means", "kl_divergence", "active")
    }
    write_json(
        output / "latent_map.json",
        {
            "flags": COMMAND.settings(values),
            "model": type(model).__name__,
            "code": symbol,
            "pictures": len(rows),
            "shares_of_variance": mapped.shares.tolist(),
            "active_dimensions": int(statistics.active.sum()),
            "kl_divergence": float(statistics.kl_divergence.sum()),
            "dimensions": by_dimension,
        },
    )
    print_statistics(statistics, symbol)
    print(
        f"latent_map.png shows {int((cells >= 0).sum())} of {len(rows):,} pictures of "
        f"{values.split}, each where its {symbol} lies: {mapped.shares[0]:.0%} of the variance is "
        f"from left to right, {mapped.shares[1]:.0%} from bottom to top."
    )
    print_written(output, ["latent_map.png", "dimensions.png", "latent_map.json"])
    folder = shlex.quote(str(output / "projector"))
    print(f"TensorBoard: tensorboard --logdir={folder}, then open http://localhost:6006/#projector")


def print_statistics(statistics: LatentStatistics, symbol: str) -> None:
    """Prints which dimensions are used, and how far the codes are from the prior."""
    active, size = statistics.active, len(statistics.mean)
    print(
        f"Active dimensions of {symbol}, whose means have a variance above 0.01: "
        f"{int(active.sum())} of {size}"
    )
    print(f"Divergence from the prior: {statistics.kl_divergence.sum():.2f} nats a picture")
    print(
        f"All codes together, where the prior has mean 0 and variance 1: means "
        f"{statistics.mean.min():.2f} to {statistics.mean.max():.2f}, variances "
        f"{statistics.variance.min():.2f} to {statistics.variance.max():.2f}"
    )


if __name__ == "__main__":
    COMMAND.run(main)

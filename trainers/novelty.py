"""Tells whether a trained model draws new pictures or copies those it was trained on.

Section S9 of Bao et al. 2017: samples beside the training pictures that are nearest to them in
pixels; and the same of held-out pictures, which no model has seen, for scale.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trainers.command_line import flags
from trainers.command_line.command import Command
from trainers.command_line.output import output_folder, print_written
from trainers.reports.tables import markdown, number

if TYPE_CHECKING:
    from absl.flags import FlagValues
    from matplotlib.figure import Figure

    from keras_cvaegan.applications import Copies
    from keras_cvaegan.models import GenerativeModel
    from trainers.pictures.held_out import RunPictures
    from trainers.reports.picture_grids import Sheet

# Of each picture as many are sought as its distance is compared with, and so many are shown.
NEIGHBOURS, SHOWN_NEIGHBOURS = 50, 5
# Of the pictures that are sought at a time, as floats.
MAX_BYTES = 2**28
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
COLORS = {"held out": "#7a7a7a", "generated": "#d33a2c"}

COMMAND = Command("trainers.novelty", __doc__)
flags.run_dir_flag(COMMAND)
with COMMAND.section("Pictures"):
    COMMAND.integer("samples", 1_000, "pictures to generate, of all classes in turn", lower_bound=1)
    COMMAND.integer("seed", 0, "of the generated pictures", lower_bound=0, upper_bound=2**32 - 1)
    COMMAND.integer(
        "held_out", 1_000, "most held-out pictures to compare with, drawn by lot", lower_bound=1
    )
with COMMAND.section("Judgement"):
    COMMAND.number(
        "level",
        0.01,
        "share of new pictures that may be taken for copies",
        lower_bound=1e-6,
        upper_bound=0.5,
    )
with COMMAND.section("Results"):
    COMMAND.integer("shown", 8, "pictures of each PNG file", lower_bound=1, upper_bound=100)
    COMMAND.string(
        "output", None, "folder of PNG files and novelty.json (default: RUN_DIR/novelty)"
    )


@dataclasses.dataclass(frozen=True, eq=False)
class Sought:
    """Pictures whose nearest training pictures were found.

    Args:
        images: uint8 `(n, height, width, 3)`.
        names: of each.
        distances: `(n, k)`, nearest first.
        indices: `(n, k)`, rows of the training pictures.
    """

    images: np.ndarray
    names: Sequence[str]
    distances: np.ndarray
    indices: np.ndarray

    def take(self, rows: np.ndarray) -> Sought:
        """Returns some of them."""
        names = [self.names[row] for row in rows]
        return Sought(self.images[rows], names, self.distances[rows], self.indices[rows])


def generate(
    model: GenerativeModel, class_names: Sequence[str], total: int, seed: int
) -> tuple[np.ndarray, list[str]]:
    """Returns samples, uint8 `(total, height, width, 3)`, and what each is called."""
    from keras_cvaegan.progress import counted
    from trainers.evaluation import measuring

    stream = counted("Samples", measuring.samples(model, class_names, total, seed), total)
    images, labels = zip(*stream, strict=True)
    names = [model.class_names[label] for label in np.concatenate(labels)]
    return np.concatenate(images), [f"sample {row} ({name})" for row, name in enumerate(names)]


def search(title: str, images: np.ndarray, names: Sequence[str], training: RunPictures) -> Sought:
    """Finds the nearest training pictures, and shows how far it is.

    Args:
        title: of the pictures.
        images: uint8 `(n, height, width, 3)`, at least one.
        names: of each.
        training: where to search.
    """
    from keras_cvaegan.metrics.novelty import TrainingPictures, nearest_training
    from keras_cvaegan.progress import Progress

    searched, found = TrainingPictures(training.images), []
    size, total = max(1, MAX_BYTES // (4 * images[0].size)), len(images) * len(training)
    with Progress(f"{title}:", total, "distances") as progress:
        for start in range(0, len(images), size):
            part = images[start : start + size]

            def show(count: int, start: int = start, width: int = len(part)) -> None:
                progress.update(start * len(training) + width * count - progress.n)

            found.append(nearest_training(searched, part, NEIGHBOURS, progress=show)["pixel"])
    distances, indices = (np.concatenate(each) for each in zip(*found, strict=True))
    return Sought(images, names, distances, indices)


def sheet(caption: str, shown: Sought, training: RunPictures) -> Sheet:
    """Returns pictures, each in a row with the training pictures nearest to it."""
    from trainers.reports.picture_grids import Sheet

    rows = []
    for image, indices in zip(shown.images, shown.indices, strict=True):
        nearest = training.take(indices[:SHOWN_NEIGHBOURS]).images
        rows.append(np.stack([image, np.full_like(image, 255), *nearest]))
    return Sheet(rows, shown.names, caption)


def write_sheets(
    output: Path,
    generated: Sought,
    held_out: Sought,
    copies: Copies,
    training: RunPictures,
    shown: int,
    seed: int,
) -> dict[str, dict[str, Any]]:
    """Writes sheets of random samples and of those likest to copies, and returns their titles."""
    from trainers.reports import picture_grids

    lot = np.random.default_rng(seed).permutation(len(generated.images))
    chosen = {
        "random.png": ("random samples", generated, lot),
        "nearest.png": ("the samples likest to copies", generated, np.argsort(copies.ratios)),
        "held_out.png": (
            "the held-out pictures likest to copies",
            held_out,
            np.argsort(copies.held_out_ratios),
        ),
    }
    return picture_grids.write(
        {
            name: sheet(caption, side.take(rows[:shown]), training)
            for name, (caption, side, rows) in chosen.items()
        },
        output,
    )


def figures_of(distances: np.ndarray, ratios: np.ndarray, threshold: float) -> dict[str, float]:
    """Returns how near pictures are to training pictures.

    Example:

    >>> figures_of(np.array([1.0, 3.0]), np.array([0.5, 0.9]), threshold=0.6)
    {'pictures': 2, 'distance_smallest': 1.0, 'distance_nearest_percent': 1.02,
     'distance_median': 2.0, 'ratio_smallest': 0.5, 'ratio_nearest_percent': 0.504,
     'ratio_median': 0.7, 'copies': 0.5}
    """
    results = {"pictures": len(distances)}
    for name, values in (("distance", distances), ("ratio", ratios)):
        results[f"{name}_smallest"] = float(values.min())
        results[f"{name}_nearest_percent"] = float(np.percentile(values, 1))
        results[f"{name}_median"] = float(np.median(values))
    return {**results, "copies": float(np.mean(ratios <= threshold))}


def table(figures: Mapping[str, Mapping[str, float]]) -> str:
    """Returns `figures_of` held-out and of generated pictures, as Markdown."""
    rows = [["pictures", *(f"{of_side['pictures']:,}" for of_side in figures.values())]]
    for name, title in TITLES.items():
        rows.append([title, *(number(of_side[name]) for of_side in figures.values())])
    rows.append(["taken for copies", *(f"{side['copies']:.1%}" for side in figures.values())])
    return markdown(["", *figures], rows)


def draw(values: Mapping[str, Mapping[str, np.ndarray]], threshold: float) -> Figure:
    """Returns histograms of distances and of ratios, with the threshold of these."""
    from matplotlib.figure import Figure

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


def verdict(copies: Copies) -> str:
    """Returns in a sentence whether the model copies."""
    count, total = int(copies.flagged.sum()), len(copies.flagged)
    says = "the model copies training pictures" if copies.memorised else "no sign of copying"
    return (
        f"Verdict: {says}. {count:,} of {total:,} samples are taken for copies; of new pictures "
        f"{copies.false_alarms:.1%} would be, and so many or more with probability "
        f"{copies.p_value:.2g}."
    )


def main(values: FlagValues) -> None:
    run_dir = flags.required_run_dir(values)

    import keras_cvaegan
    from keras_cvaegan.applications import find_copies
    from keras_cvaegan.training.run_directory import write_json
    from trainers.evaluation.real_side import some_rows
    from trainers.pictures.held_out import RunPictures
    from trainers.reports.plots import write_figure

    model = keras_cvaegan.load(run_dir)
    training, test = (RunPictures(run_dir, split) for split in ("train", "test"))
    test.check_model(model)
    samples = generate(model, test.class_names, values.samples, values.seed)
    real = test.take(some_rows(len(test), values.held_out))
    held_out = search("Held-out pictures", real.images, real.names, training)
    generated = search("Samples", *samples, training)
    # What is among the training pictures too is not held out.
    held_out = held_out.take(np.flatnonzero(held_out.distances[:, 0] > 0))
    seen = len(real) - len(held_out.images)
    if seen == len(real):
        raise ValueError(
            f"All of {len(real)} held-out pictures are among the training pictures: there is "
            "nothing to compare with."
        )
    copies = find_copies(generated.distances, held_out.distances, level=values.level)
    nearest = {"held out": held_out.distances[:, 0], "generated": generated.distances[:, 0]}
    ratios = {"held out": copies.held_out_ratios, "generated": copies.ratios}
    figures = {side: figures_of(nearest[side], ratios[side], copies.threshold) for side in nearest}
    output = output_folder(values, "novelty")
    written = write_sheets(output, generated, held_out, copies, training, values.shown, values.seed)
    histograms = {DISTANCE: nearest, RATIO: ratios}
    write_figure(output / "distances.png", draw(histograms, copies.threshold))
    results: dict[str, Any] = {
        "flags": COMMAND.settings(values),
        "model": type(model).__name__,
        "training_pictures": len(training),
        "held_out_in_training": seen,
        "identical_to_training": int(np.sum(nearest["generated"] == 0)),
        "figures": figures,
        "threshold": copies.threshold,
        "false_alarms": copies.false_alarms,
        "copies": [generated.names[row] for row in np.flatnonzero(copies.flagged)],
        "p_value": copies.p_value,
        "memorised": copies.memorised,
        "sheets": written,
    }
    write_json(output / "novelty.json", results)
    print(f"\n{table(figures)}\n")
    print(
        f"Distances between pixels of [0, 1], to {len(training):,} training pictures; the next "
        f"ones are the 2nd to the {generated.distances.shape[1]}th nearest."
    )
    if seen:
        print(
            f"Note: held-out pictures that are among the training pictures too, left out here: "
            f"{seen:,} of {len(real):,}."
        )
    print(verdict(copies))
    for name, about in written.items():
        print(f"{name}: {about['caption']}, each with the training pictures nearest to it")
    print_written(output, [*written, "distances.png", "novelty.json"])


if __name__ == "__main__":
    COMMAND.run(main)

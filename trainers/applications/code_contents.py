"""What the codes of runs' pictures know, read by fresh networks."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

import datasets
import keras_cvaegan
from datasets.petals import visible
from keras_cvaegan.applications.inputs import check_data
from keras_cvaegan.metrics import attribute_r2, class_accuracy
from keras_cvaegan.models import LRLIVAE, GenerativeModel
from keras_cvaegan.training.run_directory import RunDirectory, write_json
from trainers.evaluation.real_side import some_rows
from trainers.reports.tables import markdown
from trainers.runs.data import open_data, read_config
from trainers.sweeps.over_seeds import cell, over_seeds

CLASS = "class"
OWN_CLASSIFIER = "own classifier"
SHOWN_NAMES = {CLASS: "class, accuracy"}

Figures = Mapping[str, Mapping[str, float]]
"""Figures by code: the class accuracy and each attribute's R², by their names."""


@dataclasses.dataclass(frozen=True)
class CodesOfRun:
    """What the codes of a run's model know.

    Args:
        figures: figures of each code, see `measure`.
        path: file that they were written to.
        labelled_share: share of the labels that the run knew.
        chance: accuracy without knowledge, the share of the largest class.
    """

    figures: Figures
    path: Path
    labelled_share: float
    chance: float


def measure_runs(run_dirs: Sequence[str], max_images: int, seed: int) -> list[CodesOfRun]:
    """Measures what the codes of runs know, and writes `codes.json` into each run's folder.

    Args:
        run_dirs: folders of runs of one kind of model on the same data.
        max_images: number of pictures to use at most, of each of training and test.
        seed: seed of the draws and of the networks that read.

    Raises:
        ValueError: for a folder that is no run, or runs of different data or kinds of models.
    """
    settings = {"max_images": max_images, "seed": seed}
    found: list[CodesOfRun] = []
    first = None
    for run in map(RunDirectory, run_dirs):
        config = read_config(run)
        data = open_data(config)
        training, test = (data.prepare(split) for split in ("train", "test"))
        model = keras_cvaegan.load(run.path)
        about = test.description
        first = first or about
        if (about.class_names, about.num_images) != (first.class_names, first.num_images):
            raise ValueError(f"The runs must be of the same data: {str(run.path)!r} is of others.")
        check_data(model, about.class_names, about.image_shape)
        print(f"Reading the codes of {run.path} …", flush=True)
        figures = measure(model, training, test, **settings)
        if found and figures.keys() != found[0].figures.keys():
            other = str(found[0].path.parent)
            raise ValueError(
                f"The runs must be of one kind of model: {str(run.path)!r} has the codes "
                f"{', '.join(figures)}, {other!r} {', '.join(found[0].figures)}."
            )
        path = run.path / "codes.json"
        write_json(path, {"settings": settings, "codes": figures})
        chance = max(about.class_counts) / about.num_images
        found.append(CodesOfRun(figures, path, config.labelled_share, chance))
    return found


def measure(
    model: GenerativeModel,
    training: datasets.Prepared,
    test: datasets.Prepared,
    *,
    max_images: int,
    seed: int,
) -> dict[str, dict[str, float]]:
    """Returns for each code the class accuracy and each attribute's R², by name.

    The accuracy of the model's own classifier stands beside them, as that of another code.

    Args:
        model: model with an encoder.
        training: pictures that the readers learn from.
        test: pictures that they are judged on.
        max_images: number of pictures to use at most of each, drawn by lot.
        seed: seed of the readers.
    """
    codes, labels, values = [], [], []
    for number, prepared in enumerate((training, test)):
        rows = some_rows(prepared.description.num_images, max_images)
        labels.append(np.asarray(prepared.labels[rows]))
        images = np.asarray(prepared.images[rows])
        codes.append(read_codes(model, images, labels[-1], 2 * seed + number))
        values.append({name: np.asarray(each[rows]) for name, each in prepared.attributes.items()})
    if "background_hue" in values[0]:
        values = [visible(each) for each in values]
    results = {}
    for name in codes[0]:
        ours, theirs = codes[0][name], codes[1][name]
        results[name] = {CLASS: class_accuracy(ours, labels[0], theirs, labels[1], seed=seed)}
        results[name] |= attribute_r2(ours, values[0], theirs, values[1], seed=seed)
    if "classifier" in model.inference_names():
        right = model.classify(images).argmax(axis=1) == labels[1]
        results[OWN_CLASSIFIER] = {CLASS: float(right.mean())}
    return results


def read_codes(
    model: GenerativeModel, images: np.ndarray, labels: np.ndarray, seed: int
) -> dict[str, np.ndarray]:
    """Returns a model's codes of images, by the codes' names, each `(n, d)`.

    Codes that are drawn are drawn, as the generator gets them: the mean of one that the prior has
    pulled together still tells apart, if by little, what no draw does.

    Args:
        model: model with an encoder.
        images: pictures, uint8 (n, height, width, 3).
        labels: labels of the images, (n,).
        seed: seed of the draws.

    Raises:
        ValueError: for a model without an encoder.
    """
    z_mean, z_log_var = model.encode(images, labels if model.conditional else labels * 0)
    noise = np.random.default_rng(seed).standard_normal(z_mean.shape, np.float32)
    z = z_mean + np.exp(0.5 * z_log_var) * noise
    if isinstance(model, LRLIVAE):
        return {"z_s": model.codes(images).relevant, "z_u": z[:, model.relevant_dim :]}
    return {"z": z}


def table(runs: Sequence[Figures], chance: float) -> str:
    """Returns what `measure` found of one or more runs, as Markdown.

    Args:
        runs: figures of each run.
        chance: accuracy without knowledge.

    Example:

    >>> print(table([{"z_s": {"class": 0.5, "size": 0.25}}], chance=0.1))
    |        | class, accuracy | size, R² |
    |:-------|----------------:|---------:|
    | z_s    |           0.500 |    0.250 |
    | chance |           0.100 |    0.000 |
    """
    names = list(next(iter(runs[0].values())))
    rows = []
    for code in runs[0]:
        figures = over_seeds([of_run[code] for of_run in runs])
        rows.append([code, *(cell(figures.get(name)) for name in names)])
    rows.append(["chance", f"{chance:.3f}", *("0.000" for _ in names[1:])])
    return markdown(["", *(SHOWN_NAMES.get(name, f"{name}, R²") for name in names)], rows)

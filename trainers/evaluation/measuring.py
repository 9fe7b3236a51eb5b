"""Measures a trained model: the contents of evaluation.json, and pictures beside."""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_cvaegan import metrics, pictures
from keras_cvaegan.applications import reconstruct
from keras_cvaegan.applications.inputs import check_data
from keras_cvaegan.metrics.reconstruction import error_figures, squared_errors
from keras_cvaegan.metrics.sampling import Reservoir
from keras_cvaegan.models import GenerativeModel
from keras_cvaegan.progress import counted
from keras_cvaegan.training.checkpoints import steps_taken
from keras_cvaegan.version import __version__
from trainers.evaluation import transferring
from trainers.evaluation.real_side import BATCH_SIZE, METRICS, NOVELTY_SAMPLES, RealSide, batches
from trainers.reports import picture_grids

RECONSTRUCTION = "reconstruction"
TRANSFER = "transfer"
NAMES = (*METRICS, RECONSTRUCTION, TRANSFER)
# What has no meaning for a model without classes.
_BY_CLASS = frozenset(
    {"top1_accuracy", "intra_class_frechet_distance", "intra_class_diversity", TRANSFER}
)
_SHOWN_RECONSTRUCTIONS = 8
# Rows and, on either side, columns of real beside generated pictures.
_SHOWN_CLASSES, _SHOWN_OF_CLASS = 8, 5
# Multiples of the golden ratio of 2³², at which the samples of each seed begin, lie far apart.
_SEED_DISTANCE = 2_654_435_769


def measure(
    model: GenerativeModel,
    real_side: RealSide,
    *,
    names: Sequence[str] | None = None,
    samples_per_class: int = 100,
    seed: int = 0,
    cas: bool = False,
    pictures_dir: str | os.PathLike | None = None,
) -> dict[str, Any]:
    """Returns the contents of evaluation.json for a model.

    Samples are drawn, measured and forgotten a batch at a time: memory does not grow with them.

    Args:
        model: model trained on the data of the real side.
        real_side: real pictures and their judge. Models that share one are judged alike, and each
            of its real figures is computed once.
        names: names of the measures, of `NAMES`; by default all that the model can have.
        samples_per_class: number of generated pictures of each class of the data.
        seed: seed of the generated pictures.
        cas: whether to train a classifier on the samples besides, which takes minutes or more.
        pictures_dir: folder to write `real_and_generated.png`, `nearest_training.png`,
            `reconstructions.png` and `transferred.png` to; None for not at all.

    Raises:
        ValueError: when the model is of other data, or cannot have one of `names`.
    """
    check_data(model, real_side.class_names, real_side.test.description.image_shape)
    names = possible_names(model, names, cas)
    streamed = cas or any(name in METRICS for name in names)
    total = samples_per_class * len(real_side.class_names) if streamed else 0
    results: dict[str, Any] = {"generated": {}, "real": {}, "settings": {}, "notes": []}
    shown: dict[str, picture_grids.PictureGrid] = {}
    if streamed:
        compared, shown = _compare(model, real_side, names, total, seed, cas)
        results |= compared
        if pictures_dir is not None:
            shown["real_and_generated.png"] = _real_and_generated(model, real_side, seed)
    if RECONSTRUCTION in names:
        figures, shown["reconstructions.png"] = reconstruction(model, real_side)
        results["generated"] |= figures
    if TRANSFER in names:
        figures, settings, shown["transferred.png"] = transferring.transfer(model, real_side, seed)
        results["generated"] |= figures
        results["settings"].setdefault("generated", {})["Transfer"] = settings
    return {
        **results,
        "samples": {
            "generated_per_class": samples_per_class if streamed else 0,
            "generated": total,
            "seed": seed,
            "real": len(real_side.test_rows),
            "real_split": "test",
            "step": steps_taken(model),
        },
        "pictures": {} if pictures_dir is None else picture_grids.write(shown, pictures_dir),
        "versions": {
            "keras_cvaegan": __version__,
            **{module.__name__: module.__version__ for module in (tf, keras, np)},
        },
    }


def _compare(
    model: GenerativeModel,
    real_side: RealSide,
    names: Sequence[str],
    total: int,
    seed: int,
    cas: bool,
) -> tuple[dict[str, Any], dict[str, picture_grids.PictureGrid]]:
    """The figures of samples beside those of held-out pictures, and what they are based on."""
    names = [name for name in names if name in METRICS]
    using = real_side.metrics(names)
    if cas:
        using.append(_classification_accuracy_score(real_side))
    labels = Reservoir(NOVELTY_SAMPLES)
    stream = counted("Samples", samples(model, real_side.class_names, total, seed), total)
    # The score is read beside the judge's accuracy: of the same network, trained on real pictures.
    of_judge = real_side.real([*names, "top1_accuracy"])[0] if cas else {}
    real, real_settings, real_notes = real_side.real(names)
    generated, settings, notes = real_side.measure(_with_labels_held(stream, labels), using)
    if cas:
        real = {**real, "classification_accuracy_score": of_judge["top1_accuracy"]}
    results = {
        "generated": generated,
        "real": real,
        "settings": {"generated": settings, "real": real_settings},
        "notes": [
            *(f"generated: {note}" for note in notes),
            *(f"real: {note}" for note in real_notes),
            *_unequal(len(real_side.test_rows), total, len(real_side.class_names)),
            *_unequal_pairs(real_settings, real_side, total),
        ],
        "extractor": real_side.extractor.describe(),
        "judge": real_side.about,
        "reference": real_side.describe_reference(),
    }
    shown = {}
    for metric in using:
        if isinstance(metric, metrics.NearestNeighbourNovelty):
            shown["nearest_training.png"] = picture_grids.neighbours(
                metric, labels.rows, real_side.training.images, model.class_names
            )
    return results, shown


def _real_and_generated(
    model: GenerativeModel, real_side: RealSide, seed: int
) -> picture_grids.PictureGrid:
    """Held-out pictures of some classes beside samples of them; all drawn by lot."""
    random = np.random.default_rng(seed)
    labels = np.asarray(real_side.test.labels)[real_side.test_rows]
    if not model.conditional:
        labels = np.zeros_like(labels)
    classes = np.sort(random.permutation(np.unique(labels))[:_SHOWN_CLASSES])
    real = []
    for label in classes:
        of_class = np.flatnonzero(labels == label)
        chosen = random.permutation(of_class)[:_SHOWN_OF_CLASS]
        [(images, _)] = batches(real_side.test, real_side.test_rows[np.sort(chosen)])
        real.append(images)
    generated = model.generate(np.repeat(classes, _SHOWN_OF_CLASS), seed=seed)
    return picture_grids.real_and_generated(
        real,
        np.split(generated, len(classes)),
        [model.class_names[label] for label in classes] if model.conditional else [""],
    )


def _unequal(real: int, generated: int, num_classes: int) -> list[str]:
    """A note where the columns rest on numbers of pictures that differ by more than a tenth."""
    if abs(real - generated) <= 0.1 * real:
        return []
    return [
        f"{real:,} real and {generated:,} generated pictures: recall, coverage and the Fréchet "
        "distances depend on the number. Samples as many as the real pictures: "
        f"--samples_per_class={max(1, round(real / num_classes))}."
    ]


def _unequal_pairs(settings: Mapping[str, Any], real_side: RealSide, generated: int) -> list[str]:
    """A note where Eq. 12, which pairs each picture with itself too, favours one of the columns."""
    diversity = settings.get(metrics.IntraClassDiversity.__name__)
    if diversity is None:
        return []
    labels = np.asarray(real_side.test.labels)[real_side.test_rows]
    num_classes, most = len(real_side.class_names), diversity["max_samples_per_class"]
    real = np.minimum(np.bincount(labels, minlength=num_classes), most)
    counts = real[real > 1], min(generated // num_classes, most)
    if not len(counts[0]) or counts[1] < 2:
        return []
    of_real, of_generated = (float(np.mean(1 - 1 / count)) for count in counts)
    if abs(of_real - of_generated) <= 0.01:
        return []
    return [
        f"intra_class_diversity counts the pair of each picture with itself: pictures without any "
        f"likeness would reach {of_real:.3f} in the real column and {of_generated:.3f} in the "
        f"generated one. Of each class at most {most} are paired."
    ]


def possible_names(
    model: GenerativeModel, names: Sequence[str] | None = None, cas: bool = False
) -> list[str]:
    """Returns what to measure, or by default all that can be said of a model.

    Raises:
        ValueError: for a name that is unknown or has no meaning for the model.
    """
    impossible = {} if model.conditional else dict.fromkeys(_BY_CLASS, "classes")
    if len(model.class_names) < 2:
        impossible.setdefault(TRANSFER, "second class")
    if "encoder" not in model.inference_names():
        impossible |= dict.fromkeys((RECONSTRUCTION, TRANSFER), "encoder")
    if cas and not model.conditional:
        raise ValueError(f"{type(model).__name__} has no classes to train a classifier of.")
    if names is None:
        return [name for name in NAMES if name not in impossible]
    for name in names:
        if name not in NAMES:
            raise ValueError(f"There is no metric {name!r}. Allowed: {', '.join(NAMES)}.")
        if name in impossible:
            raise ValueError(f"{type(model).__name__} has no {impossible[name]}, thus no {name}.")
    return [name for name in NAMES if name in names]


def samples(
    model: GenerativeModel, class_names: Sequence[str], total: int, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields generated pictures and their labels, class after class in turn.

    Picture i depends on the seed and i alone, so that fewer are the first of more.

    Args:
        model: trained model.
        class_names: names of the classes of the data; the labels of a model without classes are 0.
        total: number of pictures in all.
        seed: seed of the pictures.
    """
    for start in range(0, total, BATCH_SIZE):
        rows = np.arange(start, min(start + BATCH_SIZE, total))
        labels = rows % len(class_names) if model.conditional else np.zeros_like(rows)
        seeds = (rows + seed * _SEED_DISTANCE % 2**32) % 2**32
        yield model.generate(labels, seed=seeds), labels


def reconstruction(
    model: GenerativeModel, real_side: RealSide
) -> tuple[dict[str, float], picture_grids.PictureGrid]:
    """Returns how far reconstructions of held-out pictures are from them, and a grid of some.

    `reconstruction_mse` is the mean squared error in units of [−1, 1], `reconstruction_psnr` the
    mean of each picture's peak signal-to-noise ratio in dB.
    """
    rows, errors = real_side.test_rows, []
    stream = counted("Reconstructions", batches(real_side.test, rows), len(rows))
    for images, labels in stream:
        errors.append(squared_errors(images, reconstruct(model, images, labels)))
    count = min(len(rows), _SHOWN_RECONSTRUCTIONS)
    chosen = np.random.default_rng(0).choice(rows, count, replace=False)
    [(images, labels)] = batches(real_side.test, chosen)
    reconstructed = pictures.to_uint8(reconstruct(model, images, labels))
    mse, psnr = error_figures(np.concatenate(errors))
    figures = {"reconstruction_mse": mse, "reconstruction_psnr": psnr}
    return figures, picture_grids.reconstructions(images, reconstructed)


def _classification_accuracy_score(real_side: RealSide) -> metrics.ClassificationAccuracyScore:
    test = real_side.test
    images, labels = test.images, test.labels
    if len(real_side.test_rows) < len(labels):
        images, labels = images[real_side.test_rows], labels[real_side.test_rows]
    return metrics.ClassificationAccuracyScore(
        (images, labels), len(real_side.class_names), augment=real_side.about["augmentation"]
    )


def _with_labels_held(
    stream: Iterator[tuple[np.ndarray, np.ndarray]], held: Reservoir
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Passes a stream on; `held` gets the labels of the samples that novelty holds."""
    for images, labels in stream:
        held.add(labels)
        yield images, labels

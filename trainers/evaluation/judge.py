"""The classifier of the real training pictures that judges samples, made once and kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

import datasets
from keras_cvaegan.metrics import recognition
from keras_cvaegan.metrics.probe import train_probe
from keras_cvaegan.training.run_directory import RunDirectory
from trainers.evaluation.real_side import RealSide
from trainers.runs.kept_networks import kept_or_trained

JUDGE_SIDE = 128
PROBE_VERSION = 1


def open_judge(
    path: Path,
    data: datasets.OpenDataset,
    judge: str = "trained",
    keep: Callable[[np.ndarray], None] = lambda features: None,
) -> tuple[keras.Model, dict[str, Any]]:
    """Returns the judge and what it is, made where it is not kept yet.

    Args:
        path: path of the `.keras` file that keeps it.
        data: data set whose training pictures it learns from.
        judge: "trained", a network of its own, from nothing; or a frozen one of
            `keras_cvaegan.pretrained`, such as "efficientnet_lite1", under a logistic regression.
        keep: function that is given the training pictures' features, float32 (n, d), where a frozen
            one's are computed for the regression.

    Returns:
        A model of images in [−1, 1] to logits, or to {"logits", "features"}, and its "name",
        "version", "data" and "augmentation", as JSON has them.

    Raises:
        ValueError: for data that cannot be used, or weights that are not installed.
        OSError: when it cannot be kept.
    """
    about, train = _trained(data) if judge == "trained" else _pretrained(data, judge, keep)
    return kept_or_trained(path, about, "classifier", train), about


def judged_side(
    data: datasets.OpenDataset, run: RunDirectory, judge: str, **options: Any
) -> RealSide:
    """Returns the real side under a judge, and keeps judge and statistics.

    A judge that is trained, and its statistics, are kept in the folder of the run. A pretrained one
    is the same for all runs on the same pictures, and lies beside these.

    Args:
        data: data set, opened.
        run: folder of a run, or of the results of a program.
        judge: see `open_judge`.
        **options: those of `RealSide`.

    Raises:
        ValueError: for data that cannot be used, or weights that are not installed.
        OSError: when something cannot be kept.
    """
    path, kept = run.evaluation_classifier, {"statistics": run.evaluation_statistics}
    if judge != "trained":
        path = beside_pictures(data, f"judge-{judge}.keras")
        kept = {
            name: beside_pictures(data, f"{name}-{judge}.npz")
            for name in ("statistics", "features")
        }
    computed: list[np.ndarray] = []
    classifier, about = open_judge(path, data, judge, computed.append)
    return RealSide(
        *(data, classifier, about),
        training_features=computed[0] if computed else None,
        **{**kept, **options},
    )


def beside_pictures(data: datasets.OpenDataset, name: str) -> Path:
    """Returns a path beside the decoded training pictures, where other runs on them find it."""
    return Path(data.prepare("train").images.filename).parent / name


Made = tuple[dict[str, Any], Callable[[], keras.Model]]


def _trained(data: datasets.OpenDataset) -> Made:
    # Drawn flowers are many; of photographs there are few, so they are shifted and mirrored.
    augment = data.name != "petals"
    about = {
        "name": "residual network on the real training pictures",
        "version": recognition.VERSION,
        "data": data.about("train"),
        "augmentation": augment,
    }

    def train() -> keras.Model:
        count = data.source("train").count
        print(
            f"Training a classifier on {count:,} real pictures, until it no longer improves …",
            flush=True,
        )
        training, validation = (data.prepare(split) for split in ("train", "validation"))
        keras.config.set_dtype_policy("float32")
        return recognition.train_classifier(
            (training.images, training.labels),
            (validation.images, validation.labels),
            len(data.class_names),
            augment=augment,
            verbose=2,
        )

    return about, train


def _pretrained(data: datasets.OpenDataset, judge: str, keep: Callable[[np.ndarray], None]) -> Made:
    about = {
        "name": f"{judge} at {JUDGE_SIDE} px under a logistic regression on the real training "
        "pictures",
        "version": PROBE_VERSION,
        "data": data.about("train"),
        "augmentation": False,
        "trunk": judge,
    }

    def train() -> keras.Model:
        training = data.prepare("train")
        keras.config.set_dtype_policy("float32")
        return train_probe(
            training.images,
            training.labels,
            len(data.class_names),
            trunk=judge,
            side=JUDGE_SIDE,
            keep=keep,
        )

    return about, train

"""Trainings of small models that learn points: each of several methods with several seeds.

What the toy examples share. Each brings its data, models and measures, and what it says of them.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping

import keras
import numpy as np
import tensorflow as tf

from keras_cvaegan.models import GenerativeModel
from keras_cvaegan.progress import Progress, time_left
from trainers.points.history import Data, Histories, History
from trainers.points.schedule import Schedule

Show = Callable[[History], None]
"""A function that is called after each measurement of a training."""


def train_model(
    method: str,
    model: GenerativeModel,
    batches: tf.data.Dataset,
    labels: np.ndarray,
    data: Data,
    schedule: Schedule,
    show: Show,
    remedy: str,
) -> History:
    """Trains a model and returns what it showed.

    Args:
        method: name of the method.
        model: compiled model of points.
        batches: batches that it learns, without end.
        labels: labels of the points that are measured, `(…, n)`.
        data: data that they are measured against.
        schedule: length of the training, and its measurements.
        show: function that is called after each measurement.
        remedy: sentence for the message of a training that diverges: what to do.

    Raises:
        ValueError: when the training diverges.
    """
    history = History()

    def record(moment: int) -> None:
        points = model.generate(labels.ravel(), seed=model.seed).reshape(*labels.shape, -1)
        if not np.isfinite(points).all():
            raise ValueError(
                f"{method} with seed {model.seed} has diverged at {schedule.unit} {moment}. "
                f"{remedy}"
            )
        history.add(moment, points, data)
        show(history)

    first, *later = schedule.moments
    record(first)
    model.fit(
        batches,
        epochs=len(later),
        steps_per_epoch=schedule.iterations_between,
        shuffle=False,
        verbose=0,
        callbacks=[
            keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: record(later[epoch]))
        ],
    )
    return history


def train_all(
    titles: Mapping[str, str],
    seeds: int,
    schedule: Schedule,
    train: Callable[[str, int, Show], History],
    keep: Callable[[Histories, list[str]], None],
) -> tuple[Histories, list[str]]:
    """Trains each method with each seed, and shows how far that is.

    A training that fails says why, and the others go on.

    Args:
        titles: titles of the methods, by name.
        seeds: number of seeds: 0, 1, …
        schedule: length of each training, and its measurements.
        train: function that trains a method with a seed; raises a ValueError where it fails.
        keep: function that is called after each training with what is returned in the end.

    Returns:
        What the trainings showed, and names and seeds of those that failed.
    """
    taken = {method: [] for method in titles}
    to_do = [(seed, method) for seed in range(seeds) for method in titles]
    histories, failed = {method: {} for method in titles}, []
    for number, (seed, method) in enumerate(to_do, start=1):
        began = time.monotonic()
        title = f"{number} of {len(to_do)}: {titles[method]}, seed {seed}  {schedule.unit}"
        later = [kind for _, kind in to_do[number:]]
        try:
            with Progress(title, schedule.length, f"{schedule.unit}s") as progress:

                def show(
                    history: History, began=began, method=method, later=later, progress=progress
                ) -> None:
                    moment, seconds = history.moments[-1], time.monotonic() - began
                    if moment:
                        whole = seconds * schedule.length / moment
                        known = {**taken, method: [*taken[method], whole]}
                        progress.later = time_left(known, later)
                    measured = history.measures.items()
                    figures = [f"{name} {values[-1]:.2f}" for name, values in measured]
                    progress.set_postfix_str("  ".join(figures), refresh=False)
                    progress.update(moment - progress.n)

                histories[method][seed] = train(method, seed, show)
            taken[method].append(time.monotonic() - began)
        except ValueError as error:
            print(f"error: {error}", file=sys.stderr)
            failed.append(f"{method}, seed {seed}")
        keep(histories, failed)
    return histories, failed

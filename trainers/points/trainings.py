"""Trainings of small models that learn points: each of several methods with several seeds.

What the toy examples share. Each brings its data, models and measures, and what it says of them.
"""

import dataclasses
import shlex
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_cvaegan.progress import Progress, duration, time_left
from trainers.points.runs import Data, Run, Runs, Summary

if TYPE_CHECKING:
    import tensorflow as tf
    from matplotlib.figure import Figure

    from keras_cvaegan.models import GenerativeModel

Show = Callable[[Run], None]
"""Is called after each measurement of a training."""


@dataclasses.dataclass(frozen=True)
class Schedule:
    """How long each training is, and when it is measured.

    Args:
        length: of a training, in units.
        every: units a measurement.
        unit: what is counted, as in the flag `--steps`.
        iterations: updates of the generator a unit.

    Raises:
        ValueError: for a length that is not a whole number of measurements.

    Example:

    >>> list(Schedule(length=4, every=2).moments)
    [0, 2, 4]
    """

    length: int
    every: int
    unit: str = "step"
    iterations: int = 1

    def __post_init__(self) -> None:
        if self.length % self.every:
            raise ValueError(
                f"--{self.unit}s must be a multiple of --record_every={self.every}. "
                f"Received: --{self.unit}s={self.length}."
            )

    @property
    def moments(self) -> range:
        """The units after which a training is measured."""
        return range(0, self.length + 1, self.every)

    @property
    def iterations_between(self) -> int:
        """Updates of the generator from one measurement to the next."""
        return self.every * self.iterations


def train(
    method: str,
    model: "GenerativeModel",
    batches: "tf.data.Dataset",
    labels: np.ndarray,
    data: Data,
    schedule: Schedule,
    show: Show,
    remedy: str,
) -> Run:
    """Trains a model and returns what it showed.

    Args:
        method: its name.
        model: compiled.
        batches: what it learns, without end.
        labels: of the points that are measured, `(…, n)`.
        data: what they are measured against.
        schedule: how long it learns.
        show: see `Show`.
        remedy: against divergence, for the message.

    Raises:
        ValueError: when the training diverges.
    """
    import keras

    run = Run()

    def record(moment: int) -> None:
        points = model.generate(labels.ravel(), seed=model.seed).reshape(*labels.shape, -1)
        if not np.isfinite(points).all():
            raise ValueError(
                f"{method} with seed {model.seed} has diverged at {schedule.unit} {moment}. "
                f"{remedy}"
            )
        run.add(moment, points, data)
        show(run)

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
    return run


def train_all(
    titles: Mapping[str, str],
    seeds: int,
    schedule: Schedule,
    train: Callable[[str, int, Show], Run],
    keep: Callable[[Runs, list[str]], None],
) -> tuple[Runs, list[str]]:
    """Trains each method with each seed, and shows how far that is.

    A training that fails says why, and the others go on.

    Args:
        titles: of the methods, by name.
        seeds: how many: 0, 1, …
        schedule: how long each training is.
        train: trains a method with a seed; raises a ValueError where it fails.
        keep: called after each training with what is returned in the end.

    Returns:
        What the trainings showed, and names and seeds of those that failed.
    """
    taken = {method: [] for method in titles}
    to_do = [(seed, method) for seed in range(seeds) for method in titles]
    runs, failed = {method: {} for method in titles}, []
    for number, (seed, method) in enumerate(to_do, start=1):
        began = time.monotonic()
        title = f"{number} of {len(to_do)}: {titles[method]}, seed {seed}  {schedule.unit}"
        later = [kind for _, kind in to_do[number:]]
        try:
            with Progress(title, schedule.length, f"{schedule.unit}s") as progress:

                def show(
                    run: Run, began=began, method=method, later=later, progress=progress
                ) -> None:
                    moment, seconds = run.moments[-1], time.monotonic() - began
                    if moment:
                        whole = seconds * schedule.length / moment
                        known = {**taken, method: [*taken[method], whole]}
                        progress.later = time_left(known, later)
                    figures = [f"{name} {all_[-1]:.2f}" for name, all_ in run.measures.items()]
                    progress.set_postfix_str("  ".join(figures), refresh=False)
                    progress.update(moment - progress.n)

                runs[method][seed] = train(method, seed, show)
            taken[method].append(time.monotonic() - began)
        except ValueError as error:
            print(f"error: {error}", file=sys.stderr)
            failed.append(f"{method}, seed {seed}")
        keep(runs, failed)
    return runs, failed


@dataclasses.dataclass(frozen=True)
class Experiment:
    """Trainings that are compared, and what is told of them.

    Args:
        name: of its files.
        titles: of the methods, by name.
        seeds: trainings of each method.
        schedule: how long each training is.
        train: see `train_all`.
        summarize: what the trainings showed, as JSON has it; empty where all failed.
        verdict: a line on the paper's claim, from the summary.
        table: the measures to be read, from the summary.
        figure: draws the runs, by title of the method.
    """

    name: str
    titles: Mapping[str, str]
    seeds: int
    schedule: Schedule
    train: Callable[[str, int, Show], Run]
    summarize: Callable[[Runs], Summary]
    verdict: Callable[[Summary], str]
    table: Callable[[Summary], str]
    figure: Callable[[Mapping[str, Sequence[Run]]], "Figure"]

    def run(self, output: str, flags: Mapping[str, Any]) -> int:
        """Trains all; prints what they showed, and writes it to NAME.json and NAME.png.

        The JSON file is there, for as much as there is, after each training.

        Args:
            output: folder of the files.
            flags: of the program, for the JSON file.

        Returns:
            The exit code of the program: 1 where a training failed.

        Raises:
            ValueError: when all failed.
            OSError: when `output` cannot be written.
        """
        from keras_cvaegan.training.run_directory import RunDirectory, write_json
        from trainers.reports.plots import write_figure

        folder = Path(output).expanduser()
        figures, picture = folder / f"{self.name}.json", folder / f"{self.name}.png"
        RunDirectory(folder).create()

        def keep(runs: Runs, failed: list[str]) -> None:
            summary = self.summarize(runs)
            results = {"flags": flags, "methods": summary, "verdict": self.verdict(summary)}
            write_json(figures, {**results, "failed": failed})

        began = time.monotonic()
        runs, failed = train_all(self.titles, self.seeds, self.schedule, self.train, keep)
        summary = self.summarize(runs)
        if not summary:
            raise ValueError("No training came to its end: see the messages above.")
        shown = {self.titles[name]: list(runs[name].values()) for name in summary}
        write_figure(picture, self.figure(shown))
        print(f"\n{self.table(summary)}\n\n{self.verdict(summary)}")
        for run in failed:
            print(f"Failed, and left out here: {run}")
        print(f"In {duration(time.monotonic() - began)}. Written to", end=" ")
        print(" and ".join(shlex.quote(str(path)) for path in (figures, picture)))
        return 1 if failed else 0

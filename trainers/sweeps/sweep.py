"""Trains the models that a program compares: each in a run directory of its own, each once.

Started again, it goes on where it stopped. Seed after seed, all models of the first one before any
of the second, so that there is something to compare early.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import keras

import datasets
import keras_cvaegan
from keras_cvaegan.models import GenerativeModel
from keras_cvaegan.progress import duration, time_left
from keras_cvaegan.training.checkpoints import checkpoint_step
from keras_cvaegan.training.configuration import TrainingConfig
from keras_cvaegan.training.loop import run
from keras_cvaegan.training.run_directory import RunDirectory, read_json, write_json
from trainers.evaluation.judge import judged_side
from trainers.evaluation.real_side import RealSide
from trainers.runs.data import TrainingPictures, open_data


@dataclasses.dataclass(frozen=True)
class Contender:
    """One of the models that are compared.

    Args:
        name: name of the contender's folder, and in results.
        title: name in tables.
        config: configuration of its trainings, in which the seed is replaced by that of each.
    """

    name: str
    title: str
    config: TrainingConfig


class Sweep:
    """The trainings of several contenders with several seeds, in `OUTPUT/NAME/seed_N`.

    Args:
        output: folder of all runs; made when they are trained.
        contenders: models that are compared, on the same data.
        seeds: number of seeds: 0, 1, …
        command: command that started the program, for each run's config.json.
        judge: classifier that judges; see `open_judge`.

    Attributes:
        data: data set of all runs, opened once.

    Raises:
        ValueError: for images of several sizes, data that cannot be used, or runs in `output` that
            are of another configuration.
    """

    def __init__(
        self,
        output: str | os.PathLike,
        contenders: Sequence[Contender],
        seeds: int,
        command: str = "",
        judge: str = "efficientnet_lite1",
    ) -> None:
        self.output = RunDirectory(output)
        self.contenders = list(contenders)
        self.seeds = seeds
        self._command = command
        self._judge = judge
        self.configs = {
            (contender.name, seed): contender.config.replace(seed=seed, export=False)
            for contender, seed in self._all()
        }
        sides = {config.model: config.image_size for config in self.configs.values()}
        if len(set(sides.values())) > 1:
            raise ValueError(
                "All models must have images of one size. Received the defaults of the preset: "
                f"{', '.join(f'{side} px for {model}' for model, side in sides.items())}. Choose "
                "one with --image_size."
            )
        for contender, seed in self._all():
            self._refuse_other(contender, seed)
        self.data: datasets.OpenDataset = open_data(self.config)
        self._loaded: tuple[Path | None, GenerativeModel | None] = None, None

    def _all(self) -> list[tuple[Contender, int]]:
        """Contenders and seeds, in the order of their trainings."""
        seeds = range(self.seeds)
        return [(contender, seed) for seed, contender in itertools.product(seeds, self.contenders)]

    @property
    def config(self) -> TrainingConfig:
        """The configuration of the first run; data and length are those of all."""
        return self.configs[self.contenders[0].name, 0]

    def run(self, contender: Contender, seed: int) -> RunDirectory:
        """Returns where a run lies."""
        return RunDirectory(self.output.path / contender.name / f"seed_{seed}")

    def _refuse_other(self, contender: Contender, seed: int) -> None:
        """Refuses what lies where a run goes, if it is another."""
        directory, config = self.run(contender, seed), self.configs[contender.name, seed]
        if not directory.config.exists() or _newest_checkpoint(directory) is None:
            return
        earlier, step = directory.read_config(), _step(directory)
        problems = []
        if step > config.steps:
            problems.append(f"it has taken {step} steps, all are to take {config.steps}")
        config.refuse_other(earlier, earlier.get("class_names", ()), directory.path, problems)

    def train(self) -> bool:
        """Trains what is not trained yet; returns False where a signal asked to stop.

        A run that fails says why, and the others go on: see `failed`.

        Raises:
            ValueError: when all failed.
            OSError: when `output` cannot be written, or another process trains there.
        """
        to_do = [run for run in self._all() if not self._is_complete(*run)]
        all_, taken = len(self.configs), {contender.name: [] for contender in self.contenders}
        print(f"{all_ - len(to_do)} of {all_} runs are complete: {self.output.path}")
        self.output.create()
        with self.output.lock():
            for number, (contender, seed) in enumerate(to_do):
                left = time_left(taken, [later.name for later, _ in to_do[number:]])
                about = "" if left is None else f", about {duration(left)} left"
                count = f"Run {all_ - len(to_do) + number + 1} of {all_}"
                print(f"\n{count}: {contender.title}, seed {seed}{about}", flush=True)
                # A run that goes on does not tell how long a whole one takes.
                whole, began = _step(self.run(contender, seed)) == 0, time.monotonic()
                try:
                    if not self._train_one(contender, seed):
                        return False
                except (ValueError, OSError) as error:
                    print(f"error: {error}", file=sys.stderr)
                    continue
                if whole:
                    taken[contender.name].append(time.monotonic() - began)
        if not self.complete():
            raise ValueError("No run came to its end: see the messages above.")
        return True

    def _train_one(self, contender: Contender, seed: int) -> bool:
        """Trains one run; returns False where a signal asked to stop."""
        keras.utils.clear_session()
        config = self.configs[contender.name, seed]
        pictures = TrainingPictures(config, self.data)
        return run(config, pictures, self.run(contender, seed).path, command=self._command).complete

    def complete(self) -> list[tuple[Contender, int]]:
        """Returns the contenders and seeds of the runs that are trained to the end."""
        return [run for run in self._all() if self._is_complete(*run)]

    def failed(self) -> list[str]:
        """Returns names and seeds of those that are not: after `train`, those that failed."""
        return [
            f"{c.name}, seed {seed}" for c, seed in self._all() if not self._is_complete(c, seed)
        ]

    def real_side(self, max_test_images: int, names: Iterable[str] = ()) -> RealSide:
        """Returns what all runs are measured with; its judge is trained once and kept.

        Args:
            max_test_images: largest number of held-out pictures to use.
            names: names of the metrics, where held-out pictures are measured too: see `RealSide`.

        Raises:
            ValueError: for data that cannot be used.
        """
        return judged_side(
            self.data, self.output, self._judge, max_test_images=max_test_images, names=names
        )

    def model(self, contender: Contender, seed: int) -> GenerativeModel:
        """Returns the model of a complete run; asked for again before another, the same one."""
        path = self.run(contender, seed).model
        if self._loaded[0] != path:
            self._loaded = path, keras_cvaegan.load(path)
        return self._loaded[1]

    def measured(
        self,
        contender: Contender,
        seed: int,
        real_side: RealSide,
        settings: dict[str, Any],
        measure: Callable[[GenerativeModel], dict[str, Any]],
    ) -> dict[str, Any]:
        """Returns what `measure` says of a complete run, from its compared.json where that serves.

        Args:
            contender: contender of the run.
            seed: seed of the run.
            real_side: real pictures and judge that `measure` compares with.
            settings: values that the figures depend on besides, as JSON has them.
            measure: function that returns figures of a model, as JSON has them.
        """
        directory = self.run(contender, seed)
        asked = {
            **settings,
            "real": len(real_side.test_rows),
            "judge": real_side.judge.fingerprint,
            "data": {split: self.data.key(split) for split in ("train", "test")},
            "version": keras_cvaegan.__version__,
        }
        if directory.is_newer(directory.compared, directory.model):
            try:
                kept = read_json(directory.compared)
                if kept.get("asked") == asked:
                    return kept["figures"]
            except (ValueError, KeyError) as error:
                print(f"Measuring anew, since {error}")
        figures = measure(self.model(contender, seed))
        write_json(directory.compared, {"asked": asked, "figures": figures})
        return figures

    def _is_complete(self, contender: Contender, seed: int) -> bool:
        directory, steps = self.run(contender, seed), self.configs[contender.name, seed].steps
        newest = _newest_checkpoint(directory)
        return (
            newest is not None
            and checkpoint_step(newest) >= steps
            and directory.is_newer(directory.model, newest)
        )


def _newest_checkpoint(directory: RunDirectory) -> Path | None:
    """A run's last checkpoint, by its name alone: those of large models take long to read."""
    return max(directory.checkpoints.glob("step_*.weights.h5"), key=checkpoint_step, default=None)


def _step(directory: RunDirectory) -> int:
    """The step of a run's last checkpoint; 0 without one."""
    newest = _newest_checkpoint(directory)
    return 0 if newest is None else checkpoint_step(newest)

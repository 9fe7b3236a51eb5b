"""Trains the models that a program compares: each in a run directory of its own, each once.

Started again, it goes on where it stopped. Seed after seed, all models of the first one before any
of the second, so that there is something to compare early.
"""

import dataclasses
import itertools
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import keras

import keras_cvaegan
from keras_cvaegan.models import GenerativeModel
from keras_cvaegan.progress import duration, time_left
from keras_cvaegan.training.checkpoints import checkpoint_step
from keras_cvaegan.training.run_directory import RunDirectory, read_json, write_json
from trainers import evaluate, fit
from trainers.command_line.command import INTERRUPTED
from trainers.evaluation.real_side import Yardstick
from trainers.runs import configuration


@dataclasses.dataclass(frozen=True)
class Contender:
    """One of the models that are compared.

    Args:
        name: of its folder, and in results.
        title: in tables.
        arguments: of `trainers.fit`, beside those that all contenders have.
    """

    name: str
    title: str
    arguments: Sequence[str]


class Series:
    """The trainings of several contenders with several seeds, in `OUTPUT/NAME/seed_N`.

    Args:
        output: folder of all runs; made when they are trained.
        contenders: what is compared.
        seeds: how many: 0, 1, …
        arguments: of `trainers.fit`, which all runs have.

    Raises:
        ValueError: for arguments that `trainers.fit` does not take, or runs in `output` that are
            of another configuration.
    """

    def __init__(
        self,
        output: str | Path,
        contenders: Sequence[Contender],
        seeds: int,
        arguments: Sequence[str],
    ) -> None:
        self.output = RunDirectory(output)
        self.contenders = list(contenders)
        self.seeds = seeds
        self._arguments = {
            (contender.name, seed): [
                *arguments,
                *contender.arguments,
                f"--seed={seed}",
                f"--run_dir={self.run(contender, seed).path}",
                "--noexport",
            ]
            for contender, seed in self._all()
        }
        self.configs = {
            (contender.name, seed): self._configure(contender, seed)
            for contender, seed in self._all()
        }
        sides = {config["model"]: config["image_size"] for config in self.configs.values()}
        if len(set(sides.values())) > 1:
            raise ValueError(
                "All models must have images of one size. Received the defaults of the preset: "
                f"{', '.join(f'{side} px for {model}' for model, side in sides.items())}. Choose "
                "one with --image_size."
            )
        for contender, seed in self._all():
            self._refuse_other(contender, seed)
        self._loaded: tuple[Path | None, GenerativeModel | None] = None, None

    def _all(self) -> list[tuple[Contender, int]]:
        """Contenders and seeds, in the order of their trainings."""
        seeds = range(self.seeds)
        return [(contender, seed) for seed, contender in itertools.product(seeds, self.contenders)]

    @property
    def config(self) -> dict[str, Any]:
        """The configuration of the first run; data and length are those of all."""
        return self.configs[self.contenders[0].name, 0]

    def run(self, contender: Contender, seed: int) -> RunDirectory:
        """Returns where a run lies."""
        return RunDirectory(self.output.path / contender.name / f"seed_{seed}")

    def _configure(self, contender: Contender, seed: int) -> dict[str, Any]:
        values = fit.COMMAND.parse(self._arguments[contender.name, seed])
        try:
            return configuration.configure(values)
        except ValueError as error:
            raise ValueError(f"{contender.title}: {error}") from None

    def _refuse_other(self, contender: Contender, seed: int) -> None:
        """Refuses what lies where a run goes, if it is another: as `trainers.fit` would."""
        run, config = self.run(contender, seed), self.configs[contender.name, seed]
        if not run.config.exists() or _newest_checkpoint(run) is None:
            return
        earlier = run.read_config()
        new = {"config": config, "class_names": earlier.get("class_names")}
        problems = configuration.differences(earlier, new)
        if _step(run) > config["steps"]:
            problems.append(f"it has taken {_step(run)} steps, all are to take {config['steps']}")
        if problems:
            raise ValueError(
                f"The run in {str(run.path)!r} has another configuration: {'; '.join(problems)}. "
                "Start with the flags that it began with, or choose another --output."
            )

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
                keras.utils.clear_session()
                code = fit.COMMAND.call(fit.main, self._arguments[contender.name, seed])
                if code == INTERRUPTED:
                    return False
                if whole and not code:
                    taken[contender.name].append(time.monotonic() - began)
        if not self.complete():
            raise ValueError("No run came to its end: see the messages above.")
        return True

    def complete(self) -> list[tuple[Contender, int]]:
        """Returns the contenders and seeds of the runs that are trained to the end."""
        return [run for run in self._all() if self._is_complete(*run)]

    def failed(self) -> list[str]:
        """Returns names and seeds of those that are not: after `train`, those that failed."""
        return [
            f"{c.name}, seed {seed}" for c, seed in self._all() if not self._is_complete(c, seed)
        ]

    def yardstick(self, max_test_images: int, names: Iterable[str] = ()) -> Yardstick:
        """Returns what all runs are measured with; its judge is trained once and kept.

        Args:
            max_test_images: the most held-out pictures to use.
            names: of the metrics, where held-out pictures are measured too: see `Yardstick`.

        Raises:
            ValueError: for data that cannot be used.
        """
        num_classes = len(configuration.data_source(self.config).class_names)
        classifier, about = evaluate.judge(self.output, self.config, num_classes)
        return Yardstick(
            configuration.data_arguments(self.config),
            classifier,
            about,
            statistics=self.output.evaluation_statistics,
            max_test_images=max_test_images,
            names=names,
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
        yardstick: Yardstick,
        settings: dict[str, Any],
        measure: Callable[[GenerativeModel], dict[str, Any]],
    ) -> dict[str, Any]:
        """Returns what `measure` says of a complete run, from its compared.json where that serves.

        Args:
            contender: of the run.
            seed: of the run.
            yardstick: what `measure` measures with.
            settings: what else the figures depend on, as JSON has it.
            measure: returns figures of a model, as JSON has them.
        """
        run = self.run(contender, seed)
        asked = {
            **settings,
            "real": len(yardstick.test_rows),
            "judge": yardstick.judge.fingerprint,
            "data": {split: yardstick.key(split) for split in ("train", "test")},
            "version": keras_cvaegan.__version__,
        }
        if run.is_newer(run.compared, run.model):
            try:
                kept = read_json(run.compared)
                if kept.get("asked") == asked:
                    return kept["figures"]
            except (ValueError, KeyError) as error:
                print(f"Measuring anew, since {error}")
        figures = measure(self.model(contender, seed))
        write_json(run.compared, {"asked": asked, "figures": figures})
        return figures

    def _is_complete(self, contender: Contender, seed: int) -> bool:
        run, steps = self.run(contender, seed), self.configs[contender.name, seed]["steps"]
        newest = _newest_checkpoint(run)
        return (
            newest is not None
            and checkpoint_step(newest) >= steps
            and run.is_newer(run.model, newest)
        )


def _newest_checkpoint(run: RunDirectory) -> Path | None:
    """A run's last checkpoint, by its name alone: those of large models take long to read."""
    return max(run.checkpoints.glob("step_*.weights.h5"), key=checkpoint_step, default=None)


def _step(run: RunDirectory) -> int:
    """The step of a run's last checkpoint; 0 without one."""
    newest = _newest_checkpoint(run)
    return 0 if newest is None else checkpoint_step(newest)

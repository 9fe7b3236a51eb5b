"""Trainings on points that are compared: what is told of them, and the files that they leave."""

from __future__ import annotations

import dataclasses
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from keras_cvaegan.progress import duration
from keras_cvaegan.training.run_directory import RunDirectory, write_json
from trainers.points.history import Histories, History, Summary
from trainers.points.schedule import Schedule
from trainers.points.trainings import Show, train_all
from trainers.reports.plots import write_figure


@dataclasses.dataclass(frozen=True)
class Experiment:
    """Trainings that are compared, and what is told of them.

    Args:
        name: name of its files.
        titles: titles of the methods, by name.
        seeds: number of trainings of each method.
        schedule: length of each training, and its measurements.
        train: function that trains a method with a seed, as `train_all` takes it.
        summarize: function from histories to what they come to, as JSON has it; empty where all
            trainings failed.
        verdict: function from that summary to a line on the paper's claim.
        table: function from that summary to the measures, to be read.
        figure: function that draws histories, by title of the method.
    """

    name: str
    titles: Mapping[str, str]
    seeds: int
    schedule: Schedule
    train: Callable[[str, int, Show], History]
    summarize: Callable[[Histories], Summary]
    verdict: Callable[[Summary], str]
    table: Callable[[Summary], str]
    figure: Callable[[Mapping[str, Sequence[History]]], Figure]

    def run(self, output: str, flags: Mapping[str, Any]) -> int:
        """Trains all; prints what they showed, and writes it to NAME.json and NAME.png.

        The JSON file is there, for as much as there is, after each training.

        Args:
            output: folder of the files.
            flags: flags of the program, for the JSON file.

        Returns:
            The exit code of the program: 1 where a training failed.

        Raises:
            ValueError: when all failed.
            OSError: when `output` cannot be written.
        """
        folder = Path(output).expanduser()
        figures, picture = folder / f"{self.name}.json", folder / f"{self.name}.png"
        RunDirectory(folder).create()

        def keep(histories: Histories, failed: list[str]) -> None:
            summary = self.summarize(histories)
            results = {"flags": flags, "methods": summary, "verdict": self.verdict(summary)}
            write_json(figures, {**results, "failed": failed})

        began = time.monotonic()
        histories, failed = train_all(self.titles, self.seeds, self.schedule, self.train, keep)
        summary = self.summarize(histories)
        if not summary:
            raise ValueError("No training came to its end: see the messages above.")
        shown = {self.titles[name]: list(histories[name].values()) for name in summary}
        write_figure(picture, self.figure(shown))
        print(f"\n{self.table(summary)}\n\n{self.verdict(summary)}")
        for run in failed:
            print(f"Failed, and left out here: {run}")
        print(f"In {duration(time.monotonic() - began)}. Written to", end=" ")
        print(" and ".join(shlex.quote(str(path)) for path in (figures, picture)))
        return 1 if failed else 0

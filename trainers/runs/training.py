"""Trains what flags describe, and says what it left."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from keras_cvaegan.training.loop import Trained, run
from trainers.command_line.command import INTERRUPTED
from trainers.command_line.training_config import training_config
from trainers.runs.data import TrainingPictures
from trainers.runs.describing import describe

if TYPE_CHECKING:
    from absl.flags import FlagValues


def fit(values: FlagValues, command: str) -> int:
    """Trains in `--run_dir`, or describes with `--dry_run`; returns the exit code.

    Args:
        values: flags of `trainers.fit`.
        command: command that started the program, to be typed again.

    Raises:
        ValueError: for flags or data that cannot be used.
        OSError: when the run directory cannot be written.
    """
    config = training_config(values)
    if values.dry_run:
        print(describe(config))
        return 0
    run_dir = values.run_dir or f"runs/{config.dataset}_{config.model}"
    trained = run(config, TrainingPictures(config), run_dir, command=command)
    if not trained.complete:
        return INTERRUPTED
    if trained.is_chief and trained.trained_now:
        print(what_is_left(trained))
    return 0


def what_is_left(trained: Trained) -> str:
    """Returns where a finished run left what, and what one does next."""
    directory = trained.directory
    where = f"--run_dir={shlex.quote(str(directory.path))}"
    labels = "0,1" if trained.model.conditional else "0"
    lines = [
        "",
        f"Samples:     {directory.samples / 'latest.png'}",
        f"Model:       {directory.model}",
        *([f"SavedModel:  {trained.exported}"] if trained.exported else []),
        f"TensorBoard: tensorboard --logdir={shlex.quote(str(directory.tensorboard))}",
        f"Next:        python -m trainers.evaluate {where}",
        f"             python -m trainers.generate {where} --labels={labels} --count=8",
    ]
    return "\n".join(lines)

"""metrics.jsonl: a line of step, speed and losses for each line of the log."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from keras_cvaegan.files import write_text
from keras_cvaegan.training.callbacks import reported
from keras_cvaegan.training.checkpoints import steps_taken


class MetricsWriter(keras.callbacks.Callback):
    """Appends a JSON line of step and losses at every epoch's end. Needs `Speed` before it.

    Args:
        path: path of the file. Call `truncate_metrics` on it before going on from a checkpoint.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        super().__init__()
        self._path = Path(path)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any]) -> None:
        values = {
            "step": steps_taken(self.model),
            "seconds": round(logs["seconds"], 3),
            "images_per_second": round(logs["images_per_second"], 1),
            **reported(self.model, logs),
        }
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(values) + "\n")


def truncate_metrics(path: str | os.PathLike, step: int) -> float:
    """Removes the lines after a step, and what a killed process left of a line.

    Args:
        path: path of the file that `MetricsWriter` writes; it may be missing.
        step: the last one to keep.

    Returns:
        The seconds that the run had taken at the last line that is kept; 0 without one.
    """
    path = Path(path)
    if not path.exists():
        return 0.0
    kept, seconds = [], 0.0
    for line in path.read_text("utf-8").splitlines():
        try:
            values = json.loads(line)
            if values["step"] > step:
                continue
            seconds = values["seconds"]
        except (ValueError, KeyError, TypeError):
            continue
        kept.append(line + "\n")
    write_text(path, "".join(kept))
    return seconds

"""The folder of one run, where each program finds what the others left."""

import contextlib
import json
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from keras_cvaegan.files import locked, write_text


def write_json(path: str | os.PathLike, values: Any) -> None:
    """Writes a JSON file; whoever looks sees the old file or the whole new one."""
    write_text(path, json.dumps(values, indent=2) + "\n")


def read_json(path: str | os.PathLike) -> dict[str, Any]:
    """Returns the values of a JSON file that holds an object.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: when it cannot be read, or holds anything else.
    """
    try:
        values = json.loads(Path(path).read_text("utf-8"))
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        raise ValueError(f"{str(path)!r} cannot be read ({error}).") from error
    if not isinstance(values, dict):
        raise ValueError(f"{str(path)!r} cannot be read (it holds no object of JSON).")
    return values


class RunDirectory:
    """Where a run keeps its configuration, checkpoints, measures, samples and results.

    Args:
        path: the folder; it need not exist yet.

    Example:

    >>> RunDirectory("runs/petals_cvae_gan").model.name
    'model.keras'
    """

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = Path(path).expanduser()
        self.config = self.path / "config.json"
        self.metrics = self.path / "metrics.jsonl"
        self.samples = self.path / "samples"
        self.tensorboard = self.path / "tensorboard"
        self.checkpoints = self.path / "checkpoints"
        self.model = self.path / "model.keras"
        self.export = self.path / "export"
        self.evaluation = self.path / "evaluation.json"
        self.compared = self.path / "compared.json"
        self.evaluation_classifier = self.path / "evaluation_classifier.keras"
        self.evaluation_statistics = self.path / "evaluation_statistics.npz"
        self.report = self.path / "report.html"

    def create(self) -> None:
        """Makes the folder where it is missing, and proves that it can be written.

        Raises:
            OSError: when it cannot.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            probe = self.path / f".{uuid.uuid4().hex}.partial"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise OSError(
                f"Cannot write the run directory {str(self.path)!r} "
                f"({error.strerror or error}). Choose another with --run_dir."
            ) from error

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Keeps other processes from training in the folder; the system ends it with the process.

        Raises:
            OSError: when another process trains there.
        """
        message = (
            f"Another process is training in {str(self.path)!r}. Wait for it, or choose another "
            "--run_dir."
        )
        with locked(self.path / ".lock", message):
            yield

    def write_config(self, config: dict[str, Any]) -> None:
        """Writes config.json."""
        write_json(self.config, config)

    def read_config(self) -> dict[str, Any]:
        """Returns what `trainers.fit` wrote into config.json.

        Raises:
            ValueError: when the folder is not a run directory.
        """
        try:
            config = read_json(self.config)
        except FileNotFoundError:
            what = "has no config.json" if self.path.is_dir() else "there is no such folder"
            raise ValueError(f"Not a run directory: {str(self.path)!r}: {what}.") from None
        except ValueError as error:
            raise ValueError(f"Not a run directory: {error}") from error
        if "config" not in config:
            raise ValueError(
                f"Not a run directory: {str(self.config)!r} was not written by trainers.fit."
            )
        return config

    def finished_model(self) -> Path:
        """Returns the path of the trained model.

        Raises:
            ValueError: when the folder is not a run directory, or its training has not ended.
        """
        self.read_config()
        if not self.model.is_file():
            raise ValueError(
                f"The run {str(self.path)!r} has no model.keras yet: start its training again to "
                "go on to the end."
            )
        return self.model

    @staticmethod
    def is_newer(path: Path, than: Path) -> bool:
        """Whether a file is there and was written after another."""
        return path.exists() and path.stat().st_mtime_ns >= than.stat().st_mtime_ns

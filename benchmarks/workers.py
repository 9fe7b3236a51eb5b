"""Processes that are measured: each holds one contender, and works when it is told to.

A back end and its threads belong to a process. While one worker works, the others wait on a pipe.
"""

import contextlib
import functools
import importlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from trainers.command_line.command import TRAINING_ENVIRONMENT

ROOT = Path(__file__).parents[1]


class WorkerError(OSError):
    """A worker ended before its answer."""


class Worker:
    """A process that serves one module of this package, as seen from the program.

    Args:
        kind: name of the module, whose `serve(channel, **arguments)` runs in the process.
        environment: environment variables beside those of this process.
        **arguments: arguments of `serve`, which JSON can hold.

    Attributes:
        about: description of itself that the module gave when it was ready.

    Raises:
        WorkerError: when the process ends before it is ready.
    """

    def __init__(self, kind: str, environment: Mapping[str, str] | None = None, **arguments: Any):
        self._kind = kind
        self._errors = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115
        quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONUNBUFFERED": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.workers", kind, json.dumps(arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            cwd=ROOT,
            env=os.environ | quiet | dict(environment or {}),
        )
        try:
            self.about = self._answer()
        except BaseException:
            self.close()
            raise

    def ask(self, what: str, **arguments: Any) -> Any:
        """Has the worker do something, and returns its answer.

        Raises:
            WorkerError: when the process ends before it answers.
        """
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps([what, arguments]) + "\n")
            self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        line = self._process.stdout.readline()
        if not line:
            raise WorkerError(f"{self._kind} has ended: {self._last_words()}")
        return json.loads(line)

    def _last_words(self) -> str:
        code = self._process.wait()
        if code < 0:
            return f"killed by signal {-code}"
        self._errors.seek(0)
        lines = [line.strip() for line in self._errors if line.strip()]
        return lines[-1] if lines else f"exit code {code}"

    def train(self, seconds: float) -> float:
        """Has a worker that trains do so for a turn; returns images a second."""
        return self.ask("train", seconds=seconds)["images_per_second"]

    def warm_up(self, seconds: float) -> None:
        """Has it compile, then train for a turn that does not count.

        Raises:
            WorkerError: when it cannot train; its process has ended.
        """
        try:
            for turn in (0.0, seconds):
                self.train(turn)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            with contextlib.suppress(OSError):
                stream.close()

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class Trainer(Worker):
    """A process that trains one of our models, and has taken its first steps.

    Args:
        backend: back end of Keras.
        environment: environment variables beside those of this process.
        seconds: length of the turn that follows the compilation.
        **model: arguments of `keras_training.serve`.

    Attributes:
        peak_memory: most bytes held until the end of that turn, by the GPU where there is one, else
            by the process.
    """

    def __init__(
        self,
        backend: str = "tensorflow",
        environment: Mapping[str, str] | None = None,
        *,
        seconds: float,
        **model: Any,
    ):
        self._environment = {
            "KERAS_BACKEND": backend,
            "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
            **(environment or {}),
        }
        self._products: Worker | None = None
        super().__init__("keras_training", TRAINING_ENVIRONMENT | self._environment, **model)
        self.warm_up(seconds)
        self.peak_memory: int = self.ask("memory")

    def products(self, seconds: float) -> dict[str, Callable[[], float]]:
        """Returns contenders that multiply square matrices; their rates are FLOP/s."""
        dtype = self.about["compute_dtype"]
        self._products = Worker("matrix_products", self._environment, dtype=dtype)
        sides = self._products.about["sides"]
        for side in sides:
            self._products.ask("product", side=side, seconds=0)
        return {
            f"product {side}": functools.partial(
                self._products.ask, "product", side=side, seconds=seconds / len(sides)
            )
            for side in sides
        }

    def close(self) -> None:
        """Ends the process, and that of the products."""
        if self._products:
            self._products.close()
        super().close()


class Channel:
    """The program, as seen from a worker.

    Args:
        requests: lines from the program.
        answers: lines to the program.
    """

    def __init__(self, requests: IO[str], answers: IO[str]) -> None:
        self._requests = requests
        self._answers = answers

    def answer(self, content: Any) -> None:
        """Sends an answer."""
        self._answers.write(json.dumps(content) + "\n")
        self._answers.flush()

    def requests(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Gives what the program asks for, and with which arguments, until it wants no more."""
        for line in self._requests:
            what, arguments = json.loads(line)
            yield what, arguments

    def serve(self, functions: Mapping[str, Callable[..., Any]]) -> None:
        """Answers each request with what the function of its name returns."""
        for what, arguments in self.requests():
            self.answer(functions[what](**arguments))


def main() -> None:
    """Serves the module that the arguments name: `python -m benchmarks.workers KIND ARGUMENTS`."""
    kind, arguments = sys.argv[1], json.loads(sys.argv[2])
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # What libraries print is no answer.
    channel = Channel(sys.stdin, answers)
    importlib.import_module(f"benchmarks.{kind}").serve(channel, **arguments)


if __name__ == "__main__":
    main()

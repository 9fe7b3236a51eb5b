"""What the benchmarks share: flags, turns, spreads, memory, tables and the record they leave.

A noisy machine is slow for all that run on it at the time. So contenders take turns, and two of
them are compared by the median of their quotients, one a round.
"""

import dataclasses
import importlib.metadata
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_cvaegan.training.run_directory import write_json
from trainers.command_line.command import Command

if TYPE_CHECKING:
    from absl.flags import FlagValues

BACKENDS = ("tensorflow", "jax")
IMAGE_SIZES = {"compact": 32, "paper": 128, "photo": 64}
"""The presets' own, which `keras_cvaegan.networks.PRESETS` tells only with a back end loaded."""
PACKAGES = ("keras", "tensorflow", "jax", "jaxlib", "torch", "grain", "numpy", "pillow")
BATCHES = 4
Rates = dict[str, list[float]]


class Command(Command):
    """A program whose own process computes nothing: what it measures runs in others."""

    def prepare(self) -> None:
        """Leaves TensorFlow alone, which a machine may not have."""


@dataclasses.dataclass(frozen=True)
class Spread:
    """Median and quartiles of what the rounds gave.

    Example:

    >>> str(Spread.of([1.0, 1.1, 1.2, 1.3, 9.0]))
    '1.20 (1.10–1.30)'
    """

    median: float
    lower_quartile: float
    upper_quartile: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Returns the spread of at least one value."""
        lower = upper = values[0]
        if len(values) > 1:
            lower, _, upper = statistics.quantiles(values, n=4, method="inclusive")
        return cls(statistics.median(values), lower, upper)

    def __mul__(self, factor: float) -> "Spread":
        return Spread(*(part * factor for part in dataclasses.astuple(self)))

    def __str__(self) -> str:
        return "{} ({}–{})".format(*map(_number, dataclasses.astuple(self)))


def _number(value: float) -> str:
    return f"{value:.2f}" if abs(value) < 10 else f"{value:,.0f}"


def quotient(rates: Rates, dividend: str, divisor: str) -> Spread:
    """Returns how many times as fast one contender is as another, round by round."""
    pairs = zip(rates[dividend], rates[divisor], strict=True)
    return Spread.of([ours / theirs for ours, theirs in pairs])


def alternate(contenders: Mapping[str, Callable[[], float]], rounds: int, title: str) -> Rates:
    """Lets the contenders take turns: each once a round, in reverse order every other round.

    Args:
        contenders: functions by name that run for one turn and return the rate they reached; each
            has run before, so that none compiles in its first turn.
        rounds: number of turns of each.
        title: heading of the progress on stderr.

    Returns:
        The rates of each contender, in the order of the rounds.

    Example:

    >>> alternate({"a": lambda: 1.0, "b": lambda: 2.0}, rounds=2, title="example")
    {'a': [1.0, 1.0], 'b': [2.0, 2.0]}
    """
    rates: Rates = {name: [] for name in contenders}
    for turn in range(rounds):
        progress(f"{title}: round {turn + 1} of {rounds}")
        order = list(contenders) if turn % 2 == 0 else list(reversed(contenders))
        for name in order:
            rates[name].append(contenders[name]())
    return rates


def rate(function: Callable[[], Any], seconds: float) -> float:
    """Calls a function, at least once, until the seconds are over; returns calls a second."""
    began, calls = time.perf_counter(), 0
    while True:
        function()
        calls += 1
        elapsed = time.perf_counter() - began
        if elapsed >= seconds:
            return calls / elapsed


def random_batches(
    image_size: int, batch_size: int, num_classes: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Returns a few batches of uint8 noise with labels, the same for every contender."""
    rng = np.random.default_rng(0)
    shape = (batch_size, image_size, image_size, 3)
    return [
        (
            rng.integers(0, 256, shape, np.uint8),
            rng.integers(0, num_classes, batch_size, np.int32),
        )
        for _ in range(BATCHES)
    ]


def peak_memory() -> int:
    """Returns the most memory that this process has held so far, in bytes."""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise OSError("/proc/self/status does not tell the peak memory on this system.")


def cores() -> int:
    """Returns the number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0))


def machine() -> dict[str, Any]:
    """Returns what the figures depend on: processor, cores, versions."""
    versions = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = None
    return {
        "processor": _processor(),
        "cores": cores(),
        "load": os.getloadavg()[0],
        "system": platform.platform(),
        "versions": versions,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def progress(text: str) -> None:
    """Shows on stderr what goes on: on a terminal in one line, which the next overwrites."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}")
    elif text:
        sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def table(headers: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Returns rows of text under headers: the first column flush left, the others flush right.

    A row with fewer cells than headers ends in a remark, which may be longer than its column.

    Example:

    >>> print(table(["preset", "images/s"], [["compact", "1,024"], ["paper", "7"]]))
    preset    images/s
    compact      1,024
    paper            7
    """
    cells = [[str(cell) for cell in row] for row in [headers, *rows]]
    whole = [row for row in cells if len(row) == len(headers)]
    widths = [max(map(len, column)) for column in zip(*whole, strict=True)]
    widths[0] = max(len(row[0]) for row in cells)
    lines = []
    for row in cells:
        parts = [f"{cell:>{width}}" for cell, width in zip(row, widths, strict=False)]
        parts[0] = f"{row[0]:<{widths[0]}}"
        if len(row) < len(headers):
            parts[-1] = row[-1]
        lines.append("  ".join(parts).rstrip())
    return "\n".join(lines)


def megabytes(size: int) -> str:
    """Returns a number of bytes as text in MB."""
    return f"{size / 1e6:,.0f}"


def warn_of_load() -> None:
    """Says on stderr when other processes keep the machine busy."""
    load = os.getloadavg()[0]
    if load > 0.5:
        sys.stderr.write(
            f"warning: the load is {load:.1f} on {cores()} cores. Where other processes cause it, "
            "figures will be too low, and ratios may favour one side.\n"
        )


def measurement_flags(command: Command, *, rounds: int, seconds: float) -> None:
    """Defines how long to measure and where to write."""
    with command.section("Measurement"):
        command.integer("rounds", rounds, "number of turns of each contender", lower_bound=1)
        command.number("seconds", seconds, "least length of a turn", lower_bound=0)
        name = command.name.rpartition(".")[2]
        command.string("output", f"runs/benchmarks/{name}.json", "file of the figures")


def listed(text: str, flag: str, allowed: Sequence[str] = ()) -> list[str]:
    """Returns the parts of a flag's value, `a,b`.

    Raises:
        ValueError: for none, or one that is not allowed.

    Example:

    >>> listed("compact,paper", "presets", ("compact", "paper"))
    ['compact', 'paper']
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    wrong = [part for part in parts if allowed and part not in allowed]
    if wrong or not parts:
        raise ValueError(
            f"--{flag} takes {'some of ' + ', '.join(allowed) if allowed else 'a,b,…'}. "
            f"Received: {', '.join(wrong) or repr(text)}."
        )
    return parts


def whole_numbers(text: str, flag: str) -> list[int]:
    """Returns the numbers of a flag's value, `16,32`.

    Raises:
        ValueError: for anything but whole numbers of at least 1.
    """
    parts = listed(text, flag)
    wrong = [part for part in parts if not part.isdecimal() or int(part) < 1]
    if wrong:
        raise ValueError(f"--{flag} takes numbers like 16,32. Received: {', '.join(wrong)}.")
    return [int(part) for part in parts]


def record(command: Command, values: "FlagValues", results: Any) -> None:
    """Writes the figures, with the machine and the flags they belong to, to `--output`."""
    path = Path(values.output).expanduser()
    path.parent.mkdir(parents=True, exist_ok=True)
    flags = {
        name: value for name, value in values.flag_values_dict().items() if name != "traceback"
    }
    content = {
        "benchmark": command.name,
        "command": command.command,
        "machine": machine(),
        "flags": flags,
        "results": results,
    }
    write_json(path, _plain(content))
    print(f"\nWritten to {path}")


def _plain(value: Any) -> Any:
    """Turns spreads into dictionaries."""
    if isinstance(value, Spread):
        return dataclasses.asdict(value)
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return value

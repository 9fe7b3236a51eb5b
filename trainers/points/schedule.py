"""How long trainings on points are, and when they are measured."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Schedule:
    """How long each training is, and when it is measured.

    Args:
        length: length of a training, in units.
        every: number of units a measurement.
        unit: name of what is counted, as in the flag `--steps`.
        iterations: number of updates of the generator a unit.

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

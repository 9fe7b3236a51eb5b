"""The phases of a training step, and the share of the batch that each takes."""

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from keras import ops

from keras_cvaegan.training.model_part import ModelPart


@dataclasses.dataclass(frozen=True)
class Phase:
    """One forward pass, one gradient of each objective, one application of these gradients.

    Args:
        updates: the networks that each objective updates.
        objectives: the method of the model that computes the objectives, as
            `GenerativeModel.compute_objectives` does.
        count: number of times a step repeats the phase, each time on other images.

    Example:

    >>> phase = Phase({"critic": ("discriminator",)}, "critic_objectives", count=5)
    >>> sorted(phase.networks)
    ['discriminator']
    """

    updates: Mapping[str, tuple[str, ...]]
    objectives: str = "compute_objectives"
    count: int = 1

    @property
    def networks(self) -> frozenset[str]:
        """The networks that this phase updates."""
        return frozenset(name for updated in self.updates.values() for name in updated)


class Phased(ModelPart):
    """What the steps of all back ends share: the batch is divided among the phases.

    Where a step has P phases, repetitions included, the i-th takes the rows i, i + P, i + 2P, …
    of the batch. So the replicas of a distribution, each with a piece of the batch, together take
    the rows that one device does. Of a batch that P does not divide, the last shares take some of
    the first rows again.
    """

    phases: tuple[Phase, ...]
    _share = (0, 1)

    @property
    def batches_per_step(self) -> int:
        """Shares that a step divides its batch into: 1 for a model of one phase."""
        return sum(phase.count for phase in self.phases)

    def _shares(self, images: Any, labels: Any) -> Iterator[tuple[int, Phase, Any, Any]]:
        """Each phase as often as it is repeated: number, phase, and its images and labels."""
        phases = [phase for phase in self.phases for _ in range(phase.count)]
        if len(phases) == 1:
            yield 0, phases[0], images, labels
            return
        count = ops.shape(images)[0]
        first_rows = ops.arange(-(-count // len(phases))) * len(phases)
        for index, phase in enumerate(phases):
            rows = (first_rows + index) % count
            yield index, phase, ops.take(images, rows, axis=0), ops.take(labels, rows, axis=0)

    @contextlib.contextmanager
    def _counting_rows_of_share(self, index: int) -> Iterator[None]:
        """Within this, `global_rows` speaks of the rows of a share."""
        self._share = (index, self.batches_per_step)
        try:
            yield
        finally:
            self._share = (0, 1)

    def _rows_of_batch(self, rows: Any) -> Any:
        """Index within the batch of the rows of a share."""
        index, shares = self._share
        return rows if shares == 1 else rows * shares + index

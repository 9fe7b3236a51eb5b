"""What a study of augmentation compares: its trainings, and the flags that say so.

Nothing here imports TensorFlow, so that `--help` answers at once.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence

ARMS = {
    "none": "real pictures alone",
    "existing": "and generated ones of their classes",
    "new": "and generated ones of new classes",
    "both": "and generated ones of both",
}
"""What the network is trained on."""

KINDS = {"none": (), "existing": ("existing",), "new": ("new",), "both": ("existing", "new")}
"""Kinds of generated pictures in each arm."""

MEASURES = {"accuracy": "Accuracy on held-out pictures", "verification": "Verification accuracy"}
"""Titles of what is measured."""

ALL = "all"
"""Stands for all pictures of a class, where a number of them is asked for."""


@dataclasses.dataclass(frozen=True)
class Training:
    """One training of the recognition network.

    Args:
        size: real pictures a class, as `parse_sizes` has it.
        seed: number of the training among those of its kind, from 0 on.
        arm: name from `ARMS`.
    """

    size: str
    seed: int
    arm: str

    @property
    def key(self) -> str:
        """Its name in study.json."""
        return f"{self.size} seed_{self.seed} {self.arm}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class StudySettings:
    """What a study compares, and how: all but the configuration of its generators.

    Args:
        sizes: numbers of real pictures a class, as `parse_sizes` has them.
        arms: names from `ARMS`.
        seeds: number of trainings of each kind, with seeds 0, 1, …
        updates: length of each training of the recognition network.
        recognition_batch_size: pictures an update of it.
        per_class: generated pictures of each existing class.
        new_classes: number of new classes, each a mix of three.
        new_per_class: generated pictures of each new class.
        mix_weights: parts of the three, "equal" or "random".
        min_confidence: probability of its class below which a picture is rejected; None for none.
        runs: folders of generators that are given, by number of pictures; others are trained.
        one_generator: whether one choice of pictures and one generator serve all seeds.
        smaller_batches: whether generators of few pictures take batches that these can fill.
        verification: folder of Labeled Faces in the Wild with its pairs.txt, or None.

    Example:

    >>> settings = StudySettings(sizes=["5"], arms=["none", "new"], seeds=2)
    >>> [training.key for training in settings.trainings()]
    ['5 seed_0 none', '5 seed_0 new', '5 seed_1 none', '5 seed_1 new']
    """

    sizes: Sequence[str]
    arms: Sequence[str]
    seeds: int = 3
    updates: int = 2_000
    recognition_batch_size: int = 64
    per_class: int = 200
    new_classes: int = 100
    new_per_class: int = 100
    mix_weights: str = "equal"
    min_confidence: float | None = None
    runs: Mapping[str, str] = dataclasses.field(default_factory=dict)
    one_generator: bool = False
    smaller_batches: bool = True
    verification: str | None = None

    def trainings(self) -> list[Training]:
        """Returns all trainings, in their order: all kinds of the first seed come first."""
        each = itertools.product(range(self.seeds), self.sizes, self.arms)
        return [Training(size, seed, arm) for seed, size, arm in each]

    def pictures_seed(self, seed: int) -> int:
        """Returns the seed of the pictures and the generator that a training takes."""
        return 0 if self.one_generator else seed

    def generators(self, trainings: Sequence[Training]) -> set[tuple[str, int]]:
        """Returns numbers of pictures and seeds of the generators that trainings need.

        Those that are given do not count.

        Args:
            trainings: trainings, some of `trainings()`.
        """
        return {
            (each.size, self.pictures_seed(each.seed))
            for each in trainings
            if KINDS[each.arm] and each.size not in self.runs
        }


def parse_sizes(text: str) -> list[str]:
    """Returns the numbers of pictures a class that `--images_per_class` lists.

    Raises:
        ValueError: for what is no such number.

    Example:

    >>> parse_sizes("5, 10,all,5")
    ['5', '10', 'all']
    """
    sizes = []
    for part in (part.strip() for part in text.split(",")):
        if part != ALL and not (part.isdecimal() and int(part) > 0):
            raise ValueError(
                f"--images_per_class takes numbers of 1 or more, or {ALL}. Received: {part!r}."
            )
        sizes.append(part if part == ALL else str(int(part)))
    return list(dict.fromkeys(sizes))


def parse_runs(texts: Sequence[str], sizes: Sequence[str]) -> dict[str, str]:
    """Returns the run of each number of pictures that has one.

    Args:
        texts: values of `--run_dir`.
        sizes: numbers of pictures, as `parse_sizes` returns them.

    Raises:
        ValueError: for two of one number, or a number that is not asked for.

    Example:

    >>> parse_runs(["runs/a", "5=runs/b"], ["5", "10"])
    {'10': 'runs/a', '5': 'runs/b'}
    """
    runs: dict[str, str] = {}
    own: dict[str, str] = {}
    for text in texts:
        size, separator, path = text.partition("=")
        known = separator and (size == ALL or size.isdecimal())
        if known and (size not in sizes or size in own):
            raise ValueError(
                f"--run_dir takes one run for each of --images_per_class={','.join(sizes)}. "
                f"Received: --run_dir={text}."
            )
        if known:
            own[size] = path
        elif runs:
            raise ValueError("--run_dir takes one run for all numbers: give others a number each.")
        else:
            runs = dict.fromkeys(sizes, text)
    return {size: run for size, run in runs.items() if size not in own} | own

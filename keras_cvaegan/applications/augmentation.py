"""More pictures for training other networks: of a model's classes, and of mixes of them."""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from keras_cvaegan.applications.inputs import need_network
from keras_cvaegan.models import GenerativeModel

MIXED = 3
"""Classes in a new one, as in the paper."""
MIX_WEIGHTS = ("equal", "random")

Judge = Callable[[np.ndarray], np.ndarray]


class FewAcceptedWarning(UserWarning):
    """Says that classes got fewer pictures than asked for."""


@dataclasses.dataclass(frozen=True)
class Mix:
    """What a new class is made of.

    Args:
        labels: labels of the classes, in ascending order.
        weights: weight of each, all above 0, 1 together.
    """

    labels: tuple[int, ...]
    weights: tuple[float, ...]

    def class_weights(self, num_classes: int) -> np.ndarray:
        """Returns the mix as a model takes it, float32 `(num_classes,)`."""
        row = np.zeros(num_classes, np.float32)
        row[list(self.labels)] = self.weights
        return row


def plan(
    class_counts: Sequence[int] | np.ndarray, *, per_class: int | None = None, fill: bool = False
) -> np.ndarray:
    """Returns how many pictures of each class to generate.

    Args:
        class_counts: real pictures of each class.
        per_class: number of pictures of each class.
        fill: whether each class gets what it lacks to the most common one.

    Returns:
        `int64 (num_classes,)`.

    Raises:
        ValueError: unless one of the two is asked for; for counts below 0.

    Example:

    >>> plan([30, 5, 12], fill=True)
    array([ 0, 25, 18])
    >>> plan([30, 5, 12], per_class=100)
    array([100, 100, 100])
    """
    counts = _counts("class_counts", class_counts)
    if per_class is None and fill:
        return counts.max(initial=0) - counts
    if per_class is None or fill:
        raise ValueError(
            "Choose one of the two: per_class, a number for each class, or fill, up to the most "
            f"common class. Received: per_class={per_class}, fill={fill}."
        )
    return np.full(len(counts), _counts("per_class", [per_class])[0])


def new_classes(
    num_classes: int, count: int, *, weights: str = "equal", seed: int = 0
) -> list[Mix]:
    """Returns mixes of three different classes, drawn by lot, to be classes of their own.

    "… by randomly mixing the label of three different existing identities" (Bao et al. 2017,
    Section 5.5). The text does not say in which parts.

    Args:
        num_classes: number of classes of the model, three or more.
        count: number of mixes; the first of more are those of fewer.
        weights: "equal", a third of each, which is as far from each of the three as can be; no two
            mixes are then of the same three. Or "random", uniform over all weights whose sum is 1,
            where new classes can be near to each other and to those that there are.
        seed: seed of the lot.

    Raises:
        ValueError: for too few classes, or more mixes than there are.

    Example:

    >>> mixes = new_classes(10, 2)
    >>> [len(set(mix.labels)) for mix in mixes], [round(x, 2) for x in mixes[0].weights]
    ([3, 3], [0.33, 0.33, 0.33])
    """
    if weights not in MIX_WEIGHTS:
        raise ValueError(f"weights must be {' or '.join(MIX_WEIGHTS)}. Received: {weights!r}.")
    if num_classes < MIXED:
        raise ValueError(
            f"A new class is a mix of {MIXED} classes: the model must have as many or more. "
            f"Received: {num_classes}."
        )
    [count] = _counts("count", [count])
    possible = math.comb(num_classes, MIXED)
    if weights == "equal" and count > possible:
        raise ValueError(
            f"Of {num_classes} classes there are {possible:,} mixes of {MIXED} in equal parts. "
            f"Received: {count:,}. Choose fewer, or random weights."
        )
    random = np.random.default_rng([seed, MIXED])
    mixes: dict[tuple[tuple[int, ...], tuple[float, ...]], Mix] = {}
    while len(mixes) < count:
        labels = tuple(np.sort(random.choice(num_classes, MIXED, replace=False)).tolist())
        parts = (1 / MIXED,) * MIXED
        if weights == "random":
            parts = tuple(random.dirichlet(np.ones(MIXED)).tolist())
        mixes.setdefault((labels, parts), Mix(labels, parts))
    return list(mixes.values())


def augment(
    model: GenerativeModel,
    counts: Sequence[int] | np.ndarray,
    *,
    mixes: Sequence[Mix] = (),
    seed: int = 0,
    min_confidence: float | None = None,
    judge: Judge | None = None,
    max_tries: int = 10,
    batch_size: int = 128,
) -> Augmentation:
    """Generates pictures to train another network with (Bao et al. 2017, Section 5.5).

    Args:
        model: a model with classes.
        counts: pictures of each of its classes, and then of each mix: `plan` and `new_classes`.
        mixes: new classes; mix j has the label num_classes + j.
        seed: draw k of a class depends on seed, class and k alone. So do the pictures, whatever
            the batch size: a class's are its first draws that are accepted.
        min_confidence: least probability that the judge must give the class asked for: other draws
            are rejected; None takes them all. Those of new classes are never judged, since no
            judge knows these.
        judge: function of uint8 images to probabilities `(n, num_classes)`; by default the model's
            own `classify`, which the generator was trained to please.
        max_tries: draws of a class, as a multiple of its count, before it is given up, with a
            `FewAcceptedWarning` in the end.
        batch_size: the most pictures at a time.

    Returns:
        An `Augmentation`, which yields images, `uint8 (n, height, width, channels)`, and labels,
        `int64 (n,)`.

    Raises:
        ValueError: for a model without classes, or, with `min_confidence` and no judge, without a
            classifier; for arguments out of range.

    Example:

    >>> from keras_cvaegan.models import CVAEGAN
    >>> model = CVAEGAN.from_preset("compact", image_shape=(16, 16, 3), num_classes=3)
    >>> pictures = augment(model, [2, 0, 1, 4], mixes=new_classes(3, 1))
    >>> for images, labels in pictures:
    ...     print(images.shape, labels)
    (7, 16, 16, 3) [0 0 2 3 3 3 3]
    """
    if not model.conditional:
        raise ValueError(
            f"{type(model).__name__} has no classes to generate pictures of. Use a model with "
            "classes, such as CVAEGAN."
        )
    counts, num_classes = _counts("counts", counts), len(model.class_names)
    if len(counts) != num_classes + len(mixes):
        raise ValueError(
            f"counts must have a number for each of {num_classes} classes and {len(mixes)} mixes. "
            f"Received: {len(counts)}."
        )
    if any(not 0 <= label < num_classes for mix in mixes for label in mix.labels):
        raise ValueError(f"Mixes must be of labels from 0 to {num_classes - 1}.")
    if max_tries < 1 or batch_size < 1:
        raise ValueError(
            "max_tries and batch_size must be 1 or more. "
            f"Received: max_tries={max_tries}, batch_size={batch_size}."
        )
    if min_confidence is None:
        judge = None
    elif not 0 < min_confidence <= 1:
        raise ValueError(f"min_confidence must be in (0, 1]. Received: {min_confidence}.")
    elif judge is None:
        need_network(model, "classifier")
        judge = model.classify
    weights = np.eye(num_classes, dtype=np.float32)
    weights = np.stack([*weights, *(mix.class_weights(num_classes) for mix in mixes)])
    return Augmentation(
        model, counts, weights, seed, judge, min_confidence or 0.0, max_tries, batch_size
    )


class Augmentation:
    """The pictures of `augment`; each iteration generates them anew.

    Attributes:
        counts: pictures asked for, by label.
        accepted: number of pictures that there were, by label, after an iteration.
        drawn: number of draws that they took.
    """

    def __init__(
        self,
        model: GenerativeModel,
        counts: np.ndarray,
        weights: np.ndarray,
        seed: int,
        judge: Judge | None,
        min_confidence: float,
        max_tries: int,
        batch_size: int,
    ) -> None:
        self.counts, self._weights = counts, weights
        self._model, self._judge, self._min_confidence = model, judge, min_confidence
        self._max_tries, self._batch_size = max_tries, batch_size
        # Neighbours, since seeds of a class must all differ, which random ones need not.
        self._first_seeds = np.array(
            [
                np.random.SeedSequence([seed, label]).generate_state(1)[0]
                for label in range(len(counts))
            ],
            np.uint64,
        )
        self._reset()

    def _reset(self) -> None:
        self.accepted, self.drawn = np.zeros_like(self.counts), np.zeros_like(self.counts)

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        self._reset()
        next_draws = np.zeros_like(self.counts)
        while True:
            asked = self._to_draw(next_draws)
            labels = np.repeat(np.arange(len(asked)), asked)
            if not len(labels):
                break
            # The numbers 0, 1, … within each class, after those of earlier rounds.
            draws = np.arange(len(labels)) - np.repeat(np.cumsum(asked) - asked, asked)
            draws += next_draws[labels]
            next_draws += asked
            yield from self._draw(labels, draws)
        few = self.few()
        if few:
            warnings.warn(few, FewAcceptedWarning, stacklevel=2)

    def _to_draw(self, next_draws: np.ndarray) -> np.ndarray:
        """How many draws of each class come next: more where most are rejected."""
        missing = self.counts - self.accepted
        likely = np.ceil(missing * next_draws / np.maximum(self.accepted, 1)).astype(np.int64)
        left = self._max_tries * self.counts - next_draws
        return np.where(missing > 0, np.minimum(np.maximum(missing, likely), left), 0)

    def _draw(
        self, labels: np.ndarray, draws: np.ndarray
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Draws, judges and yields, in batches; what a class has no more need of is left out."""
        while len(labels):
            wanted = self.accepted[labels] < self.counts[labels]
            labels, draws = labels[wanted], draws[wanted]
            now, numbers = labels[: self._batch_size], draws[: self._batch_size]
            labels, draws = labels[self._batch_size :], draws[self._batch_size :]
            if not len(now):
                return
            seeds = (self._first_seeds[now] + numbers.astype(np.uint64)) % 2**32
            images = self._model.generate(self._weights[now], seed=seeds)
            taken = self._accept(now, numbers, self._good(images, now))
            if len(taken):
                yield images[taken], now[taken]

    def _good(self, images: np.ndarray, labels: np.ndarray) -> np.ndarray:
        good, num_classes = np.ones(len(labels), bool), self._weights.shape[1]
        judged = np.flatnonzero(labels < num_classes)
        if self._judge is None or not len(judged):
            return good
        probabilities = np.asarray(self._judge(images[judged]))
        if probabilities.shape != (len(judged), num_classes):
            raise ValueError(
                f"The judge must return probabilities of the shape ({len(judged)}, {num_classes}), "
                f"a number for each class. Received: {probabilities.shape}."
            )
        confidence = probabilities[np.arange(len(judged)), labels[judged]]
        good[judged] = confidence >= self._min_confidence
        return good

    def _accept(self, labels: np.ndarray, draws: np.ndarray, good: np.ndarray) -> np.ndarray:
        """Returns which rows are taken, and counts them."""
        taken = []
        for row, label in enumerate(labels.tolist()):
            if self.accepted[label] == self.counts[label]:
                continue
            self.drawn[label] = draws[row] + 1
            if good[row]:
                self.accepted[label] += 1
                taken.append(row)
        return np.array(taken, np.int64)

    def few(self) -> str:
        """Returns what is said of classes with too few pictures; nothing where all have theirs."""
        short = np.flatnonzero(self.accepted < self.counts)
        if not len(short):
            return ""
        names = self._model.class_names
        listed = "; ".join(
            f"{names[label]}: {self.accepted[label]:,} of {self.counts[label]:,} in "
            f"{self.drawn[label]:,} draws"
            for label in short[:10]
        )
        more = "" if len(short) <= 10 else f"; and {len(short) - 10} classes more"
        classes = "1 class" if len(short) == 1 else f"{len(short)} classes"
        return (
            f"Too few pictures of {classes} were accepted ({listed}{more}). Choose a smaller "
            f"min_confidence than {self._min_confidence:g}, more max_tries than "
            f"{self._max_tries}, or train the model longer."
        )


def _counts(name: str, values: Sequence[int] | np.ndarray) -> np.ndarray:
    found = np.asarray(values)
    if found.ndim != 1 or (found.size and found.dtype.kind not in "iu") or (found < 0).any():
        raise ValueError(f"{name} must be whole numbers of 0 or more. Received: {values!r}.")
    return found.astype(np.int64)

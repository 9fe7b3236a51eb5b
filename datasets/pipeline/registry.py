"""The table of data sets, and the form in which each hands over its pictures."""

import dataclasses
import functools
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

SPLITS = ("train", "validation", "test")

# Parameters of `datasets.load` and `datasets.prepare`, which no option may hide.
RESERVED = frozenset(
    {"name", "cache_dir", "part", "batch_size", "seed", "shuffle", "repeat", "start", "shard"}
    | {"drop_remainder", "with_attributes", "dtype", "images_per_class", "labelled_share"}
    | {"unlabelled_rest", "unlabelled_data_dir", "batches_per_step"}
)
_SUPPLIED = ("split", "image_size", "data_dir")


@dataclasses.dataclass(frozen=True)
class Unreadable:
    """Stands in a batch for a picture that could not be read.

    Args:
        path: file of the picture, as its owner would look for it.
        reason: cause why it could not be read.
    """

    path: str
    reason: str


@dataclasses.dataclass(frozen=True)
class Batch:
    """Some consecutive examples of a split.

    Args:
        images: pictures, `n` of them, each `uint8 (height, width, 3)` of any size (the cache crops
            and resizes those that have another size than was asked for) or `Unreadable`; one
            array `uint8 (n, height, width, 3)` serves as well.
        labels: labels, `n` integers in `[0, num_classes)`.
        attributes: lists of `n` numbers by attribute; every batch of a source has the same names.
    """

    images: Sequence[np.ndarray | Unreadable] | np.ndarray
    labels: Sequence[int] | np.ndarray
    attributes: Mapping[str, Sequence[float] | np.ndarray] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Source:
    """One split of a data set, before it is cached.

    Args:
        class_names: name of each class, in label order.
        count: number of examples, readable or not.
        key: text that changes whenever the bytes that would be cached change.
        batches: function that gives the examples in order, as functions that return a `Batch` each;
            called with a `range`, those with these indices alone. Iterating happens in one thread;
            the functions run in several, so costly work belongs in them.

    Example:

    >>> black = lambda indices: Batch(np.zeros((len(indices), 32, 32, 3), np.uint8), indices)
    >>> source = Source(("a", "b"), count=2, key="1", batches=in_batches(2, black))
    >>> [len(read().images) for read in source.batches()]
    [2]
    >>> [list(read().labels) for read in source.batches(range(1, 2))]
    [[1]]
    """

    class_names: tuple[str, ...]
    count: int
    key: str
    batches: Callable[..., Iterator[Callable[[], Batch]]]


def in_batches(
    count: int, read: Callable[[range], Batch], size: int = 64
) -> Callable[..., Iterator[Callable[[], Batch]]]:
    """Returns `Source.batches` for examples that can be read by their index in any order.

    Args:
        count: number of examples.
        read: function that returns the batch of the examples whose indices are in the given range,
            of which the step need not be 1.
        size: number of examples in one batch, at most.
    """

    def batches(indices: range | None = None) -> Iterator[Callable[[], Batch]]:
        indices = range(count) if indices is None else indices
        for start in range(0, len(indices), size):
            yield functools.partial(read, indices[start : start + size])

    return batches


@dataclasses.dataclass(frozen=True)
class Dataset:
    """A registered data set: see `register`."""

    name: str
    splits: tuple[str, ...]
    doc: str
    function: Callable[..., Source]
    photographs: bool = True

    @property
    def options(self) -> dict[str, Any]:
        """The data set's own options and their defaults."""
        return {
            name: parameter.default
            for name, parameter in inspect.signature(self.function).parameters.items()
            if name not in _SUPPLIED
        }

    def source(
        self, split: str, image_size: int, data_dir: str | None = None, **options: Any
    ) -> Source:
        """Returns one split of the data set.

        Args:
            split: name of the split, of `splits`.
            image_size: height and width of the pictures, in pixels.
            data_dir: folder where the data set lies, or is downloaded to.
            **options: values of some of `options`.

        Raises:
            ValueError: for a split or an option that the data set does not have, or a `data_dir`
                that it would not read.
        """
        if split not in self.splits:
            raise ValueError(
                f"Data set {self.name!r} has the splits {', '.join(self.splits)}. "
                f"Received: split={split!r}."
            )
        unknown = sorted(set(options) - set(self.options))
        if unknown:
            allowed = ", ".join(self.options) or "no options of its own"
            raise ValueError(
                f"Data set {self.name!r} does not take {', '.join(unknown)}. Allowed: {allowed}."
            )
        if "data_dir" in inspect.signature(self.function).parameters:
            options["data_dir"] = data_dir
        elif data_dir is not None:
            raise ValueError(
                f"Data set {self.name!r} is built in and reads no folder. "
                f"Received: data_dir={str(data_dir)!r}. For your own pictures use the data set "
                "'folder'."
            )
        return self.function(split, image_size=image_size, **options)


_DATASETS: dict[str, Dataset] = {}


def register(
    name: str, *, splits: Sequence[str] = SPLITS, doc: str = "", photographs: bool = True
) -> Callable[[Callable[..., Source]], Callable[..., Source]]:
    """Registers the decorated function as the data set `name`.

    The function is called as `function(split, image_size=…, data_dir=…, **options)` and returns a
    `Source`. It leaves `data_dir` out of its parameters when it reads no folder. Its other
    parameters are the data set's options, each with a default.

    Args:
        name: name that `datasets.open_dataset` is called with.
        splits: splits that the function can give.
        doc: line for the programs' help.
        photographs: whether its pictures are photographs, for which programs choose the preset.

    Raises:
        ValueError: when the name is taken, or an option is named like a parameter of
            `datasets.load`.
    """

    def decorate(function: Callable[..., Source]) -> Callable[..., Source]:
        dataset = Dataset(name, tuple(splits), doc, function, photographs)
        reserved = sorted(RESERVED & set(dataset.options))
        if reserved:
            raise ValueError(
                f"Data set {name!r} cannot have an option named {', '.join(reserved)}: "
                "datasets.load has a parameter of that name."
            )
        if name in _DATASETS and _DATASETS[name].function.__module__ != function.__module__:
            raise ValueError(f"Two data sets are named {name!r}.")
        _DATASETS[name] = dataset
        return function

    return decorate


@functools.cache
def _discover() -> None:
    """Imports the modules of `datasets` itself, so that the data sets in them register."""
    package = importlib.import_module("datasets")
    for module in pkgutil.iter_modules(package.__path__):
        if not module.ispkg:
            importlib.import_module(f"datasets.{module.name}")


def names() -> tuple[str, ...]:
    """Returns the names of all data sets, in alphabetical order."""
    _discover()
    return tuple(sorted(_DATASETS))


def get(name: str) -> Dataset:
    """Returns the registered data set.

    Raises:
        ValueError: when no data set has this name.
    """
    if name not in names():
        raise ValueError(f"Unknown data set. Received: {name!r}. Allowed: {', '.join(names())}.")
    return _DATASETS[name]

"""What every metric has: the verbs of a Keras metric, for arrays of any number of batches."""

import abc
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

Figures = dict[str, float | list[float | None] | dict[str, float | None] | None]


class FewSamplesWarning(UserWarning):
    """A figure rests on so few samples that it cannot be compared with others, or is missing."""


class Metric(abc.ABC):
    """A measure of a stream of samples.

    Keras' own `keras.metrics.Metric` keeps float32 variables on the device; these keep float64
    sums, or a bounded sample of the stream, in NumPy. The result does not depend on how the stream
    was divided into batches.

    `inputs` are the names of what `update_state` takes, in its order: any of "images", "labels",
    "features" and "probabilities".
    """

    inputs: ClassVar[tuple[str, ...]]

    @abc.abstractmethod
    def update_state(self, *arrays: Any, **named: Any) -> None:
        """Takes a batch, which may be empty."""

    @abc.abstractmethod
    def result(self) -> Figures:
        """Returns the figures by their names in evaluation.json; None is "cannot be said"."""

    @abc.abstractmethod
    def reset_state(self) -> None:
        """Forgets all batches."""

    def describe(self) -> dict[str, Any]:
        """Returns the settings, to be kept with the figures."""
        return {}


def check_count(name: str, value: Any, minimum: int = 1) -> int:
    """Returns `value`, or raises a ValueError unless it is an integer of at least `minimum`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < minimum:
        raise ValueError(f"{name} must be an integer of at least {minimum}. Received: {value!r}.")
    return int(value)


def check_images(images: np.ndarray) -> np.ndarray:
    """Returns images, or raises a ValueError unless they are `uint8 (n, height, width, c)`."""
    images = np.asarray(images)
    if images.dtype != np.uint8 or images.ndim != 4:
        raise ValueError(
            "images must be uint8 of the shape (n, height, width, channels). "
            f"Received: {images.dtype} of the shape {images.shape}."
        )
    return images


def check_rows(name: str, rows: np.ndarray, columns: int | None = None) -> np.ndarray:
    """Returns an array, or raises a ValueError unless it is finite, of shape (n, columns)."""
    rows = np.asarray(rows)
    if rows.ndim != 2 or (columns is not None and rows.shape[1] != columns):
        raise ValueError(
            f"{name} must have the shape (n, {columns or 'd'}). Received: {rows.shape}."
        )
    if not np.isfinite(rows).all():
        raise ValueError(f"{name} must be finite. Received NaN or infinity.")
    return rows


def check_labels(labels: np.ndarray, count: int, num_classes: int) -> np.ndarray:
    """Returns labels as `int64 (count,)`, or raises a ValueError unless they are of a class."""
    labels = np.asarray(labels)
    if labels.shape != (count,) or not (
        np.issubdtype(labels.dtype, np.integer) or labels.size == 0
    ):
        raise ValueError(
            f"labels must be integers of the shape ({count},). "
            f"Received: {labels.dtype} of the shape {labels.shape}."
        )
    wrong = labels[(labels < 0) | (labels >= num_classes)]
    if wrong.size:
        raise ValueError(f"labels must be from 0 to {num_classes - 1}. Received: {wrong[0]}.")
    return labels.astype(np.int64)


def by_class_figures(name: str, values: Sequence[float | None]) -> Figures:
    """Returns mean and standard deviation over the classes that have a value, and all values."""
    present = [value for value in values if value is not None]
    return {
        name: float(np.mean(present)) if present else None,
        f"{name}_std": float(np.std(present)) if present else None,
        f"{name}_by_class": list(values),
    }

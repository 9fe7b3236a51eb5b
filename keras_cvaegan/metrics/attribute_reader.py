"""A network that reads attributes from pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from keras_cvaegan import pictures
from keras_cvaegan.metrics.attribute_distances import columns, distances
from keras_cvaegan.metrics.recognition import ShuffledBatches
from keras_cvaegan.networks import compact_classifier

# Increase when `train_reader` would learn otherwise from the same data.
VERSION = 1


@keras.saving.register_keras_serializable(package="keras_cvaegan")
class AttributeReader(keras.Model):
    """Reads attributes from pictures; `train_reader` makes one that can.

    As a Keras model it takes images in [−1, 1] and gives all attributes side by side, in units of
    their deviation from their mean. What undoes that is saved with it.

    Args:
        image_shape: `(side, side, channels)`, 16 to 128 px: see `compact_depth`.
        sizes: count of the numbers that each attribute is, by name.
        means: means of all numbers, those of one attribute after the other.
        deviations: deviations likewise, above 0.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        sizes: Mapping[str, int],
        means: Sequence[float],
        deviations: Sequence[float],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.image_shape = tuple(image_shape)
        self.sizes = dict(sizes)
        self.means, self.deviations = list(means), list(deviations)
        self.network = compact_classifier(self.image_shape, num_classes=len(self.means))
        self.built = True

    def call(self, images: Any, training: bool = False) -> Any:
        return self.network(images, training=training)["logits"]

    def standardized(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """Returns what the network should give: float32 `(n, all numbers)`.

        Raises:
            ValueError: for attributes that are missing or of another size.
        """
        for name, size in self.sizes.items():
            if name not in values or columns(values[name]).shape[1] != size:
                received = {other: np.shape(each) for other, each in values.items()}
                raise ValueError(
                    f"The reader needs {size} numbers of {name!r} for each picture. Received: "
                    f"{received}."
                )
        joined = np.concatenate([columns(values[name]) for name in self.sizes], axis=1)
        return ((joined - self.means) / self.deviations).astype(np.float32)

    def read(self, images: np.ndarray, batch_size: int = 256) -> dict[str, np.ndarray]:
        """Reads the attributes of pictures.

        Args:
            images: `(n, height, width, channels)`, uint8 or float in [−1, 1].
            batch_size: pictures at a time.

        Returns:
            By name float64 `(n, k)`, in their own units.

        Raises:
            ValueError: for pictures of another shape.
        """
        if np.shape(images)[1:] != self.image_shape:
            raise ValueError(
                f"The reader takes images of the shape (n, {', '.join(map(str, self.image_shape))})"
                f". Received: {np.shape(images)}."
            )
        found = np.zeros((len(images), len(self.means)))
        for start in range(0, len(images), batch_size):
            part = np.asarray(images[start : start + batch_size])
            part = pictures.from_uint8(part) if part.dtype == np.uint8 else part
            found[start : start + len(part)] = keras.ops.convert_to_numpy(
                self(part, training=False)
            )
        found = found * self.deviations + self.means
        ends = np.cumsum(list(self.sizes.values()))[:-1]
        return dict(zip(self.sizes, np.split(found, ends, axis=1), strict=True))

    def errors(self, images: np.ndarray, values: Mapping[str, np.ndarray]) -> dict[str, float]:
        """Returns how far off it reads each attribute, in the mean over pictures.

        Args:
            images: `(n, height, width, channels)`, at least one.
            values: values by name, `(n,)` or `(n, k)`, the truth.

        Returns:
            By name in the attribute's own unit; of two numbers, cosine and sine of an angle, in
            turns.

        Raises:
            ValueError: for attributes that are missing, or not of each picture.
        """
        _check_counts(images, values)
        self.standardized(values)
        return {
            name: float(np.mean(distances(each, columns(values[name]))))
            for name, each in self.read(images).items()
        }

    def get_config(self) -> dict[str, Any]:
        return {
            "image_shape": list(self.image_shape),
            "sizes": dict(self.sizes),
            "means": list(self.means),
            "deviations": list(self.deviations),
            "name": self.name,
        }


def train_reader(
    images: np.ndarray,
    values: Mapping[str, np.ndarray],
    *,
    epochs: int = 30,
    batch_size: int = 64,
    learning_rate: float = 2e-3,
    seed: int = 0,
    verbose: int = 0,
) -> AttributeReader:
    """Trains a network to read attributes, by the squared error in units of their deviations.

    Pictures are taken as they are: shifted or mirrored ones would have other attributes.

    Args:
        images: uint8 `(n, side, side, channels)`, 16 to 128 px: see `compact_depth`.
        values: values by name, `(n,)` or `(n, k)`; angles as cosine and sine.
        epochs: passes over the pictures; the learning rate falls to 0 with them.
        batch_size: pictures a step.
        learning_rate: learning rate of Adam, at the beginning.
        seed: seed of weights and order.
        verbose: verbosity, as in `keras.Model.fit`.

    Raises:
        ValueError: for no attribute, one that is not of each picture or not finite, or pictures of
            a size that the network does not take.

    Example:

    >>> images = np.random.default_rng(0).integers(0, 256, (8, 16, 16, 3), np.uint8)
    >>> reader = train_reader(images, {"light": images.mean(axis=(1, 2, 3))}, epochs=1)
    >>> reader.read(images)["light"].shape
    (8, 1)
    """
    _check_counts(images, values)
    joined = np.concatenate([columns(each) for each in values.values()], axis=1)
    spread = joined.std(axis=0)
    keras.utils.set_random_seed(seed)
    reader = AttributeReader(
        images.shape[1:],
        {name: columns(each).shape[1] for name, each in values.items()},
        joined.mean(axis=0).tolist(),
        np.where(spread > 0, spread, 1).tolist(),
    )
    batches = ShuffledBatches(
        images, reader.standardized(values), min(batch_size, len(images)), seed
    )
    rate = keras.optimizers.schedules.CosineDecay(learning_rate, epochs * len(batches))
    reader.compile(keras.optimizers.Adam(rate), "mean_squared_error")
    reader.fit(batches, epochs=epochs, shuffle=False, verbose=verbose)
    return reader


def _check_counts(images: np.ndarray, values: Mapping[str, np.ndarray]) -> None:
    if not len(images) or not values:
        raise ValueError(
            "At least one picture and one attribute are needed. Received: "
            f"{len(images)} pictures with {len(values)} attributes."
        )
    for name, each in values.items():
        if len(each) != len(images) or not np.isfinite(each).all():
            raise ValueError(
                f"Finite values of {name!r} are needed for each of {len(images)} pictures. "
                f"Received: values of the shape {np.shape(each)}."
            )

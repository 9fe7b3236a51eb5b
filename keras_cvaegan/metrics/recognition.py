"""A classifier of the real data, and how well it recognises others' pictures."""

from collections.abc import Callable, Mapping, Sequence

import keras
import numpy as np
from keras import layers

from keras_cvaegan import pictures
from keras_cvaegan.metrics import recognition
from keras_cvaegan.progress import Progress
from keras_cvaegan.training.code_batches import RowOrder

# Increase when `train_classifier` would learn otherwise from the same data.
VERSION = 1


def recognition_network(
    image_shape: Sequence[int], num_classes: int, augment: bool, seed: int = 0
) -> keras.Model:
    """A small residual network of images in [−1, 1] to logits.

    Args:
        image_shape: `(height, width, channels)`.
        num_classes: number of classes.
        augment: whether training images are shifted by up to a tenth and mirrored.
        seed: seed of the augmentation.
    """
    inputs = x = keras.Input(image_shape, name="images")
    if augment:
        x = layers.RandomTranslation(0.1, 0.1, fill_mode="reflect", seed=seed)(x)
        x = layers.RandomFlip("horizontal", seed=seed)(x)
    side, filters = min(image_shape[:2]), 32
    x = _convolution(x, filters, strides=2 if side > 64 else 1)
    while side > 4 and filters <= 256:
        x = _block(x, filters)
        side, filters = side // 2, filters * 2
    x = layers.GlobalAveragePooling2D(name="features")(x)
    x = layers.Dropout(0.2, seed=seed)(x)
    logits = layers.Dense(num_classes, dtype="float32", name="logits")(x)
    return keras.Model(inputs, logits, name="recognition")


def _convolution(x: keras.KerasTensor, filters: int, strides: int = 1) -> keras.KerasTensor:
    x = layers.Conv2D(filters, 3, strides, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization(momentum=0.9)(x)
    return layers.ReLU()(x)


def _block(x: keras.KerasTensor, filters: int) -> keras.KerasTensor:
    """Halves the resolution, with a shortcut around two convolutions."""
    y = _convolution(x, filters, strides=2)
    y = layers.Conv2D(filters, 3, padding="same", use_bias=False)(y)
    y = layers.BatchNormalization(momentum=0.9)(y)
    shortcut = layers.Conv2D(filters, 1, use_bias=False)(
        layers.AveragePooling2D(2, padding="same")(x)
    )
    return layers.ReLU()(layers.Add()([y, shortcut]))


def train_classifier(
    train: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    num_classes: int,
    *,
    augment: bool,
    epochs: int = 60,
    patience: int = 8,
    batch_size: int = 64,
    seed: int = 0,
    verbose: int = 0,
) -> keras.Model:
    """Trains a classifier, and keeps the weights that were best on the validation data.

    Args:
        train: images, uint8 `(n, height, width, channels)`, and labels `(n,)`.
        validation: pictures and labels likewise.
        num_classes: number of classes.
        augment: see `recognition_network`.
        epochs: the most passes over the training data.
        patience: passes without improvement after which training ends, unless it ended before
            because every validation image was recognised after two passes.
        batch_size: images a step.
        seed: seed of weights, order and augmentation.
        verbose: verbosity, as in `keras.Model.fit`.

    Returns:
        A model of images in [−1, 1] to logits.
    """
    keras.utils.set_random_seed(seed)
    model = recognition_network(train[0].shape[1:], num_classes, augment, seed)
    batch_size = min(batch_size, len(train[0]))
    steps = -(-len(train[0]) // batch_size)
    rate = keras.optimizers.schedules.CosineDecay(
        2e-4, epochs * steps, warmup_target=2e-3, warmup_steps=steps
    )
    model.compile(
        keras.optimizers.Adam(rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    stop = keras.callbacks.EarlyStopping(
        "val_loss", min_delta=1e-3, patience=patience, restore_best_weights=True, mode="min"
    )
    model.fit(
        ShuffledBatches(*train, batch_size, seed),
        validation_data=ShuffledBatches(*validation, 256),
        epochs=epochs,
        callbacks=[stop, _StopWhenPerfect()],
        shuffle=False,
        verbose=verbose,
    )
    return model


class _StopWhenPerfect(keras.callbacks.Callback):
    """Ends the training when every validation image was recognised after two passes."""

    def __init__(self) -> None:
        super().__init__()
        self._perfect = 0

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._perfect += (logs or {}).get("val_accuracy") == 1.0
        if self._perfect == 2:
            self.model.stop_training = True


class ShuffledBatches(keras.utils.PyDataset):
    """uint8 images as floats in [−1, 1], a batch at a time; shuffled when there is a seed."""

    def __init__(
        self, images: np.ndarray, labels: np.ndarray, batch_size: int, seed: int | None = None
    ) -> None:
        super().__init__()
        self._images, self._labels, self._batch_size = images, labels, batch_size
        self._random = None if seed is None else np.random.default_rng(seed)
        self._order = np.arange(len(labels))
        self.on_epoch_end()

    def __len__(self) -> int:
        return -(-len(self._labels) // self._batch_size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        rows = self._order[index * self._batch_size : (index + 1) * self._batch_size]
        return pictures.from_uint8(self._images[rows]), self._labels[rows]

    def on_epoch_end(self) -> None:
        if self._random is not None:
            self._random.shuffle(self._order)


def recognise(model: keras.Model, images: np.ndarray, batch_size: int = 256) -> np.ndarray:
    """Returns the label that a classifier gives each image.

    Args:
        model: model of images in [−1, 1] to logits.
        images: uint8 `(n, height, width, channels)`.
        batch_size: images at a time.

    Returns:
        `int64 (n,)`.
    """
    parts = [
        keras.ops.convert_to_numpy(
            model(pictures.from_uint8(images[start : start + batch_size]), training=False)
        )
        for start in range(0, len(images), batch_size)
    ]
    return np.concatenate(parts).argmax(axis=1)


def top1_by_class(
    predicted: np.ndarray, labels: np.ndarray, num_classes: int
) -> list[float | None]:
    """Returns the share of each class's images that are recognised; None for an absent class.

    Example:

    >>> top1_by_class(np.array([0, 1, 1]), np.array([0, 0, 1]), 3)
    [0.5, 1.0, None]
    """
    return [
        float(np.mean(predicted[labels == label] == label)) if np.any(labels == label) else None
        for label in range(num_classes)
    ]


Part = tuple[np.ndarray, np.ndarray]
"""Images, uint8 `(n, height, width, 3)`, mapped from a file or not, and labels `(n,)`."""


class Stream(keras.utils.PyDataset):
    """Random batches of several parts together, each picture as often as any other.

    Batches run on across the ends of epochs; each epoch is a permutation of all pictures.

    Args:
        parts: one or more, not all empty.
        updates: number of batches.
        batch_size: images in each.
        seed: seed of the order.

    Example:

    >>> part = np.zeros((3, 8, 8, 3), np.uint8), np.array([0, 1, 2])
    >>> images, labels = Stream([part], updates=1, batch_size=6, seed=0)[0]
    >>> images.shape, np.bincount(labels)
    ((6, 8, 8, 3), array([2, 2, 2]))
    """

    def __init__(self, parts: Sequence[Part], updates: int, batch_size: int, seed: int) -> None:
        super().__init__()
        self._parts, self._updates = parts, updates
        self._ends = np.cumsum([len(labels) for _, labels in parts])
        self._order = RowOrder(int(self._ends[-1]), batch_size, seed)

    def __len__(self) -> int:
        return self._updates

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        taken = [self._row(row) for row in self._order.rows(index).tolist()]
        images, labels = zip(*taken, strict=True)
        return pictures.from_uint8(np.stack(images)), np.array(labels, np.int32)

    def _row(self, row: int) -> tuple[np.ndarray, int]:
        part = int(np.searchsorted(self._ends, row, side="right"))
        images, labels = self._parts[part]
        own = row - self._ends[part] + len(labels)
        return images[own], labels[own]


def train_recognition(
    parts: Sequence[Part],
    num_classes: int,
    *,
    updates: int,
    batch_size: int = 64,
    seed: int = 0,
    verbose: bool = False,
) -> keras.Model:
    """Trains the recognition network of `metrics.recognition` for a number of updates.

    Training pictures are shifted and mirrored. There is no early end and no choice of weights, so
    that trainings on other pictures have as many updates.

    Args:
        parts: pictures to train with, of which one is drawn as often as another.
        num_classes: number of classes of the softmax.
        updates: number of updates.
        batch_size: images an update.
        seed: seed of weights, order and augmentation.
        verbose: whether a line shows how far it is.

    Returns:
        A model of images in [−1, 1] to logits.
    """
    keras.config.set_dtype_policy("float32")
    keras.utils.set_random_seed(seed)
    model = recognition.recognition_network(parts[0][0].shape[1:], num_classes, True, seed)
    # As `train_classifier` has it.
    warm_up = max(1, updates // 60)
    rate = keras.optimizers.schedules.CosineDecay(
        2e-4, updates, warmup_target=2e-3, warmup_steps=warm_up
    )
    model.compile(
        keras.optimizers.Adam(rate), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    tell = []
    if verbose:
        progress = Progress("update", updates, per_step=batch_size)

        def show(update: int, logs: Mapping[str, float]) -> None:
            progress.set_postfix_str(f"loss {logs['loss']:.3f}", refresh=False)
            progress.update()

        tell = [
            keras.callbacks.LambdaCallback(
                on_train_batch_end=show, on_train_end=lambda logs: progress.close()
            )
        ]
    stream = Stream(parts, updates, batch_size, seed)
    model.fit(stream, epochs=1, shuffle=False, verbose=0, callbacks=tell)
    return model


def outputs(model: keras.Model, images: np.ndarray, batch_size: int = 256) -> np.ndarray:
    """Returns a network's outputs for uint8 images, some at a time."""
    parts = [
        keras.ops.convert_to_numpy(
            model(pictures.from_uint8(images[start : start + batch_size]), training=False)
        )
        for start in range(0, len(images), batch_size)
    ]
    return np.concatenate(parts)


def accuracy(model: keras.Model, part: Part, num_classes: int) -> float:
    """Returns the share of pictures that are recognised, among the first `num_classes` classes.

    The others are new classes, of which it is known that no picture is.
    """
    logits = outputs(model, part[0])[:, :num_classes]
    return float(np.mean(logits.argmax(axis=1) == np.asarray(part[1])))


def features_of(model: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    """Returns what gives a recognition network's features of uint8 images."""
    network = keras.Model(model.input, model.get_layer("features").output)
    return lambda images: outputs(network, images)

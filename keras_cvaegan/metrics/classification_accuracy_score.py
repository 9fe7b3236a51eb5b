"""How good generated samples are as training data."""

import contextlib
import os
import tempfile
import warnings
import weakref
from typing import Any

import numpy as np

from keras_cvaegan.metrics import recognition
from keras_cvaegan.metrics.metric import (
    FewSamplesWarning,
    Figures,
    Metric,
    check_count,
    check_images,
    check_labels,
)

_VALIDATION_SHARE = 0.1


class ClassificationAccuracyScore(Metric):
    """Accuracy on real data of a classifier that was trained on generated samples alone.

    CAS = E_{x, y real}[argmax_c p(c|x) = y],  p trained on generated    (Ravuri & Vinyals 2019)

    It falls where classes are confused, and where their samples lack variety. A tenth of the
    samples, chosen by lot, decides when the training ends; real data are only predicted. The
    classifier is that of `train_classifier`; trained on real data, it gives the figure to compare
    with.

    Samples are written to temporary files and mapped into memory, so that any number can be used.
    `result` trains, which takes minutes to hours.

    Args:
        real: images, uint8 `(n, height, width, channels)`, and labels `(n,)` to predict, one or
            more; memory maps do as well.
        num_classes: number of classes.
        augment: see `recognition_network`.
        epochs: the most passes over the samples.
        directory: folder of the temporary files; the system's place by default.
        seed: seed of weights, order, augmentation and lots.
        verbose: verbosity, as in `keras.Model.fit`.

    Results: `classification_accuracy_score` in [0, 1] and `classification_accuracy_score_by_class`,
    where None stands for a class without real images; None altogether, with a
    `FewSamplesWarning`, where the samples are too few to train with.

    Example:

    >>> images = np.zeros((40, 8, 8, 3), np.uint8)
    >>> images[1::2] = 255
    >>> labels = np.arange(40) % 2
    >>> metric = ClassificationAccuracyScore((images, labels), 2, augment=False, epochs=2)
    >>> metric.update_state(images, labels)
    >>> 0 <= metric.result()["classification_accuracy_score"] <= 1
    True
    """

    inputs = ("images", "labels")

    def __init__(
        self,
        real: tuple[np.ndarray, np.ndarray],
        num_classes: int,
        *,
        augment: bool,
        epochs: int = 60,
        directory: str | os.PathLike | None = None,
        seed: int = 0,
        verbose: int = 0,
    ) -> None:
        self._num_classes = check_count("num_classes", num_classes)
        images = check_images(real[0])
        self._real = images, check_labels(real[1], len(images), num_classes)
        if len(images) == 0:
            raise ValueError("real must hold one image or more. Received none.")
        self._directory, self._verbose = directory, verbose
        self._settings: dict[str, Any] = {"augment": augment, "epochs": epochs, "seed": seed}
        self.reset_state()

    def reset_state(self) -> None:
        self._training, self._validation = (
            _StoredImages(self._directory, self._real[0].shape[1:]) for _ in range(2)
        )
        self._random = np.random.default_rng(self._settings["seed"])

    def update_state(self, images: np.ndarray, labels: np.ndarray) -> None:
        """Takes a batch of images, `uint8 (n, height, width, channels)`, and labels `(n,)`."""
        images = check_images(images)
        labels = check_labels(labels, len(images), self._num_classes)
        if images.shape[1:] != self._real[0].shape[1:]:
            raise ValueError(
                f"Samples must be of the real images' shape, {self._real[0].shape[1:]}. "
                f"Received: {images.shape[1:]}."
            )
        validates = self._random.random(len(images)) < _VALIDATION_SHARE
        self._training.add(images[~validates], labels[~validates])
        self._validation.add(images[validates], labels[validates])

    def result(self) -> Figures:
        name = "classification_accuracy_score"
        training, validation = self._training.arrays(), self._validation.arrays()
        if min(len(training[0]), len(validation[0])) == 0:
            warnings.warn(
                f"{name} needs some dozens of samples. Received: "
                f"{len(training[0]) + len(validation[0])}.",
                FewSamplesWarning,
                stacklevel=2,
            )
            return {name: None, f"{name}_by_class": None}
        classifier = recognition.train_classifier(
            training, validation, self._num_classes, verbose=self._verbose, **self._settings
        )
        images, labels = self._real
        predicted = recognition.recognise(classifier, images)
        return {
            name: float(np.mean(predicted == labels)),
            f"{name}_by_class": recognition.top1_by_class(predicted, labels, self._num_classes),
        }

    def describe(self) -> dict[str, Any]:
        return {
            **self._settings,
            "recognition_version": recognition.VERSION,
            "training_samples": len(self._training.labels),
            "validation_samples": len(self._validation.labels),
            "real_samples": len(self._real[0]),
        }


class _StoredImages:
    """Images in a file without a name, which goes with the object."""

    def __init__(self, directory: str | os.PathLike | None, image_shape: tuple[int, ...]) -> None:
        folder = None if directory is None else os.fspath(directory)
        with contextlib.ExitStack() as stack:
            self._file = stack.enter_context(tempfile.TemporaryFile(dir=folder))
            weakref.finalize(self, stack.pop_all().close)
        self._image_shape = image_shape
        self.labels: list[int] = []

    def add(self, images: np.ndarray, labels: np.ndarray) -> None:
        self._file.write(np.ascontiguousarray(images).data)
        self.labels.extend(labels.tolist())

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Images, mapped from the file, and labels."""
        self._file.flush()
        shape = (len(self.labels), *self._image_shape)
        # An empty file cannot be mapped.
        images: np.ndarray = np.empty((0, *self._image_shape), np.uint8)
        if self.labels:
            images = np.memmap(self._file, np.uint8, "r", shape=shape)
        return images, np.asarray(self.labels, np.int32)

"""How different the samples of one class are from each other."""

from typing import Any

import numpy as np

from keras_cvaegan.metrics.metric import (
    Figures,
    Metric,
    by_class_figures,
    check_count,
    check_images,
    check_labels,
)
from keras_cvaegan.metrics.sampling import ClassReservoir
from keras_cvaegan.metrics.structural_similarity import ms_ssim, scale_weights


class IntraClassDiversity(Metric):
    """One minus the mean structural similarity between samples of a class.

    d_intra(X) = 1 − 1 / |X|² Σ_{(x', x) ∈ X × X} MS-SSIM(x', x)    (Eq. 12, Zheng & Sun 2019)

    The sum runs over all pairs, those of an image with itself included, as printed: with n images
    of a class the value is (n − 1) / n of that of different images alone. Small images have fewer
    scales: see `scale_weights`. Samples that differ by noise are diverse too: read it beside the
    value of real data and the distances.

    Of each class at most `max_samples_per_class` images are held, chosen by lot.

    Args:
        num_classes: number of classes.
        max_samples_per_class: the most images of a class; the time grows with its square.
        seed: seed of the lots.

    Results: `intra_class_diversity`, the mean over classes, in [0, 1], its standard deviation over
    classes `intra_class_diversity_std`, and `intra_class_diversity_by_class`. A class with fewer
    than two images has no pair, thus no value: None.

    Example:

    >>> metric = IntraClassDiversity(num_classes=3)
    >>> metric.update_state(np.zeros((4, 16, 16, 3), np.uint8), np.array([0, 0, 0, 1]))
    >>> metric.result()["intra_class_diversity_by_class"]
    [0.0, None, None]
    """

    inputs = ("images", "labels")

    def __init__(self, num_classes: int, max_samples_per_class: int = 50, seed: int = 0) -> None:
        self._num_classes = check_count("num_classes", num_classes)
        self._settings = {
            "max_samples_per_class": check_count("max_samples_per_class", max_samples_per_class, 2),
            "seed": seed,
        }
        self._sample = ClassReservoir(num_classes, max_samples_per_class, seed)
        self.reset_state()

    def reset_state(self) -> None:
        self._sample.reset()
        self._image_shape: tuple[int, ...] | None = None

    def update_state(self, images: np.ndarray, labels: np.ndarray) -> None:
        """Takes a batch of images, `uint8 (n, height, width, channels)`, and labels `(n,)`."""
        images = check_images(images)
        labels = check_labels(labels, len(images), self._num_classes)
        if self._image_shape not in (None, images.shape[1:]):
            raise ValueError(
                f"All images must be of one shape, {self._image_shape}. "
                f"Received: {images.shape[1:]}."
            )
        self._image_shape = images.shape[1:]
        self._sample.add(images, labels)

    def result(self) -> Figures:
        values = [_diversity(images) for images in self._sample.rows_by_class()]
        return by_class_figures("intra_class_diversity", values)

    def describe(self) -> dict[str, Any]:
        scales = None if self._image_shape is None else scale_weights(*self._image_shape[:2])
        return {**self._settings, "scale_weights": scales and list(scales)}


def _diversity(images: np.ndarray) -> float | None:
    count = len(images)
    if count < 2:
        return None
    pairs = np.stack(np.triu_indices(count, 1), axis=1)
    similarities = ms_ssim(images, pairs).astype(np.float64)
    return max(0.0, float((count - 1) / count * (1 - similarities.mean())))

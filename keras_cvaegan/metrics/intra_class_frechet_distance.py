"""The Fréchet distance within each class, which shows what conditioning gets wrong."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_cvaegan.metrics.frechet_distance import frechet_distance
from keras_cvaegan.metrics.metric import (
    FewSamplesWarning,
    Figures,
    Metric,
    by_class_figures,
    check_count,
    check_labels,
    check_rows,
)
from keras_cvaegan.metrics.sampling import ClassReservoir


class IntraClassFrechetDistance(Metric):
    """The mean over classes of the Fréchet distance between real and generated features.

    d² = 1/K Σ_c d²(real features of c, generated features of c)    (Miyato & Koyama 2018)

    A good distance over all classes can hide that every sample is of a wrong one; this cannot.

    A class of which either side has fewer than two samples has no distance (None) and is left out
    of the mean. Where a class has no more samples than there are features, its covariance is
    singular and its distance too large, by the more, the fewer they are: `result` then gives a
    `FewSamplesWarning`. Such a figure is for comparing with others of as many samples a class, as
    that of held-out real pictures. Nothing is shrunk towards a guess: that would trade a bias which
    both columns share for one that depends on the data.

    Of each class at most `max_samples_per_class` features are held, chosen by lot.

    Args:
        reference: real features of each class, a sequence of `(n_c, d)`, empty where absent.
        max_samples_per_class: the most generated features to hold of a class.
        seed: seed of the lots.

    Results: `intra_class_frechet_distance`, its standard deviation over classes
    `intra_class_frechet_distance_std`, and `intra_class_frechet_distance_by_class`.

    Example:

    >>> random = np.random.default_rng(0)
    >>> real = random.normal(size=(2, 500, 2)) + [[[0.0, 0.0]], [[9.0, 0.0]]]
    >>> metric = IntraClassFrechetDistance(real)
    >>> metric.update_state(real[1], np.zeros(500, int))  # Samples of the wrong class.
    >>> zero, one = metric.result()["intra_class_frechet_distance_by_class"]
    >>> 70 < zero < 95, one
    (True, None)
    """

    inputs = ("features", "labels")

    def __init__(
        self, reference: Sequence[np.ndarray], max_samples_per_class: int = 1_000, seed: int = 0
    ) -> None:
        check_count("max_samples_per_class", max_samples_per_class, 2)
        present = [features for features in reference if len(features)]
        if not present:
            raise ValueError("reference must hold real features of some class. Received none.")
        self._feature_dim = np.shape(present[0])[1]
        self._reference = [
            _MeanAndRoot(check_rows("reference", features, self._feature_dim))
            if len(features) >= 2
            else None
            for features in reference
        ]
        self._real_counts = [len(features) for features in reference]
        self._sample = ClassReservoir(len(reference), max_samples_per_class, seed)
        self._settings = {"max_samples_per_class": max_samples_per_class, "seed": seed}

    def reset_state(self) -> None:
        self._sample.reset()

    def update_state(self, features: np.ndarray, labels: np.ndarray) -> None:
        """Takes a batch of features `(n, d)` and labels `(n,)`."""
        features = check_rows("features", features, self._feature_dim)
        labels = check_labels(labels, len(features), len(self._reference))
        self._sample.add(features.astype(np.float32, copy=False), labels)

    def result(self) -> Figures:
        distances: list[float | None] = []
        few = []
        for real, n_real, features in zip(
            self._reference, self._real_counts, self._sample.rows_by_class(), strict=True
        ):
            if real is None or len(features) < 2:
                distances.append(None)
                continue
            generated = _MeanAndRoot(features)
            distances.append(frechet_distance(generated.mean, generated.root, real.mean, real.root))
            if min(n_real, len(features)) <= self._feature_dim:
                few.append(min(n_real, len(features)))
        if few:
            warnings.warn(
                f"intra_class_frechet_distance of {len(few)} classes rests on no more samples "
                f"(from {min(few)} a class) than features ({self._feature_dim}): it is too large. "
                "Compare it only with figures of as many samples a class.",
                FewSamplesWarning,
                stacklevel=2,
            )
        return by_class_figures("intra_class_frechet_distance", distances)

    def describe(self) -> dict[str, Any]:
        used = [len(rows) for rows in self._sample.rows_by_class()]
        return {
            **self._settings,
            "fewest_samples_of_a_class": min(used),
            "fewest_reference_samples_of_a_class": min(self._real_counts),
        }


class _MeanAndRoot:
    """Mean of samples, and the smallest R with RᵀR their covariance."""

    def __init__(self, features: np.ndarray) -> None:
        features = np.asarray(features, np.float64)
        self.mean = features.mean(axis=0)
        deviations = (features - self.mean) / np.sqrt(len(features) - 1)
        count, feature_dim = deviations.shape
        self.root = deviations
        if count > feature_dim:
            self.root = np.asarray(np.linalg.qr(deviations, mode="r"))

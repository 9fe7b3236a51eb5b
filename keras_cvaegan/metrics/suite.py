"""All figures of a set of images from one pass of the extractor over it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_cvaegan.metrics.accuracy import Top1Accuracy
from keras_cvaegan.metrics.extractors import FeatureExtractor
from keras_cvaegan.metrics.frechet_distance import FrechetDistance
from keras_cvaegan.metrics.inception_score import InceptionScore
from keras_cvaegan.metrics.intra_class_diversity import IntraClassDiversity
from keras_cvaegan.metrics.intra_class_frechet_distance import IntraClassFrechetDistance
from keras_cvaegan.metrics.kernel_distance import KernelDistance
from keras_cvaegan.metrics.metric import Figures, Metric, check_images, check_labels
from keras_cvaegan.metrics.precision_recall import DensityCoverage, PrecisionRecall
from keras_cvaegan.metrics.reference import ReferenceStatistics, class_share


def standard_metrics(
    reference: ReferenceStatistics, extractor: FeatureExtractor, seed: int = 0
) -> list[Metric]:
    """Returns the metrics of evaluation.json that the extractor can serve, in its order.

    Without probabilities there is no Inception score; without the data's own classes no Top-1
    accuracy. As many features are held as of the reference.

    Args:
        reference: statistics of the real data.
        extractor: see `FeatureExtractor`.
        seed: seed of what is chosen by lot.
    """
    held = {"max_samples": reference.about["max_samples"], "seed": seed}
    of_a_class = class_share(held["max_samples"], reference.num_classes)
    metrics: list[Metric] = []
    if extractor.knows_labels:
        metrics.append(Top1Accuracy(reference.num_classes))
    if extractor.num_classes is not None:
        metrics.append(InceptionScore(seed=seed))
    metrics += [
        FrechetDistance(reference.moments),
        KernelDistance(reference.features, **held),
        PrecisionRecall(reference.features, **held, neighbours=reference.neighbours),
        DensityCoverage(reference.features, **held, neighbours=reference.neighbours),
        IntraClassFrechetDistance(reference.features_by_class, of_a_class, seed),
        IntraClassDiversity(reference.num_classes, seed=seed),
    ]
    return metrics


class MetricSuite:
    """Several metrics of one stream of images, with one forward pass of the extractor a batch.

    The images may be generated ones, or held-out real ones: the column beside, which shows what
    can be reached.

    Args:
        reference: statistics of real images by the same extractor.
        extractor: see `FeatureExtractor`.
        metrics: the metrics; by default `standard_metrics`.
        class_names: names of the classes, by which figures by class are then dictionaries and not
            lists.
        seed: seed of what the standard metrics choose by lot.

    Raises:
        ValueError: when the reference was computed with another extractor.

    Example:

    >>> from keras_cvaegan import metrics
    >>> random = np.random.default_rng(0)
    >>> labels = np.arange(100) % 2
    >>> real = random.integers(0, 256, (100, 8, 8, 3), np.uint8)
    >>> generated = random.integers(0, 128, (100, 8, 8, 3), np.uint8)

    A real program trains the classifier: `metrics.train_classifier`.

    >>> classifier = metrics.recognition_network((8, 8, 3), num_classes=2, augment=False)
    >>> extractor = metrics.ClassifierExtractor(classifier)
    >>> reference = metrics.reference_statistics([(real, labels)], extractor, split="train")
    >>> suite = metrics.MetricSuite(reference, extractor)
    >>> for rows in np.split(np.arange(100), 4):
    ...     suite.update_state(generated[rows], labels[rows])
    >>> results = suite.result()
    >>> [name for name in results if not name.endswith(("_std", "_by_class"))]
    ['top1_accuracy', 'inception_score', 'realism', 'frechet_distance', 'kernel_distance',
     'precision', 'recall', 'density', 'coverage', 'intra_class_frechet_distance',
     'intra_class_diversity']
    >>> 0 <= results["coverage"] <= 1
    True
    >>> suite.describe()["samples"], suite.describe()["reference"]["split"]
    (100, 'train')
    """

    def __init__(
        self,
        reference: ReferenceStatistics,
        extractor: FeatureExtractor,
        *,
        metrics: Sequence[Metric] | None = None,
        class_names: Sequence[str] | None = None,
        seed: int = 0,
    ) -> None:
        known = reference.about["extractor"]
        if known["fingerprint"] != extractor.fingerprint:
            raise ValueError(
                "The reference and the suite need one extractor. Received: "
                f"{known['name']!r} ({known['fingerprint']}) and {extractor.name!r} "
                f"({extractor.fingerprint})."
            )
        if class_names is not None and len(class_names) != reference.num_classes:
            raise ValueError(
                f"class_names must be {reference.num_classes}. Received: {len(class_names)}."
            )
        self.reference, self.extractor = reference, extractor
        self.metrics = (
            standard_metrics(reference, extractor, seed) if metrics is None else list(metrics)
        )
        self._class_names = class_names
        self.reset_state()

    def reset_state(self) -> None:
        """Forgets all batches."""
        self._samples_by_class = np.zeros(self.reference.num_classes, np.int64)
        for metric in self.metrics:
            metric.reset_state()

    def update_state(self, images: np.ndarray, labels: np.ndarray) -> None:
        """Takes a batch.

        Args:
            images: uint8 `(n, height, width, channels)`; n may be 0.
            labels: integers `(n,)`: the classes that the images were made for, or have.
        """
        images = check_images(images)
        labels = check_labels(labels, len(images), self.reference.num_classes)
        self._samples_by_class += np.bincount(labels, minlength=self.reference.num_classes)
        features, probabilities = self.extractor(images)
        given: dict[str, Any] = {
            "images": images,
            "labels": labels,
            "features": features,
            "probabilities": probabilities,
        }
        for metric in self.metrics:
            metric.update_state(*(given[name] for name in metric.inputs))

    def result(self) -> Figures:
        """Returns the figures of all metrics, by their names in evaluation.json.

        None stands for what cannot be said. Those that rest on too few samples say so in a
        `FewSamplesWarning`.
        """
        figures: Figures = {}
        for metric in self.metrics:
            figures |= metric.result()
        if self._class_names is not None:
            for name, values in figures.items():
                if isinstance(values, list):
                    figures[name] = dict(zip(self._class_names, values, strict=True))
        return figures

    def describe(self) -> dict[str, Any]:
        """Returns extractor, reference, sample counts and settings, to be kept with the figures."""
        return {
            "extractor": self.extractor.describe(),
            "reference": {
                name: value
                for name, value in self.reference.describe().items()
                if name != "extractor"
            },
            "samples": int(self._samples_by_class.sum()),
            "samples_by_class": self._samples_by_class.tolist(),
            "metrics": {type(metric).__name__: metric.describe() for metric in self.metrics},
        }

"""The real side of a measurement, which models of the same data share."""

import functools
import hashlib
import json
import os
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np

import datasets
from datasets.reader import Reader
from keras_cvaegan import metrics
from keras_cvaegan.metrics.extractors import FeatureExtractor
from trainers.counting import counted

Batches = Iterable[tuple[np.ndarray, np.ndarray]]
Measured = tuple[dict[str, Any], dict[str, Any], list[str]]

METRICS: dict[str, type[metrics.Metric]] = {
    "top1_accuracy": metrics.Top1Accuracy,
    "inception_score": metrics.InceptionScore,
    "frechet_distance": metrics.FrechetDistance,
    "kernel_distance": metrics.KernelDistance,
    "precision": metrics.PrecisionRecall,
    "recall": metrics.PrecisionRecall,
    "density": metrics.DensityCoverage,
    "coverage": metrics.DensityCoverage,
    "intra_class_frechet_distance": metrics.IntraClassFrechetDistance,
    "intra_class_diversity": metrics.IntraClassDiversity,
    "novelty": metrics.NearestNeighbourNovelty,
}
"""What is measured of pictures, by name, and what measures it."""

BATCH_SIZE = 256
NEIGHBOURS, NOVELTY_SAMPLES = 3, 500


class Yardstick:
    """What models of the same data are measured with.

    Samples and held-out pictures are both compared with the training pictures: what held-out ones
    reach is what a perfect model would reach with as many samples. Statistics of the training
    pictures and figures of held-out ones are computed when they are first needed.

    Args:
        data: what `datasets.prepare` takes, less the split: `configuration.data_arguments`.
        classifier: the judge, of images in [−1, 1] to logits of these data's classes; None where
            only `extractor` is needed.
        about: what the judge is, as JSON has it, with its "name" and "augmentation".
        extractor: gives the features that are compared; by default the judge.
        statistics: file that keeps the training pictures' statistics; None keeps none.
        max_test_images: the most held-out pictures to use, evenly over the split.

    Attributes:
        training, test: the splits, as `datasets.prepare` gives them.
        test_rows: which pictures of `test` are used.
        class_names: of the data.
        judge: the extractor on the classifier, or None.

    Raises:
        ValueError: for data that cannot be used.
        OSError: when decoded pictures cannot be kept.
    """

    def __init__(
        self,
        data: Mapping[str, Any],
        classifier: keras.Model | None,
        about: Mapping[str, Any] | None,
        *,
        extractor: FeatureExtractor | None = None,
        statistics: str | os.PathLike | None = None,
        max_test_images: int = 10_000,
    ) -> None:
        self.data = dict(data)
        self.training = datasets.prepare(split="train", **data)
        self.test = datasets.prepare(split="test", **data)
        self.class_names = self.test.description.class_names
        # Evenly, since the split may be in the order of the classes.
        count = self.test.description.num_images
        self.test_rows = np.linspace(0, count - 1, min(count, max_test_images)).astype(np.int64)
        self.judge, self.about = None, about
        if classifier is not None:
            self.judge = metrics.ClassifierExtractor(classifier, name=about["name"])
        self.extractor = extractor or self.judge
        self._statistics = statistics
        self._real: dict[tuple[str, ...], Measured] = {}

    @functools.cached_property
    def reference(self) -> metrics.ReferenceStatistics:
        """Statistics of the training pictures, from the file where it serves."""
        rows = np.arange(self.training.description.num_images)
        return metrics.reference_statistics(
            counted("Training pictures", batches(self.training, rows), len(rows)),
            self.extractor,
            split="train",
            num_classes=len(self.class_names),
            key=self._key(),
            cache=self._statistics,
        )

    def _key(self) -> dict[str, Any]:
        """Changes whenever the training pictures do, wherever they lie."""
        arguments = dict(self.data)
        name = arguments.pop("name")
        source = datasets.get(name).source("train", **arguments)
        digest = hashlib.sha256(json.dumps([source.class_names, source.key]).encode())
        return {
            "dataset": name,
            "image_size": self.data["image_size"],
            "digest": digest.hexdigest()[:16],
        }

    def describe_reference(self) -> dict[str, Any]:
        """Returns split, key, sample counts and settings of the training pictures' statistics."""
        described = self.reference.describe()
        del described["extractor"]
        return described

    def real(self, names: Sequence[str]) -> Measured:
        """Returns what `measure` does for the held-out pictures, measured once."""
        names = tuple(names)
        if names not in self._real:
            stream = batches(self.test, self.test_rows)
            stream = counted("Held-out pictures", stream, len(self.test_rows))
            self._real[names] = self.measure(stream, self.metrics(names))
        return self._real[names]

    def measure(self, stream: Batches, using: Sequence[metrics.Metric]) -> Measured:
        """Returns figures of a stream of images and labels, the metrics' settings, and notes.

        Args:
            stream: images, uint8 `(n, height, width, 3)`, and labels `(n,)`.
            using: metrics without samples.
        """
        suite = metrics.MetricSuite(
            self.reference, self.extractor, metrics=using, class_names=self.class_names
        )
        for images, labels in stream:
            suite.update_state(images, labels)
        print("Comparing them with the training pictures …", flush=True)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", metrics.FewSamplesWarning)
            figures = suite.result()
        return figures, suite.describe()["metrics"], [str(warning.message) for warning in caught]

    def metrics(self, names: Iterable[str]) -> list[metrics.Metric]:
        """Returns metrics without samples that give the figures of some names of `METRICS`."""
        kinds = {METRICS[name] for name in names}
        standard = metrics.standard_metrics(self.reference, self.extractor)
        found = [metric for metric in standard if type(metric) in kinds]
        if metrics.Top1Accuracy in kinds and not self.extractor.knows_labels:
            found.insert(0, _AccuracyByJudge(self.judge))
        if metrics.NearestNeighbourNovelty in kinds:
            # The judge's features, since those of a large extractor take hours of all the data.
            novelty = metrics.NearestNeighbourNovelty(
                self.training.images, self.judge, NEIGHBOURS, NOVELTY_SAMPLES
            )
            found.append(novelty)
        return found


class _AccuracyByJudge(metrics.Top1Accuracy):
    """Top-1 accuracy by the judge, where another extractor gives the features."""

    inputs = ("images", "labels")

    def __init__(self, judge: FeatureExtractor) -> None:
        super().__init__(judge.num_classes)
        self._judge = judge

    def update_state(self, images: np.ndarray, labels: np.ndarray) -> None:
        super().update_state(labels, self._judge(images)[1])


def batches(
    prepared: datasets.Prepared, rows: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields some images and labels of a split, read from disk a batch at a time."""
    read = Reader(prepared.images, prepared.labels)
    for start in range(0, len(rows), BATCH_SIZE):
        images, labels = read(rows[start : start + BATCH_SIZE])
        yield images, labels

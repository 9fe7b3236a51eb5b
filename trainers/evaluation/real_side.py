"""The real side of a measurement, which models of the same data share."""

import functools
import os
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np

import datasets
from datasets.pipeline.reader import Reader
from keras_cvaegan import metrics
from keras_cvaegan.metrics.extractors import Extracted, FeatureExtractor
from keras_cvaegan.metrics.novelty import TrainingPictures
from keras_cvaegan.progress import counted
from trainers.evaluation.kept_features import KeptFeatures

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
"""Metrics of pictures, by name."""

BATCH_SIZE = 256
NEIGHBOURS, NOVELTY_SAMPLES = 3, 500


class RealSide:
    """What models of the same data are measured with.

    Samples and held-out pictures are both compared with the training pictures: what held-out ones
    reach is what a perfect model would reach with as many samples. Statistics of the training
    pictures and figures of held-out ones are computed when they are first needed, and once.

    Args:
        data: data set, opened.
        classifier: judge of images in [−1, 1], which gives logits of these data's classes; None
            where only `extractor` is needed.
        about: description of the judge, as JSON has it, with its "name" and "augmentation".
        extractor: source of the features that are compared; by default the judge.
        statistics: file that keeps the training pictures' statistics; None keeps none.
        features: file that keeps the judge's features of the training pictures; None keeps none.
        training_features: these features, where making the judge took them; None where not.
        max_test_images: largest number of held-out pictures to use, evenly over the split.
        names: names of the metrics, of `METRICS`, that models will be measured with: with them
            given, the held-out pictures are read once though models differ in what can be said of
            them.

    Attributes:
        training, test: pictures of the splits, as `datasets.prepare` gives them.
        test_rows: rows of the pictures of `test` that are used.
        class_names: names of the classes of the data.
        judge: extractor on the classifier, or None.

    Raises:
        ValueError: for data that cannot be used.
        OSError: when decoded pictures cannot be kept.
    """

    def __init__(
        self,
        data: datasets.OpenDataset,
        classifier: keras.Model | None,
        about: Mapping[str, Any] | None,
        *,
        extractor: FeatureExtractor | None = None,
        statistics: str | os.PathLike | None = None,
        features: str | os.PathLike | None = None,
        training_features: np.ndarray | None = None,
        max_test_images: int = 10_000,
        names: Iterable[str] = (),
    ) -> None:
        self.data = data
        self.training, self.test = data.prepare("train"), data.prepare("test")
        self.class_names = self.test.description.class_names
        self.test_rows = some_rows(self.test.description.num_images, max_test_images)
        self.judge, self.about = None, about
        if classifier is not None:
            self.judge = metrics.ClassifierExtractor(classifier, name=about["name"])
        self.extractor = extractor or self.judge
        self._statistics = statistics
        self._names = tuple(names)
        self._real: dict[type[metrics.Metric], Measured] = {}
        self._searched: TrainingPictures | None = None
        self._features: KeptFeatures | None = None
        if self.judge is not None:
            # The judge's features, since those of a large extractor take hours of all the data.
            self._searched = TrainingPictures(self.training.images, self.judge)
            if features is not None:
                self._features = KeptFeatures(features, self.judge, data.key("train"))
                self._features.give_to(self._searched)
            if training_features is not None:
                self._searched.keep(0, training_features)

    @functools.cached_property
    def reference(self) -> metrics.ReferenceStatistics:
        """Statistics of the training pictures, from the file where it serves."""
        rows, extractor = np.arange(self.training.description.num_images), self.extractor
        if extractor is self.judge:
            extractor = _Remembering(extractor, self._searched)
        found = metrics.reference_statistics(
            counted("Training pictures", batches(self.training, rows), len(rows)),
            extractor,
            split="train",
            num_classes=len(self.class_names),
            key=self.data.key("train"),
            cache=self._statistics,
        )
        if self._features is not None:
            self._features.keep(self._searched)
        return found

    def describe_reference(self) -> dict[str, Any]:
        """Returns split, key, sample counts and settings of the training pictures' statistics."""
        described = self.reference.describe()
        del described["extractor"]
        return described

    def real(self, names: Iterable[str]) -> Measured:
        """Returns what `measure` does for the held-out pictures, each metric measured once."""
        asked = [METRICS[name] for name in names]
        if not self._real.keys() >= set(asked):
            wanted = {*asked, *(METRICS[name] for name in self._names)} - self._real.keys()
            using = self.metrics(name for name, kind in METRICS.items() if kind in wanted)
            stream = batches(self.test, self.test_rows)
            stream = counted("Held-out pictures", stream, len(self.test_rows))
            # Without probabilities, for one, an extractor serves no Inception score.
            self._real |= dict.fromkeys(wanted, ({}, {}, []))
            self._real |= {
                next(kind for kind in wanted if isinstance(metric, kind)): measured
                for metric, measured in zip(using, self._measure_each(stream, using), strict=True)
            }
        # In the order of `METRICS`, as those of samples are.
        kinds = dict.fromkeys(kind for kind in METRICS.values() if kind in asked)
        return _merged([self._real[kind] for kind in kinds])

    def measure(self, stream: Batches, using: Sequence[metrics.Metric]) -> Measured:
        """Returns figures of a stream of images and labels, the metrics' settings, and notes.

        Args:
            stream: batches of images, uint8 `(n, height, width, 3)`, and labels `(n,)`.
            using: metrics without samples.
        """
        return _merged(self._measure_each(stream, using))

    def _measure_each(self, stream: Batches, using: Sequence[metrics.Metric]) -> list[Measured]:
        """What `measure` returns, for each metric."""
        suite = metrics.MetricSuite(
            self.reference, self.extractor, metrics=using, class_names=self.class_names
        )
        for images, labels in stream:
            suite.update_state(images, labels)
        print("Comparing them with the training pictures …", flush=True)
        return [self._result(metric) for metric in using]

    def _result(self, metric: metrics.Metric) -> Measured:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", metrics.FewSamplesWarning)
            figures = metric.result()
        for name, values in figures.items():
            if isinstance(values, list):
                figures[name] = dict(zip(self.class_names, values, strict=True))
        settings = {type(metric).__name__: metric.describe()}
        return figures, settings, [str(warning.message) for warning in caught]

    def metrics(self, names: Iterable[str]) -> list[metrics.Metric]:
        """Returns metrics without samples that give the figures of some names of `METRICS`."""
        kinds = {METRICS[name] for name in names}
        standard = metrics.standard_metrics(self.reference, self.extractor)
        found = [metric for metric in standard if type(metric) in kinds]
        if metrics.Top1Accuracy in kinds and not self.extractor.knows_labels:
            found.insert(0, _AccuracyByJudge(self.judge))
        if metrics.NearestNeighbourNovelty in kinds:
            found.append(
                metrics.NearestNeighbourNovelty(
                    self._searched, k=NEIGHBOURS, max_samples=NOVELTY_SAMPLES
                )
            )
        return found


class _Remembering:
    """The judge, as the training pictures pass it in their order: `searched` keeps the features.

    Pictures whose features it knows do not pass the judge again. Nobody asks for probabilities.
    """

    def __init__(self, judge: FeatureExtractor, searched: TrainingPictures) -> None:
        self._judge, self._searched, self._start = judge, searched, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._judge, name)

    def __call__(self, images: np.ndarray) -> Extracted:
        start, stop = self._start, self._start + len(images)
        self._start = stop
        features = self._searched.known(start, stop)
        if features is None:
            features, _ = self._judge(images)
            self._searched.keep(start, features)
        return features, None


def _merged(measured: Iterable[Measured]) -> Measured:
    figures, settings, notes = {}, {}, []
    for each in measured:
        figures |= each[0]
        settings |= each[1]
        notes += each[2]
    return figures, settings, notes


class _AccuracyByJudge(metrics.Top1Accuracy):
    """Top-1 accuracy by the judge, where another extractor gives the features."""

    inputs = ("images", "labels")

    def __init__(self, judge: FeatureExtractor) -> None:
        super().__init__(judge.num_classes)
        self._judge = judge

    def update_state(self, images: np.ndarray, labels: np.ndarray) -> None:
        super().update_state(labels, self._judge(images)[1])


def some_rows(count: int, max_count: int) -> np.ndarray:
    """Returns the indices of at most so many of `count` examples, drawn by lot, in their order.

    Example:

    >>> some_rows(3, max_count=5), len(some_rows(100, max_count=5))
    (array([0, 1, 2]), 5)
    """
    # Neither the first ones nor every so many: classes may come one after the other or in turn.
    return np.sort(np.random.default_rng(0).permutation(count)[:max_count])


def batches(
    prepared: datasets.Prepared, rows: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields some images and labels of a split, read from disk a batch at a time."""
    read = Reader(prepared.images, prepared.labels)
    for start in range(0, len(rows), BATCH_SIZE):
        images, labels = read(rows[start : start + BATCH_SIZE])
        yield images, labels

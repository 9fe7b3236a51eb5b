"""Judges a SavedModel by its serving signatures, against Examples: what the Evaluator measures.

The figures are the library's: Top-1 accuracy and Fréchet distance, both by a judge, a classifier
of the real train Examples. Nothing here needs TFX.
"""

import json
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_cvaegan import metrics
from keras_cvaegan.metrics.recognition import train_classifier
from keras_cvaegan.training.examples import (
    ExampleFormat,
    batches,
    check_examples,
    unusable_examples_as_value_errors,
)

THRESHOLDS = {
    "min_top1_accuracy": ("top1_accuracy", "below"),
    "max_frechet_distance": ("frechet_distance", "above"),
}
"""Each threshold's figure, and on which side of it a model is refused."""

JUDGE = "classifier of the train Examples"
_BATCH_SIZE = 256
# Of the train Examples, the judge does not learn from these, which tell it when to stop.
_HELD_OUT = 10


def arrays(
    patterns: Sequence[str], examples: ExampleFormat, limit: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the first Examples of TFRecord files.

    Args:
        patterns: glob patterns of the files.
        examples: format in which they are read.
        limit: largest number of Examples.

    Returns:
        Images, uint8 `(n, size, size, 3)`, and labels, int32 `(n,)`.

    Raises:
        ValueError: when there is none, or they cannot be used.
    """
    check_examples(patterns, examples)
    found = batches(patterns, examples, _BATCH_SIZE).take(-(-limit // _BATCH_SIZE))
    with unusable_examples_as_value_errors():
        images, labels = zip(*found.as_numpy_iterator(), strict=True)
    return np.concatenate(images)[:limit], np.concatenate(labels)[:limit]


def train_judge(
    patterns: Sequence[str],
    examples: ExampleFormat,
    *,
    augment: bool,
    max_examples: int = 50_000,
    epochs: int = 60,
) -> keras.Model:
    """Trains the judge.

    Args:
        patterns: glob patterns of the files of train Examples.
        examples: format in which they are read.
        augment: whether pictures are shifted and mirrored, which suits photographs.
        max_examples: largest number of Examples to learn from; they are held in memory.
        epochs: largest number of passes over them.

    Returns:
        A model of images in [−1, 1] to logits.

    Raises:
        ValueError: for a model without classes, or Examples that cannot be used.
    """
    images, labels = arrays(patterns, examples, max_examples)
    if len(labels) < 2 * _HELD_OUT:
        raise ValueError(
            f"A judge learns from {2 * _HELD_OUT} train Examples or more. Received: {len(labels)}."
        )
    # Files may be in the order of the classes.
    order = np.random.default_rng(examples.seed).permutation(len(labels))
    held_out, rest = np.split(order, [len(order) // _HELD_OUT])
    keras.config.set_dtype_policy("float32")
    return train_classifier(
        (images[rest], labels[rest]),
        (images[held_out], labels[held_out]),
        examples.classes,
        augment=augment,
        epochs=epochs,
        seed=examples.seed,
    )


def evaluate(
    saved_model: str,
    judge: keras.Model,
    patterns: Sequence[str],
    examples: ExampleFormat,
    *,
    conditional: bool = True,
    samples: int = 2_000,
    seed: int = 0,
    max_examples: int = 50_000,
) -> dict[str, Any]:
    """Returns the figures of a SavedModel's samples and of the eval Examples themselves.

    Half of the eval Examples is what samples are compared with; the other half, compared likewise,
    shows what a perfect model would reach.

    Args:
        saved_model: folder of the SavedModel.
        judge: classifier that `train_judge` returns.
        patterns: glob patterns of the files of eval Examples.
        examples: format in which they are read.
        conditional: whether the model has classes; without, there is no Top-1 accuracy.
        samples: number of pictures to generate, class after class in turn.
        seed: seed of the samples.
        max_examples: largest number of eval Examples to use; they are held in memory.

    Raises:
        ValueError: for a SavedModel that has no signature `generate` for these classes, or Examples
            that cannot be used.
    """
    images, labels = arrays(patterns, examples, max_examples)
    extractor = metrics.ClassifierExtractor(judge, name=JUDGE)
    order = np.random.default_rng(seed).permutation(len(labels))
    first, second = order[::2], order[1::2]
    reference = metrics.reference_statistics(
        [(images[first], labels[first])], extractor, split="eval", num_classes=examples.classes
    )
    using: list[metrics.Metric] = [metrics.FrechetDistance(reference.moments)]
    if conditional:
        using.insert(0, metrics.Top1Accuracy(examples.classes))
    suite = metrics.MetricSuite(reference, extractor, metrics=using)
    classes = examples.classes if conditional else 1
    generated, notes = _measure(suite, _generated(saved_model, classes, samples, seed))
    real, real_notes = _measure(suite, [(images[second], labels[second])])
    return {
        "generated": generated,
        "real": real,
        "samples": {
            "generated": samples,
            "seed": seed,
            "real": len(second),
            "reference": len(first),
            "split": "eval",
        },
        "extractor": extractor.describe(),
        "notes": [*notes, *(f"real: {note}" for note in real_notes)],
    }


def _measure(
    suite: metrics.MetricSuite, stream: Iterable[tuple[np.ndarray, np.ndarray]]
) -> tuple[dict[str, Any], list[str]]:
    """Returns the figures of images and labels, and what is to be said of them."""
    suite.reset_state()
    for images, labels in stream:
        suite.update_state(images, labels)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", metrics.FewSamplesWarning)
        figures = suite.result()
    return figures, [str(warning.message) for warning in caught]


def _generated(
    saved_model: str, classes: int, samples: int, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields pictures by the signature `generate`, as a server would give them, and labels."""
    loaded = tf.saved_model.load(saved_model)
    if "generate" not in loaded.signatures:
        raise ValueError(
            f"The SavedModel {saved_model!r} has no signature 'generate'. Found: "
            f"{', '.join(sorted(loaded.signatures))}. Export it by keras_cvaegan.export."
        )
    generate = loaded.signatures["generate"]
    for start in range(0, samples, _BATCH_SIZE):
        rows = np.arange(start, min(start + _BATCH_SIZE, samples))
        labels = rows % classes
        try:
            images = generate(labels=tf.constant(labels), seed=tf.constant(rows + seed * samples))
        except tf.errors.InvalidArgumentError as error:
            raise ValueError(
                f"The SavedModel {saved_model!r} does not generate pictures of the {classes} "
                f"classes of the Examples: {error.message}"
            ) from error
        yield images["images"].numpy(), labels


def check_thresholds(thresholds: Mapping[str, float]) -> None:
    """Refuses thresholds that are not known or not numbers.

    Raises:
        ValueError: naming the allowed ones.
    """
    for name, value in thresholds.items():
        if name not in THRESHOLDS:
            raise ValueError(f"There is no threshold {name!r}. Allowed: {', '.join(THRESHOLDS)}.")
        if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
            raise ValueError(f"{name} must be a number of at least 0. Received: {value!r}.")


def failures(figures: Mapping[str, Any], thresholds: Mapping[str, float]) -> list[str]:
    """Returns why a model is refused, a clause each; nothing where it is blessed.

    Args:
        figures: figures of its samples, by name.
        thresholds: numbers by the names of `THRESHOLDS`.

    Example:

    >>> failures({"top1_accuracy": 0.5}, {"min_top1_accuracy": 0.9})
    ['top1_accuracy is 0.5, below 0.9']
    >>> failures({"top1_accuracy": 0.9}, {"min_top1_accuracy": 0.9})
    []
    """
    check_thresholds(thresholds)
    found = []
    for threshold, limit in thresholds.items():
        name, side = THRESHOLDS[threshold]
        value = figures.get(name)
        if value is None:
            found.append(f"{name} cannot be said")
        elif not (value >= limit if side == "below" else value <= limit):  # As NaN is.
            found.append(f"{name} is {value:.4g}, {side} {limit:.4g}")
    return found


def write_verdict(
    results: Mapping[str, Any], thresholds: Mapping[str, float], folder: str
) -> list[str]:
    """Writes `evaluation.json` with figures, thresholds and verdict, and returns the failures."""
    refused = failures(results["generated"], thresholds)
    contents = {
        **results,
        "thresholds": dict(thresholds),
        "blessed": not refused,
        "failures": refused,
    }
    tf.io.gfile.makedirs(folder)
    with tf.io.gfile.GFile(f"{folder}/evaluation.json", "w") as file:
        file.write(json.dumps(contents, indent=2) + "\n")
    return refused

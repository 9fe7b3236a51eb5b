"""Pictures to train other networks with: how many, who judges them, and of which classes."""

from collections.abc import Callable, Sequence

import keras
import numpy as np

from datasets.pipeline.semi_supervised import labelled_rows
from keras_cvaegan import applications, pictures
from keras_cvaegan.applications.augmentation import Augmentation, Mix
from keras_cvaegan.models import GenerativeModel
from keras_cvaegan.training.run_directory import RunDirectory
from trainers.evaluation.judge import open_judge
from trainers.runs.data import open_data, read_config


def class_counts(
    run_dir: str, num_classes: int, *, per_class: int | None, fill: bool, new_classes: int
) -> np.ndarray:
    """Returns how many pictures of each class are to be generated, integers (num_classes,).

    Args:
        run_dir: folder of the run.
        num_classes: number of the model's classes.
        per_class: number of each class; None for none.
        fill: whether each class gets as many as it lacks to the one with most training pictures.
        new_classes: number of new classes.

    Raises:
        ValueError: where no class lacks any, and there are no new ones.
    """
    if fill:
        of_training = training_counts(run_dir)
        counts = applications.plan(of_training, fill=True)
        if not (counts.any() or new_classes):
            raise ValueError(
                f"--fill has nothing to fill up: each class has {of_training.max():,} training "
                "pictures. Give --per_class=N."
            )
        return counts
    counts = np.zeros(num_classes, np.int64)
    return counts if per_class is None else applications.plan(counts, per_class=per_class)


def training_counts(run_dir: str) -> np.ndarray:
    """Returns how many training pictures of each class a run had, with their labels."""
    config = read_config(RunDirectory(run_dir))
    prepared = open_data(config).prepare("train")
    labels, num_classes = np.asarray(prepared.labels), prepared.description.num_classes
    rows = labelled_rows(
        labels, num_classes, config.labelled_share, config.seed, config.images_per_class
    )
    return np.bincount(labels[rows], minlength=num_classes)


def real_judge(run_dir: str) -> Callable[[np.ndarray], np.ndarray]:
    """Returns the classifier of a run's real pictures, of uint8 images to probabilities."""
    run = RunDirectory(run_dir)
    classifier, _ = open_judge(run.evaluation_classifier, open_data(read_config(run)))
    return probabilities_of(classifier)


def probabilities_of(classifier: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    """Returns a classifier's probabilities of uint8 images, as `augment` takes a judge."""

    def judge(images: np.ndarray) -> np.ndarray:
        logits = classifier(pictures.from_uint8(images), training=False)
        return keras.ops.convert_to_numpy(keras.ops.softmax(logits))

    return judge


def generate(
    model: GenerativeModel,
    counts: np.ndarray,
    *,
    new_classes: int,
    new_per_class: int,
    mix_weights: str,
    seed: int,
    min_confidence: float | None,
    judge: Callable[[np.ndarray], np.ndarray] | None,
    max_tries: int,
) -> tuple[Augmentation, Sequence[Mix]]:
    """Returns pictures of a model's classes and of new ones, and what the new ones are mixed of.

    Args:
        model: model with classes.
        counts: number of pictures of each of its classes.
        new_classes: number of new classes.
        new_per_class: number of pictures of each new class.
        mix_weights: parts of the three classes in a new one, see
            `keras_cvaegan.applications.new_classes`.
        seed: seed of the pictures.
        min_confidence: probability of its class below which a picture is rejected; None for none.
        judge: function of uint8 images to probabilities; None for the model's own classifier.
        max_tries: number of pictures to draw, for each that is asked for, at most.
    """
    mixes = []
    if new_classes:
        mixes = applications.new_classes(len(counts), new_classes, weights=mix_weights, seed=seed)
    augmentation = applications.augment(
        model,
        [*counts, *[new_per_class] * len(mixes)],
        mixes=mixes,
        seed=seed,
        min_confidence=min_confidence,
        judge=judge,
        max_tries=max_tries,
    )
    return augmentation, mixes

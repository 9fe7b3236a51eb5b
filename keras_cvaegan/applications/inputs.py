"""What applications need of a model and of pictures, and what is said where it is missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from keras_cvaegan import pictures
from keras_cvaegan.models import LRLIVAE, MODELS, GenerativeModel


def need_network(model: GenerativeModel, name: str) -> None:
    """Checks that a model has an "encoder" or a "classifier".

    Raises:
        ValueError: otherwise; it names the models that have one.
    """
    if name not in model.inference_names() and not (name == "encoder" and model.finds_codes):
        having = _models_where(lambda kind: name in kind.inference_names())
        raise ValueError(f"{type(model).__name__} has no {name}. Models with one: {having}.")


def need_two_codes(model: GenerativeModel) -> None:
    """Checks that a model has a label-relevant code z_s and a label-irrelevant one z_u.

    Raises:
        ValueError: otherwise; it names the models that have them.
    """
    if not isinstance(model, LRLIVAE):
        having = _models_where(lambda kind: issubclass(kind, LRLIVAE))
        raise ValueError(
            f"{type(model).__name__} has one code, z. Models with two, z_s and z_u: {having}."
        )


def need_classes(model: GenerativeModel) -> None:
    """Checks that a model was trained with classes.

    Raises:
        ValueError: otherwise; it names the models with classes and an encoder.
    """
    if not model.conditional:
        having = _models_where(
            lambda kind: kind.conditional and "encoder" in kind.inference_names()
        )
        raise ValueError(
            f"{type(model).__name__} has no classes: there is no other to show a picture as. "
            f"Models with classes and an encoder: {having}."
        )


def _models_where(has: Callable[[type[GenerativeModel]], bool]) -> str:
    return ", ".join(name for name, kind in MODELS.items() if has(kind))


def takes_labels(model: GenerativeModel) -> bool:
    """Returns whether a model needs the label of a picture to reconstruct it."""
    return model.conditional and not isinstance(model, LRLIVAE)


def check_guessable(model: GenerativeModel) -> None:
    """Checks that a model reconstructs without labels, or with those of its own classifier.

    Raises:
        ValueError: otherwise.
    """
    if takes_labels(model) and "classifier" not in model.inference_names():
        raise ValueError(
            f"{type(model).__name__} reconstructs under a label, and has no classifier that could "
            "guess it: give labels."
        )


def guess_labels(model: GenerativeModel, images: np.ndarray) -> np.ndarray | None:
    """Returns the labels that a model's own classifier gives pictures; None where it has none.

    Args:
        model: any model.
        images: (n, height, width, channels), uint8 or float in [−1, 1].

    Example:

    >>> from keras_cvaegan.models import VAE
    >>> model = VAE.from_preset("compact", image_shape=(16, 16, 3))
    >>> guess_labels(model, np.zeros((2, 16, 16, 3), "uint8")) is None
    True
    """
    if "classifier" not in model.inference_names():
        return None
    return model.classify(images).argmax(axis=1)


def own_labels(
    model: GenerativeModel,
    images: np.ndarray,
    labels: Sequence[int] | np.ndarray | None = None,
) -> np.ndarray:
    """Returns the classes of pictures, given or guessed.

    Args:
        model: any model with an encoder.
        images: (n, height, width, channels), uint8 or float in [−1, 1].
        labels: n integers, or class weights (n, num_classes); None for those that the model's own
            classifier gives the pictures. A model without classes looks at none.

    Returns:
        Class weights, float32 (n, num_classes).

    Raises:
        ValueError: for a model without an encoder, one that needs labels where there are none and
            has no classifier, or images or labels that the model does not take.

    Example:

    >>> from keras_cvaegan.models import CVAE
    >>> model = CVAE.from_preset("compact", image_shape=(16, 16, 3), num_classes=2)
    >>> own_labels(model, np.zeros((1, 16, 16, 3), "uint8"), [1])
    array([[0., 1.]], dtype=float32)
    """
    need_network(model, "encoder")
    if not model.conditional:
        return model.class_weights(np.zeros(len(images), np.int32))
    if labels is None:
        check_guessable(model)
        labels = model.classify(images).argmax(axis=1)
    return model.class_weights(labels)


def labels_to_encode(
    model: GenerativeModel,
    images: np.ndarray,
    labels: Sequence[int] | np.ndarray | None = None,
) -> np.ndarray:
    """Returns `own_labels`, or class 0 where a model looks at no label: see `takes_labels`.

    It spares such a model the guessing. Where the class itself is asked for, as to show pictures
    under another, take `own_labels`.
    """
    need_network(model, "encoder")
    if takes_labels(model):
        return own_labels(model, images, labels)
    return model.class_weights(np.zeros(len(images), np.int32))


def reconstruct(
    model: GenerativeModel,
    images: np.ndarray,
    labels: Sequence[int] | np.ndarray | None = None,
) -> np.ndarray:
    """Reconstructs pictures by any model with an encoder, their labels being known or not.

    Args:
        model: a model of any kind; one that needs no label (see `takes_labels`) is given none.
        images: (n, height, width, channels), uint8 or float in [−1, 1].
        labels: n integers, or class weights (n, num_classes); None for those that the model's own
            classifier gives the pictures.

    Returns:
        float32 array (n, height, width, channels) in [−1, 1].

    Raises:
        ValueError: for a model without an encoder, one that needs labels where there are none and
            has no classifier, or images or labels that the model does not take.

    Example:

    >>> from keras_cvaegan.models import CVAEGAN
    >>> model = CVAEGAN.from_preset("compact", image_shape=(16, 16, 3), num_classes=2)
    >>> reconstruct(model, np.zeros((3, 16, 16, 3), "uint8")).shape
    (3, 16, 16, 3)
    """
    return model.reconstruct(images, labels_to_encode(model, images, labels))


def float_pictures(model: GenerativeModel, images: np.ndarray) -> np.ndarray:
    """Returns pictures of a model's shape, uint8 or float in [−1, 1], as float32 in [−1, 1].

    Raises:
        ValueError: for pictures of another shape or range, or a model of points.
    """
    images = np.asarray(images)
    if len(model.image_shape) != 3:
        raise ValueError(
            "A model of pictures, (height, width, channels), is needed. Received: one of data of "
            f"the shape {model.image_shape}."
        )
    if not images.ndim or images.shape[1:] != model.image_shape:
        raise ValueError(
            f"images must have the shape (n, {', '.join(map(str, model.image_shape))}). "
            f"Received: {images.shape}."
        )
    if images.dtype == np.uint8:
        return pictures.from_uint8(images)
    if not np.issubdtype(images.dtype, np.floating) or not (np.abs(images) <= 1.001).all():
        raise ValueError(
            "images must be uint8, or floats in [-1, 1]. Received: "
            f"{images.dtype} from {images.min(initial=0):.3g} to {images.max(initial=0):.3g}."
        )
    return images.astype(np.float32)


def check_data(
    model: GenerativeModel, class_names: Sequence[str], image_shape: tuple[int, int, int]
) -> None:
    """Checks that a model is one of these data.

    Raises:
        ValueError: otherwise.
    """
    if model.conditional and tuple(class_names) != model.class_names:
        raise ValueError(
            f"The data have {len(class_names)} classes, {', '.join(class_names[:10])} …, the model "
            f"{model.num_classes}: {', '.join(model.class_names[:10])} …. They must be the same: "
            "have the data changed since the training?"
        )
    if tuple(image_shape) != model.image_shape:
        raise ValueError(
            f"The pictures have the shape {tuple(image_shape)}, those of the model "
            f"{model.image_shape}. They must be the same."
        )

"""Multilayer perceptrons for points: the networks of the toy examples.

Hidden layers of 32, 64 and 64 units with ReLU (Bao et al. 2017, Section 4), and a linear layer.
A point of d dimensions is an "image" of shape (d,), of any range; the label joins at the input.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

from keras_cvaegan.layers import ProjectionHead, SpectralNormalization
from keras_cvaegan.networks.common import check_positive_integer, code_outputs
from keras_cvaegan.ops.precision import full_precision_dtype

HIDDEN_UNITS = (32, 64, 64)


def mlp_encoder(
    image_shape: tuple[int] = (2,),
    *,
    num_classes: int | None,
    latent_dim: int = 2,
    hidden_units: Sequence[int] = HIDDEN_UNITS,
    deterministic: bool = False,
    name: str = "encoder",
) -> keras.Model:
    """Encoder E(x, c) of points.

    Args:
        image_shape: `(d,)`.
        num_classes: number of classes, at least 1; None for an encoder that does not see the label.
        latent_dim: dimensions of z.
        hidden_units: units of the hidden layers.
        deterministic: whether it gives "z_mean" alone.
        name: name of the model.

    Returns:
        A model of {"images": (n, d), "labels": (n, num_classes)}, or of points alone, to
        {"z_mean", "z_log_var"}, each (n, latent_dim), float32.

    Example:

    >>> mlp_encoder(num_classes=3, latent_dim=5).output["z_mean"].shape
    (None, 5)
    """
    check_positive_integer("latent_dim", latent_dim)
    x = inputs = points = _points(image_shape)
    if num_classes is not None:
        labels = _labels(num_classes)
        inputs = {"images": points, "labels": labels}
        x = layers.Concatenate(name="join_label")([points, labels])
    x = _hidden(x, hidden_units)[-1]
    return keras.Model(inputs, code_outputs(x, latent_dim, deterministic), name=name)


def mlp_generator(
    image_shape: tuple[int] = (2,),
    *,
    num_classes: int | None,
    latent_dim: int = 2,
    hidden_units: Sequence[int] = HIDDEN_UNITS,
    residual: bool = False,
    name: str = "generator",
) -> keras.Model:
    """Generator G(z, c) of points.

    Args:
        image_shape: `(d,)`.
        num_classes: number of classes, at least 1; None for a generator that does not see the
            label.
        latent_dim: dimensions of z.
        hidden_units: units of the hidden layers.
        residual: whether points are z and what the layers add to it, at first nothing: a mapping
            of z to other codes of as many dimensions.
        name: name of the model.

    Returns:
        A model of {"z": (n, latent_dim), "labels": (n, num_classes)}, or of z alone, to points
        (n, d), float32.

    Raises:
        ValueError: for a residual one whose points have other dimensions than z.

    Example:

    >>> mlp_generator(num_classes=3, latent_dim=5).output.shape
    (None, 2)
    """
    check_positive_integer("latent_dim", latent_dim)
    z = keras.Input((latent_dim,), dtype=full_precision_dtype(), name="z")
    x = inputs = z
    if num_classes is not None:
        labels = _labels(num_classes)
        inputs = {"z": z, "labels": labels}
        x = layers.Concatenate(name="join_label")([z, labels])
    x = _hidden(x, hidden_units)[-1]
    (dimensions,) = _check_shape(image_shape)
    if not residual:
        points = layers.Dense(dimensions, dtype=full_precision_dtype(), name="images")(x)
        return keras.Model(inputs, points, name=name)
    if dimensions != latent_dim:
        raise ValueError(
            "A residual generator's points have as many dimensions as z. Received: "
            f"image_shape={tuple(image_shape)}, latent_dim={latent_dim}."
        )
    change = layers.Dense(
        dimensions, kernel_initializer="zeros", dtype=full_precision_dtype(), name="change"
    )(x)
    points = layers.Add(dtype=full_precision_dtype(), name="images")([z, change])
    return keras.Model(inputs, points, name=name)


def mlp_discriminator(
    image_shape: tuple[int] = (2,),
    *,
    hidden_units: Sequence[int] = HIDDEN_UNITS,
    name: str = "discriminator",
) -> keras.Model:
    """Discriminator or critic D(x) of points.

    Args:
        image_shape: `(d,)`.
        hidden_units: units of the hidden layers.
        name: name of the model.

    Returns:
        A model of points (n, d) to {"logits": (n, 1), "features": (n, hidden_units[-1])}, in
        float32, and {"block_1", …}, the outputs of the hidden layers.

    Example:

    >>> mlp_discriminator().output["features"].shape
    (None, 64)
    """
    return _recognizer(image_shape, 1, hidden_units, name)


def mlp_projection_discriminator(
    image_shape: tuple[int] = (2,),
    *,
    num_classes: int,
    hidden_units: Sequence[int] = HIDDEN_UNITS,
    name: str = "discriminator",
) -> keras.Model:
    """Discriminator D(x, c) of points, spectrally normalized, with a `ProjectionHead`.

    Args:
        image_shape: `(d,)`.
        num_classes: number of classes, at least 1.
        hidden_units: units of the hidden layers; the label is projected on the last.
        name: name of the model.

    Returns:
        A model of {"images": (n, d), "labels": (n, num_classes)} to {"logits": (n, 1),
        "features": (n, hidden_units[-1])}, in float32, and {"block_1", …}, the outputs of the
        hidden layers.

    Raises:
        ValueError: if an argument is out of its range.

    Example:

    >>> mlp_projection_discriminator(num_classes=3).output["logits"].shape
    (None, 1)
    """
    points, labels = _points(image_shape), _labels(num_classes)
    outputs = _recognized(_hidden(points, hidden_units, normalized=True))
    outputs["logits"] = ProjectionHead(name="logits")((outputs["features"], labels))
    return keras.Model({"images": points, "labels": labels}, outputs, name=name)


def mlp_classifier(
    image_shape: tuple[int] = (2,),
    *,
    num_classes: int,
    hidden_units: Sequence[int] = HIDDEN_UNITS,
    name: str = "classifier",
) -> keras.Model:
    """Classifier C(x) of points.

    Args:
        image_shape: `(d,)`.
        num_classes: number of classes, at least 1.
        hidden_units: units of the hidden layers.
        name: name of the model.

    Returns:
        A model of points (n, d) to {"logits": (n, num_classes),
        "features": (n, hidden_units[-1])}, in float32, and {"block_1", …}, the outputs of the
        hidden layers.

    Example:

    >>> mlp_classifier(num_classes=3).output["logits"].shape
    (None, 3)
    """
    check_positive_integer("num_classes", num_classes)
    return _recognizer(image_shape, num_classes, hidden_units, name)


def _recognizer(
    image_shape: tuple[int], units: int, hidden_units: Sequence[int], name: str
) -> keras.Model:
    points = _points(image_shape)
    outputs = _recognized(_hidden(points, hidden_units))
    logits = layers.Dense(units, dtype=full_precision_dtype(), name="logits")
    outputs["logits"] = logits(outputs["features"])
    return keras.Model(points, outputs, name=name)


def _recognized(hidden: Sequence[keras.KerasTensor]) -> dict[str, keras.KerasTensor]:
    """What recognizers give beside logits."""
    outputs = {f"block_{index}": x for index, x in enumerate(hidden, start=1)}
    outputs["features"] = layers.Activation(
        "linear", dtype=full_precision_dtype(), name="features"
    )(hidden[-1])
    return outputs


def _hidden(
    x: keras.KerasTensor, units: Sequence[int], normalized: bool = False
) -> list[keras.KerasTensor]:
    """The outputs of the hidden layers, spectrally normalized or not."""
    if not units:
        raise ValueError("`hidden_units` must have at least one entry. Received: none.")
    result = []
    for index, count in enumerate(units, start=1):
        check_positive_integer("hidden_units", count)
        if normalized:
            linear = layers.Dense(count, use_bias=False, kernel_initializer="he_normal")
            x = SpectralNormalization(linear, name=f"block_{index}")(x)
            x = layers.ReLU(name=f"block_{index}_relu")(x)
        else:
            x = layers.Dense(
                count, activation="relu", kernel_initializer="he_normal", name=f"block_{index}"
            )(x)
        result.append(x)
    return result


def _points(image_shape: tuple[int]) -> keras.KerasTensor:
    return keras.Input(_check_shape(image_shape), dtype=full_precision_dtype(), name="images")


def _labels(num_classes: int) -> keras.KerasTensor:
    check_positive_integer("num_classes", num_classes)
    return keras.Input((num_classes,), dtype=full_precision_dtype(), name="labels")


def _check_shape(image_shape: tuple[int]) -> tuple[int]:
    if len(image_shape) != 1:
        raise ValueError(
            "The multilayer perceptrons take points: image_shape must be (dimensions,). "
            f"Received: image_shape={tuple(image_shape)}."
        )
    return (check_positive_integer("dimensions", image_shape[0]),)

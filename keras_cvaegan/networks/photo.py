"""Discriminator and classifier of photographs: small trained heads on a frozen trunk's features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras
from keras import layers

from keras_cvaegan.layers import ProjectionHead, SpectralNormalization
from keras_cvaegan.networks.common import batch_normalization, check_positive_integer
from keras_cvaegan.ops.precision import full_precision_dtype

SMALLEST_MAP = 4


def photo_discriminator(
    trunk: keras.Model,
    *,
    num_classes: int,
    filters: int = 64,
    maps: Sequence[str] | None = None,
    mixing: bool = True,
    image_head: bool = False,
    synchronized: bool = False,
    name: str = "discriminator",
) -> keras.Model:
    """A head on each of a trunk's maps; each judges the places of a small map, given the class.

    As the projected discriminators of Sauer et al., "Projected GANs Converge Faster" (NeurIPS
    2021): a 1×1 convolution, convolutions of stride 2 down to 4×4 and a `ProjectionHead` on every
    place. With mixing (their Section 3.2) the heads do not see the maps m_1, m_2, … themselves, of
    which the fine ones know nothing of objects, but, from the coarsest on,

        x_k = B_k (A_k m_k + x_(k+1) enlarged)

    where A_k are 1×1 and B_k 3×3 convolutions of random kernels that stay as they are.

    Trained kernels are spectrally normalized, and what the convolutions give is normalized over the
    batch: real and generated images differ in directions in which the trunk's maps vary little,
    which heads that may not stretch them (of a bounded slope) hardly see. f_D is what the trunk
    sees: its outputs are given on.

    Args:
        trunk: frozen network, see `keras_cvaegan.pretrained.trunk`.
        num_classes: number of classes, at least 1.
        filters: channels of the heads.
        maps: outputs of the trunk that have a head; all its maps by default.
        mixing: whether heads of fine maps see the coarser ones too.
        image_head: whether a head of half as many channels sees the images themselves: what a
            trunk overlooks, such as a fine screen of dots, it does not.
        synchronized: whether replicas share batch statistics.
        name: name of the model.

    Returns:
        A model of {each output of the trunk, "labels": (n, num_classes)}, with an image head
        "images" too, to {"logits": (n, m), one for each place of each head, and each output of the
        trunk}.

    Raises:
        ValueError: for a map that the trunk does not give, or a count below 1.

    Example:

    >>> from keras_cvaegan.pretrained import trunk
    >>> frozen = trunk("efficientnet_lite0", (64, 64, 3))
    >>> photo_discriminator(frozen, num_classes=3).output["logits"].shape
    (None, 48)
    """
    check_positive_integer("num_classes", num_classes)
    check_positive_integer("filters", filters)
    inputs = _inputs(trunk)
    found = [tap for tap, x in inputs.items() if len(x.shape) == 4]
    maps = found if maps is None else list(maps)
    if not maps or not set(maps) <= set(found):
        raise ValueError(
            f"maps must be some of the trunk's maps: {', '.join(found)}. Received: {maps}."
        )
    labels = keras.Input((num_classes,), dtype=full_precision_dtype(), name="labels")
    seen = {**inputs, "labels": labels}
    logits = []
    looked_at = _mixed(inputs, maps, filters) if mixing else inputs
    for tap in maps:
        x = _normalized(looked_at[tap], filters, 1, 1, f"{tap}_mix", synchronized)
        logits.append(_places(x, labels, filters, tap, synchronized))
    if image_head:
        shape = tuple(trunk.input.shape[1:])
        seen["images"] = keras.Input(shape, dtype=full_precision_dtype(), name="images")
        logits.append(_places(seen["images"], labels, filters // 2, "images", synchronized))
    together = layers.Concatenate(dtype=full_precision_dtype(), name="logits")(logits)
    outputs = {"logits": together, **{tap: layers.Identity()(x) for tap, x in inputs.items()}}
    return keras.Model(seen, outputs, name=name)


def photo_classifier(
    trunk: keras.Model,
    *,
    num_classes: int,
    units: int = 256,
    name: str = "classifier",
) -> keras.Model:
    """Classes from a trunk's pooled features; f_C is the input of the last layer.

    Layer normalization, a fully connected layer with a rectifier, and the logits. Learning the
    classes is what turns features of anything into features of these classes: with the pooled
    features themselves as f_C, the means of two classes hardly differ. (Batch normalization would
    hide from Eq. 4 that the features of samples lie elsewhere than those of real images.)

    Args:
        trunk: frozen network that gives "pooled", see `keras_cvaegan.pretrained.trunk`.
        num_classes: number of classes, at least 1.
        units: dimensions of f_C.
        name: name of the model.

    Returns:
        A model of {"pooled": (n, d)} to {"logits": (n, num_classes), "features": (n, units)},
        float32.

    Raises:
        ValueError: for a trunk without pooled features, or a count below 1.

    Example:

    >>> from keras_cvaegan.pretrained import trunk
    >>> frozen = trunk("efficientnet_lite0", (64, 64, 3))
    >>> photo_classifier(frozen, num_classes=3).output["features"].shape
    (None, 256)
    """
    check_positive_integer("num_classes", num_classes)
    check_positive_integer("units", units)
    inputs = _inputs(trunk)
    if "pooled" not in inputs:
        raise ValueError(
            f"The trunk must give pooled features. Received: one that gives {', '.join(inputs)}."
        )
    x = layers.LayerNormalization(center=False, scale=False, name="norm")(inputs["pooled"])
    x = layers.Dense(units, kernel_initializer="he_normal", name="hidden")(x)
    x = layers.ReLU(name="hidden_relu")(x)
    features = layers.Activation("linear", dtype=full_precision_dtype(), name="features")(x)
    logits = layers.Dense(num_classes, dtype=full_precision_dtype(), name="logits")(features)
    outputs = {"logits": logits, "features": features}
    return keras.Model({"pooled": inputs["pooled"]}, outputs, name=name)


def _mixed(
    inputs: Mapping[str, keras.KerasTensor], maps: Sequence[str], filters: int
) -> dict[str, keras.KerasTensor]:
    """Each map with what all coarser ones hold, by random convolutions that are never trained."""

    def convolution(kernel: int, name: str) -> layers.Conv2D:
        return layers.Conv2D(
            filters,
            kernel,
            padding="same",
            use_bias=False,
            kernel_initializer="he_normal",
            trainable=False,
            name=name,
        )

    found: dict[str, keras.KerasTensor] = {}
    coarser = None
    for tap in sorted(maps, key=lambda tap: inputs[tap].shape[1]):
        x = convolution(1, f"{tap}_channels")(inputs[tap])
        if coarser is not None:
            sides = x.shape[1:3]
            coarser = layers.Resizing(*sides, name=f"{tap}_enlarge")(coarser)
            x = layers.Add(name=f"{tap}_add")([x, coarser])
        found[tap] = coarser = convolution(3, f"{tap}_scales")(x)
    return found


def _places(
    x: keras.KerasTensor, labels: keras.KerasTensor, filters: int, name: str, synchronized: bool
) -> keras.KerasTensor:
    """A logit for each place of the small map that strided convolutions make of one."""
    block = 0
    while min(x.shape[1:3]) > SMALLEST_MAP:
        block += 1
        x = _normalized(x, filters, 4, 2, f"{name}_block_{block}", synchronized)
    places = ProjectionHead(name=f"{name}_logits")((x, labels))
    return layers.Flatten(name=f"{name}_places")(places)


def _inputs(trunk: keras.Model) -> dict[str, keras.KerasTensor]:
    """An input for each output of a trunk."""
    return {
        tap: keras.Input(tuple(x.shape[1:]), dtype=x.dtype, name=tap)
        for tap, x in trunk.output.items()
    }


def _normalized(
    x: keras.KerasTensor, filters: int, kernel: int, stride: int, name: str, synchronized: bool
) -> keras.KerasTensor:
    convolution = layers.Conv2D(
        filters, kernel, stride, padding="same", use_bias=False, kernel_initializer="orthogonal"
    )
    # The normalization brings a bias.
    x = SpectralNormalization(convolution, use_bias=False, name=f"{name}_conv")(x)
    x = batch_normalization(f"{name}_norm", synchronized)(x)
    return layers.LeakyReLU(0.2, name=f"{name}_relu")(x)

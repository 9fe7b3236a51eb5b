"""A discriminator that sees the label, made of one that does not."""

from __future__ import annotations

import keras
from keras import layers

from keras_cvaegan.networks.common import check_positive_integer
from keras_cvaegan.ops.precision import full_precision_dtype


def conditional_discriminator(
    discriminator: keras.Model,
    *,
    num_classes: int,
    hidden_units: int = 256,
    name: str = "discriminator",
) -> keras.Model:
    """Discriminator D(x, c): the label joins the features of a D(x) of any architecture.

    As in the joint hidden layer of Mirza & Osindero 2014: h = LeakyReLU(W f_D(x) + U c), and a
    linear layer gives the logit. (Without the hidden layer the label would only shift the logit.)
    It takes the place of D's own last layer; f_D is again the input of the last layer. U starts
    from N(0, 1), so that a label weighs as much as the features, however many there are of both:
    with a common initial scale the discriminator hardly learns to look at it.

    Args:
        discriminator: images → {"logits", "features", …}. Its layers become part of the result.
        num_classes: number of classes, at least 1.
        hidden_units: units of the joint hidden layer, at least 1.
        name: name of the model.

    Returns:
        A model of {"images", "labels": (n, num_classes)} to the outputs of `discriminator`:
        "logits" (n, 1), "features" (n, hidden_units), and its others as they are.

    Raises:
        ValueError: if an argument is out of its range.

    Example:

    >>> from keras_cvaegan.networks import compact_discriminator
    >>> plain = compact_discriminator((16, 16, 3))
    >>> conditional_discriminator(plain, num_classes=3).input["labels"].shape
    (None, 3)
    """
    check_positive_integer("hidden_units", hidden_units)
    check_positive_integer("num_classes", num_classes)
    labels = keras.Input((num_classes,), dtype=full_precision_dtype(), name="labels")
    x = layers.Add(name="joint")(
        [
            layers.Dense(hidden_units, kernel_initializer="he_normal", name="joint_image")(
                discriminator.output["features"]
            ),
            layers.Dense(
                hidden_units,
                use_bias=False,
                kernel_initializer=keras.initializers.RandomNormal(stddev=1.0),
                name="joint_label",
            )(labels),
        ]
    )
    x = layers.LeakyReLU(0.2, name="joint_relu")(x)
    features = layers.Activation("linear", dtype=full_precision_dtype(), name="joint_features")(x)
    logits = layers.Dense(1, dtype=full_precision_dtype(), name="joint_logits")(features)
    outputs = {**discriminator.output, "features": features, "logits": logits}
    return keras.Model({"images": discriminator.input, "labels": labels}, outputs, name=name)

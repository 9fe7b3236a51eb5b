"""The discriminator that sees the label, made of any other."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_cvaegan.networks import (
    compact_discriminator,
    conditional_discriminator,
    dcgan_discriminator,
    mlp_discriminator,
)

ARCHITECTURES = {
    "compact": lambda: compact_discriminator((16, 16, 3), base_filters=4),
    "dcgan": lambda: dcgan_discriminator((32, 32, 3), base_filters=4),
    "mlp": mlp_discriminator,
}


@pytest.fixture(params=ARCHITECTURES)
def plain(request):
    return ARCHITECTURES[request.param]()


def inputs_of(network, count=3):
    images = np.random.default_rng(0).uniform(-1, 1, (count, *network.input["images"].shape[1:]))
    return {"images": images.astype("float32"), "labels": np.eye(3, dtype="float32")[:count]}


def test_it_gives_what_the_plain_one_does(plain):
    network = conditional_discriminator(plain, num_classes=3, hidden_units=7)
    outputs = network(inputs_of(network))
    assert network.name == "discriminator"
    assert outputs.keys() == plain.output.keys()
    assert outputs["logits"].shape == (3, 1)
    assert outputs["features"].shape == (3, 7)


@pytest.mark.tensorflow
def test_the_label_changes_what_an_image_is_judged_by(plain):
    """Not only the logit but its gradient with respect to the image depends on the label."""
    network = conditional_discriminator(plain, num_classes=3)
    inputs = inputs_of(network)
    images = tf.constant(np.repeat(inputs["images"][:1], 3, axis=0))
    with tf.GradientTape() as tape:
        tape.watch(images)
        labels = tf.constant(inputs["labels"])
        logits = network({"images": images, "labels": labels}, training=False)["logits"]
    gradients = np.reshape(tape.gradient(logits, images), (3, -1))
    assert len(np.unique(logits)) == 3
    directions = gradients / np.linalg.norm(gradients, axis=1, keepdims=True)
    assert (directions @ directions.T)[0, 1:].max() < 0.9999


def test_copies(plain, check_copies):
    network = conditional_discriminator(plain, num_classes=3)
    check_copies(network, inputs_of(network))


def test_mixed_precision(check_mixed_precision):
    check_mixed_precision(
        lambda: conditional_discriminator(
            compact_discriminator((16, 16, 3), base_filters=4), num_classes=3
        ),
        {"images": np.zeros((1, 16, 16, 3), "float32"), "labels": np.eye(3, dtype="float32")[:1]},
        "joint_image",
        ("logits", "features"),
    )


def test_the_plain_ones_last_layer_is_left_out(plain):
    network = conditional_discriminator(plain, num_classes=3)
    assert not {id(v) for v in plain.get_layer("logits").weights} & {id(v) for v in network.weights}


@pytest.mark.parametrize("arguments", [{"num_classes": 0}, {"num_classes": 3, "hidden_units": 0}])
def test_wrong_arguments(arguments):
    with pytest.raises(ValueError, match="must be an integer of at least 1"):
        conditional_discriminator(mlp_discriminator(), **arguments)


@pytest.mark.tensorflow
def test_gradients_reach_every_weight(plain):
    network = conditional_discriminator(plain, num_classes=3)
    with tf.GradientTape() as tape:
        loss = keras.ops.sum(network(inputs_of(network), training=True)["logits"])
    for variable, gradient in zip(
        network.trainable_variables, tape.gradient(loss, network.trainable_variables), strict=True
    ):
        assert gradient is not None, variable.path

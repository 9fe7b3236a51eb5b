"""Discriminator and classifier on a frozen trunk: their heads, and what they refuse."""

import keras
import numpy as np
import pytest

from keras_cvaegan.layers import SpectralNormalization
from keras_cvaegan.networks import photo_classifier, photo_discriminator
from keras_cvaegan.ops.keras_private import all_layers
from tests.helpers import checks
from tests.helpers.network_cases import example, small_trunk


def test_one_logit_for_each_place_of_each_head():
    trunk = small_trunk(64)
    network = photo_discriminator(trunk, num_classes=3, filters=8)
    # Maps of 32×32 and of 16×16 go down to 4×4.
    assert network.output["logits"].shape == (None, 2 * 16)
    assert set(network.input) == {"stride_2", "stride_4", "pooled", "labels"}
    one = photo_discriminator(trunk, num_classes=3, filters=8, maps=("stride_4",))
    assert one.output["logits"].shape == (None, 16)
    assert set(one.output) == {"logits", "stride_2", "stride_4", "pooled"}


def test_a_head_may_see_the_images_themselves():
    network = photo_discriminator(small_trunk(), num_classes=3, filters=8, image_head=True)
    assert network.input["images"].shape == (None, 16, 16, 3)
    # Beside 4×4 places of each of the two maps.
    assert network.output["logits"].shape == (None, 3 * 16)
    assert set(network.output) == {"logits", "stride_2", "stride_4", "pooled"}
    assert network.get_layer("images_block_1_conv").output.shape == (None, 8, 8, 4)
    inputs = example(network)
    before = checks.arrays(network(inputs))["logits"]
    after = checks.arrays(network({**inputs, "images": -inputs["images"]}))["logits"]
    np.testing.assert_array_equal(after[:, :32], before[:, :32])
    assert (after[:, 32:] != before[:, 32:]).all()


def test_heads_of_fine_maps_see_the_coarser_ones_by_random_convolutions():
    network = photo_discriminator(small_trunk(), num_classes=3, filters=8)
    inputs = example(network)
    mixed = keras.Model(
        network.input, [network.get_layer(f"stride_{s}_scales").output for s in (2, 4)]
    )
    fine, coarse = (np.asarray(x, np.float64) for x in mixed(inputs))

    def kernel(name):
        layer = network.get_layer(name)
        assert not layer.trainable_variables
        return np.asarray(layer.kernel, np.float64)

    def by_equation(x, name):
        """The nine shifts of a map whose edges are padded with zeros."""
        weights = kernel(name)
        height, width = x.shape[1:3]
        padded = np.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)])
        return sum(
            padded[:, i : i + height, j : j + width] @ weights[i, j]
            for i in range(3)
            for j in range(3)
        )

    of_coarse = inputs["stride_4"] @ kernel("stride_4_channels")[0, 0]
    np.testing.assert_allclose(coarse, by_equation(of_coarse, "stride_4_scales"), atol=1e-4)
    # Bilinearly to twice the size: of the two nearest places ¾ and ¼, and at the edges of one.
    for axis in (1, 2):
        nearest = np.repeat(coarse, 2, axis)
        before = np.take(nearest, np.r_[0, 0 : nearest.shape[axis] - 1], axis)
        after = np.take(nearest, np.r_[1 : nearest.shape[axis], -1], axis)
        coarse = nearest / 2 + (before + after) / 4
    of_fine = inputs["stride_2"] @ kernel("stride_2_channels")[0, 0] + coarse
    np.testing.assert_allclose(fine, by_equation(of_fine, "stride_2_scales"), atol=1e-4)


def test_heads_without_mixing_see_a_map_each():
    for mixing in (True, False):
        network = photo_discriminator(small_trunk(), num_classes=3, filters=8, mixing=mixing)
        inputs = example(network)
        before = checks.arrays(network(inputs))["logits"]
        after = checks.arrays(network({**inputs, "stride_4": -inputs["stride_4"]}))["logits"]
        assert (after[:, 16:] != before[:, 16:]).all()
        assert (after[:, :16] != before[:, :16]).any() == mixing


def test_what_the_trunk_sees_is_given_on():
    network = photo_discriminator(small_trunk(), num_classes=3, filters=8)
    inputs = example(network)
    outputs = checks.arrays(network(inputs))
    for tap in ("stride_2", "stride_4", "pooled"):
        np.testing.assert_array_equal(outputs[tap], inputs[tap])


def test_every_kernel_of_the_discriminator_is_normalized():
    network = photo_discriminator(small_trunk(32), num_classes=3, filters=8)
    kernels = {x.path for x in network.trainable_variables if "kernel" in x.path}
    normalized = {
        layer.layer.kernel.path
        for layer in all_layers(network)
        if isinstance(layer, SpectralNormalization)
    }
    assert kernels == normalized
    # Heads of 16×16 and of 8×8: a mix, convolutions down to 4×4, and two of the last layer.
    assert len(kernels) == (1 + 2 + 2) + (1 + 1 + 2)


def test_the_scale_of_a_trunks_maps_is_nothing_to_its_heads():
    network = photo_discriminator(small_trunk(), num_classes=3, filters=8)
    inputs = example(network)
    small = {name: x if name == "labels" else x / 2 for name, x in inputs.items()}
    for _ in range(100):
        network(inputs, training=True)  # The estimates of the kernels' norms come to rest.
    logits, of_small = (checks.arrays(network(x, training=True))["logits"] for x in (inputs, small))
    assert np.ptp(logits) > 1
    np.testing.assert_allclose(of_small, logits, atol=0.05)


def test_the_label_reaches_every_head():
    network = photo_discriminator(small_trunk(), num_classes=3, filters=8)
    inputs = example(network)
    for name, x in inputs.items():
        inputs[name] = np.repeat(x[:1], 2, axis=0)
    inputs["labels"] = np.eye(3, dtype="float32")[:2]
    logits = checks.arrays(network(inputs))["logits"]
    assert (logits[0] != logits[1]).all()


def test_the_classifier_is_its_equations():
    trunk = small_trunk(channels=7)
    network = photo_classifier(trunk, num_classes=3, units=6)
    x = np.random.default_rng(0).normal(2, 3, (4, 7)).astype("float32")
    hidden, logits = (network.get_layer(name).get_weights() for name in ("hidden", "logits"))
    normalized = (x - x.mean(axis=1, keepdims=True)) / np.sqrt(
        x.var(axis=1, keepdims=True) + network.get_layer("norm").epsilon
    )
    features = np.maximum(0, normalized @ hidden[0] + hidden[1])
    found = checks.arrays(network({"pooled": x}))
    np.testing.assert_allclose(found["features"], features, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        found["logits"], features @ logits[0] + logits[1], rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_classes": 0}, "`num_classes` must be an integer of at least 1"),
        ({"filters": 0}, "`filters` must be an integer of at least 1"),
        ({"maps": ()}, r"maps must be some of the trunk's maps: stride_2, stride_4\. Received: \["),
        ({"maps": ["pooled"]}, r"some of the trunk's maps: .*\. Received: \['pooled'\]"),
    ],
)
def test_wrong_arguments_of_the_discriminator(arguments, message):
    with pytest.raises(ValueError, match=message):
        photo_discriminator(small_trunk(), **{"num_classes": 3, **arguments})


@pytest.mark.parametrize("argument", ["num_classes", "units"])
def test_wrong_arguments_of_the_classifier(argument):
    with pytest.raises(ValueError, match=f"`{argument}` must be an integer of at least 1"):
        photo_classifier(small_trunk(), **{"num_classes": 3, argument: 0})


def test_a_trunk_without_pooled_features():
    trunk = small_trunk()
    maps = keras.Model(trunk.input, {"stride_2": trunk.output["stride_2"]})
    with pytest.raises(ValueError, match=r"must give pooled features\..* that gives stride_2\."):
        photo_classifier(maps, num_classes=3)

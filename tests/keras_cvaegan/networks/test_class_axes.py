"""Entries that belong to classes: permuted with the classes, they change nothing."""

import keras
import numpy as np
import pytest

from keras_cvaegan import networks
from keras_cvaegan.layers import ClassCenters, ClassMoments, GaussianMixtureHead
from keras_cvaegan.networks.class_axes import class_axes
from tests.helpers import network_cases
from tests.helpers.checks import dtype_policy
from tests.helpers.network_cases import CLASSES, WITHOUT_CLASSES, example, labels_input

pytestmark = pytest.mark.slow


def label_maps(num_classes):
    """A discriminator to which labels come as constant maps, in front of the image's channels."""
    images, labels = keras.Input((4, 4, 3), name="images"), labels_input(num_classes)
    maps = keras.layers.Reshape((1, 1, num_classes))(labels)
    maps = keras.layers.UpSampling2D(4)(maps)
    x = keras.layers.Concatenate()([maps, images])
    x = keras.layers.Conv2D(CLASSES, 3, padding="same")(x)
    x = keras.layers.Flatten()(x)
    outputs = {"logits": keras.layers.Dense(1)(x)}
    return keras.Model({"images": images, "labels": labels}, outputs)


def nested(num_classes):
    """A classifier whose hidden layers and logits are networks of their own."""
    points, labels = keras.Input((CLASSES,), name="images"), labels_input(num_classes)
    inputs = {"images": points, "labels": labels}
    joined = keras.layers.Concatenate()([labels, points])
    x = keras.Model(inputs, keras.layers.Dense(CLASSES)(joined))(inputs)
    head = keras.Sequential([keras.Input((CLASSES,)), keras.layers.Dense(num_classes)])
    logits = keras.layers.Activation("linear")(head(x))
    return keras.Model(inputs, {"logits": logits})


NETWORKS = {**network_cases.NETWORKS, "labels as maps": label_maps, "nested": nested}


def outputs(network, inputs):
    found = network(inputs)
    found = found if isinstance(found, dict) else {"": found}
    return {name: keras.ops.convert_to_numpy(x) for name, x in found.items()}


@pytest.mark.parametrize("name", NETWORKS)
def test_permuted_with_the_classes_they_change_nothing(name):
    network = NETWORKS[name](CLASSES)
    inputs = example(network)
    expected = outputs(network, inputs)
    order = np.array([3, 0, 4, 1, 2])
    for variable, found in zip(network.weights, class_axes(network, CLASSES), strict=True):
        if found is not None:
            value = np.moveaxis(np.array(variable), found.axis, 0)
            value[found.positions] = value[found.positions[order]]
            variable.assign(np.moveaxis(value, 0, found.axis))
    if isinstance(inputs, dict) and "labels" in inputs:
        moved = outputs(network, inputs)
        assert any(np.abs(moved[key] - expected[key]).max() > 1e-3 for key in expected)
        inputs["labels"] = inputs["labels"][:, order]
    for key, received in outputs(network, inputs).items():
        scores = key == "logits" and expected[key].shape[1] == CLASSES
        wanted = expected[key][:, order] if scores or name == "mixture" else expected[key]
        np.testing.assert_allclose(received, wanted, rtol=1e-4, atol=1e-5, err_msg=key)


@pytest.mark.parametrize("name", NETWORKS)
def test_they_are_what_two_classes_more_add(name):
    network, larger = NETWORKS[name](CLASSES), NETWORKS[name](CLASSES + 2)
    found = class_axes(network, CLASSES)
    assert any(found)
    for variable, grown, axis in zip(network.weights, larger.weights, found, strict=True):
        shape = list(variable.shape)
        if axis is not None:
            assert sorted(set(axis.positions.tolist())) == sorted(axis.positions.tolist())
            assert len(axis.positions) == CLASSES
            shape[axis.axis] += 2
        assert shape == list(grown.shape), variable.path


@pytest.mark.parametrize("name", WITHOUT_CLASSES)
def test_networks_without_classes(name):
    assert not any(class_axes(WITHOUT_CLASSES[name](), CLASSES))


def test_many_classes_in_half_precision():
    with dtype_policy("mixed_bfloat16"):
        network = networks.mlp_generator(num_classes=1000, latent_dim=7, hidden_units=(2,))
    found, *_ = class_axes(network, 1000)
    assert found.axis == 0
    np.testing.assert_array_equal(found.positions, np.arange(7, 1007))


@pytest.mark.parametrize(
    ("layer", "shape", "axes"),
    [
        (ClassCenters(3), (None, 3), [0, 0]),
        (ClassCenters(1), (None, 3), [None, None]),
        (ClassMoments(3), (None, 3), [0, 0]),
        (GaussianMixtureHead(3), (None, 3), [0, 0]),
        (keras.layers.Dense(3), (None, 3), [None, None]),
    ],
)
def test_layers_by_themselves(layer, shape, axes):
    layer.build(shape)
    assert [found and found.axis for found in class_axes(layer, 3)] == axes


@pytest.mark.parametrize(
    "mix",
    [
        lambda labels: keras.ops.sum(labels, axis=-1, keepdims=True),
        lambda labels: keras.ops.concatenate([labels, labels], axis=-1),
        lambda labels: keras.layers.BatchNormalization(name="norm")(labels),
        lambda labels: keras.layers.PReLU(shared_axes=[1])(labels),
    ],
)
def test_what_cannot_be_followed_is_a_clear_error(mix):
    labels = labels_input(CLASSES)
    network = keras.Model({"labels": labels}, keras.layers.Dense(2)(mix(labels)))
    with pytest.raises(ValueError, match=r"Cannot tell which weights of '.*' belong to which"):
        class_axes(network, CLASSES)

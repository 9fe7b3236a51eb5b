"""The multilayer perceptrons of the toy examples."""

import numpy as np
import pytest

from keras_cvaegan.layers import SpectralNormalization
from keras_cvaegan.networks import (
    mlp_classifier,
    mlp_discriminator,
    mlp_encoder,
    mlp_generator,
    mlp_projection_discriminator,
)

LABELS = np.eye(3, dtype="float32")
POINTS = np.random.default_rng(0).normal(100, 1, (3, 2)).astype("float32")
Z = np.random.default_rng(1).normal(0, 1, (3, 5)).astype("float32")
NETWORKS = {
    "encoder": (
        lambda: mlp_encoder(num_classes=3, latent_dim=5),
        {"images": POINTS, "labels": LABELS},
    ),
    "generator": (
        lambda: mlp_generator(num_classes=3, latent_dim=5),
        {"z": Z, "labels": LABELS},
    ),
    "discriminator": (mlp_discriminator, POINTS),
    "classifier": (lambda: mlp_classifier(num_classes=3), POINTS),
    "projection_discriminator": (
        lambda: mlp_projection_discriminator(num_classes=3, name="projection_discriminator"),
        {"images": POINTS, "labels": LABELS},
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_hidden_layers_are_the_papers(name):
    network = NETWORKS[name][0]()
    hidden = [network.get_layer(f"block_{index}") for index in (1, 2, 3)]
    units = [getattr(layer, "layer", layer).units for layer in hidden]
    assert units == [32, 64, 64]
    assert network.name == name


@pytest.mark.parametrize("name", NETWORKS)
def test_copies(name, check_copies):
    build, inputs = NETWORKS[name]
    check_copies(build(), inputs)


@pytest.mark.parametrize("name", NETWORKS)
def test_mixed_precision(name, check_mixed_precision):
    build, inputs = NETWORKS[name]
    recognizers = ("discriminator", "classifier", "projection_discriminator")
    keys = ("logits", "features") if name in recognizers else None
    check_mixed_precision(build, inputs, "block_1", keys)


def test_outputs():
    encoded = mlp_encoder(num_classes=3, latent_dim=5)({"images": POINTS, "labels": LABELS})
    assert encoded["z_mean"].shape == encoded["z_log_var"].shape == (3, 5)
    judged = mlp_discriminator((2,))(POINTS)
    assert judged["logits"].shape == (3, 1)
    assert judged["features"].shape == judged["block_3"].shape == (3, 64)
    assert mlp_classifier(num_classes=4)(POINTS)["logits"].shape == (3, 4)


def test_the_projection_discriminator_is_spectrally_normalized_throughout():
    network = mlp_projection_discriminator(num_classes=3, hidden_units=(8, 16))
    outputs = network({"images": POINTS, "labels": LABELS})
    assert outputs.keys() == {"block_1", "block_2", "features", "logits"}
    assert outputs["logits"].shape == (3, 1)
    assert outputs["features"].shape == outputs["block_2"].shape == (3, 16)
    head = network.get_layer("logits")
    hidden = [network.get_layer(f"block_{index}") for index in (1, 2)]
    normalized = [*hidden, head.of_features, head.of_classes]
    assert {type(layer) for layer in normalized} == {SpectralNormalization}
    kernels = {id(x.layer.kernel) for x in normalized}
    assert kernels == {id(v) for v in network.trainable_variables if v.name == "kernel"}
    # Twice the kernels are the same network.
    for layer in normalized:
        layer.layer.kernel.assign(2.0 * layer.layer.kernel)
    again = network({"images": POINTS, "labels": LABELS})
    np.testing.assert_allclose(again["logits"], outputs["logits"], rtol=1e-5)


def test_the_projection_discriminator_projects_the_label_on_features():
    """Eq. 3, Miyato & Koyama 2018: f(x, c) = wᵀ φ(x) + b + (V c)ᵀ φ(x)."""
    network = mlp_projection_discriminator(num_classes=3)
    of_classes = [
        network({"images": POINTS[:1], "labels": LABELS[label : label + 1]}) for label in range(3)
    ]
    head = network.get_layer("logits")
    embedding = head.of_classes(LABELS, training=False)
    features = np.array(of_classes[0]["features"])
    found = np.concatenate([of["logits"] for of in of_classes])
    expected = head.of_features(features) + np.array(embedding) @ features.T
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert len(np.unique(found)) == 3


def test_points_may_lie_anywhere():
    generator = mlp_generator((2,), num_classes=3, latent_dim=5)
    generator.get_layer("images").bias.assign([100.0, -100.0])
    points = np.array(generator({"z": Z, "labels": LABELS}))
    assert points.shape == (3, 2)
    assert points[:, 0].min() > 50
    assert points[:, 1].max() < -50


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: mlp_discriminator((16, 16, 3)), r"image_shape must be \(dimensions,\)"),
        (lambda: mlp_generator((0,), num_classes=1), "`dimensions` must be an integer"),
        (lambda: mlp_encoder(num_classes=0), "`num_classes` must be an integer"),
        (lambda: mlp_generator(num_classes=1, latent_dim=0), "`latent_dim` must be an integer"),
        (lambda: mlp_classifier(num_classes=1, hidden_units=()), "at least one entry"),
        (lambda: mlp_discriminator(hidden_units=(3, 0)), "`hidden_units` must be an integer"),
        (lambda: mlp_projection_discriminator(num_classes=0), "`num_classes` must be an integer"),
        (
            lambda: mlp_projection_discriminator((8, 8, 3), num_classes=2),
            r"image_shape must be \(dimensions,\)",
        ),
    ],
)
def test_wrong_arguments(build, message):
    with pytest.raises(ValueError, match=message):
        build()

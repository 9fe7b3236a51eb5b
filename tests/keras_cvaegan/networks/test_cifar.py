"""Table 3 of Zheng & Sun 2019."""

import keras
import numpy as np
import pytest

from keras_cvaegan.networks import cifar_decoder, cifar_encoder, cifar_projection_discriminator
from tests.helpers import published

# Text of the table, output shape, parameters: the kernel, and 4 of batch normalization a channel.
ENCODER = [
    ("5×5 conv, 32, stride 2, batchnorm, relu", (16, 16, 32), 5 * 5 * 3 * 32 + 4 * 32),
    ("5×5 conv, 64, stride 2, batchnorm, relu", (8, 8, 64), 5 * 5 * 32 * 64 + 4 * 64),
    ("3×3 conv, 128, stride 2, batchnorm, relu", (4, 4, 128), 3 * 3 * 64 * 128 + 4 * 128),
    ("3×3 conv, 256, stride 2, batchnorm, relu", (2, 2, 256), 3 * 3 * 128 * 256 + 4 * 256),
    ("fc, 1024, batchnorm, relu", (1024,), 2 * 2 * 256 * 1024 + 4 * 1024),
]
DECODER = [
    ("fc, 1024, batchnorm, relu", (1024,), 300 * 1024 + 4 * 1024),
    ("5×5 conv, 256, stride 2, batchnorm, relu", (4, 4, 256), 5 * 5 * 256 * 256 + 4 * 256),
    ("5×5 conv, 256, stride 1, batchnorm, relu", (4, 4, 256), 5 * 5 * 256 * 256 + 4 * 256),
    ("5×5 conv, 128, stride 2, batchnorm, relu", (8, 8, 128), 5 * 5 * 256 * 128 + 4 * 128),
    ("5×5 conv, 64, stride 2, batchnorm, relu", (16, 16, 64), 5 * 5 * 128 * 64 + 4 * 64),
    ("5×5 conv, 32, stride 2, batchnorm, relu", (32, 32, 32), 5 * 5 * 64 * 32 + 4 * 32),
    ("5×5 conv, 3, stride 1, tanh", (32, 32, 3), 5 * 5 * 32 * 3 + 3),
]
# Beside the kernel: a bias and the singular vector of spectral normalization.
DISCRIMINATOR = [
    ("5×5 conv, 32, stride 1, lrelu", (32, 32, 32), 5 * 5 * 3 * 32 + 2 * 32),
    ("5×5 conv, 128, stride 2, lrelu", (16, 16, 128), 5 * 5 * 32 * 128 + 2 * 128),
    ("5×5 conv, 256, stride 2, lrelu", (8, 8, 256), 5 * 5 * 128 * 256 + 2 * 256),
    ("5×5 conv, 256, stride 2, lrelu", (4, 4, 256), 5 * 5 * 256 * 256 + 2 * 256),
    ("fc, 512, lrelu", (512,), 4 * 4 * 256 * 512 + 2 * 512),
    ("fc, 1", (1,), 512 + 2 + 10 * 512 + 512),  # And the embedding of ten classes.
]

LABELS = np.eye(3, dtype="float32")[[0, 2]]


def random_images(side=32):
    return np.random.default_rng(0).uniform(-1, 1, (2, side, side, 3)).astype("float32")


def random_codes(dim):
    return np.random.default_rng(0).normal(size=(2, dim)).astype("float32")


def outputs_of(network, inputs):
    return keras.tree.map_structure(keras.ops.convert_to_numpy, network(inputs))


@pytest.mark.parametrize(
    ("latent_dim", "deterministic", "names"),
    [(100, True, {"z_mean"}), (200, False, {"z_mean", "z_log_var"})],
)
def test_the_encoder_is_that_of_the_table(latent_dim, deterministic, names):
    encoder = cifar_encoder(latent_dim=latent_dim, deterministic=deterministic)
    head = (f"fc, {latent_dim}", (latent_dim,), 1024 * latent_dim + latent_dim)
    assert published.lines(encoder) == ENCODER + [head] * len(names)
    assert {name: x.shape for name, x in encoder.output.items()} == dict.fromkeys(
        names, (None, latent_dim)
    )
    assert encoder.count_params() == sum(row[2] for row in ENCODER) + len(names) * head[2]


def test_the_decoder_is_that_of_the_table():
    decoder = cifar_decoder(latent_dim=300)
    assert published.lines(decoder) == DECODER
    assert decoder.get_layer("first_map").output.shape == (None, 2, 2, 256)
    assert decoder.count_params() == sum(row[2] for row in DECODER) == 4_668_643
    doubling = [x for x in decoder.layers if isinstance(x, keras.layers.Conv2DTranspose)]
    assert [x.strides for x in doubling] == [(2, 2)] * 4


def test_the_discriminator_is_that_of_the_table():
    discriminator = cifar_projection_discriminator(num_classes=10)
    assert published.lines(discriminator) == DISCRIMINATOR
    assert discriminator.count_params() == sum(row[2] for row in DISCRIMINATOR)
    assert discriminator.output["features"].shape == (None, 512)


def test_all_weights_of_the_discriminator_are_spectrally_normalized_and_no_others():
    normalized, weights = published.normalized_weights(
        cifar_projection_discriminator(num_classes=3)
    )
    assert normalized == weights
    assert len(weights) == 4 + 1 + 2
    for network in (cifar_encoder(latent_dim=4), cifar_decoder(latent_dim=4)):
        assert published.normalized_weights(network)[0] == set()


@pytest.mark.parametrize("training", [False, True])
def test_outputs(training):
    code = cifar_encoder(latent_dim=5)(random_images(), training=training)
    assert [code[name].shape for name in ("z_mean", "z_log_var")] == [(2, 5)] * 2
    images = np.array(cifar_decoder(latent_dim=7)(1e3 * random_codes(7), training=training))
    assert images.shape == (2, 32, 32, 3)
    assert images.min() < 0 < images.max()
    assert np.abs(images).max() <= 1


def test_the_discriminator_sees_the_label():
    discriminator = cifar_projection_discriminator(num_classes=3)
    images = np.repeat(random_images()[:1], 3, axis=0)
    outputs = outputs_of(discriminator, {"images": images, "labels": np.eye(3)})
    assert len(np.unique(outputs["logits"])) == 3
    assert np.ptp(outputs["features"], axis=0).max() < 1e-5


@pytest.mark.tensorflow
def test_normalizations_can_be_synchronized_and_have_the_settings_of_all():
    for build in (cifar_encoder, cifar_decoder):
        for synchronized in (False, True):
            network = build(latent_dim=4, synchronized=synchronized)
            norms = [x for x in network.layers if isinstance(x, keras.layers.BatchNormalization)]
            assert {(x.synchronized, x.momentum, x.epsilon) for x in norms} == {
                (synchronized, 0.9, 1e-5)
            }


def test_sides_are_multiples_of_16():
    assert cifar_decoder((16, 48, 1), latent_dim=4).output.shape == (None, 16, 48, 1)
    assert cifar_encoder((16, 48, 1), latent_dim=4).get_layer("flatten").output.shape[-1] == 3 * 256
    for build, sizes in (
        (cifar_encoder, {"latent_dim": 4}),
        (cifar_decoder, {"latent_dim": 4}),
        (cifar_projection_discriminator, {"num_classes": 3}),
    ):
        message = rf"`{build.__name__}` .* multiples of 16\. Received: image_shape=\(40, 32, 3\)"
        with pytest.raises(ValueError, match=message):
            build((40, 32, 3), **sizes)


@pytest.mark.parametrize("build", [cifar_encoder, cifar_decoder])
def test_bad_latent_dim(build):
    with pytest.raises(ValueError, match="`latent_dim` must be an integer of at least 1"):
        build(latent_dim=0)


def test_outputs_are_float32_under_mixed_precision(check_mixed_precision):
    check_mixed_precision(lambda: cifar_encoder(latent_dim=4), random_images(), "hidden_relu")
    check_mixed_precision(lambda: cifar_decoder(latent_dim=4), random_codes(4), "block_5_conv")
    check_mixed_precision(
        lambda: cifar_projection_discriminator(num_classes=3),
        {"images": random_images(), "labels": LABELS},
        "hidden_relu",
    )


@pytest.mark.slow
def test_configuration_and_file_give_the_same_outputs(check_copies):
    check_copies(cifar_encoder((16, 16, 3), latent_dim=4), random_images(16))
    check_copies(cifar_decoder((16, 16, 3), latent_dim=4), random_codes(4))
    check_copies(
        cifar_projection_discriminator((16, 16, 3), num_classes=3),
        {"images": random_images(16), "labels": LABELS},
    )

"""B.2 and Table 4 of Zheng & Sun 2019, on VGG (Simonyan & Zisserman 2015, Table 1)."""

import keras
import numpy as np
import pytest

from keras_cvaegan.networks import vgg_decoder, vgg_encoder, vgg_projection_discriminator
from tests.helpers import published

pytestmark = pytest.mark.slow

# Configuration D.
CONVOLUTIONS = [
    *(64, 64, "maxpool", 128, 128, "maxpool", 256, 256, 256, "maxpool"),
    *(512, 512, 512, "maxpool", 512, 512, 512, "maxpool"),
]
# Text of Table 4, output shape, parameters: the kernel, a bias and the singular vector.
DISCRIMINATOR = [
    ("3×3 conv, 64, stride 2, lrelu", (32, 32, 64), 3 * 3 * 3 * 64 + 2 * 64),
    ("3×3 conv, 128, stride 2, lrelu", (16, 16, 128), 3 * 3 * 64 * 128 + 2 * 128),
    ("3×3 conv, 256, stride 1, lrelu", (16, 16, 256), 3 * 3 * 128 * 256 + 2 * 256),
    ("3×3 conv, 256, stride 2, lrelu", (8, 8, 256), 3 * 3 * 256 * 256 + 2 * 256),
    ("3×3 conv, 512, stride 1, lrelu", (8, 8, 512), 3 * 3 * 256 * 512 + 2 * 512),
    ("3×3 conv, 512, stride 2, lrelu", (4, 4, 512), 3 * 3 * 512 * 512 + 2 * 512),
    ("3×3 conv, 512, stride 2, lrelu", (2, 2, 512), 3 * 3 * 512 * 512 + 2 * 512),
    ("global average pooling", (512,), 0),
    ("fc, 1024, lrelu", (1024,), 512 * 1024 + 2 * 1024),
    ("fc, 1", (1,), 1024 + 2 + 530 * 1024 + 1024),  # And the embedding of 530 people.
]

LABELS = np.eye(3, dtype="float32")[[0, 2]]


def random_images():
    return np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 3)).astype("float32")


def random_codes(dim):
    return np.random.default_rng(0).normal(size=(2, dim)).astype("float32")


@pytest.fixture(scope="module")
def encoder():
    return vgg_encoder((64, 64, 3))


@pytest.fixture(scope="module")
def decoder():
    return vgg_decoder((64, 64, 3))


def expected_encoder():
    rows, side, incoming = [], 64, 3
    for filters in CONVOLUTIONS:
        if filters == "maxpool":
            side //= 2
            rows.append(("maxpool 2, stride 2", (side, side, incoming), 0))
            continue
        text = f"3×3 conv, {filters}, stride 1, batchnorm, relu"
        count = 3 * 3 * incoming * filters + 4 * filters
        rows.append((text, (side, side, filters), count))
        incoming = filters
    rows.append(("fc, 1024, batchnorm, relu", (1024,), 2 * 2 * 512 * 1024 + 4 * 1024))
    return [*rows, *[("fc, 512", (512,), 1024 * 512 + 512)] * 2]


def expected_decoder():
    """The encoder's rows, from its end: each convolution gives what its counterpart takes."""
    rows = [
        ("fc, 1024, batchnorm, relu", (1024,), 1024 * 1024 + 4 * 1024),
        ("fc, 2048, batchnorm, relu", (2048,), 1024 * 2048 + 4 * 2048),
    ]
    takes = [3, *(x for x in CONVOLUTIONS if x != "maxpool")][:-1]
    side, incoming, step = 2, 512, "stride 1"
    for counterpart in CONVOLUTIONS[::-1]:
        if counterpart == "maxpool":
            side, step = 2 * side, "up 2"
            continue
        filters = takes.pop()
        text, count = f"3×3 conv, {filters}, {step}", 3 * 3 * incoming * filters
        last = not takes
        text += ", tanh" if last else ", batchnorm, relu"
        rows.append((text, (side, side, filters), count + (filters if last else 4 * filters)))
        incoming, step = filters, "stride 1"
    return rows


def test_the_encoder_is_vgg_16_with_a_code(encoder):
    expected = expected_encoder()
    assert published.lines(encoder) == expected
    assert encoder.count_params() == sum(row[2] for row in expected)
    # The convolutions of VGG-16, less their biases.
    kernels = [x.kernel for x in encoder.layers if isinstance(x, keras.layers.Conv2D)]
    assert sum(int(np.prod(kernel.shape)) for kernel in kernels) == 14_714_688 - 4_224
    assert set(encoder.output) == {"z_mean", "z_log_var"}


def test_the_decoder_is_its_mirror(decoder):
    expected = expected_decoder()
    assert published.lines(decoder) == expected
    assert decoder.count_params() == sum(row[2] for row in expected)
    assert decoder.get_layer("first_map").output.shape == (None, 2, 2, 512)
    assert decoder.output.shape == (None, 64, 64, 3)


def test_the_discriminator_is_that_of_table_4():
    discriminator = vgg_projection_discriminator(num_classes=530)
    assert published.lines(discriminator) == DISCRIMINATOR
    assert discriminator.count_params() == sum(row[2] for row in DISCRIMINATOR)
    assert discriminator.output["features"].shape == (None, 1024)


def test_all_weights_of_the_discriminator_are_spectrally_normalized_and_no_others(encoder, decoder):
    normalized, weights = published.normalized_weights(vgg_projection_discriminator(num_classes=3))
    assert normalized == weights
    assert len(weights) == 7 + 1 + 2
    for network in (encoder, decoder):
        assert published.normalized_weights(network)[0] == set()


def test_normalization_follows_every_layer_but_the_last(encoder, decoder):
    for network, without in ((encoder, {"z_mean", "z_log_var"}), (decoder, {"image_conv"})):
        kinds = keras.layers.Conv2D | keras.layers.Dense
        biased = {x.name for x in network.layers if isinstance(x, kinds) and x.use_bias}
        assert biased == without


def test_outputs():
    encoder = vgg_encoder((32, 32, 3), latent_dim=5)
    decoder = vgg_decoder((32, 32, 3), latent_dim=7)
    discriminator = vgg_projection_discriminator((32, 32, 3), num_classes=3)
    for training in (False, True):
        code = encoder(random_images(), training=training)
        assert [code[name].shape for name in ("z_mean", "z_log_var")] == [(2, 5)] * 2
        images = np.array(decoder(random_codes(7), training=training))
        assert images.shape == (2, 32, 32, 3)
        assert images.min() < 0 < images.max()
        assert np.abs(images).max() <= 1
        inputs = {"images": random_images(), "labels": LABELS}
        assert discriminator(inputs, training=training)["logits"].shape == (2, 1)


def test_a_deterministic_encoder_gives_the_mean_alone():
    encoder = vgg_encoder((32, 32, 3), latent_dim=5, deterministic=True, name="relevant_encoder")
    assert list(encoder.output) == ["z_mean"]
    assert encoder.name == "relevant_encoder"


def test_sides_are_multiples_of_32():
    decoder = vgg_decoder((96, 32, 1), latent_dim=4)
    assert decoder.output.shape == (None, 96, 32, 1)
    assert decoder.get_layer("first_map").output.shape == (None, 3, 1, 512)
    for build, sizes in (
        (vgg_encoder, {}),
        (vgg_decoder, {}),
        (vgg_projection_discriminator, {"num_classes": 3}),
    ):
        message = rf"`{build.__name__}` .* multiples of 32\. Received: image_shape=\(16, 16, 3\)"
        with pytest.raises(ValueError, match=message):
            build((16, 16, 3), **sizes)


@pytest.mark.parametrize("build", [vgg_encoder, vgg_decoder])
def test_bad_latent_dim(build):
    with pytest.raises(ValueError, match="`latent_dim` must be an integer of at least 1"):
        build(latent_dim=0)


def test_outputs_are_float32_under_mixed_precision(check_mixed_precision):
    shape = (32, 32, 3)
    check_mixed_precision(lambda: vgg_encoder(shape, latent_dim=4), random_images(), "pool_5")
    check_mixed_precision(lambda: vgg_decoder(shape, latent_dim=4), random_codes(4), "image_conv")
    check_mixed_precision(
        lambda: vgg_projection_discriminator(shape, num_classes=3),
        {"images": random_images(), "labels": LABELS},
        "hidden_relu",
    )

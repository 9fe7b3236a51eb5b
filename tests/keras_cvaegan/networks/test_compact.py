"""The compact networks and the presets: sizes, shapes, ranges, labels."""

import keras
import numpy as np
import pytest

from keras_cvaegan.networks import compact_generator, preset
from keras_cvaegan.networks.compact import compact_depth
from tests.helpers.checks import dtype_policy


@pytest.mark.parametrize(
    ("side", "depth"),
    [(16, 2), (20, 2), (24, 2), (28, 2), (32, 3), (64, 4), (112, 4), (128, 5), (256, 6)],
)
def test_depth_reaches_a_map_of_4_to_7(side, depth):
    assert compact_depth((side, side, 3)) == depth
    assert 4 <= side // 2**depth <= 7


@pytest.mark.parametrize("shape", [(8, 8, 3), (33, 33, 3), (32, 64, 3), (512, 512, 3)])
def test_sizes_the_architecture_cannot_take(shape):
    with pytest.raises(ValueError, match="side of 16, 20, 24, 28, 32, 40") as error:
        compact_depth(shape)
    assert str(shape) in str(error.value)


@pytest.mark.tensorflow
@pytest.mark.parametrize("side", [16, 64])
def test_networks_of_the_preset_fit_together(side):
    networks = preset("compact").networks((side, side, 3), num_classes=5, latent_dim=7)
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (2, side, side, 3)).astype("float32")
    labels = np.eye(5, dtype="float32")[[1, 4]]
    code = networks["encoder"]({"images": images, "labels": labels})
    assert code["z_mean"].shape == code["z_log_var"].shape == (2, 7)
    generated = np.array(networks["generator"]({"z": code["z_mean"].numpy(), "labels": labels}))
    assert generated.shape == (2, side, side, 3)
    assert abs(generated).max() <= 1
    assert networks["discriminator"](images)["logits"].shape == (2, 1)
    outputs = networks["classifier"](images)
    assert outputs["logits"].shape == (2, 5)
    assert len(outputs["features"].shape) == 2
    depth = compact_depth((side, side, 3))
    assert {f"block_{k}" for k in range(1, depth + 1)} < set(outputs)


def test_the_label_reaches_the_encoder_and_the_generator():
    networks = preset("compact").networks((16, 16, 3), num_classes=2)
    images = np.zeros((2, 16, 16, 3), "float32")
    labels = np.eye(2, dtype="float32")
    z_mean = np.array(networks["encoder"]({"images": images, "labels": labels})["z_mean"])
    assert not np.allclose(z_mean[0], z_mean[1])
    z = np.ones((2, preset("compact").latent_dim), "float32")
    generated = np.array(networks["generator"]({"z": z, "labels": labels}))
    assert not np.allclose(generated[0], generated[1])


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_outputs_are_float32_in_mixed_precision(policy):
    with dtype_policy(policy):
        networks = preset("compact").networks((16, 16, 3), num_classes=2)
    images = np.zeros((1, 16, 16, 3), "float32")
    for name in ("discriminator", "classifier"):
        outputs = networks[name](images)
        assert {str(outputs[key].dtype.name) for key in ("logits", "features")} == {"float32"}
    z = np.zeros((1, preset("compact").latent_dim), "float32")
    generated = networks["generator"]({"z": z, "labels": np.eye(2, dtype="float32")[:1]})
    assert generated.dtype.name == "float32"


def test_a_generator_survives_its_configuration():
    generator = compact_generator((16, 16, 3), num_classes=2, latent_dim=3)
    clone = keras.models.clone_model(generator)
    clone.set_weights(generator.get_weights())
    inputs = {"z": np.ones((1, 3), "float32"), "labels": np.ones((1, 2), "float32")}
    np.testing.assert_array_equal(clone(inputs), generator(inputs))


def test_unknown_preset():
    with pytest.raises(ValueError, match=r"Unknown preset. Received: 'huge'. Allowed: compact"):
        preset("huge")


def test_a_generator_with_a_low_pass_draws_no_fine_stripes():
    def stripes(low_pass):
        """The power of stripes of two pixels, relative to that of waves of eight."""
        keras.utils.set_random_seed(0)
        network = compact_generator((32, 32, 3), num_classes=3, latent_dim=5, low_pass=low_pass)
        before_tanh = keras.Model(network.input, network.get_layer("images").input)
        z = np.random.default_rng(0).normal(size=(16, 5)).astype("float32")
        images = np.array(before_tanh({"z": z, "labels": np.eye(3, dtype="float32")[[0] * 16]}))
        # Without a window, left and right edges that differ are waves of all lengths.
        window = np.hanning(32)[:, None, None] * np.hanning(32)[:, None]
        power = np.mean(np.abs(np.fft.fft2(images * window, axes=(1, 2))) ** 2, axis=(0, 3))
        return max(power[16, 0] / power[4, 0], power[0, 16] / power[0, 4])

    assert stripes(low_pass=True) < 0.05 * stripes(low_pass=False)

"""Trunks: what they give at each size, frozen, saved, and of networks of one's own."""

import functools

import keras
import numpy as np
import pytest
from keras import layers

from keras_cvaegan.layers import LowPass
from keras_cvaegan.ops.keras_private import all_layers
from keras_cvaegan.pretrained import DEFAULT_TAPS, TAPS, trunk
from tests.helpers import checks

pytestmark = pytest.mark.slow

LITE = "efficientnet_lite0"
CHANNELS = {"stride_2": 16, "stride_4": 24, "stride_8": 40, "stride_16": 112, "stride_32": 320}


@functools.cache
def lite(side=32, **arguments):
    return trunk(LITE, (side, side, 3), **arguments)


def shapes(network):
    return {name: tuple(x.shape[1:]) for name, x in network.output.items()}


def images(side, count=2):
    return np.random.default_rng(0).uniform(-1, 1, (count, side, side, 3)).astype("float32")


def expected_shapes(side, taps=TAPS):
    maps = {
        tap: (side // stride, side // stride, CHANNELS[tap])
        for stride, tap in zip((2, 4, 8, 16, 32), TAPS, strict=False)
    }
    return {tap: {**maps, "pooled": (1280,)}[tap] for tap in taps}


@pytest.mark.parametrize("side", [32, 64, 128, 256])
def test_taps_halve_the_sides(side):
    frozen = lite(side, taps=TAPS)
    assert shapes(frozen) == expected_shapes(side)
    assert frozen.input_shape == (None, side, side, 3)
    found = checks.arrays(frozen(images(side, 1)))
    assert {name: x.shape[1:] for name, x in found.items()} == expected_shapes(side)


def test_images_may_be_resized_first():
    frozen = lite(48, resize_to=64)
    assert frozen.input_shape == (None, 48, 48, 3)
    assert shapes(frozen) == expected_shapes(64, DEFAULT_TAPS)
    resized = keras.ops.image.resize(images(48), (64, 64), interpolation="bilinear")
    expected = checks.arrays(lite(64)(resized))
    for name, value in checks.arrays(frozen(images(48))).items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-4, atol=1e-4, err_msg=name)


def test_nothing_of_it_is_trained():
    frozen = lite()
    assert frozen.trainable_variables == []
    before = frozen.get_weights()
    model = keras.Model(frozen.input, layers.Dense(1)(frozen.output["pooled"]))
    model.compile(keras.optimizers.SGD(1.0), loss="mse")
    model.train_on_batch(images(32), np.ones((2, 1)))
    for ours, theirs in zip(before, frozen.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_saved_it_holds_its_weights(tmp_path):
    frozen = lite()
    frozen.save(tmp_path / "trunk.keras")
    again = keras.saving.load_model(tmp_path / "trunk.keras")
    assert again.trainable_variables == []
    expected = checks.arrays(frozen(images(32)))
    for name, value in checks.arrays(again(images(32))).items():
        np.testing.assert_array_equal(value, expected[name], err_msg=name)


@pytest.mark.parametrize("policy", checks.HALF_PRECISION)
def test_half_precision_is_near_full_precision(policy):
    with checks.dtype_policy(policy):
        half = trunk(LITE, (32, 32, 3))
    assert {weight.dtype for weight in half.weights} == {"float32"}
    expected = checks.arrays(lite()(images(32)))
    for name, value in half(images(32)).items():
        assert keras.backend.standardize_dtype(value.dtype) == policy.removeprefix("mixed_")
        value = keras.ops.convert_to_numpy(keras.ops.cast(value, "float32"))
        error = np.linalg.norm(value - expected[name]) / np.linalg.norm(expected[name])
        assert error < 0.1, name


def test_fine_stripes_are_taken_out_before_the_network():
    plain, filtered = lite(), lite(low_pass=True)
    stripes = np.where(np.arange(32) % 2, 0.5, -0.5)[None, :, None, None].astype("float32")
    x = images(32)
    smooth = np.array(LowPass()(x))
    expected = checks.arrays(plain(smooth))
    for name, value in checks.arrays(filtered(x)).items():
        np.testing.assert_allclose(value, expected[name], atol=1e-4, err_msg=name)
    for name, value in checks.arrays(filtered(x + stripes)).items():
        np.testing.assert_allclose(value, expected[name], atol=1e-3, err_msg=name)
    assert abs(checks.arrays(plain(x + stripes))["pooled"] - expected["pooled"]).max() > 0.1


def test_depthwise_convolutions_keep_full_precision():
    """Their gradient in bfloat16 takes a CPU several times as long."""
    with checks.dtype_policy("mixed_bfloat16"):
        half = trunk(LITE, (32, 32, 3))
    convolutions = [x for x in all_layers(half) if isinstance(x, layers.DepthwiseConv2D)]
    assert len(convolutions) == 16
    assert {layer.compute_dtype for layer in convolutions} == {"float32"}
    dense = [x for x in all_layers(half) if type(x) is layers.Conv2D]
    assert {layer.compute_dtype for layer in dense} == {"bfloat16"}


def test_a_network_of_keras_applications():
    frozen = trunk("MobileNetV2", (64, 64, 3), taps=TAPS, weights=None)
    assert frozen.trainable_variables == []
    sides = {name: shape[:-1] for name, shape in shapes(frozen).items()}
    halved = {f"stride_{stride}": (64 // stride,) * 2 for stride in (2, 4, 8, 16, 32)}
    assert sides == {**halved, "pooled": ()}
    found = checks.arrays(frozen(images(64)))
    np.testing.assert_allclose(
        found["pooled"], found["stride_32"].mean(axis=(1, 2)), rtol=1e-4, atol=1e-5
    )


def test_images_come_as_a_network_of_keras_applications_takes_them():
    """ResNet50 wants BGR, less ImageNet's means."""
    frozen = trunk("ResNet50", (32, 32, 3), taps=("pooled",), weights=None)
    bare = keras.applications.ResNet50(include_top=False, weights=None, input_shape=(32, 32, 3))
    bare.set_weights(frozen.get_weights())
    pixels = (images(32) + 1) * 127.5
    prepared = pixels[..., ::-1] - np.array([103.939, 116.779, 123.68], np.float32)
    expected = checks.arrays(bare(prepared))[""].mean(axis=(1, 2))
    found = checks.arrays(frozen(images(32)))["pooled"]
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


def two_inputs():
    first, second = keras.Input((8, 8, 3)), keras.Input((8, 8, 3))
    return keras.Model([first, second], layers.Add()([first, second]))


def small(side=None, outputs=None):
    """A network of three convolutions; of images of any size by default."""
    inputs = x = keras.Input((side, side, 3))
    maps = []
    for filters in (4, 5, 6):
        x = layers.Conv2D(filters, 3, 2, padding="same", activation="relu")(x)
        maps.append(x)
    return keras.Model(inputs, outputs(maps) if outputs else x)


def named_outputs(maps):
    pooled = layers.GlobalMaxPooling2D()(maps[1])
    return {"stride_4": maps[1], "pooled": pooled, "other": maps[0]}


def test_a_file_whose_maps_are_found_by_their_sides(tmp_path):
    network, path = small(), tmp_path / "small.keras"
    network.save(path)
    frozen = trunk(path, (32, 32, 3), taps=("stride_2", "stride_8", "pooled"))
    assert shapes(frozen) == {"stride_2": (16, 16, 4), "stride_8": (4, 4, 6), "pooled": (6,)}
    found, expected = checks.arrays(frozen(images(32))), checks.arrays(network(images(32)))[""]
    np.testing.assert_allclose(found["stride_8"], expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found["pooled"], expected.mean(axis=(1, 2)), rtol=1e-5, atol=1e-6)
    larger = trunk(path, (32, 32, 3), taps=("stride_2",), resize_to=64)
    assert shapes(larger) == {"stride_2": (32, 32, 4)}


def test_a_file_whose_outputs_have_names(tmp_path):
    network, path = small(32, named_outputs), tmp_path / "small.keras"
    network.save(path)
    frozen = trunk(str(path), (32, 32, 3), taps=("pooled", "stride_4"))
    found, expected = checks.arrays(frozen(images(32))), checks.arrays(network(images(32)))
    assert list(found) == ["pooled", "stride_4"]
    for name, value in found.items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match=r"has no stride_8 at 32×32 pixels\. It has stride_4, poo"):
        trunk(path, (32, 32, 3), taps=("stride_8",))


def test_a_file_of_one_size_resizes_images_to_it(tmp_path):
    path = tmp_path / "small.keras"
    small(32).save(path)
    frozen = trunk(path, (48, 48, 3), taps=("stride_2",))
    assert (frozen.input_shape, shapes(frozen)) == ((None, 48, 48, 3), {"stride_2": (16, 16, 4)})
    message = r"takes images of shape \(32, 32, 3\)\. Received: resize_to=64\. Leave resize_to out"
    with pytest.raises(ValueError, match=message):
        trunk(path, (48, 48, 3), resize_to=64)


@pytest.mark.parametrize(
    ("name", "shape", "arguments", "message"),
    [
        ("lite", (32, 32, 3), {}, r"Unknown trunk\. Received: 'lite'\. Allowed: .*_lite0, .*VGG16"),
        ("none.keras", (32, 32, 3), {}, r"There is no file 'none\.keras'\. Give the path"),
        (LITE, (32, 32, 1), {}, r"of 3 channels.*Received: image_shape=\(32, 32, 1\)"),
        (LITE, (32, 32, 3), {"taps": ("stride_3",)}, r"taps must be some of stride_2, .*stride_3"),
        (LITE, (32, 32, 3), {"taps": ()}, r"taps must be some of .*Received: \[\]"),
    ],
)
def test_wrong_arguments(name, shape, arguments, message):
    with pytest.raises(ValueError, match=message):
        trunk(name, shape, **arguments)


def test_files_that_cannot_be_read(tmp_path):
    path = tmp_path / "network.keras"
    small().save(path)
    whole = path.read_bytes()
    middle = len(whole) // 2
    overwritten = whole[: middle - 64] + bytes(128) + whole[middle + 64 :]
    for damaged in (b"no network", whole[:middle], overwritten):
        path.write_bytes(damaged)
        message = r"Cannot read the network in '.*network\.keras': .*Give a whole \.keras file"
        with pytest.raises(ValueError, match=message):
            trunk(path, (32, 32, 3))


@pytest.mark.parametrize(
    ("network", "received"),
    [
        (lambda: keras.Sequential([keras.Input((4,)), layers.Dense(1)]), r"\(None, 4\)"),
        (lambda: keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten()]), r"8, 8, 1\)"),
        (two_inputs, "a Functional of inp"),
    ],
)
def test_files_of_other_models(tmp_path, network, received):
    path = tmp_path / "network.keras"
    network().save(path)
    message = rf"must hold a functional or sequential model of images.*Received: .*{received}"
    with pytest.raises(ValueError, match=message):
        trunk(path, (32, 32, 3))

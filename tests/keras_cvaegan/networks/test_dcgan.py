import keras
import numpy as np
import pytest

from keras_cvaegan.networks.dcgan import dcgan_discriminator

KEYS = {"logits", "features", "block_1", "block_2", "block_3", "block_4"}


def small_discriminator(**arguments):
    keras.utils.set_random_seed(0)
    return dcgan_discriminator((32, 32, 3), **{"base_filters": 4} | arguments)


def random_images(count, size=32):
    return np.random.default_rng(0).uniform(-1, 1, (count, size, size, 3)).astype("float32")


def randomize(model):
    """Gives every variable, the moving averages too, a value that it does not start from."""
    generator = np.random.default_rng(1)
    weights = model.get_weights()
    model.set_weights([w + generator.normal(0.0, 0.02, w.shape) for w in weights])


def to_numpy(outputs):
    return {key: keras.ops.convert_to_numpy(value) for key, value in outputs.items()}


@pytest.fixture(scope="module")
def discriminator():
    model = small_discriminator()
    randomize(model)
    return model


@pytest.mark.parametrize(("size", "features"), [(128, 32_768), (64, 8_192)])
def test_channels_and_parameters_are_those_of_dcgan(size, features):
    model = dcgan_discriminator((size, size, 3))
    count, incoming, side = features + 1, 3, size
    for index, outgoing in enumerate((64, 128, 256, 512), start=1):
        side //= 2
        assert model.output[f"block_{index}"].shape == (None, side, side, outgoing)
        kernel = model.get_layer(f"block_{index}_conv").kernel
        assert tuple(kernel.shape) == (5, 5, incoming, outgoing)
        count += 5 * 5 * incoming * outgoing
        count += outgoing if index == 1 else 4 * outgoing  # a bias, or batch normalization
        incoming = outgoing
    assert model.output["features"].shape == (None, features)
    assert model.count_params() == count
    if size == 128:
        assert count == 4_342_017


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("training", [False, True])
def test_shapes_and_dtypes(count, training):
    outputs = to_numpy(small_discriminator()(random_images(count), training=training))
    assert set(outputs) == KEYS
    assert outputs["logits"].shape == (count, 1)
    assert outputs["features"].shape == (count, 2 * 2 * 32)
    for value in outputs.values():
        assert value.dtype == np.float32
        assert np.isfinite(value).all()


def test_names(discriminator):
    assert discriminator.name == "discriminator"
    assert discriminator.input.name == "images"
    names = [layer.name for layer in discriminator.layers]
    assert {"block_1_conv", "block_2_norm", "block_4_relu", "features", "logits"} < set(names)
    assert names == [layer.name for layer in small_discriminator(name="other").layers]


def test_features_are_the_input_of_the_last_layer(discriminator):
    outputs = to_numpy(discriminator(random_images(3)))
    np.testing.assert_array_equal(outputs["features"], outputs["block_4"].reshape(3, -1))
    kernel, bias = discriminator.get_layer("logits").get_weights()
    np.testing.assert_allclose(
        outputs["logits"], outputs["features"] @ kernel + bias, rtol=1e-5, atol=1e-5
    )


def test_first_block_is_a_convolution_and_a_leaky_rectifier_of_slope_one_fifth(discriminator):
    images = random_images(1)
    layer = discriminator.get_layer("block_1_conv")
    convolved = keras.ops.convert_to_numpy(layer(images))
    np.testing.assert_allclose(
        to_numpy(discriminator(images))["block_1"],
        np.where(convolved > 0, convolved, 0.2 * convolved),
        rtol=1e-6,
    )


def test_kernels_start_from_the_normal_distribution_of_dcgan():
    model = dcgan_discriminator((32, 32, 3), base_filters=32)
    for name in ("block_2_conv", "block_3_conv", "block_4_conv"):
        kernel = model.get_layer(name).get_weights()[0]
        assert abs(kernel.mean()) < 5 * 0.02 / np.sqrt(kernel.size)
        assert kernel.std() == pytest.approx(0.02, rel=0.03)


@pytest.mark.tensorflow
def test_normalization_follows_every_convolution_but_the_first():
    model = small_discriminator(synchronized=True)
    norms = [layer for layer in model.layers if type(layer).__name__ == "BatchNormalization"]
    assert [layer.name for layer in norms] == [f"block_{index}_norm" for index in (2, 3, 4)]
    assert all(layer.synchronized and layer.momentum == 0.9 for layer in norms)
    biases = [model.get_layer(f"block_{index}_conv").use_bias for index in range(1, 5)]
    assert biases == [True] + [False] * 3
    assert not small_discriminator().get_layer("block_2_norm").synchronized
    assert len(model.non_trainable_variables) == 2 * len(norms)


def test_logits_and_features_are_float32_under_mixed_precision(check_mixed_precision):
    check_mixed_precision(
        small_discriminator, random_images(2), "block_4_relu", ("logits", "features")
    )


def test_configuration_and_file_give_the_same_outputs(discriminator, check_copies):
    check_copies(discriminator, random_images(3))


def test_sides_need_not_be_equal():
    model = dcgan_discriminator((16, 48, 1), base_filters=2)
    assert model.output["features"].shape == (None, 1 * 3 * 16)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"image_shape": (100, 128, 3)},
            r"multiples of 16\. Received: image_shape=\(100, 128, 3\)\..*`compact`",
        ),
        ({"image_shape": (128, 128)}, "`image_shape` must be"),
        ({"base_filters": 0}, "`base_filters`.*Received"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        dcgan_discriminator(**arguments)

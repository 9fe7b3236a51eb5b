import keras
import numpy as np
import pytest

from keras_cvaegan.networks.upsampling_generator import upsampling_generator

pytestmark = pytest.mark.slow

CLASSES, LATENT = 5, 6


def small_generator(image_shape=(64, 64, 3), **arguments):
    keras.utils.set_random_seed(0)
    arguments = {
        "num_classes": CLASSES,
        "latent_dim": LATENT,
        "channels": (8, 8, 6, 4, 4),
        "hidden_units": 16,
    } | arguments
    return upsampling_generator(image_shape, **arguments)


def random_inputs(count, scale=1.0):
    generator = np.random.default_rng(0)
    return {
        "z": (scale * generator.normal(size=(count, LATENT))).astype("float32"),
        "labels": generator.dirichlet(np.ones(CLASSES), count).astype("float32"),
    }


def randomize(model):
    """Gives every variable, the moving averages too, a value that it does not start from."""
    generator = np.random.default_rng(1)
    weights = model.get_weights()
    model.set_weights([w + generator.normal(0.0, 0.02, w.shape) for w in weights])


@pytest.fixture(scope="module")
def generator():
    model = small_generator()
    randomize(model)
    for _ in range(50):  # until the moving averages fit, without which images hardly differ
        model(random_inputs(16), training=True)
    return model


def test_channels_kernels_and_parameters_are_the_papers():
    model = upsampling_generator(num_classes=200)
    channels, kernels = (256, 256, 128, 92, 64, 3), (3, 3, 5, 5, 5, 5)
    count = (256 + 200) * 1024 + 1024 + 1024 * (2 * 2 * 256) + 2 * 2 * 256
    incoming, side = 256, 2
    assert model.get_layer("reshape").output.shape == (None, 2, 2, 256)
    for index, (outgoing, kernel) in enumerate(zip(channels, kernels, strict=True), start=1):
        side *= 2
        layer = model.get_layer(f"block_{index}_conv")
        assert layer.output.shape == (None, side, side, outgoing)
        assert tuple(layer.kernel.shape) == (kernel, kernel, incoming, outgoing)
        count += kernel * kernel * incoming * outgoing
        count += 4 * outgoing if index < 6 else outgoing  # batch normalization, or a bias
        incoming = outgoing
    assert model.output.shape == (None, 128, 128, 3)
    assert model.count_params() == count == 3_966_003


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("training", [False, True])
def test_images_lie_between_minus_one_and_one(generator, count, training):
    images = keras.ops.convert_to_numpy(
        small_generator()(random_inputs(count, scale=1e3), training=training)
    )
    assert images.shape == (count, 64, 64, 3)
    assert images.dtype == np.float32
    assert np.isfinite(images).all()
    assert images.min() < 0 < images.max()
    assert np.abs(images).max() <= 1


def test_names(generator):
    assert generator.name == "generator"
    assert set(generator.input) == {"z", "labels"}
    names = [layer.name for layer in generator.layers]
    assert {"dense_1", "dense_2", "block_1_conv", "block_6_conv"} < set(names)
    assert names == [layer.name for layer in small_generator(name="other").layers]


@pytest.mark.parametrize(("image_shape", "start"), [((64, 64, 3), (1, 1)), ((128, 64, 1), (2, 1))])
def test_start_map_follows_the_image_shape(image_shape, start):
    model = small_generator(image_shape)
    assert model.get_layer("reshape").output.shape[1:3] == start
    assert tuple(model(random_inputs(2)).shape) == (2, *image_shape)


def test_fewer_convolutions_allow_smaller_images():
    model = small_generator((24, 24, 3), channels=(4, 4), kernel_sizes=(3, 3, 5))
    assert model.get_layer("reshape").output.shape == (None, 3, 3, 4)
    assert tuple(model(random_inputs(2)).shape) == (2, 24, 24, 3)


def test_images_depend_on_z_and_on_every_weight_of_the_mixture(generator):
    inputs = random_inputs(1)

    def image(labels, z=inputs["z"]):
        return keras.ops.convert_to_numpy(generator({"z": z, "labels": np.array([labels])}))

    pure = [image(row) for row in np.eye(CLASSES)]
    mixed = image([0.5, 0.5, 0.0, 0.0, 0.0])
    others = [*pure, image([0.25, 0.75, 0, 0, 0]), image([0.5, 0.5, 0, 0, 0], -inputs["z"])]
    for other in others:
        assert np.abs(mixed - other).max() > 1e-2 * np.abs(mixed).max()


def test_label_and_z_enter_the_first_layer_linearly(generator):
    join = keras.Model(generator.input, generator.get_layer("join_labels").output)
    inputs = random_inputs(3)
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(join(inputs)), np.hstack([inputs["z"], inputs["labels"]])
    )


def test_convolutions_start_from_the_normal_distribution_of_dcgan():
    model = small_generator(channels=(64, 64, 64, 8, 4))
    kernels = [model.get_layer(f"block_{index}_conv").get_weights()[0] for index in (1, 2, 3)]
    for kernel in kernels:
        assert abs(kernel.mean()) < 5 * 0.02 / np.sqrt(kernel.size)
        assert kernel.std() == pytest.approx(0.02, rel=0.03)
        assert np.abs(kernel).max() > 0.06  # not truncated
    assert not np.array_equal(kernels[0], kernels[1])


def test_normalization_follows_every_convolution_but_the_last():
    model = small_generator(synchronized=True)
    norms = [layer for layer in model.layers if type(layer).__name__ == "BatchNormalization"]
    assert [layer.name for layer in norms] == [f"block_{index}_norm" for index in range(1, 6)]
    assert all(layer.synchronized and layer.momentum == 0.9 for layer in norms)
    biases = [model.get_layer(f"block_{index}_conv").use_bias for index in range(1, 7)]
    assert biases == [False] * 5 + [True]
    assert not small_generator().get_layer("block_1_norm").synchronized
    assert len(model.non_trainable_variables) == 2 * len(norms)


def test_images_are_float32_under_mixed_precision(check_mixed_precision):
    check_mixed_precision(small_generator, random_inputs(2), "block_6_conv")


def test_configuration_and_file_give_the_same_outputs(generator, check_copies):
    check_copies(generator, random_inputs(3))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"image_shape": (100, 128, 3)},
            r"multiples of 64\. Received: image_shape=\(100, 128, 3\)\..*`compact`",
        ),
        ({"image_shape": (32, 32, 3)}, r"multiples of 64.*\(32, 32, 3\)"),
        ({"image_shape": (64, 64)}, "`image_shape` must be"),
        ({"num_classes": 0}, "`num_classes`.*Received"),
        ({"latent_dim": -1}, "`latent_dim`.*Received"),
        ({"hidden_units": 0}, "`hidden_units`.*Received"),
        ({"channels": (8, 0, 8, 8, 8)}, "`channels`.*Received"),
        ({"channels": (8, 8)}, r"one entry more.*Received: channels=\(8, 8\)"),
        ({"channels": (), "kernel_sizes": (3,)}, "at least one entry"),
        ({"kernel_sizes": (3, 3, 3, 3, 3, 0)}, "`kernel_sizes`.*Received"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        upsampling_generator(**{"num_classes": 2} | arguments)

import keras
import numpy as np
import pytest

from keras_cvaegan.networks.alexnet import alexnet_classifier

CLASSES = 5
KEYS = {"logits", "features", *(f"block_{index}" for index in range(1, 6))}


def small_classifier(**arguments):
    keras.utils.set_random_seed(0)
    return alexnet_classifier((67, 67, 3), **{"num_classes": CLASSES, "width": 0.02} | arguments)


def random_images(count, size=67):
    return np.random.default_rng(0).uniform(-1, 1, (count, size, size, 3)).astype("float32")


def randomize(model):
    """Gives every variable, the moving averages too, a value that it does not start from."""
    generator = np.random.default_rng(1)
    weights = model.get_weights()
    model.set_weights([w + generator.normal(0.0, 0.02, w.shape) for w in weights])


def to_numpy(outputs):
    return {key: keras.ops.convert_to_numpy(value) for key, value in outputs.items()}


@pytest.fixture(scope="module")
def classifier():
    model = small_classifier()
    randomize(model)
    return model


def test_channels_and_parameters_at_128_pixels():
    model = alexnet_classifier(num_classes=200)
    # Krizhevsky et al. 2012, Section 3.5: filters, kernel, side after the convolution, after the
    # block. 30 = ⌊(128 − 11) / 4⌋ + 1, and a pooling of 3 with stride 2 makes ⌊(s − 3) / 2⌋ + 1.
    table = ((96, 11, 30, 14), (256, 5, 14, 6), (384, 3, 6, 6), (384, 3, 6, 6), (256, 3, 6, 2))
    count, incoming = 0, 3
    for index, (outgoing, kernel, side, end) in enumerate(table, start=1):
        layer = model.get_layer(f"block_{index}_conv")
        assert tuple(layer.kernel.shape) == (kernel, kernel, incoming, outgoing)
        assert layer.output.shape == (None, side, side, outgoing)
        assert model.output[f"block_{index}"].shape == (None, end, end, outgoing)
        count += kernel * kernel * incoming * outgoing + 4 * outgoing
        incoming = outgoing
    count += (2 * 2 * 256) * 4096 + 4096  # first fully connected layer
    count += 4096 * 4096 + 4096
    count += 4096 * 200 + 200
    assert model.output["features"].shape == (None, 4096)
    assert model.output["logits"].shape == (None, 200)
    assert model.count_params() == count == 25_550_440


def test_sides_at_227_pixels_are_the_published_ones():
    model = alexnet_classifier((227, 227, 3), num_classes=2, width=0.02)
    assert model.get_layer("block_1_conv").output.shape[1] == 55
    assert [model.output[f"block_{index}"].shape[1] for index in (1, 2, 5)] == [27, 13, 6]


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("training", [False, True])
def test_shapes_and_dtypes(count, training):
    outputs = to_numpy(small_classifier()(random_images(count), training=training))
    assert set(outputs) == KEYS
    assert outputs["logits"].shape == (count, CLASSES)
    assert outputs["features"].shape == (count, 82)  # 4096 · 0.02
    for value in outputs.values():
        assert value.dtype == np.float32
        assert np.isfinite(value).all()


def test_names(classifier):
    assert classifier.name == "classifier"
    assert classifier.input.name == "images"
    names = [layer.name for layer in classifier.layers]
    assert {"block_1_conv", "block_1_norm", "block_5_pool", "dense_2", "logits"} < set(names)
    assert names == [layer.name for layer in small_classifier(name="other").layers]


def test_features_are_the_input_of_the_last_layer(classifier):
    outputs = to_numpy(classifier(random_images(3)))
    kernel, bias = classifier.get_layer("logits").get_weights()
    np.testing.assert_allclose(
        outputs["logits"], outputs["features"] @ kernel + bias, rtol=1e-5, atol=1e-5
    )
    assert outputs["features"].min() >= 0
    assert np.ptp(outputs["features"], axis=0).max() > 0


@pytest.mark.tensorflow
def test_normalization_follows_every_convolution():
    model = small_classifier(synchronized=True)
    norms = [layer for layer in model.layers if type(layer).__name__ == "BatchNormalization"]
    assert [layer.name for layer in norms] == [f"block_{index}_norm" for index in range(1, 6)]
    assert all(layer.synchronized and layer.momentum == 0.9 for layer in norms)
    assert not any(model.get_layer(f"block_{index}_conv").use_bias for index in range(1, 6))
    assert not small_classifier().get_layer("block_1_norm").synchronized
    # Nothing else holds state: no dropout, no random seeds.
    assert len(model.non_trainable_variables) == 2 * len(norms)


def test_logits_and_features_are_float32_under_mixed_precision(check_mixed_precision):
    check_mixed_precision(
        small_classifier, random_images(2), "block_5_relu", ("logits", "features")
    )


def test_configuration_and_file_give_the_same_outputs(classifier, check_copies):
    check_copies(classifier, random_images(3))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"image_shape": (128, 66, 3)},
            r"at least 67 pixels\. Received: image_shape=\(128, 66, 3\)\..*`compact`",
        ),
        ({"image_shape": (128, 128)}, "`image_shape` must be"),
        ({"num_classes": 0}, "`num_classes`.*Received"),
        ({"width": -1.0}, "`width`.*Received"),
        ({"width": float("nan")}, "`width`.*Received"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        alexnet_classifier(**{"num_classes": 2} | arguments)

import keras
import numpy as np
import pytest

from keras_cvaegan.networks.googlenet import googlenet_encoder

pytestmark = pytest.mark.slow

CLASSES, LATENT = 5, 6

# Szegedy et al. 2015, Table 1, copied anew: output side at 128×128 (4/7 of that at 224×224),
# output channels, the six counts of the block, and its printed "params" in units of 1024.
TABLE_1 = {
    "3a": (16, 256, (64, 96, 128, 16, 32, 32), 159),
    "3b": (16, 480, (128, 128, 192, 32, 96, 64), 380),
    "4a": (8, 512, (192, 96, 208, 16, 48, 64), 364),
    "4b": (8, 512, (160, 112, 224, 24, 64, 64), 437),
    "4c": (8, 512, (128, 128, 256, 24, 64, 64), 463),
    "4d": (8, 528, (112, 144, 288, 32, 64, 64), 580),
    "4e": (8, 832, (256, 160, 320, 32, 128, 128), 840),
    "5a": (4, 832, (256, 160, 320, 32, 128, 128), 1072),
    "5b": (4, 1024, (384, 192, 384, 48, 128, 128), 1388),
}


def small_encoder(**arguments):
    keras.utils.set_random_seed(0)
    arguments = {"num_classes": CLASSES, "latent_dim": LATENT, "width": 0.1} | arguments
    return googlenet_encoder((32, 32, 3), **arguments)


def random_inputs(count, size=32):
    generator = np.random.default_rng(0)
    return {
        "images": generator.uniform(-1, 1, (count, size, size, 3)).astype("float32"),
        "labels": generator.dirichlet(np.ones(CLASSES), count).astype("float32"),
    }


def randomize(model):
    """Gives every variable, the moving averages too, a value that it does not start from."""
    generator = np.random.default_rng(1)
    weights = model.get_weights()
    model.set_weights([w + generator.normal(0.0, 0.02, w.shape) for w in weights])


def to_numpy(outputs):
    return {key: keras.ops.convert_to_numpy(value) for key, value in outputs.items()}


@pytest.fixture(scope="module")
def paper_encoder():
    return googlenet_encoder(num_classes=200)


@pytest.fixture(scope="module")
def encoder():
    model = small_encoder()
    randomize(model)
    return model


def test_channels_and_sides_are_those_of_table_1(paper_encoder):
    def shape(layer):
        return paper_encoder.get_layer(layer).output.shape[1:]

    assert shape("stem_7x7_relu") == (64, 64, 64)
    assert shape("pool_1") == (32, 32, 64)
    assert shape("stem_3x3_relu") == (32, 32, 192)
    for block, (side, channels, counts, _) in TABLE_1.items():
        assert shape(f"inception_{block}_output") == (side, side, channels)
        branches = ("1x1", "3x3_reduce", "3x3", "5x5_reduce", "5x5", "pool_projection")
        assert [shape(f"inception_{block}_{b}_relu")[-1] for b in branches] == list(counts)
    assert shape("average_pool") == (1024,)
    assert shape("join_labels") == (1224,)


def test_kernels_of_each_block_count_what_table_1_gives(paper_encoder):
    channels = 192
    for block, (_, outputs, counts, printed) in TABLE_1.items():
        one, three_reduce, three, five_reduce, five, projection = counts
        expected = (
            channels * (one + three_reduce + five_reduce + projection)
            + 9 * three_reduce * three
            + 25 * five_reduce * five
        )
        kernels = [
            w
            for layer in paper_encoder.layers
            if layer.name.startswith(f"inception_{block}_") and layer.name.endswith("_conv")
            for w in layer.weights
        ]
        assert sum(int(np.prod(w.shape)) for w in kernels) == expected
        # The paper's own column is not exact: 463 for 4c, whose kernels make 497.5.
        assert expected / 1024 == pytest.approx(printed, rel=0.08)
        channels = outputs


def test_parameter_count(paper_encoder):
    kernels = 7 * 7 * 3 * 64 + 64 * 64 + 9 * 64 * 192
    normalized = 64 + 64 + 192
    channels = 192
    for _, outputs, counts, _ in TABLE_1.values():
        one, three_reduce, three, five_reduce, five, projection = counts
        kernels += channels * (one + three_reduce + five_reduce + projection)
        kernels += 9 * three_reduce * three + 25 * five_reduce * five
        normalized += sum(counts)
        channels = outputs
    heads = 2 * ((1024 + 200) * 256 + 256)
    trainable = sum(int(np.prod(w.shape)) for w in paper_encoder.trainable_weights)
    assert trainable == kernels + 2 * normalized + heads == 6_608_032
    assert paper_encoder.count_params() == kernels + 4 * normalized + heads == 6_622_592


@pytest.mark.parametrize("count", [1, 3])
def test_shapes_and_dtypes(count):
    model = small_encoder()
    for training in (False, True):
        outputs = to_numpy(model(random_inputs(count), training=training))
        assert set(outputs) == {"z_mean", "z_log_var"}
        for value in outputs.values():
            assert value.shape == (count, LATENT)
            assert value.dtype == np.float32
            assert np.isfinite(value).all()


def test_names(encoder):
    assert encoder.name == "encoder"
    assert set(encoder.input) == {"images", "labels"}
    names = [layer.name for layer in encoder.layers]
    assert {"stem_7x7_conv", "inception_3a_1x1_conv", "z_mean", "z_log_var"} < set(names)
    assert names == [layer.name for layer in small_encoder(name="other").layers]


def test_sides_need_not_be_equal_or_even():
    model = googlenet_encoder((33, 50, 1), num_classes=2, latent_dim=3, width=0.05)
    outputs = model({"images": np.zeros((2, 33, 50, 1)), "labels": np.eye(2)})
    assert tuple(outputs["z_mean"].shape) == (2, 3)


def test_label_acts_linearly_at_the_last_layer(encoder):
    inputs = random_inputs(4)
    mixed = to_numpy(encoder(inputs))
    without = to_numpy(encoder(inputs | {"labels": np.zeros((4, CLASSES), "float32")}))
    for key, value in mixed.items():
        rows = encoder.get_layer(key).get_weights()[0][-CLASSES:]
        np.testing.assert_allclose(value - without[key], inputs["labels"] @ rows, atol=2e-6)
        pure = [
            to_numpy(encoder(inputs | {"labels": np.tile(row, (4, 1))}))[key]
            for row in np.eye(CLASSES, dtype="float32")
        ]
        np.testing.assert_allclose(
            value, np.einsum("nk,knd->nd", inputs["labels"], pure), atol=5e-6
        )


def test_output_depends_on_the_image(encoder):
    z_mean = to_numpy(encoder(random_inputs(2) | {"labels": np.eye(CLASSES)[[0, 0]]}))["z_mean"]
    assert np.abs(z_mean[0] - z_mean[1]).max() > 1e-4


def test_normalization_follows_every_convolution():
    model = small_encoder(synchronized=True)
    names = {layer.name for layer in model.layers}
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    norms = [layer for layer in model.layers if type(layer).__name__ == "BatchNormalization"]
    assert len(convolutions) == len(norms) == 3 + 9 * 6
    assert all(layer.name.replace("_conv", "_norm") in names for layer in convolutions)
    assert not any(layer.use_bias for layer in convolutions)
    assert all(layer.synchronized and layer.momentum == 0.9 for layer in norms)
    assert not small_encoder().get_layer("stem_7x7_norm").synchronized
    # Nothing else holds state: no dropout, no random seeds.
    assert len(model.non_trainable_variables) == 2 * len(norms)


def test_outputs_are_float32_under_mixed_precision(check_mixed_precision):
    check_mixed_precision(small_encoder, random_inputs(2), "inception_5b_output")


def test_configuration_and_file_give_the_same_outputs(encoder, check_copies):
    check_copies(encoder, random_inputs(3))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image_shape": (31, 64, 3)}, r"at least 32 pixels\. Received: .*31, 64, 3.*`compact`"),
        ({"image_shape": (64, 64)}, r"`image_shape` must be .* Received: image_shape=\(64, 64\)"),
        ({"image_shape": (64, 64, 0)}, "`image_shape` must be"),
        ({"image_shape": 64}, "`image_shape` must be"),
        ({"num_classes": 0}, "`num_classes` must be an integer of at least 1. Received: .*=0"),
        ({"num_classes": 2.5}, "`num_classes`"),
        ({"latent_dim": 0}, "`latent_dim`"),
        ({"latent_dim": True}, "`latent_dim`"),
        ({"width": 0}, "`width` .*Received: width=0"),
        ({"width": "1"}, "`width`"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        googlenet_encoder(**{"num_classes": 2} | arguments)

"""CVAE-GAN: what the tests of all models do not ask."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

import keras_cvaegan
from keras_cvaegan import losses
from keras_cvaegan.models import CVAEGAN
from tests.helpers import equations
from tests.helpers.checks import dtype_policy

pytestmark = pytest.mark.slow

SHAPE = (16, 16, 3)
# Of E's and G's objective.
OWN = CVAEGAN.hyperparameters()
WEIGHTS = {name: weight for name, weight in equations.WEIGHTS.items() if name in OWN}


@pytest.fixture
def batch():
    generator = np.random.default_rng(0)
    images = generator.uniform(-1, 1, (6, *SHAPE)).astype("float32")
    return images, np.array([0, 2, 0, 3, 2, 2], np.int32)


def build(**overrides):
    return CVAEGAN.from_preset("compact", image_shape=SHAPE, num_classes=4, **overrides)


@functools.cache
def untrained():
    """A model for tests that only read it."""
    return build(class_names=list("abcd"))


def gradients_of_step(model, batch):
    """The gradients that a training step hands to the optimizer, by variable."""
    model.compile(run_eagerly=True)
    received = {}
    model.optimizer.apply = lambda gradients, variables: received.update(
        {id(v): g for g, v in zip(gradients, variables, strict=True)}
    )
    model.train_step(batch)
    return received


def test_objectives_do_not_leak_into_other_networks(batch):
    """With every weight of E's and G's objective at 0, they stand still while D and C move."""
    model = build(**dict.fromkeys(WEIGHTS, 0.0))
    received = gradients_of_step(model, batch)
    for name, network in model.networks.items():
        largest = max(
            float(tf.reduce_max(tf.abs(received[id(v)]))) for v in network.trainable_variables
        )
        assert (largest == 0.0) == (name in ("encoder", "generator")), name


def test_generator_terms_do_not_change_the_discriminators_gradient(batch):
    gradients = []
    for weight in (0.0, 5.0):
        keras.utils.set_random_seed(1)
        model = build(**dict.fromkeys(WEIGHTS, weight))
        received = gradients_of_step(model, batch)
        networks = (model.discriminator, model.classifier)
        gradients.append([received[id(v)] for n in networks for v in n.trainable_variables])
    for none, strong in zip(*gradients, strict=True):
        np.testing.assert_array_equal(none, strong)


@pytest.mark.parametrize("average_decay", [None, 0.9])
def test_saved_and_loaded_it_samples_the_same_and_trains_on(batch, tmp_path, average_decay):
    model = build(average_decay=average_decay, class_names=["a", "b", "c", "d"], **WEIGHTS)
    model.compile()
    model.train_on_batch(*batch)
    model.save(tmp_path / "model.keras")
    loaded = keras_cvaegan.load(tmp_path)
    settings = {k: v for k, v in model.get_config().items() if k not in model.network_names}
    assert {k: v for k, v in loaded.get_config().items() if k in settings} == settings
    labels = [0, 1, 2, 3]
    np.testing.assert_array_equal(loaded.generate(labels, 5), model.generate(labels, 5))
    np.testing.assert_array_equal(loaded.reconstruct(*batch), model.reconstruct(*batch))
    for m in (model, loaded):
        m.train_on_batch(*batch)
    for ours, theirs in zip(model.variables, loaded.variables, strict=True):
        np.testing.assert_array_equal(ours, theirs, err_msg=ours.path)


def test_the_average_follows_the_generators_weights(batch):
    model = build(average_decay=0.5)
    model.compile()
    before = [np.array(v) for v in model.average_generator.variables]
    model.train_on_batch(*batch)
    # At step 0 the decay is the warm-up's 1/10.
    for old, average, current in zip(
        before, model.average_generator.variables, model.generator.variables, strict=True
    ):
        np.testing.assert_allclose(average, 0.1 * old + 0.9 * np.array(current), atol=1e-6)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_every_dtype_policy_trains_without_nan(batch, policy):
    with dtype_policy(policy):
        model = build()
        model.compile()
    for _ in range(3):
        logs = model.train_on_batch(*batch, return_dict=True)
    assert all(np.isfinite(value) for value in logs.values()), logs
    scaled = isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    assert scaled == (policy == "mixed_float16")
    assert model.generate([0], seed=1).dtype == np.uint8


def test_training_noise_is_a_function_of_seed_and_step(batch):
    weights = []
    for seed in (3, 3, 4):
        keras.utils.set_random_seed(0)
        model = build(seed=seed)
        for variable in model.trainable_variables:
            variable.assign(ops.full_like(variable, 0.01))
        model.compile()
        model.train_on_batch(*batch)
        weights.append(np.concatenate([np.ravel(v) for v in model.generator.get_weights()]))
    np.testing.assert_array_equal(weights[0], weights[1])
    assert not np.array_equal(weights[0], weights[2])


class TestPublicMethods:
    @pytest.fixture
    def model(self):
        return untrained()

    def test_attributes(self, model):
        assert model.image_shape == SHAPE
        assert (model.num_classes, model.class_names) == (4, ("a", "b", "c", "d"))
        assert model.latent_dim == model.sample_latents(2).shape[1]

    def test_generate(self, model):
        images = model.generate([1, 2, 3], seed=[7, 8, 9])
        assert images.shape == (3, *SHAPE)
        assert images.dtype == np.uint8
        np.testing.assert_array_equal(images[1:2], model.generate([2], seed=[8]))
        assert not np.array_equal(images[0], model.generate([1], seed=[8])[0])
        np.testing.assert_array_equal(
            model.generate([1, 2, 3], seed=4)[:2], model.generate([1, 2], seed=4)
        )
        assert model.generate([], seed=0).shape == (0, *SHAPE)

    def test_encode_decode_reconstruct(self, model, batch):
        images, labels = batch
        z_mean, z_log_var = model.encode(images, labels)
        assert z_mean.shape == z_log_var.shape == (6, model.latent_dim)
        decoded = model.decode(z_mean, labels)
        np.testing.assert_array_equal(decoded, model.reconstruct(images, labels))
        assert decoded.dtype == np.float32
        assert abs(decoded).max() <= 1.0
        as_bytes = np.rint((images + 1) * 127.5).astype(np.uint8)
        np.testing.assert_allclose(model.encode(as_bytes, labels)[0], z_mean, atol=0.1)

    def test_mixed_labels(self, model):
        z = model.sample_latents(2, seed=1)
        mixed = np.array([[0.5, 0.5, 0, 0], [0, 1, 0, 0]])
        np.testing.assert_allclose(model.decode(z, mixed)[1], model.decode(z, [1, 1])[1], atol=1e-6)

    def test_classify(self, model, batch):
        probabilities = model.classify(batch[0])
        assert probabilities.shape == (6, 4)
        np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-5)

    def test_compact_classification_loss_agrees(self, model, batch):
        images, labels = batch
        logits = model.classifier(images)["logits"]
        expected = -np.log(model.classify(images)[np.arange(6), labels]).mean()
        assert float(losses.classification_loss(labels, logits)) == pytest.approx(expected, 1e-4)

    @pytest.mark.parametrize(
        ("call", "message"),
        [
            (lambda m: m.generate([4]), r"labels must be from 0 to 3\. Received: 4"),
            (lambda m: m.generate([-1]), r"from 0 to 3\. Received: -1"),
            (lambda m: m.generate([0.5]), "labels must be integers"),
            (lambda m: m.generate([0, 1], seed=[1]), "seed must be one integer, or 2"),
            (lambda m: m.decode(np.zeros((2, 3)), [0, 1]), "z must have the shape"),
            (lambda m: m.encode(np.zeros((1, 8, 8, 3)), [0]), "images must have the shape"),
            (lambda m: m.encode(np.zeros((2, *SHAPE)), [0]), "One label an image"),
            (lambda m: m.encode(np.full((1, *SHAPE), 200.0), [0]), r"must lie in \[-1, 1\]"),
            (lambda m: m.encode(np.zeros((1, *SHAPE), int), [0]), "uint8, or floats"),
        ],
    )
    def test_wrong_input(self, model, call, message):
        with pytest.raises(ValueError, match=message):
            call(model)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"kl_weight": -1.0}, "kl_weight must be a number of at least 0"),
        ({"discriminator_layers": ("block_9",)}, "feature layers of the discriminator"),
        ({"classifier_layers": ()}, "feature layers of the classifier"),
        ({"average_decay": 1.0}, "average_decay must be a number in"),
        ({"class_center_decay": 1.0}, "class_center_decay must be a number in"),
        ({"class_names": ["a"]}, "one name for each of the 4 classes"),
    ],
)
def test_wrong_arguments(overrides, message):
    with pytest.raises(ValueError, match=message):
        build(**overrides)


def test_several_feature_layers(batch):
    model = build(
        discriminator_layers=("block_2", "features"), classifier_layers=("block_1", "features")
    )
    model.compile()
    logs = model.train_on_batch(*batch, return_dict=True)
    assert all(np.isfinite(value) for value in logs.values())


def test_compile_takes_optimizers_by_network(batch):
    model = build()
    with pytest.raises(ValueError, match="one optimizer for each network"):
        model.compile({"encoder": keras.optimizers.SGD()})
    frozen = keras.optimizers.SGD(0.0)
    model.compile(
        {n: keras.optimizers.SGD(1e-3) if n == "encoder" else frozen for n in model.network_names}
    )
    before = {n: network.get_weights() for n, network in model.networks.items()}
    trained = {n: [v.trainable for v in network.weights] for n, network in model.networks.items()}
    model.train_on_batch(*batch)
    for name, network in model.networks.items():
        moved = [
            not np.array_equal(a, b)
            for a, b, trainable in zip(
                before[name], network.get_weights(), trained[name], strict=True
            )
            if trainable
        ]
        assert any(moved) == (name == "encoder"), name


def test_loading_what_is_not_a_model(tmp_path):
    with pytest.raises(ValueError, match="There is no model at"):
        keras_cvaegan.load(tmp_path)
    file = tmp_path / "model.keras"
    file.write_bytes(b"no")
    with pytest.raises(ValueError, match="is not a model that keras_cvaegan can load"):
        keras_cvaegan.load(file)
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(file)
    with pytest.raises(ValueError, match="holds a Sequential"):
        keras_cvaegan.load(file)


def test_training_mirrors_every_other_image_by_seed_and_step():
    model = CVAEGAN.from_preset(
        "compact", image_shape=(16, 16, 3), num_classes=2, horizontal_flip=True
    )
    images = np.random.default_rng(0).uniform(-1, 1, (200, 16, 16, 3)).astype("float32")
    labels = np.zeros(200, "int32")

    def flipped(training=True):
        result = np.asarray(model.unpack((images, labels), training=training)[0])
        mirrored = (result == images[:, :, ::-1]).all((1, 2, 3))
        assert ((result == images).all((1, 2, 3)) != mirrored).all()
        return mirrored

    assert not flipped(training=False).any()
    first = flipped()
    assert 70 < first.sum() < 130
    np.testing.assert_array_equal(flipped(), first)
    model.step.assign(1)
    assert (flipped() != first).any()
    assert CVAEGAN.from_config(model.get_config()).horizontal_flip

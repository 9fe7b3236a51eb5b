"""CVAE-GAN: gradients, forward passes, saving, sampling."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

import keras_cvaegan
from keras_cvaegan import losses, random
from keras_cvaegan.models import CVAEGAN
from keras_cvaegan.models.cvae_gan import POSTERIOR_STREAM, PRIOR_STREAM

SHAPE = (16, 16, 3)
WEIGHTS = {
    "kl_weight": 0.7,
    "matching_weight": 0.5,
    "pixel_weight": 0.9,
    "discriminator_feature_weight": 1.3,
    "classifier_feature_weight": 0.8,
    "mean_matching_weight": 1.1,
    "class_matching_weight": 0.6,
}


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


def naive_gradients(model, images, labels):
    """Each network's gradient of its own objective alone, from a forward pass of its own.

    Written from Eq. 1 to 7 with the batch's own class means: the step under test starts from
    class centres without history, so that both agree.
    """
    images = tf.constant(images)
    encoder, generator, discriminator, classifier = model.networks.values()
    one_hot = tf.one_hot(labels, 4)
    rows = np.arange(len(labels))

    def noise(stream):
        return random.normal(rows, model.latent_dim, seed=model.seed, step=0, stream=stream)

    def posterior():
        code = encoder({"images": images, "labels": one_hot}, training=True)
        z = code["z_mean"] + tf.exp(code["z_log_var"] / 2) * noise(POSTERIOR_STREAM)
        return code, generator({"z": z, "labels": one_hot}, training=True)

    def prior():
        return generator({"z": noise(PRIOR_STREAM), "labels": one_hot}, training=True)

    def half_square(x):
        return 0.5 * tf.reduce_sum(tf.square(x))

    def d(x):
        return discriminator(x, training=True)

    def c(x):
        return classifier(x, training=True)

    def eq_1():
        fake = [posterior()[1], prior()]
        loss = -tf.reduce_mean(tf.math.log_sigmoid(d(images)["logits"]))
        for x in fake:
            loss -= tf.reduce_mean(tf.math.log_sigmoid(-d(x)["logits"]))
        return loss

    def eq_3():
        log_p = tf.nn.log_softmax(c(images)["logits"])
        return -tf.reduce_mean(tf.gather_nd(log_p, np.stack([rows, labels], 1)))

    def eq_5():
        code = encoder({"images": images, "labels": one_hot}, training=True)
        mean, log_var = code["z_mean"], code["z_log_var"]
        terms = tf.square(mean) + tf.exp(log_var) - log_var - 1
        return 0.5 * tf.reduce_sum(terms) / len(labels)

    def eq_6():
        x_f = posterior()[1]
        features = 1.3 * half_square(d(images)["features"] - d(x_f)["features"])
        features += 0.8 * half_square(c(images)["features"] - c(x_f)["features"])
        return (0.9 * half_square(images - x_f) + features) / len(labels)

    def eq_2_and_4():
        x_p = prior()
        real, fake = d(images)["features"], d(x_p)["features"]
        mean_matching = half_square(tf.reduce_mean(real, 0) - tf.reduce_mean(fake, 0))
        real, fake = c(images)["features"], c(x_p)["features"]
        class_matching = 0.0
        for label in np.unique(labels):
            members = np.flatnonzero(labels == label)
            centers = [tf.reduce_mean(tf.gather(f, members), 0) for f in (real, fake)]
            class_matching += half_square(centers[0] - centers[1])
        return 1.1 * mean_matching + 0.6 * class_matching

    def gradient(objective, network):
        with tf.GradientTape() as tape:
            loss = objective()
        return tape.gradient(loss, network.trainable_variables)

    return {
        "encoder": gradient(lambda: 0.5 * eq_6() + 0.7 * eq_5(), encoder),
        "generator": gradient(lambda: 0.5 * eq_6() + eq_2_and_4(), generator),
        "discriminator": gradient(eq_1, discriminator),
        "classifier": gradient(eq_3, classifier),
    }


def test_each_network_receives_the_gradient_of_its_own_objective(batch):
    model = build(**WEIGHTS)
    expected = naive_gradients(model, *batch)
    received = gradients_of_step(model, batch)
    for name, network in model.networks.items():
        scale = max(float(tf.reduce_max(tf.abs(gradient))) for gradient in expected[name])
        for variable, gradient in zip(network.trainable_variables, expected[name], strict=True):
            np.testing.assert_allclose(
                received[id(variable)] / scale, gradient / scale, atol=1e-6, err_msg=variable.path
            )


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


def test_a_step_runs_each_network_no_more_often_than_algorithm_1(batch, monkeypatch):
    model = build()
    model.compile(run_eagerly=True)
    calls = dict.fromkeys(model.network_names, 0)
    for name, network in model.networks.items():

        def counted(*args, name=name, call=network.call, **kwargs):
            calls[name] += 1
            return call(*args, **kwargs)

        monkeypatch.setattr(network, "call", counted)
    model.train_on_batch(*batch)
    assert calls == {"encoder": 1, "generator": 2, "discriminator": 3, "classifier": 3}


def test_the_step_is_traced_once(batch):
    model = build()
    model.compile()
    traces = []
    compute = model.compute_objectives

    def traced(images, labels, training):
        traces.append(training)
        return compute(images, labels, training)

    model.compute_objectives = traced
    data = tf.data.Dataset.from_tensors(batch).repeat(4)
    model.fit(data, shuffle=False, verbose=0)
    model.fit(data, shuffle=False, verbose=0)
    assert traces == [True]


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


def test_evaluate_moves_nothing(batch):
    model = build()
    model.compile()
    model.train_on_batch(*batch)
    before = [np.array(v) for v in model.variables]
    measures = model.evaluate(*batch, return_dict=True, verbose=0)
    assert set(measures) >= set(model.measures)
    metrics = {id(v) for m in model.metrics for v in m.variables}
    for old, variable in zip(before, model.variables, strict=True):
        if id(variable) not in metrics:
            np.testing.assert_array_equal(old, variable, err_msg=variable.path)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_every_dtype_policy_trains_without_nan(batch, policy):
    keras.config.set_dtype_policy(policy)
    try:
        model = build()
        model.compile()
    finally:
        keras.config.set_dtype_policy("float32")
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
        ({"average_decay": 1.0}, "average_decay must be in"),
        ({"class_center_decay": 1.0}, "decay must be in"),
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

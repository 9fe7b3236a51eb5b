"""What holds for every model: gradients, forward passes, saving, sampling."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_cvaegan
from keras_cvaegan import networks
from keras_cvaegan.models import CGAN, MODELS, VAE
from tests.helpers.equations import WEIGHTS, objectives, settle

pytestmark = pytest.mark.slow

SHAPE = (16, 16, 3)
LR_LI_CALLS = {
    "relevant_encoder": 4,
    "mixture": 4,
    "irrelevant_encoder": 1,
    "latent_classifier": 1,
    "generator": 1,
}
# How often a step runs each network.
CALLS = {
    "vae": {"encoder": 1, "generator": 1},
    "gan": {"generator": 1, "discriminator": 2},
    "wgan": {"generator": 6, "discriminator": 5 * 2 + 1},
    "fm_gan": {"generator": 1, "discriminator": 2},
    "vae_gan": {"encoder": 1, "generator": 2, "discriminator": 3},
    "cvae": {"encoder": 1, "generator": 1},
    "cgan": {"generator": 1, "discriminator": 2},
    "fm_cgan": {"generator": 1, "discriminator": 2, "classifier": 2},
    "cvae_gan": {"encoder": 1, "generator": 2, "discriminator": 3, "classifier": 3},
    "lr_li_vae": LR_LI_CALLS,
    "lr_li_vae_gan": {**LR_LI_CALLS, "generator": 2, "discriminator": 3},
}
UNCONDITIONAL = [name for name, model in MODELS.items() if not model.conditional]

every_model = pytest.mark.parametrize("name", MODELS)


@pytest.fixture
def batch():
    """Twelve images, so that the six shares of WGAN are equal."""
    generator = np.random.default_rng(0)
    images = generator.uniform(-1, 1, (12, *SHAPE)).astype("float32")
    return images, np.array([0, 2, 0, 3, 2, 2] * 2, np.int32)


def build(name, **overrides):
    model = MODELS[name]
    known = {k: v for k, v in overrides.items() if k in model.hyperparameters()}
    return model.from_preset("compact", image_shape=SHAPE, num_classes=4, **known)


def labels_of(model, count):
    return np.arange(count) % model.num_classes


def test_unconditional_models():
    assert UNCONDITIONAL == ["vae", "gan", "wgan", "fm_gan", "vae_gan"]


@pytest.mark.parametrize(
    "name", [*MODELS, "lr_li_vae without some labels", "lr_li_vae_gan without some labels"]
)
def test_each_network_receives_the_gradient_of_its_own_objective(name, batch):
    if "without some labels" in name:
        name, batch = name.split()[0], (batch[0], np.where(np.arange(12) % 5 < 2, -1, batch[1]))
    model = build(name, **WEIGHTS)
    settle(model)
    model.compile(run_eagerly=True)
    applied = []
    model.optimizer.apply = lambda gradients, variables: applied.append(
        {id(v): g for g, v in zip(gradients, variables, strict=True)}
    )
    model.train_step(batch)
    phases = objectives(name, model, *batch)
    assert len(applied) == len(phases)
    for received, phase in zip(applied, phases, strict=True):
        for network_name, network in model.networks.items():
            gradients = [received[id(v)] for v in network.trainable_variables]
            if network_name not in phase:
                assert gradients == [None] * len(gradients)
                continue
            with tf.GradientTape() as tape:
                loss = phase[network_name]()
            expected = tape.gradient(loss, network.trainable_variables)
            scale = max(float(tf.reduce_max(tf.abs(x))) for x in expected)
            assert scale > 0
            for variable, x, y in zip(
                network.trainable_variables, gradients, expected, strict=True
            ):
                np.testing.assert_allclose(
                    x / scale, y / scale, atol=2e-6, err_msg=f"{network_name}/{variable.path}"
                )


@every_model
def test_a_step_is_traced_once_and_runs_no_network_more_often_than_needed(name, batch, monkeypatch):
    model = build(name)
    model.compile()
    calls = dict.fromkeys(model.network_names, 0)
    for network_name, network in model.networks.items():

        def counted(*args, network_name=network_name, call=network.call, **kwargs):
            calls[network_name] += 1
            return call(*args, **kwargs)

        monkeypatch.setattr(network, "call", counted)
    data = tf.data.Dataset.from_tensors(batch).repeat(2)
    for _ in range(2):
        model.fit(data, shuffle=False, verbose=0)
    assert calls == CALLS[name]
    assert int(model.step) == 4


@every_model
def test_saved_and_loaded_it_samples_the_same_and_can_train_on(name, batch, tmp_path):
    model = build(name, **WEIGHTS)
    model.compile(run_eagerly=True)
    model.train_on_batch(*batch)
    model.save(tmp_path / "model.keras")
    loaded = keras_cvaegan.load(tmp_path)
    assert type(loaded) is MODELS[name]
    settings = {k: v for k, v in model.get_config().items() if k not in model.network_names}
    assert {k: v for k, v in loaded.get_config().items() if k in settings} == settings
    assert settings.keys() > model.hyperparameters().keys()
    labels = labels_of(model, 3)
    np.testing.assert_array_equal(loaded.generate(labels, 5), model.generate(labels, 5))
    ours, theirs = ([*m.variables, *m.optimizer.variables] for m in (model, loaded))
    for x, y in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(x, y, err_msg=x.path)


@every_model
def test_what_a_model_has_no_network_for_is_a_clear_error(name, batch):
    model, images = build(name), batch[0][:2]
    labels = labels_of(model, 2)
    assert model.generate(labels, seed=1).shape == (2, *SHAPE)
    z = model.sample_latents(2)
    for network, call in {
        "encoder": lambda: model.encode(images, labels)[0],
        "classifier": lambda: model.classify(images),
    }.items():
        if network in model.inference_networks:
            assert len(call()) == 2
            continue
        message = f"{type(model).__name__} has no {network}: it has {model.network_names[0]}"
        with pytest.raises(ValueError, match=message):
            call()
    if "encoder" in model.inference_networks:
        assert model.reconstruct(images, labels).shape == images.shape
    else:
        with pytest.raises(ValueError, match="has no encoder"):
            model.reconstruct(images, labels)
    assert model.decode(z, labels).shape == images.shape


@every_model
def test_one_class_and_one_image(name, batch):
    model = MODELS[name].from_preset("compact", image_shape=SHAPE, num_classes=1)
    assert model.num_classes == 1
    model.compile(run_eagerly=True)
    logs = model.train_on_batch(batch[0][:1], np.zeros(1, "int32"), return_dict=True)
    assert logs.keys() == set(model.measures)
    assert all(np.isfinite(value) for value in logs.values()), logs


@every_model
def test_evaluate_moves_nothing(name, batch):
    model = build(name)
    model.compile(run_eagerly=True)
    model.train_on_batch(*batch)
    before = [np.array(v) for v in model.variables]
    measures = model.evaluate(*batch, return_dict=True, verbose=0)
    assert measures.keys() == set(model.measures)
    for old, variable in zip(before, model.variables, strict=True):
        np.testing.assert_array_equal(old, variable, err_msg=variable.path)


@pytest.mark.parametrize("name", UNCONDITIONAL)
def test_unconditional_models_ignore_labels_of_data(name, batch):
    weights = []
    for data in (batch, batch[:1]):
        model = build(name)
        assert (model.num_classes, model.class_names) == (1, ("any",))
        model.compile(run_eagerly=True)
        model.train_on_batch(*data)
        weights.append(model.generator.get_weights())
    for ours, theirs in zip(*weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(ValueError, match=r"is unconditional: labels must be 0\. Received: 3\."):
        model.generate([0, 3])


def test_conditional_models_want_classes_and_labels(batch):
    with pytest.raises(ValueError, match="CVAE is conditional: from_preset needs num_classes"):
        MODELS["cvae"].from_preset("compact", image_shape=SHAPE)
    model = build("cvae")
    model.compile(run_eagerly=True)
    with pytest.raises(ValueError, match="CVAE learns from images and their labels"):
        model.fit(batch[0], verbose=0)


def test_unconditional_models_want_networks_of_one_class():
    built = networks.preset("compact").networks(SHAPE, 3, names=["encoder", "generator"])
    with pytest.raises(ValueError, match=r"VAE is unconditional.* a generator for 3 classes"):
        VAE(**built)


@every_model
def test_points(name):
    cls = MODELS[name]
    num_classes = 3 if cls.conditional else 1
    builders = {
        "encoder": lambda: networks.mlp_encoder(num_classes=num_classes),
        "generator": lambda: networks.mlp_generator(num_classes=num_classes),
        "discriminator": networks.mlp_discriminator,
        "classifier": lambda: networks.mlp_classifier(num_classes=num_classes),
    }
    if name.startswith("lr_li"):
        builders |= {
            "relevant_encoder": lambda: networks.mlp_encoder(num_classes=None, deterministic=True),
            "irrelevant_encoder": lambda: networks.mlp_encoder(num_classes=None),
            "mixture": lambda: networks.mixture(2, num_classes=num_classes),
            "latent_classifier": lambda: networks.latent_classifier(2, num_classes=num_classes),
            "generator": lambda: networks.mlp_generator(num_classes=None, latent_dim=4),
        }
    if name in ("cgan", "lr_li_vae_gan"):
        builders["discriminator"] = lambda: networks.conditional_discriminator(
            networks.mlp_discriminator(), num_classes=num_classes
        )
    model = cls(**{network: builders[network]() for network in cls.network_names})
    model.compile(run_eagerly=True)
    points = np.random.default_rng(0).normal(100, 1, (12, 2)).astype("float32")
    labels = labels_of(model, 12)
    logs = model.train_on_batch(points, labels, return_dict=True)
    assert all(np.isfinite(value) for value in logs.values()), logs
    assert model.image_shape == (2,)
    generated = model.generate(labels, seed=1)
    assert generated.shape == (12, 2)
    assert generated.dtype == np.float32
    if "encoder" in model.inference_networks:
        assert model.reconstruct(points, labels).shape == (12, 2)
    with pytest.raises(ValueError, match="horizontal_flip is for images"):
        cls(**model.networks, horizontal_flip=True)


@pytest.mark.parametrize("name", ["fm_gan", "fm_cgan", "cvae_gan"])
def test_means_are_matched_over_the_steps(name):
    """Eq. 2 of moving averages, (1 − m) Σ_s m^(t−s) b_s / (1 − m^t), of real and generated ones."""
    decay, random = 0.9, np.random.default_rng(0)
    model = build(name, mean_center_decay=decay)
    dim = model.discriminator.output["features"].shape[-1]
    real, generated = (random.normal(size=(2, 5, dim)).astype("float32") for _ in range(2))
    for step in (1, 2):
        loss = model.mean_matching(
            {"features": real[step - 1]}, {"features": generated[step - 1]}, training=True
        )
        weights = decay ** np.arange(step)[::-1]
        centers = [
            (weights[:, None] * x[:step].mean(axis=1)).sum(axis=0) / weights.sum()
            for x in (real, generated)
        ]
        expected = 0.5 * np.sum((centers[0] - centers[1]) ** 2)
        assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_generator_losses_play_for_the_same_value(batch):
    model = build("gan", generator_loss="minimax")
    losses, _ = model.compute_objectives(batch[0], 0 * batch[1], training=True)
    real = model.discriminator(batch[0], training=True)["logits"]
    value = -float(losses["discriminator"]) + float(np.mean(np.logaddexp(0, -np.array(real))))
    assert float(losses["generator"]) == pytest.approx(value, abs=1e-5)
    with pytest.raises(ValueError, match=r"one of non_saturating, minimax, hinge\. Rec"):
        build("gan", generator_loss="logistic")


def test_a_hinge_of_the_generator_is_one_of_the_discriminator(batch):
    model = build("gan", generator_loss="hinge")
    found, _ = model.compute_objectives(batch[0], 0 * batch[1], training=True)
    real, fake = (np.array(model.judge(x, None, training=True)) for x in (batch[0], x_p(model)))
    assert float(found["generator"]) == pytest.approx(-fake.mean(), abs=1e-5)
    expected = np.maximum(0, 1 - real).mean() + np.maximum(0, 1 + fake).mean()
    assert float(found["discriminator"]) == pytest.approx(expected, rel=1e-5)


def x_p(model):
    z, classes = model.prior_latents(12), model.one_hot(np.zeros(12, "int32"))
    return model.generator({"z": z, "labels": classes}, training=True)


def test_the_conditional_discriminator_sees_the_label(batch):
    model = build("cgan")
    assert isinstance(model, CGAN)
    images = np.repeat(batch[0][:1], 4, axis=0)
    logits = np.array(model.judge(images, np.eye(4, dtype="float32"), training=False))
    assert len(np.unique(logits)) == 4


class TestWGAN:
    def test_every_weight_of_the_critic_is_clipped(self, batch):
        model = build("wgan", clip_value=0.02)
        largest = max(float(np.abs(v).max()) for v in model.generator.trainable_variables)
        model.compile(run_eagerly=True)
        model.train_on_batch(*batch)
        for variable in model.discriminator.trainable_variables:
            assert np.abs(variable).max() <= 0.02, variable.path
        assert max(float(np.abs(v).max()) for v in model.generator.trainable_variables) > 0.02
        assert largest > 0.02

    def test_the_critic_takes_its_steps_before_the_generator(self, batch):
        model = build("wgan", critic_steps=2)
        assert model.batches_per_step == 3
        model.compile(run_eagerly=True)
        assert {type(x) for x in model.optimizer.optimizers} == {keras.optimizers.RMSprop}
        for optimizer in model.optimizer.optimizers:
            assert float(optimizer.learning_rate) == pytest.approx(5e-5)
        model.train_on_batch(*batch)
        steps = {
            name: int(model._optimizers[name].iterations) for name in ("generator", "discriminator")
        }
        assert steps == {"generator": 1, "discriminator": 2}

    @pytest.mark.parametrize(
        ("overrides", "message"),
        [
            ({"critic_steps": 0}, "critic_steps must be an integer of at least 1. Received: 0"),
            ({"critic_steps": 2.0}, "critic_steps must be an integer"),
            ({"clip_value": 0.0}, "clip_value must be a number above 0"),
        ],
    )
    def test_wrong_arguments(self, overrides, message):
        with pytest.raises(ValueError, match=message):
            build("wgan", **overrides)

    def test_optimizers(self, batch):
        model = build("wgan")
        model.compile(keras.optimizers.SGD(0.01), run_eagerly=True)  # One for both.
        model.train_on_batch(*batch)
        assert int(model._optimizers.iterations) == 6
        together = keras.optimizers.MultiOptimizer(lambda variable: keras.optimizers.SGD())
        with pytest.raises(ValueError, match="WGAN updates its networks in several phases"):
            model.compile(together)

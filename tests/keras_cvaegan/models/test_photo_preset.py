"""The preset photo: what is special to models whose discriminators see a frozen trunk."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_cvaegan
from keras_cvaegan.layers import DifferentiableAugmentation
from keras_cvaegan.models import CVAEGAN, GAN, MODELS
from keras_cvaegan.models.perception import AUGMENTATION_STREAM
from keras_cvaegan.ops import random
from tests.helpers.checks import arrays, dtype_policy
from tests.helpers.equations import POSTERIOR, PRIOR, Equations, settle

pytestmark = pytest.mark.slow

SHAPE = (32, 32, 3)
LABELS = np.array([0, 2, 0, 1, 2, 2, 0, 1], "int32")
# How many batches a step shows to the trunk.
VIEWS = {"cvae_gan": 3, "vae_gan": 3, "lr_li_vae_gan": 3, "cgan": 2, "fm_cgan": 2, "cvae": 0}


def build(name="cvae_gan", **overrides):
    return MODELS[name].from_preset("photo", image_shape=SHAPE, num_classes=3, **overrides)


@functools.cache
def untrained():
    """A model for tests that only read it."""
    return build()


@pytest.fixture
def batch():
    images = np.random.default_rng(0).uniform(-1, 1, (8, *SHAPE)).astype("float32")
    return images, LABELS


@pytest.mark.parametrize("name", VIEWS)
def test_a_step_moves_every_network_and_never_the_trunk(name, batch, monkeypatch):
    model = build(name)
    model.compile(run_eagerly=True)
    networks, seen = model.networks, []
    if model.trunk is not None:
        networks = {**networks, "trunk": model.trunk}
        call = model.trunk.call

        def counted(images, *args, **kwargs):
            seen.append(np.array(images))
            return call(images, *args, **kwargs)

        monkeypatch.setattr(model.trunk, "call", counted)
    before = {name: network.get_weights() for name, network in networks.items()}
    model.train_on_batch(*batch)
    for network_name, network in networks.items():
        pairs = zip(before[network_name], network.get_weights(), strict=True)
        moved = any(not np.array_equal(old, new) for old, new in pairs)
        assert moved == (network_name != "trunk"), network_name
    assert len(seen) == VIEWS[name]
    assert len({images.tobytes() for images in seen}) == VIEWS[name]


@pytest.mark.parametrize("relative_matching", [True, False])
def test_objectives_of_cvae_gan(relative_matching, batch):
    """Against NumPy, from the networks' outputs for x_r, x_f and x_p."""
    model = build(augmentation=0.0, relative_matching=relative_matching)
    settle(model)
    images, labels = batch
    objectives, measures = model.compute_objectives(tf.constant(images), labels, training=True)

    e = Equations(model, images, labels)
    z_mean, z_log_var = e.encode()
    z = tf.concat([z_mean + tf.exp(z_log_var / 2) * e.noise(POSTERIOR), e.noise(PRIOR)], 0)
    both = tf.concat([e.one_hot, e.one_hot], 0)
    x_f, x_p = np.split(np.array(model.generator({"z": z, "labels": both}, training=True)), 2)
    of_d, of_c = [], []
    for x in (images, x_f, x_p):
        taps = model.trunk(x)
        found = arrays(model.discriminator({**taps, "labels": e.one_hot}, training=True))
        of_d.append({key: value.astype(np.float64) for key, value in found.items()})
        np.testing.assert_array_equal(found["stride_8"], taps["stride_8"])
        of_c.append(arrays(model.classifier({"pooled": taps["pooled"]}, training=True)))

    def half_squares(x):
        return 0.5 * np.sum(np.reshape(x, (len(x), -1)).astype(np.float64) ** 2, axis=1)

    def size(x):
        return half_squares(x).mean() if relative_matching else 1.0

    def pooled(x):
        return x if x.ndim == 2 else np.sqrt(x.shape[1] * x.shape[2]) * x.mean(axis=(1, 2))

    layers = ("stride_4", "stride_8", "stride_16", "pooled")
    assert model.discriminator_layers == layers
    real, reconstructed, generated = of_d
    pairwise = [half_squares(real[k] - reconstructed[k]).mean() / size(real[k]) for k in layers]
    means = [
        half_squares((pooled(real[k]).mean(0) - pooled(generated[k]).mean(0))[None])[0]
        / size(pooled(real[k]))
        for k in layers
    ]
    real_c, fake_c = (of_c[index]["features"].astype(np.float64) for index in (0, 2))
    centers = [real_c[labels == k].mean(0) - fake_c[labels == k].mean(0) for k in range(3)]
    classes = half_squares(np.array(centers)).sum() / size(real_c)
    fakes = np.concatenate([reconstructed["logits"], generated["logits"]])
    mean, log_var = (np.array(x, np.float64) for x in (z_mean, z_log_var))
    over = np.mean if relative_matching else np.sum
    expected = {
        "kl_divergence": 0.5 * np.sum(mean**2 + np.exp(log_var) - log_var - 1, axis=1).mean(),
        "pixel_matching": half_squares(images - x_f).mean(),
        "discriminator_feature_matching": over(pairwise),
        "mean_matching": over(means),
        "class_matching": classes / (3 if relative_matching else 1),
        "adversarial_loss": -fakes.mean(),
        "discriminator_loss": (
            np.maximum(0, 1 - real["logits"]).mean() + np.maximum(0, 1 + fakes).mean()
        ),
    }
    for name, value in expected.items():
        assert float(measures[name]) == pytest.approx(value, rel=2e-4, abs=1e-6), name
    values = np.prod(SHAPE) if relative_matching else 1
    objective = (
        model.kl_weight / values * expected["kl_divergence"]
        + model.pixel_weight / values * expected["pixel_matching"]
        + model.discriminator_feature_weight * expected["discriminator_feature_matching"]
        + model.mean_matching_weight * expected["mean_matching"]
        + model.class_matching_weight * expected["class_matching"]
        + model.adversarial_weight * expected["adversarial_loss"]
    )
    assert model.classifier_feature_weight == 0
    assert float(objectives["encoder_and_generator"]) == pytest.approx(objective, rel=2e-4)
    assert float(objectives["discriminator"]) == float(measures["discriminator_loss"])
    assert float(objectives["classifier"]) == float(measures["classifier_loss"])


def test_relative_distances_do_not_know_the_scale_of_features():
    model, rng = untrained(), np.random.default_rng(0)
    real, fake = (
        {tap: rng.normal(1, 1, (8, *x.shape[1:])) for tap, x in model.trunk.output.items()}
        for _ in range(2)
    )
    layers = model.discriminator_layers
    scaled = [
        float(
            model.feature_matching(
                *({k: s * x for k, x in y.items()} for y in (real, fake)), layers
            )
        )
        for s in (1.0, 100.0)
    ]
    assert scaled[0] == pytest.approx(scaled[1], rel=1e-5)
    assert float(model.feature_matching(real, {k: 0 * x for k, x in real.items()}, layers)) == (
        pytest.approx(1.0, rel=1e-5)
    )


def test_saved_and_loaded_it_brings_its_trunk(batch, tmp_path):
    model = build()
    model.compile(run_eagerly=True)
    model.train_on_batch(*batch)
    model.save(tmp_path / "model.keras")
    loaded = keras_cvaegan.load(tmp_path)
    assert loaded.trunk.trainable_variables == []
    settings = {
        k: v for k, v in model.get_config().items() if k not in {*model.network_names, "trunk"}
    }
    assert {k: v for k, v in loaded.get_config().items() if k in settings} == settings
    np.testing.assert_array_equal(loaded.generate([0, 1, 2], 5), model.generate([0, 1, 2], 5))
    np.testing.assert_array_equal(loaded.classify(batch[0]), model.classify(batch[0]))
    np.testing.assert_array_equal(loaded.reconstruct(*batch), model.reconstruct(*batch))
    ours, theirs = ([*m.variables, *m.optimizer.variables] for m in (model, loaded))
    for x, y in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(x, y, err_msg=x.path)
    measures = [m.train_on_batch(*batch, return_dict=True) for m in (model, loaded)]
    assert measures[0] == pytest.approx(measures[1], rel=1e-4)


def test_images_are_classified_by_trunk_and_classifier(batch):
    model = untrained()
    pooled = model.trunk(batch[0])["pooled"]
    logits = arrays(model.classifier({"pooled": pooled}))["logits"]
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    expected = weights / weights.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.classify(batch[0]), expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_trains_without_nan(policy, batch):
    with dtype_policy(policy):
        model = build()
        model.compile(run_eagerly=True)
    for _ in range(2):
        logs = model.train_on_batch(*batch, return_dict=True)
    assert all(np.isfinite(value) for value in logs.values()), logs
    assert model.generate([0], seed=1).dtype == np.uint8


def test_optimizers_are_the_presets_whatever_the_models_paper_says():
    model = build("cgan")
    model.compile()
    rates = {"generator": 5e-4, "discriminator": 5e-4}
    assert model._optimizers.keys() == rates.keys()
    for name, optimizer in model._optimizers.items():
        assert float(optimizer.learning_rate) == pytest.approx(rates[name]), name
        assert (optimizer.beta_1, optimizer.beta_2) == (0.0, 0.99)


class TestView:
    """What discriminators and classifiers see, also without a trunk."""

    @pytest.fixture
    def model(self):
        return GAN.from_preset("compact", image_shape=(16, 16, 3), augmentation=0.7, seed=3)

    @pytest.fixture
    def images(self):
        return np.random.default_rng(0).uniform(-1, 1, (5, 16, 16, 3)).astype("float32")

    def test_training_changes_images_by_seed_step_and_place(self, model, images):
        classes = np.ones((5, 1), "float32")
        for step in (0, 1):
            model.step.assign(step)
            draws = random.uniform(np.arange(5), 6, seed=3, step=step, stream=AUGMENTATION_STREAM)
            expected = np.array(DifferentiableAugmentation(0.7, zoom=0.1)(images, draws))
            assert np.abs(expected - images).max() > 0.1
            for count in (5, 2):
                seen = model.view(images[:count], classes[:count], training=True)
                assert set(seen) == {"images", "labels"}
                np.testing.assert_allclose(seen["images"], expected[:count], atol=1e-6)

    def test_elsewhere_it_changes_nothing(self, model, images):
        seen = model.view(images, None, training=False)
        np.testing.assert_array_equal(seen["images"], images)
        plain = GAN.from_preset("compact", image_shape=(16, 16, 3))
        assert plain.augmentation == 0
        np.testing.assert_array_equal(plain.view(images, None, training=True)["images"], images)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"adversarial_loss": "minimax"}, "adversarial_loss must be one of logistic, hinge"),
        ({"adversarial_weight": -1.0}, "adversarial_weight must be a number of at least 0"),
        ({"relative_matching": "false"}, "relative_matching must be True or False"),
        ({"joint_generation": 1}, r"joint_generation must be True or False\. Received: 1"),
        ({"horizontal_flip": None}, "horizontal_flip must be True or False"),
        ({"augmentation": 2.0}, r"augmentation must be a number in \[0, 1\]\. Received: 2\.0"),
        ({"augmentation": "1"}, r"augmentation must be a number in \[0, 1\]\. Received: '1'"),
        ({"discriminator_layers": ("features",)}, r"some of stride_4, .*pooled\. Received: feat"),
    ],
)
def test_wrong_arguments(overrides, message):
    with pytest.raises(ValueError, match=message):
        build(**overrides)


def test_a_trunk_that_is_not_frozen():
    networks = keras_cvaegan.networks.preset("compact").networks((16, 16, 3), 1)
    images = keras.Input((16, 16, 3))
    trunk = keras.Model(images, {"pooled": keras.layers.Dense(2)(images)}, name="open")
    built = {name: networks[name] for name in GAN.network_names}
    message = r"must be a frozen network .*Received: 'open', of 2 trainable variables"
    with pytest.raises(ValueError, match=message):
        GAN(**built, trunk=trunk)
    frozen = keras.Model(images, keras.layers.Flatten()(images), name="flat")
    with pytest.raises(ValueError, match="of images to a dictionary of features"):
        GAN(**built, trunk=frozen)


def test_wgan_has_no_such_critic():
    message = (
        r"WGAN cannot train the critic of the preset 'photo': clipping its weights fights with the "
        r"spectral normalization that it has\. Allowed: compact, paper\."
    )
    with pytest.raises(ValueError, match=message):
        build("wgan")


def test_the_paper_and_compact_do_without_what_is_new():
    for preset in ("compact", "paper"):
        found = CVAEGAN.hyperparameters(preset)
        assert found["adversarial_weight"] == found["augmentation"] == 0
        assert (found["adversarial_loss"], found["relative_matching"]) == ("logistic", False)
        assert not found["joint_generation"]

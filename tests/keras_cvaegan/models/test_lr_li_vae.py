"""What LR/LI-VAE has beside other models: two codes, a mixture, images without labels."""

import dataclasses

import keras
import numpy as np
import pytest

from keras_cvaegan.models import LRLIVAE, LRLIVAEGAN
from keras_cvaegan.networks import PRESETS

pytestmark = pytest.mark.slow

SHAPE = (16, 16, 3)


def build(cls=LRLIVAE, **keywords):
    keywords = {"num_classes": 3, "latent_dim": 4, **keywords}
    model = cls.from_preset("compact", image_shape=SHAPE, **keywords)
    rng = np.random.default_rng(0)
    model.head.means.assign(rng.normal(0, 2, (3, 4)))
    model.head.raw_log_variances.assign(rng.normal(0, 1, (3, 4)))
    return model


@pytest.fixture(scope="module")
def model():
    return build(LRLIVAEGAN)


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (6, *SHAPE), dtype=np.uint8)


def test_z_is_the_whitened_relevant_code_and_the_irrelevant_one(model, images):
    labels = np.array([0, 1, 2, 0, 1, 2])
    z_s, z_u = model.codes(images)
    z_mean, z_log_var = model.encode(images, labels)
    deviations = np.exp(np.array(model.head.raw_log_variances)[labels] / 2)
    whitened = (z_s - np.array(model.head.means)[labels]) / deviations
    np.testing.assert_allclose(z_mean, np.concatenate([whitened, z_u], 1), rtol=1e-4, atol=1e-5)
    assert (z_log_var[:, :4] == -10).all()
    expected = model.decode_codes(z_s, z_u)
    np.testing.assert_allclose(model.decode(z_mean, labels), expected, atol=1e-4)
    np.testing.assert_allclose(model.reconstruct(images), expected, atol=1e-6)
    np.testing.assert_allclose(model.reconstruct(images, labels), expected, atol=1e-6)


def test_parts_of_the_code_may_be_given(model, images):
    labels = np.array([0, 1])
    seeds, (z_s, z_u) = [5, 6], model.codes(images[:2])
    drawn = model.sample_latents(2, seeds)
    deviations = np.exp(np.array(model.head.raw_log_variances)[labels] / 2)
    drawn_s = np.array(model.head.means)[labels] + deviations * drawn[:, :4]

    def pixels(*codes):
        return np.rint((model.decode_codes(*codes) + 1) * 127.5)

    for given, codes in (
        ({}, (drawn_s, drawn[:, 4:])),
        ({"z_u": z_u}, (drawn_s, z_u)),
        ({"z_s": z_s}, (z_s, drawn[:, 4:])),
        ({"z_s": z_s, "z_u": z_u}, (z_s, z_u)),
    ):
        found = model.generate(labels, seeds, **given)
        assert found.dtype == np.uint8
        assert np.abs(found - pixels(*codes)).max() <= 1, given
    with pytest.raises(ValueError, match=r"z_s must have the shape \(n, 4\), z_u \(n, 4\)"):
        model.generate(labels, z_u=z_u[:1])


def test_classes_are_those_of_the_mixtures_posterior(model, images):
    z_s, _ = model.codes(images)
    densities = np.array(model.mixture(z_s))
    expected = np.exp(densities - densities.max(1, keepdims=True))
    expected /= expected.sum(1, keepdims=True)
    np.testing.assert_allclose(model.classify(images), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_variances_have_a_learning_rate_of_their_own_that_falls(images):
    model = build(variance_decay_steps=2, mixture_steps=2)
    rates = {**LRLIVAE.learning_rates, "mixture": 1e-2, "mixture/log_variances": 1e-3}
    model.compile(model.make_optimizers(rates, beta_1=0.0))
    of_variances = model._optimizers["mixture/log_variances"]
    data = (images, np.array([0, 1, 2, 0, 1, 2]))
    moved = []
    for _ in range(4):
        before = [np.array(v) for v in (model.head.raw_log_variances, model.head.means)]
        model.train_on_batch(*data)
        after = [np.array(v) for v in (model.head.raw_log_variances, model.head.means)]
        moved.append([np.abs(x - y).max() for x, y in zip(before, after, strict=True)])
    assert int(of_variances.iterations) == 8
    variances, means = np.array(moved).T
    # A step of Adam is about its rate. The boundary itself belongs to the first rate.
    assert (means > 2e-3).all()
    assert (variances[:2] > 2e-4).all()
    assert (variances[:2] < 2.5e-3).all()
    assert variances[3] < 2.5e-5


def test_images_without_a_label_are_drawn_to_all_classes_together():
    images = np.random.default_rng(0).uniform(-1, 1, (5, *SHAPE)).astype("float32")
    labels = np.array([-1, 0, -1, 2, 1], np.int32)
    for classes in ("unknown", "known"):
        model = build(unlabelled_classes=classes)
        z_s = model.codes(images).relevant
        of_classes = np.array(model.mixture(z_s), np.float64)
        _, measures = model.compute_objectives(images, labels, training=False)
        if classes == "known":
            of_any = np.logaddexp.reduce(of_classes, axis=1) - np.log(3)
        else:
            means = np.array(model.head.means, np.float64)
            variances = np.exp(np.array(model.head.raw_log_variances, np.float64))
            mean = means.mean(0)
            variance = (variances + means**2).mean(0) - mean**2
            of_any = -0.5 * ((z_s - mean) ** 2 / variance + np.log(2 * np.pi * variance)).sum(1)
        of_label = of_classes[np.arange(5), labels]
        expected = -np.where(labels >= 0, of_label, of_any).mean()
        assert float(measures["likelihood_loss"]) == pytest.approx(expected, rel=1e-5)


def test_a_batch_without_any_label_moves_neither_mixture_nor_adversaries(images):
    model = build(LRLIVAEGAN)
    model.compile(
        {name: keras.optimizers.SGD(0.01) for name in model.optimizer_names()}, run_eagerly=True
    )
    names = ("mixture", "latent_classifier", "discriminator")
    before = {name: [np.array(v) for v in model.networks[name].trainable_variables]
              for name in names}  # fmt: skip
    generator = [np.array(v) for v in model.generator.trainable_variables]
    model.train_on_batch(images, np.full(6, -1))
    for name in names:
        after = model.networks[name].trainable_variables
        for x, y in zip(before[name], after, strict=True):
            np.testing.assert_array_equal(x, y, err_msg=y.path)
    after = model.generator.trainable_variables
    assert any(np.abs(x - np.array(y)).max() > 0 for x, y in zip(generator, after, strict=True))


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"likelihood_weight": -1}, "likelihood_weight must be"),
        ({"mixture_steps": 0}, "mixture_steps must be an integer of at least 1"),
        ({"variance_decay_steps": -1}, "variance_decay_steps must be an integer of at least 0"),
        ({"unlabelled_classes": "some"}, "unlabelled_classes must be one of unknown, known"),
        ({"adversarial_loss": "w"}, "adversarial_loss must be one of logistic, hinge"),
    ],
)
def test_wrong_arguments(keywords, message):
    with pytest.raises(ValueError, match=message):
        build(LRLIVAEGAN, **keywords)


def test_networks_that_do_not_fit_together():
    networks = build().networks
    networks["irrelevant_encoder"] = LRLIVAE.from_preset(
        "compact", image_shape=SHAPE, num_classes=3, latent_dim=5
    ).irrelevant_encoder
    with pytest.raises(ValueError, match=r"must take z_s and z_u, 4 and 5 numbers\. Received: 8"):
        LRLIVAE(**networks)


def test_a_preset_without_its_networks(monkeypatch):
    bare = dataclasses.replace(PRESETS["paper"], name="bare", code_builders={})
    monkeypatch.setitem(PRESETS, "bare", bare)
    with pytest.raises(ValueError, match="The preset 'bare' has no relevant_encoder"):
        LRLIVAE.from_preset("bare", num_classes=3)

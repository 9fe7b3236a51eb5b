"""The contenders of keras.io: they learn, draw pictures of classes, and are measured alike."""

import numpy as np
import pytest
import tensorflow as tf

import datasets
from benchmarks.keras_examples import adaptive_augmentation, contest, diffusion
from keras_cvaegan.training.run_directory import read_json
from tests.helpers import checks

pytestmark = [pytest.mark.slow, pytest.mark.tensorflow]

SIDE, CLASSES = 16, 3


@pytest.fixture(scope="module")
def pictures():
    """Red, green and blue ones."""
    labels = np.arange(48) % CLASSES
    images = np.random.default_rng(0).integers(0, 60, (48, SIDE, SIDE, 3)).astype(np.uint8)
    images[np.arange(48), :, :, labels] += 150
    return images, labels


def test_rates_of_diffusion_keep_the_variance_and_go_from_signal_to_noise():
    noise, signal = diffusion.Diffusion.rates(tf.linspace(0.0, 1.0, 11))
    np.testing.assert_allclose(noise**2 + signal**2, 1, atol=1e-6)
    np.testing.assert_allclose([signal[0], signal[-1]], [0.95, 0.02], atol=1e-6)
    assert (np.diff(signal) < 0).all()


def test_sampling_with_a_denoiser_that_knows_the_answer_gives_it(pictures):
    """x = (x_t − noise rate · ε) / signal rate, where ε is the noise towards one known image."""
    images, _ = pictures
    model = diffusion.Diffusion(images, CLASSES, False)
    target = model.normalizer(images[:1].astype(np.float32) / 255.0)

    class Oracle:
        variables = ()

        def __call__(self, inputs, training):
            noise_rate = tf.sqrt(inputs["variances"])
            signal_rate = tf.sqrt(1.0 - inputs["variances"])
            return (inputs["images"] - signal_rate * target) / noise_rate

    del model.average
    model.average = Oracle()
    drawn = model.generate(np.zeros(2, int))
    np.testing.assert_allclose(drawn.astype(int), np.repeat(images[:1], 2, axis=0), atol=1)


def test_diffusion_learns_the_noise(pictures):
    images, labels = pictures
    model = diffusion.Diffusion(images, CLASSES, True)
    model.compile()
    losses = model.fit(images, labels, batch_size=16, epochs=15, verbose=0).history["noise_loss"]
    assert losses[-1] < 0.7 * losses[0]
    drawn = model.generate(np.array([0, 2]), seed=1)
    assert drawn.dtype == np.uint8
    assert drawn.shape == (2, SIDE, SIDE, 3)
    np.testing.assert_array_equal(drawn, model.generate(np.array([0, 2]), seed=1))


def test_the_gan_learns_the_classes_of_colours(pictures):
    images, labels = pictures
    model = adaptive_augmentation.AdaptiveGAN(SIDE, CLASSES)
    model.compile()
    history = model.fit(images, labels, batch_size=16, epochs=60, verbose=0).history
    assert all(np.isfinite(values).all() for values in history.values())
    asked = np.repeat(np.arange(CLASSES), 8)
    drawn = model.generate(asked, seed=1)
    assert drawn.shape == (24, SIDE, SIDE, 3)
    assert np.mean(drawn.mean(axis=(1, 2)).argmax(axis=1) == asked) >= 0.8
    np.testing.assert_array_equal(drawn, model.generate(asked, seed=1))


def test_augmentation_rises_where_the_discriminator_is_too_sure():
    augmenter = adaptive_augmentation.AdaptiveAugmenter(SIDE)
    images = tf.random.uniform((4, SIDE, SIDE, 3))
    np.testing.assert_array_equal(augmenter(images, training=True), images)
    for _ in range(100):
        augmenter.update(tf.ones((8, 1)))
    risen = float(augmenter.probability)
    assert risen == pytest.approx(100 * 0.15 / 1000, rel=1e-4)
    augmenter.update(-tf.ones((8, 1)))
    assert float(augmenter.probability) < risen
    augmenter.probability.assign(1.0)
    assert np.abs(augmenter(images, training=True) - images).max() > 0.1


def test_a_contest_draws_at_milestones_measures_and_goes_on(tmp_path, capsys):
    data = datasets.open_dataset("petals", SIDE, count=96, num_classes=CLASSES)
    options = {
        "image_size": SIDE,
        "batch_size": 16,
        "horizontal_flip": True,
        "seed": 0,
        "samples_per_class": 4,
    }
    names, minutes = ["compact", "diffusion", "adaptive_gan"], [0.002, 0.01]
    found = contest.Contest(tmp_path, data, **options)
    for name in names:
        found.train(name, minutes)
        assert (tmp_path / name / "0.01_minutes.png").stat().st_size > 100
    capsys.readouterr()
    contest.Contest(tmp_path, data, **options).train("diffusion", minutes)
    assert "its samples are there" in capsys.readouterr().out
    table = found.measure(names, minutes, "efficientnet_lite1", 32)
    rows = read_json(tmp_path / "results.json")["rows"]
    assert len(rows) == 1 + len(names) * len(minutes) == len(table.splitlines()) - 2
    for row in rows[1:]:
        assert 0 <= row["top1_accuracy"] <= 1
        assert row["frechet_distance"] > rows[0]["frechet_distance"] > 0
        assert row["pictures_seen"] % 16 == 0 < row["pictures_seen"]


def test_a_contest_that_was_stopped_goes_on(tmp_path, capsys, monkeypatch):
    data = datasets.open_dataset("petals", SIDE, count=96, num_classes=CLASSES)
    monkeypatch.setattr(contest, "MINUTES_BETWEEN_STATES", 0)
    options = dict(zip(("image_size", "batch_size"), (SIDE, 16), strict=True))
    options |= {"horizontal_flip": True, "seed": 0, "samples_per_class": 4}
    name = "diffusion"
    found = contest.Contest(tmp_path, data, **options)
    found.train(name, [0.002])
    steps, seconds = contest.State(found.model(name), tmp_path / name / "state.npz").read()
    assert steps > 0
    assert seconds >= 0.12
    capsys.readouterr()
    contest.Contest(tmp_path, data, **options).train(name, [0.002, 0.004 + seconds / 60])
    assert f", {seconds / 60:.1f} of them done" in capsys.readouterr().out
    later, more = contest.State(found.model(name), tmp_path / name / "state.npz").read()
    assert later > steps
    assert more > seconds
    # With other settings nothing is lost.
    other = contest.Contest(tmp_path, data, **options | {"seed": 1})
    with pytest.raises(ValueError, match=r"other data or settings: .*Choose another --output"):
        other.train(name, [0.002])
    assert len(list((tmp_path / name).glob("*.npz"))) == 3


@pytest.mark.parametrize("name", ["compact", "diffusion", "adaptive_gan"])
def test_a_state_is_all_that_training_changes(name, pictures, tmp_path):
    images, labels = pictures
    data = datasets.open_dataset("petals", SIDE, count=96, num_classes=CLASSES)
    found = contest.Contest(tmp_path, data, SIDE, 16, True, 0, 4)
    trained, fresh = found.model(name), found.model(name)
    trained.fit(images, labels, batch_size=16, epochs=4, verbose=0)
    if name == "adaptive_gan":
        trained.augmenter.probability.assign(0.25)
    contest.State(trained, tmp_path / "state.npz").write(12, 3.5)
    asked = np.arange(CLASSES)
    expected = trained.generate(asked, seed=1)
    assert (fresh.generate(asked, seed=1) != expected).any()
    assert contest.State(fresh, tmp_path / "state.npz").read() == (12, 3.5)
    np.testing.assert_array_equal(fresh.generate(asked, seed=1), expected)
    for ours, theirs in zip(optimizers(fresh), optimizers(trained), strict=True):
        assert len(ours.variables) == len(theirs.variables) > 2
        assert any(x.path.endswith("iteration") and int(x) for x in ours.variables)
        for x, y in zip(ours.variables, theirs.variables, strict=True):
            np.testing.assert_array_equal(np.asarray(x), np.asarray(y))
    if name == "adaptive_gan":
        assert float(fresh.augmenter.probability) == 0.25


def optimizers(model):
    several = isinstance(model, adaptive_augmentation.AdaptiveGAN)
    return model.optimizers if several else [model.optimizer]


def test_contenders_compute_in_half_precision_and_sum_in_full(pictures):
    images, labels = pictures
    with checks.dtype_policy("mixed_bfloat16"):
        models = (
            diffusion.Diffusion(images, CLASSES, True),
            adaptive_augmentation.AdaptiveGAN(SIDE, CLASSES),
        )
    for model in models:
        model.compile()
        history = model.fit(images, labels, batch_size=16, epochs=2, verbose=0).history
        assert all(np.isfinite(values).all() for values in history.values())
        assert all(x.dtype == "float32" for x in model.trainable_variables)
        assert model.generate(np.array([0, 2]), seed=1).dtype == np.uint8
    for network in (models[0].network, models[1].generator, models[1].discriminator):
        half = [layer for layer in network.layers if layer.compute_dtype == "bfloat16"]
        assert len(half) > len(network.layers) / 2

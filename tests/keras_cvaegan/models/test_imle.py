"""IMLE against loops over examples and candidates, and what it is for: no example left out."""

import keras
import numpy as np
import pytest

import keras_cvaegan
from keras_cvaegan.models import CGAN, IMLE
from keras_cvaegan.models.imle import CANDIDATE_STREAM
from keras_cvaegan.networks.mlp import mlp_generator, mlp_projection_discriminator
from keras_cvaegan.ops import random

pytestmark = pytest.mark.slow

SIZES = {"image_shape": (3,), "num_classes": 4, "latent_dim": 3, "hidden_units": (8, 6)}


def build(candidates=5, seed=3, **kwargs):
    keras.utils.set_random_seed(seed)
    model = IMLE(mlp_generator(**SIZES, **kwargs), candidates=candidates, seed=seed)
    for variable in model.generator.trainable_variables:
        variable.assign_add(keras.random.normal(variable.shape, stddev=0.3, seed=1))
    return model


def examples(count, absent=2):
    rng = np.random.default_rng(count)
    labels = rng.choice([label for label in range(4) if label != absent], count)
    return rng.normal(0, 2, (count, 3)).astype("float32"), labels.astype("int32")


def mapped(model, noise, label):
    """T(ε, c) of one ε, by its weights: float64."""
    *hidden, last = [layer for layer in model.generator.layers if layer.weights]
    x = np.concatenate([noise, np.eye(4)[label]])
    for layer in hidden:
        kernel, bias = (w.astype(np.float64) for w in layer.get_weights())
        x = np.maximum(x @ kernel + bias, 0)
    kernel, bias = (w.astype(np.float64) for w in last.get_weights())
    return x @ kernel + bias


def loss_by_loops(model, points, labels, step):
    """The objective, example by example and candidate by candidate."""
    count = len(points) * model.candidates
    noise = np.array(
        random.normal(np.arange(count), 3, seed=model.seed, step=step, stream=CANDIDATE_STREAM)
    )
    total, winners = 0.0, []
    for point, label in zip(points, labels, strict=True):
        best = np.inf, None
        for candidate in range(count):
            if labels[candidate % len(points)] == label:
                found = mapped(model, noise[candidate].astype(np.float64), label)
                best = min(best, (float(np.sum((point - found) ** 2)), candidate))
        total += 0.5 * best[0]
        winners.append(best[1])
    return total / len(points), noise[winners]


@pytest.mark.parametrize("count", [1, 7, 24])
@pytest.mark.parametrize("step", [0, 5])
def test_the_objective_is_that_of_loops_over_examples_and_candidates(count, step):
    model, (points, labels) = build(), examples(count)
    model.step.assign(step)
    objectives, measures = model.compute_objectives(points, labels, training=True)
    expected, _ = loss_by_loops(model, points, labels, step)
    np.testing.assert_allclose(objectives["generator"], expected, rtol=1e-5)
    assert float(measures["nearest_matching"]) == float(objectives["generator"])


def test_only_the_winners_are_pulled():
    model, (points, labels) = build(), examples(6)
    model.compile(keras.optimizers.SGD(1e-2), run_eagerly=True)
    _, winners = loss_by_loops(model, points, labels, 0)
    before = [np.array(v) for v in model.generator.trainable_variables]
    model.train_on_batch(points, labels)
    after = [np.array(v) for v in model.generator.trainable_variables]

    def loss():
        pulled = [mapped(model, w, c) for w, c in zip(winners.astype(float), labels, strict=True)]
        return 0.5 * np.mean(np.sum((points - pulled) ** 2, axis=1))

    # Central differences of the objective with the winners held fast.
    for variable, old, new in zip(model.generator.trainable_variables, before, after, strict=True):
        index = np.unravel_index(np.argmax(np.abs(new - old)), old.shape)
        for each, value in zip(model.generator.trainable_variables, before, strict=True):
            each.assign(value)
        values = []
        for sign in (1, -1):
            moved = old.copy()
            moved[index] += sign * 1e-3
            variable.assign(moved)
            values.append(loss())
        slope = (values[0] - values[1]) / 2e-3
        np.testing.assert_allclose((old - new)[index] / 1e-2, slope, rtol=2e-2, atol=1e-4)


def test_candidates_are_fresh_each_step_and_those_of_no_other_class():
    model, (points, labels) = build(candidates=2), examples(8)
    losses = []
    for step in range(3):
        model.step.assign(step)
        losses.append(float(model.compute_objectives(points, labels, True)[0]["generator"]))
    assert len(set(losses)) == 3
    # With one example a class its own candidates are all there are.
    one_each = np.arange(4, dtype="int32")
    noise = model._winners(np.zeros((4, 3), "float32"), model.one_hot(one_each))
    drawn = random.normal(np.arange(8), 3, seed=3, step=2, stream=CANDIDATE_STREAM)
    for label in range(4):
        assert any(np.array_equal(noise[label], drawn[row]) for row in (label, 4 + label))


def test_it_covers_what_a_gan_leaves_out():
    rng = np.random.default_rng(0)
    corners = np.array([[x, y] for x in (-2, -1, 1, 2) for y in (-2, -1, 1, 2)], "float32")
    points = np.tile(corners, (16, 1)) + rng.normal(0, 0.05, (256, 2)).astype("float32")
    labels, sizes = np.zeros(256, "int32"), {"num_classes": 1, "hidden_units": (64, 64)}
    keras.utils.set_random_seed(0)
    models = {
        "imle": IMLE(mlp_generator((2,), **sizes), candidates=4),
        "gan": CGAN(mlp_generator((2,), **sizes), mlp_projection_discriminator((2,), **sizes)),
    }
    covered = {}
    for name, model in models.items():
        model.compile()
        model.fit(points, labels, batch_size=128, epochs=150, verbose=0)
        drawn = model.generate(np.zeros(500, int), seed=1)
        distances = np.linalg.norm(corners[:, None] - drawn[None], axis=-1).min(axis=1)
        covered[name] = int(np.sum(distances < 0.2))
    assert covered["imle"] >= 15
    assert covered["gan"] < covered["imle"], covered


def test_saved_and_loaded_it_goes_on_as_it_would_have(tmp_path):
    points, labels = examples(16)
    model = build()
    model.compile()
    model.train_on_batch(points, labels)
    model.save(tmp_path / "model.keras")
    again = keras_cvaegan.load(tmp_path / "model.keras")
    assert again.candidates == 5
    for each in (model, again):
        each.train_on_batch(points, labels)
    for ours, theirs in zip(model.weights, again.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("candidates", [0, 1.5, "many"])
def test_candidates_must_be_a_number_of_them(candidates):
    with pytest.raises(ValueError, match="candidates"):
        build(candidates=candidates)


def test_a_residual_mapping_starts_as_the_identity():
    generator = mlp_generator(**SIZES, residual=True)
    noise = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    labels = np.eye(4, dtype="float32")[[0, 1, 2, 3, 0]]
    np.testing.assert_array_equal(generator({"z": noise, "labels": labels}), noise)
    with pytest.raises(ValueError, match="as many dimensions as z"):
        mlp_generator((3,), num_classes=2, latent_dim=4, residual=True)

import keras
import numpy as np
import pytest

from keras_cvaegan.training.checkpoints import (
    checkpoint_step,
    latest_checkpoint,
    restore_checkpoint,
    save_checkpoint,
)


class Counting(keras.Model):
    """A model that counts its steps, as those of the library do."""

    def __init__(self, units=3):
        super().__init__()
        self.first = keras.layers.Dense(4, name="first")
        self.second = keras.layers.Dense(units, name="second")
        self.step = self.add_weight(
            name="step", shape=(), dtype="int32", initializer="zeros", trainable=False
        )

    def call(self, inputs):
        return self.second(self.first(inputs))


def adam():
    return keras.optimizers.Adam(0.1)


def multi(model):
    first, second = adam(), adam()
    return keras.optimizers.MultiOptimizer(
        lambda variable: first if "first" in variable.path else second
    )


def scaled(model):
    return keras.optimizers.LossScaleOptimizer(multi(model))


def made(optimizer=multi, units=3, seed=0):
    keras.utils.set_random_seed(seed)
    model = Counting(units)
    model(np.zeros((1, 5)))
    model.compile(optimizer(model), "mse")
    return model


def trained(steps, **arguments):
    model = made(**arguments)
    model.optimizer.build(model.trainable_variables)
    for step in range(steps):
        gradients = [keras.ops.ones_like(v) * (step + 1) for v in model.trainable_variables]
        model.optimizer.apply(gradients, model.trainable_variables)
        model.step.assign_add(1)
    return model


def values(model):
    return [np.array(v) for v in [*model.weights, *model.optimizer.variables]]


@pytest.mark.tensorflow
@pytest.mark.parametrize("optimizer", [lambda model: adam(), multi, scaled])
def test_everything_comes_back_into_a_new_model(tmp_path, optimizer):
    model = trained(3, optimizer=optimizer)
    path = save_checkpoint(model, tmp_path / "new")
    assert path == tmp_path / "new" / "step_00000003.weights.h5"
    other = made(optimizer=optimizer, seed=1)
    assert restore_checkpoint(other, path) == 3
    assert len(values(other)) > 10
    for expected, received in zip(values(model), values(other), strict=True):
        np.testing.assert_array_equal(received, expected)
        assert received.dtype == expected.dtype


def test_old_checkpoints_are_removed_and_no_partial_file_is_left(tmp_path):
    model = made()
    for step in (10, 200, 30):
        model.step.assign(step)
        save_checkpoint(model, tmp_path, keep=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "step_00000030.weights.h5",
        "step_00000200.weights.h5",
    ]
    assert checkpoint_step(latest_checkpoint(tmp_path)) == 200


def test_no_checkpoint(tmp_path):
    assert latest_checkpoint(tmp_path / "gone") is None
    (tmp_path / "step_x.weights.h5").write_bytes(b"")
    assert latest_checkpoint(tmp_path) is None


@pytest.mark.tensorflow
@pytest.mark.parametrize("damage", ["truncated", "empty", "flipped"])
def test_torn_checkpoint_falls_back_to_the_one_before(tmp_path, damage):
    earlier = save_checkpoint(trained(1), tmp_path)
    torn = save_checkpoint(trained(2), tmp_path)
    data = torn.read_bytes()
    if damage == "flipped":
        kernel = np.array(trained(2).first.kernel).tobytes()
        position = data.index(kernel)
        data = data[:position] + bytes(8) + data[position + 8 :]
    else:
        data = data[: len(data) // 2] if damage == "truncated" else b""
    torn.write_bytes(data)
    assert latest_checkpoint(tmp_path) == earlier
    with pytest.raises(ValueError, match="Cannot read the checkpoint"):
        restore_checkpoint(made(), torn)


@pytest.mark.tensorflow
def test_checkpoint_of_another_model_is_refused(tmp_path):
    path = save_checkpoint(trained(1, units=3), tmp_path)
    other = made(units=2)
    before = values(other)
    with pytest.raises(ValueError, match=r"does not fit the model: .*kernel.* has the shape"):
        restore_checkpoint(other, path)
    with pytest.raises(ValueError, match=r"holds \d+ variables, the model and its optimizer have"):
        restore_checkpoint(made(optimizer=lambda model: keras.optimizers.SGD()), path)
    for expected, received in zip(before, values(other)[: len(before)], strict=True):
        np.testing.assert_array_equal(received, expected)


def test_diverged_weights_are_not_saved(tmp_path):
    model = made()
    model.first.bias.assign([0.0, np.nan, 0.0, 0.0])
    with pytest.raises(ValueError, match=r"After step 0, '.*bias' holds a number .* not finite"):
        save_checkpoint(model, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_uncompiled_model(tmp_path):
    model = Counting()
    model(np.zeros((1, 5)))
    with pytest.raises(ValueError, match="compiled"):
        save_checkpoint(model, tmp_path)

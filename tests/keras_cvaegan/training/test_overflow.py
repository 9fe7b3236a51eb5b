"""Under float16, an update that overflows is skipped on every replica and leaves no trace."""

import subprocess
import sys

import numpy as np
import pytest

from keras_cvaegan.training.overflow import MeanOfSteps
from tests.helpers.running import environment, on_jax

pytestmark = pytest.mark.slow

PROGRAM = """
import sys
import keras
import numpy as np
import tensorflow as tf
from keras_cvaegan.models import MODELS
from keras_cvaegan.training.distribution import open_distribution

name, strategy, devices = sys.argv[1:]
distribution = open_distribution(strategy, int(devices) or None)
keras.config.set_dtype_policy("mixed_float16")
with distribution.scope():
    model = MODELS[name].from_preset("compact", image_shape=(16, 16, 3), num_classes=2)
    model.compile()
    model.optimizer.dynamic_scale.assign(1.0)  # Gradients do not overflow.
batch_size = 4 * model.batches_per_step
images = np.random.default_rng(0).uniform(-1, 1, (batch_size, 16, 16, 3)).astype("float32")
labels = np.arange(batch_size, dtype="int32") % 2


def step(images):
    data = tf.data.Dataset.from_tensors((images, labels)).unbatch().batch(batch_size)
    batches = distribution.dataset(lambda shard: data, batch_size)
    model.fit(batches, steps_per_epoch=1, shuffle=False, verbose=0)
    logs = model.history.history
    values = {}
    for index, variable in enumerate([*model.weights, *model.optimizer.variables]):
        copies = getattr(variable.value, "values", [variable.value])
        first, *others = [keras.ops.convert_to_numpy(x) for x in copies]
        assert all(np.array_equal(first, other) for other in others), variable.path
        assert np.isfinite(first.astype("float32")).all(), variable.path
        values[f"{index} {variable.path}"] = first
    return values, {name: value for name, (value,) in logs.items()}


def different(before, after):
    names = {name.rsplit("/")[-1] for name in before if (before[name] != after[name]).any()}
    return names - {"step", "dynamic_scale", "step_counter"}


before, logs = step(images)
assert all(np.isfinite(value) for value in logs.values())
# One image of those that the last replica sees: too large for float16 as it comes in.
too_large = images.copy()
too_large[-model.batches_per_step] = 1e6
after, logs = step(too_large)
scale = float(keras.ops.convert_to_numpy(model.optimizer.dynamic_scale))
assert scale == 0.5, scale
assert int(keras.ops.convert_to_numpy(model.step)) == 2
applied = int(keras.ops.convert_to_numpy(model.optimizer.iterations))
assert applied == 2 * model.batches_per_step - 1, applied
if model.batches_per_step == 1:
    assert not different(before, after), different(before, after)
    assert any(np.isnan(value) for value in logs.values())  # No step counts.
else:
    assert all(np.isfinite(value) for value in logs.values()), logs
before, (after, logs) = after, step(images)
assert {"kernel", "moving_mean"} < different(before, after)
assert all(np.isfinite(value) for value in logs.values())
print("agreed")
"""


@pytest.mark.parametrize(
    ("model", "strategy", "devices", "backend"),
    [
        ("cvae_gan", "none", 0, "tensorflow"),
        ("fm_gan", "none", 0, "jax"),
        ("wgan", "mirrored", 2, "tensorflow"),
    ],
)
def test_a_batch_that_overflows_in_the_forward_pass_changes_nothing(
    model, strategy, devices, backend
):
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, model, strategy, str(devices)],
        env=on_jax() if backend == "jax" else environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "agreed" in result.stdout, result.stderr[-4000:]


def test_means_leave_out_what_made_a_step_be_skipped():
    mean = MeanOfSteps()
    mean.update_state(2.0, finite=True)
    mean.update_state(4.0, finite=False)  # Its gradients alone overflowed.
    mean.update_state(float("nan"), finite=False)
    assert float(mean.result()) == 3.0
    mean.update_state(float("nan"), finite=True)
    assert np.isnan(mean.result())
    mean.reset_state()
    mean.update_state(float("inf"), finite=False)
    assert np.isnan(mean.result())

"""Under float16, a step that overflows on one replica is skipped on all of them."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
PROGRAM = """
import keras
import numpy as np
import tensorflow as tf
from keras_cvaegan.models import CVAEGAN
from keras_cvaegan.training.distribution import open_distribution

distribution = open_distribution("mirrored", 2)
keras.config.set_dtype_policy("mixed_float16")
with distribution.scope():
    model = CVAEGAN.from_preset("compact", image_shape=(16, 16, 3), num_classes=2)
    model.compile()
    model.optimizer.dynamic_scale.assign(1.0)  # No other step overflows.
gradients_of = model._gradients


def overflowing(tape, objectives):
    # The first gradient is infinite on the second replica in the first step.
    first, *others = gradients_of(tape, objectives)
    replica = tf.distribute.get_replica_context().replica_id_in_sync_group
    overflow = tf.logical_and(tf.equal(replica, 1), tf.equal(model.step.value, 0))
    return [first + tf.cast(tf.where(overflow, np.inf, 0.0), first.dtype), *others]


model._gradients = overflowing
images = np.zeros((4, 16, 16, 3), "float32")
data = tf.data.Dataset.from_tensors((images, np.array([0, 1, 0, 1], "int32")))
before = [keras.ops.convert_to_numpy(v) for v in model.trainable_variables]
for applied in (0, 1):
    batches = distribution.dataset(lambda shard: data, 4)
    model.fit(batches, steps_per_epoch=1, shuffle=False, verbose=0)
    assert int(keras.ops.convert_to_numpy(model.optimizer.iterations)) == applied
    for variable, value in zip(model.trainable_variables, before):
        first, second = (x.numpy() for x in variable.value.values)
        assert np.array_equal(first, second), variable.path
        assert applied or np.array_equal(first, value), variable.path
print("agreed")
"""


def test_overflow_on_one_replica_skips_the_step_on_all():
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "agreed" in result.stdout, result.stderr[-4000:]

"""The shares that a step's phases take of its batch."""

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_cvaegan.training.phases import Phase, Phased


class ThreePhases(Phased):
    phases = (Phase({"a": ("one",)}, "first", 2), Phase({"b": ("two", "three")}, "second"))


class OnePhase(Phased):
    phases = (Phase({"a": ("one",)}),)


def shares(step, count):
    data = np.arange(count) * 10
    result = []
    for index, phase, images, labels in step._shares(ops.convert_to_tensor(data), data):
        np.testing.assert_array_equal(images, labels)
        with step._counting_rows_of_share(index):
            rows = step._rows_of_batch(np.arange(len(labels)))
        result.append((phase.objectives, np.asarray(images).tolist(), rows.tolist()))
    return result


def test_each_share_has_its_rows_and_knows_them():
    assert shares(ThreePhases(), 6) == [
        ("first", [0, 30], [0, 3]),
        ("first", [10, 40], [1, 4]),
        ("second", [20, 50], [2, 5]),
    ]


def test_replicas_take_the_rows_of_one_device():
    """Of 12 rows, two replicas of 6 take together what one takes, in the same order."""
    data = np.arange(12)
    whole = [images for _, images, _ in shares(ThreePhases(), 12)]
    pieces = [
        [
            np.asarray(images).tolist()
            for _, _, images, _ in ThreePhases()._shares(piece, np.zeros(6))
        ]
        for piece in (data[:6], data[6:])
    ]
    together = [[10 * x for x in (*a, *b)] for a, b in zip(*pieces, strict=True)]
    assert together == whole


@pytest.mark.parametrize("count", [1, 2, 4, 5, 7])
def test_of_an_uneven_batch_shares_are_equal_and_noise_is_not(count):
    result = shares(ThreePhases(), count)
    assert {len(images) for _, images, _ in result} == {-(-count // 3)}
    assert {x for _, images, _ in result for x in images} == {10 * x for x in range(count)}
    rows = [row for _, _, rows in result for row in rows]
    assert len(set(rows)) == len(rows)


@pytest.mark.tensorflow
def test_a_batch_of_unknown_size():
    @tf.function(input_signature=[tf.TensorSpec([None])])
    def split(images):
        return [share for _, _, share, _ in ThreePhases()._shares(images, images)]

    assert [x.numpy().tolist() for x in split(tf.range(4.0))] == [[0, 3], [1, 0], [2, 1]]


def test_one_phase_takes_the_batch_as_it_is():
    images, labels = tf.zeros((3, 2)), tf.zeros(3)
    ((_, phase, *share),) = OnePhase()._shares(images, labels)
    assert share[0] is images
    assert share[1] is labels
    assert phase.objectives == "compute_objectives"
    assert OnePhase().batches_per_step == 1


def test_networks_of_a_phase():
    assert ThreePhases.phases[1].networks == {"two", "three"}
    assert ThreePhases().batches_per_step == 3

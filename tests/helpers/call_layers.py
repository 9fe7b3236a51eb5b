"""Writes what every layer computes and keeps, on the back end that KERAS_BACKEND says."""

import sys

import keras
import numpy as np

from tests.helpers.layer_cases import CASES


def results():
    """Outputs in inference and in training, and all weights after that, from fixed weights."""
    found = {}
    for name, case in CASES.items():
        layer, random = case.build(), np.random.default_rng(1)
        layer(*case.inputs)
        layer.set_weights([random.uniform(0.5, 1.5, weight.shape) for weight in layer.weights])
        for training in (False, True):
            outputs = layer(*case.inputs, training=training)
            found[f"{name}/{training=}"] = keras.ops.convert_to_numpy(outputs)
        for index, weight in enumerate(layer.weights):
            found[f"{name}/{index}/{weight.name}"] = keras.ops.convert_to_numpy(weight)
    return found


if __name__ == "__main__":
    np.savez(sys.argv[1], **results())

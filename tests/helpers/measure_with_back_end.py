"""Prints the figures of some images by a classifier, on the back end that KERAS_BACKEND says."""

import json
import sys

import keras
import numpy as np

from keras_cvaegan import metrics


def measure(path):
    extractor = metrics.ClassifierExtractor(keras.saving.load_model(path, compile=False))
    random = np.random.default_rng(0)
    labels = np.arange(300) % 3
    real, generated = random.integers(0, 256, (2, 300, 16, 16, 3), np.uint8)
    generated //= 2
    reference = metrics.reference_statistics([(real, labels)], extractor)
    suite = metrics.MetricSuite(reference, extractor)
    for rows in np.array_split(np.arange(300), 7):
        suite.update_state(generated[rows], labels[rows])
    return suite.result() | {"fingerprint": extractor.fingerprint}


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1])))

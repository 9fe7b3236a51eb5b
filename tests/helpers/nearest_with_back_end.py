"""Prints what `nearest` finds, on the back end that KERAS_BACKEND says: plain and compiled."""

import json

import keras
import numpy as np

from keras_cvaegan.ops.nearest import nearest


def points():
    rng = np.random.default_rng(0)
    queries, candidates = rng.normal(size=(2, 70, 5)).astype("float32")
    groups = rng.integers(3, size=(2, 70))
    return queries, candidates, groups[0], groups[1] % 2


def found():
    """Indices and distances of all, and within groups, plain and compiled."""

    def run(queries, candidates, query_groups, candidate_groups):
        return nearest(queries, candidates, block_size=32), nearest(
            queries,
            candidates,
            query_groups=query_groups,
            candidate_groups=candidate_groups,
            block_size=16,
        )

    if keras.backend.backend() == "jax":
        import jax

        compiled = jax.jit(run)
    else:
        import tensorflow as tf

        compiled = tf.function(run)
    return [
        [keras.ops.convert_to_numpy(x).tolist() for x in keras.tree.flatten(function(*points()))]
        for function in (run, compiled)
    ]


if __name__ == "__main__":
    print(json.dumps(found()))

"""Fingerprints of networks, which files keep for years."""

import hashlib
import json

import keras
import numpy as np
import pytest

from keras_cvaegan.networks.fingerprints import fingerprint


def network(seed):
    """Of weights of this seed."""
    built = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    rng = np.random.default_rng(seed)
    built.set_weights([rng.normal(size=weight.shape) for weight in built.weights])
    return built


def by_hand(about, named):
    digest = hashlib.sha256(json.dumps(about).encode())
    for name, of in named:
        prefix = f"{name} " if name else ""
        for value, shape in zip(of.get_weights(), ("(2, 3)", "(3,)"), strict=True):
            digest.update(f"{prefix}float32 {shape}".encode() + value.tobytes())
    return digest.hexdigest()[:16]


@pytest.mark.parametrize("about", ["a judge, ü", [(16, 16, 3), ("daisy", "rose")]])
def test_the_form_that_files_hold(about):
    first, second = network(0), network(1)
    assert fingerprint(about, {"": first}) == by_hand(about, [("", first)])
    both = {"encoder": first, "classifier": second}
    assert fingerprint(about, both) == by_hand(about, both.items())


def test_what_it_is_of():
    first, second = network(0), network(1)
    kept = fingerprint("a", {"x": first, "y": second})
    assert fingerprint("a", {"x": network(0), "y": network(1)}) == kept
    assert fingerprint("b", {"x": first, "y": second}) != kept
    assert fingerprint("a", {"x": first, "z": second}) != kept
    assert fingerprint("a", {"x": second, "y": first}) != kept
    first.weights[-1].assign_add(np.full(3, 1e-6))
    assert fingerprint("a", {"x": first, "y": second}) != kept

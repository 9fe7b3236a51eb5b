"""What every network must do."""

import keras
import numpy as np
import pytest

from tests.helpers import checks
from tests.helpers.network_cases import CLASSES, NETWORKS, WITHOUT_CLASSES, example

pytestmark = pytest.mark.slow

BUILD = {name: lambda build=build: build(CLASSES) for name, build in NETWORKS.items()}
BUILD |= {f"{name} without classes": build for name, build in WITHOUT_CLASSES.items()}
every_network = pytest.mark.parametrize("build", BUILD.values(), ids=BUILD)


@every_network
def test_configuration_and_file_give_the_same_outputs(build, check_copies):
    network = build()
    check_copies(network, example(network))


@every_network
@pytest.mark.parametrize("policy", checks.HALF_PRECISION)
def test_outputs_are_float32_and_near_those_of_full_precision(build, policy):
    with checks.dtype_policy(policy):
        network = build()
    exact, inputs = build(), example(network)
    exact.set_weights(network.get_weights())
    expected = checks.arrays(exact(inputs))
    given_on = set(inputs) if isinstance(inputs, dict) else set()
    for key, value in checks.arrays(network(inputs)).items():
        if not key.startswith("block_") and key not in given_on:
            assert value.dtype == np.float32
        error = np.abs(value.astype("float32") - expected[key]).max()
        assert error <= 0.1 * np.abs(expected[key]).max(), key
    assert {keras.backend.standardize_dtype(w.dtype) for w in network.weights} == {"float32"}

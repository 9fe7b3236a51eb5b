"""Checks that every network must pass."""

import keras
import numpy as np
import pytest


def _arrays(outputs):
    return {
        key: keras.ops.convert_to_numpy(value)
        for key, value in (outputs if isinstance(outputs, dict) else {"": outputs}).items()
    }


@pytest.fixture
def check_copies(tmp_path):
    """Asserts that a network's configuration and its file give networks of the same outputs."""

    def check(network, inputs):
        copy = keras.Model.from_config(network.get_config())
        copy.set_weights(network.get_weights())
        network.save(tmp_path / "network.keras")
        loaded = keras.saving.load_model(tmp_path / "network.keras")
        expected = _arrays(network(inputs))
        for other in (copy, loaded):
            assert other.name == network.name
            outputs = _arrays(other(inputs))
            assert outputs.keys() == expected.keys()
            for key, value in outputs.items():
                np.testing.assert_array_equal(value, expected[key])

    return check


@pytest.fixture(params=["mixed_bfloat16", "mixed_float16"])
def check_mixed_precision(request):
    """Asserts that a layer computes in half precision and the named outputs are float32."""

    def check(build, inputs, half_layer, keys=None):
        keras.config.set_dtype_policy(request.param)
        try:
            network = build()
        finally:
            keras.config.set_dtype_policy("float32")
        half = keras.backend.standardize_dtype(network.get_layer(half_layer).output.dtype)
        assert half == request.param.removeprefix("mixed_")
        outputs = _arrays(network(inputs))
        for key in keys or outputs:
            assert outputs[key].dtype == np.float32
            assert np.isfinite(outputs[key]).all()

    return check

"""What every layer must do."""

import subprocess
import sys

import numpy as np
import pytest

from keras_cvaegan import layers
from tests.helpers import call_layers, checks
from tests.helpers.layer_cases import CASES
from tests.helpers.running import on_jax

every_layer = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def called(case):
    """The layer with weights that are not those of the start."""
    layer, random = case.build(), np.random.default_rng(1)
    layer(*case.inputs)
    layer.set_weights([random.uniform(0.5, 1.5, weight.shape) for weight in layer.weights])
    return layer


def test_each_has_a_case():
    assert list(CASES) == layers.__all__


@every_layer
def test_configuration(case):
    checks.check_configuration(called(case), case.inputs)


@every_layer
def test_symbolic_and_eager_calls_agree(case):
    checks.check_symbolic_call(called(case), case.inputs, [case.shape])


@every_layer
def test_saved_and_loaded(case, tmp_path):
    checks.check_saved(called(case), case.inputs, tmp_path)


@every_layer
@pytest.mark.parametrize("policy", ["float32", *checks.HALF_PRECISION])
def test_dtype_policies(case, policy):
    checks.check_dtype_policy(case.build, case.inputs, policy, case.output_dtype)


@every_layer
def test_a_training_step_moves_what_it_should(case):
    checks.check_training_step(case.build(), case.inputs, case.trained, case.updated)


@pytest.mark.slow
def test_back_ends_agree(tmp_path):
    """In a process of its own."""
    path = tmp_path / "found.npz"
    result = subprocess.run(
        [sys.executable, call_layers.__file__, str(path)],
        env=on_jax(),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr[-4000:]
    received, expected = np.load(path), call_layers.results()
    assert sorted(received.files) == sorted(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(received[name], value, rtol=1e-4, atol=1e-5, err_msg=name)

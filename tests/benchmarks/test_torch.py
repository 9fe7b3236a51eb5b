"""The PyTorch side of `against_torch`: the same networks, losses and operations."""

import importlib.util
import json
import subprocess
import sys

import pytest

from tests.helpers.running import ROOT, environment

pytestmark = pytest.mark.slow

if importlib.util.find_spec("torch") is None:
    pytest.skip("PyTorch is not installed", allow_module_level=True)


@pytest.fixture(scope="module")
def comparison(tmp_path_factory):
    process = subprocess.run(
        [
            sys.executable,
            str(ROOT / "tests/helpers/compare_with_torch.py"),
            str(tmp_path_factory.mktemp("torch")),
        ],
        capture_output=True,
        text=True,
        env=environment(OMP_WAIT_POLICY="PASSIVE"),
    )
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout.splitlines()[-1])


def test_networks_give_the_same(comparison):
    assert len(comparison["networks"]) == 16
    assert max(comparison["networks"].values()) < 1e-4, comparison["networks"]


def test_first_losses_agree(comparison):
    assert comparison["first_losses"] < 1e-4


def test_operations_agree(comparison):
    """PyTorch counts the products of the class means too."""
    ratio = comparison["eager_flops"] / comparison["our_flops"]
    assert 1 <= ratio < 1.001
    assert comparison["naive_flops"] > 1.2 * comparison["eager_flops"]


@pytest.mark.parametrize("variant", ["eager", "naive"])
def test_steps_train(comparison, variant):
    assert comparison[f"{variant}_finite"]
    assert comparison[f"{variant}_moved"]

"""One step, whatever it runs on: back ends, replicas and workers against one device."""

import json
import socket
import subprocess
import sys

import numpy as np
import pytest

from tests.helpers import running
from tests.helpers.running import JAX, ROOT

PROGRAM = ROOT / "tests/helpers/take_steps.py"

# One process at a time computes, and all tests share the reference.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("steps")]


def start(output, *arguments, **environment):
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), f"--output={output}", *arguments],
        env=running.environment(**environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process):
    output, _ = process.communicate(timeout=1200)
    assert process.returncode == 0, output[-4000:]


def variables(output, *arguments, **environment):
    """Every variable after the steps, and the losses."""
    finish(start(output, *arguments, **environment))
    return np.load(output)


def assert_equal(received, expected, tolerance):
    assert set(received.files) == set(expected.files)
    for name in expected.files:
        scale = max(1.0, np.abs(expected[name]).max())
        # Through a trunk of fifty layers rounding errors are larger.
        scale *= 4.0 if name.startswith("photo/") else 1.0
        error = np.abs(received[name] - expected[name]).max()
        assert error <= tolerance * scale, (name, error, scale)


@pytest.fixture(scope="module")
def one_device(tmp_path_factory):
    return variables(tmp_path_factory.mktemp("steps") / "one_device.npz")


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        pytest.param(["--strategy=mirrored", "--devices=2"], {}, id="two mirrored replicas"),
        pytest.param([], JAX, id="JAX"),
        pytest.param(["--strategy=data_parallel", "--devices=2"], JAX, id="JAX on two devices"),
    ],
)
def test_a_step_is_that_of_one_device_under_tensorflow(
    tmp_path, one_device, arguments, environment
):
    received = variables(tmp_path / "received.npz", *arguments, **environment)
    assert_equal(received, one_device, 1e-5)


def test_two_workers_take_the_step_of_one(tmp_path, one_device):
    workers = [f"localhost:{free_port()}" for _ in range(2)]
    processes = []
    for index in range(2):
        task = {"type": "worker", "index": index}
        cluster = json.dumps({"cluster": {"worker": workers}, "task": task})
        output = tmp_path / "received.npz"
        processes.append(start(output, "--strategy=multi_worker", TF_CONFIG=cluster))
    for process in processes:
        finish(process)
    assert_equal(np.load(output), one_device, 1e-5)


def test_ten_steps_in_double_precision_agree_between_back_ends(tmp_path):
    # Those whose steps differ most: class centres, phases, both.
    models = ("cvae_gan", "wgan", "lr_li_vae_gan")
    flags = ("--dtype=float64", "--steps=10", "--models", *models)
    expected = variables(tmp_path / "tensorflow.npz", *flags)
    received = variables(tmp_path / "jax.npz", *flags, JAX_ENABLE_X64="1", **JAX)
    weights = [name for name in expected.files if "/history/" not in name]
    assert all(expected[name].dtype == np.float64 for name in weights if name.endswith("kernel"))
    for name in weights:  # The measures of a log line are float32 means.
        error = np.abs(received[name] - expected[name]).max()
        assert error <= 1e-12, (name, error)


def free_port():
    with socket.socket() as listener:
        listener.bind(("localhost", 0))
        return listener.getsockname()[1]

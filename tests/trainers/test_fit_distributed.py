"""`trainers.fit` on several devices and workers, and under JAX, as a user starts it."""

import json
import shutil
import signal
import socket
import zipfile

import h5py
import numpy as np
import pytest
from running import variables, wait_for

from keras_cvaegan.training.checkpoints import latest_checkpoint

FLAGS = ("--steps=40", "--log_every=2", "--checkpoint_every=4", "--noexport")
MIRRORED = ("--strategy=mirrored", "--devices=2")


def finish(process):
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors[-4000:]
    return output


def last(run_dir, step):
    return variables(run_dir / "checkpoints" / f"step_{step:08d}.weights.h5")


@pytest.fixture(scope="module")
def ports():
    listeners = [socket.socket() for _ in range(2)]
    for listener in listeners:
        listener.bind(("localhost", 0))
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


@pytest.fixture
def start_worker(start, ports, monkeypatch):
    def start_worker(index, *arguments):
        cluster = {"worker": [f"localhost:{port}" for port in ports]}
        task = {"type": "worker", "index": index}
        monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": task}))
        return start("fit", *arguments, "--strategy=multi_worker")

    return start_worker


def test_killed_mirrored_run_ends_with_the_weights_of_an_uninterrupted_one(tmp_path, start, tiny):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    process = start("fit", *tiny, *FLAGS, *MIRRORED, f"--run_dir={killed}")
    wait_for(lambda: list((killed / "checkpoints").glob("step_*")), process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert latest_checkpoint(killed / "checkpoints").name < "step_00000040"

    output = finish(start("fit", *tiny, *FLAGS, *MIRRORED, f"--run_dir={killed}"))
    assert "mirrored over 2 replicas" in output
    assert "Going on from step" in output
    finish(start("fit", *tiny, *FLAGS, *MIRRORED, f"--run_dir={whole}"))
    expected, received = last(whole, 40), last(killed, 40)
    assert expected.keys() == received.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(received[name], value, err_msg=name)


def test_run_of_two_devices_goes_on_with_one(tmp_path, start, tiny):
    two, one = tmp_path / "two", tmp_path / "one"
    flags = (*tiny, "--log_every=1", "--noexport")
    finish(start("fit", *flags, *MIRRORED, "--steps=2", f"--run_dir={two}"))
    with zipfile.ZipFile(two / "model.keras") as model:  # JAX would refuse it.
        assert b'"synchronized": true' not in model.read("config.json")
    shutil.copytree(two, one)
    finish(start("fit", *flags, *MIRRORED, "--steps=3", f"--run_dir={two}"))
    finish(start("fit", *flags, "--steps=3", f"--run_dir={one}"))
    expected, received = last(two, 3), last(one, 3)
    assert expected.keys() == received.keys()
    for name, value in expected.items():
        tolerance = 1e-5 * max(1.0, np.abs(value).max())
        np.testing.assert_allclose(received[name], value, rtol=0, atol=tolerance, err_msg=name)


def test_a_lost_worker_ends_the_run_with_its_checkpoint_intact(tmp_path, start_worker, tiny):
    run_dir = tmp_path / "run"
    flags = (*tiny, "--steps=20000", "--log_every=2", "--checkpoint_every=2", "--noexport")
    chief, other = (start_worker(index, *flags, f"--run_dir={run_dir}") for index in range(2))
    wait_for(lambda: list((run_dir / "checkpoints").glob("step_*")), chief)
    other.send_signal(signal.SIGKILL)
    other.communicate()
    _, errors = chief.communicate(timeout=180)
    assert chief.returncode == 1
    assert "error: Worker 0 has lost another of the 2 workers" in errors
    assert "Traceback" not in errors
    with h5py.File(latest_checkpoint(run_dir / "checkpoints")) as store:
        assert store.attrs["step"] >= 2


def test_jax_trains_and_tensorflow_takes_over(tmp_path, start, tiny, monkeypatch):
    run_dir = tmp_path / "run"
    flags = (*tiny, "--steps=4", "--log_every=2", f"--run_dir={run_dir}")
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    output = finish(start("fit", *flags))
    assert (run_dir / "export" / "1" / "saved_model.pb").exists(), output
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    output = finish(start("fit", *flags[:-3], "--steps=6", *flags[-2:], "--noexport"))
    assert "Going on from step 4." in output
    finish(start("generate", f"--run_dir={run_dir}", "--labels=0,1", f"--output={tmp_path}/out"))

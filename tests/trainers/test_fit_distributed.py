"""`trainers.fit` on several devices and workers, and under JAX, as a user starts it."""

import contextlib
import json
import shutil
import signal
import zipfile

import h5py
import numpy as np
import pytest
import tensorflow as tf

from keras_cvaegan.training.checkpoints import checkpoint_step, latest_checkpoint
from tests.helpers.running import JAX, reserved_port, variables, wait_for

# Each of these has the cores to itself.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("steps")]

FLAGS = ("--steps=40", "--log_every=2", "--checkpoint_every=4", "--noexport")
MIRRORED = ("--strategy=mirrored", "--devices=2")


def finish(process):
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors[-4000:]
    return output


def last(run_dir, step):
    return variables(run_dir / "checkpoints" / f"step_{step:08d}.weights.h5")


def steps_of_log(run_dir):
    lines = (run_dir / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line)["step"] for line in lines]


@pytest.fixture
def start_worker(start, monkeypatch):
    """Returns a function that starts one worker of two, by its index."""
    # TensorFlow then shares the ports with the sockets that keep them from other programs.
    monkeypatch.setenv("TF_GRPC_REUSE_PORT", "true")
    with contextlib.ExitStack() as stack:
        ports = [stack.enter_context(reserved_port()) for _ in range(2)]
        workers = [f"localhost:{port}" for port in ports]

        def start_worker(index, *arguments):
            cluster = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
            monkeypatch.setenv("TF_CONFIG", json.dumps(cluster))
            process = stack.enter_context(start("fit", *arguments, "--strategy=multi_worker"))
            stack.callback(process.kill)  # One that fails would leave the other waiting.
            return process

        yield start_worker


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


def test_two_workers_train_to_the_export_and_the_chief_alone_writes(tmp_path, start_worker, tiny):
    # The other worker's own folder would show what it writes.
    run_dir, others_dir = tmp_path / "run", tmp_path / "other"
    flags = (*tiny, "--steps=4", "--log_every=2")
    chief = start_worker(0, *flags, f"--run_dir={run_dir}")
    other = start_worker(1, *flags, f"--run_dir={others_dir}")
    assert "multi_worker over 2 replicas" in finish(chief)
    assert "Worker 1 of 2; worker 0 reports." in finish(other)
    assert list(others_dir.iterdir()) == []
    assert steps_of_log(run_dir) == [2, 4]
    assert len(list((run_dir / "tensorboard").iterdir())) == 1
    assert (run_dir / "samples" / "step_000004.png").is_file()
    assert checkpoint_step(latest_checkpoint(run_dir / "checkpoints")) == 4
    assert (run_dir / "model.keras").is_file()
    generate = tf.saved_model.load(str(run_dir / "export" / "1")).signatures["serving_default"]
    row = tf.constant([0, 1], tf.int64)
    (images,) = generate(labels=row, seed=row).values()
    assert images.shape == (2, 16, 16, 3)


def test_sigterm_to_one_worker_stops_all_after_the_same_step(tmp_path, start_worker, tiny):
    run_dir = tmp_path / "run"
    flags = (*tiny, "--log_every=2", "--checkpoint_every=4", "--noexport", f"--run_dir={run_dir}")
    chief, other = (start_worker(index, *flags, "--steps=20000") for index in range(2))
    wait_for(lambda: (run_dir / "metrics.jsonl").exists(), chief)
    other.send_signal(signal.SIGTERM)
    output, errors = chief.communicate(timeout=180)
    other_output, other_errors = other.communicate(timeout=180)
    assert (chief.returncode, other.returncode) == (130, 130), errors + other_errors
    step = checkpoint_step(latest_checkpoint(run_dir / "checkpoints"))
    assert f"Stopped after step {step}, as worker 1 was asked to. To go on, start all" in output
    assert f"Worker 1 stopped after step {step}." in other_output
    assert "Stopping after this line's steps" in other_errors
    assert "Traceback" not in errors + other_errors

    chief, other = (start_worker(index, *flags, f"--steps={step + 2}") for index in range(2))
    assert f"Going on from step {step}." in finish(chief)
    assert f"Going on from step {step}." in finish(other)
    assert steps_of_log(run_dir) == list(range(2, step + 4, 2))
    assert (run_dir / "model.keras").is_file()


def test_a_port_in_use_is_one_line(tmp_path, start_worker, monkeypatch, tiny):
    monkeypatch.delenv("TF_GRPC_REUSE_PORT")
    process = start_worker(1, *tiny, f"--run_dir={tmp_path / 'run'}")
    _, errors = process.communicate(timeout=180)
    assert process.returncode == 1
    assert "error: Cannot listen at 'localhost:" in errors
    assert "Traceback" not in errors


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


def test_workers_with_shares_of_the_data_go_on_where_they_stopped(
    tmp_path, start_worker, tiny, monkeypatch
):
    monkeypatch.setenv("KERAS_CVAEGAN_CACHE", str(tmp_path / "cache"))
    run_dir = tmp_path / "run"
    flags = (*tiny, "--shard_data", "--steps=4", "--log_every=2", "--checkpoint_every=2")

    def train():
        workers = [
            start_worker(index, *flags, "--noexport", f"--run_dir={run_dir}") for index in range(2)
        ]
        outputs = [finish(worker) for worker in workers]
        return outputs[0]

    assert "over 2 replicas, data in 2 shares" in train()
    expected = last(run_dir, 4)
    latest_checkpoint(run_dir / "checkpoints").unlink()
    assert "Going on from step 2." in train()
    received = last(run_dir, 4)
    assert expected.keys() == received.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(received[name], value, err_msg=name)
    kept = [json.loads(path.read_text()) for path in tmp_path.glob("cache/*/description.json")]
    assert sorted((values["split"], values["part"]) for values in kept) == [
        ("train", [0, 2]),
        ("train", [1, 2]),
    ]


def test_jax_trains_and_tensorflow_takes_over(tmp_path, start, tiny, monkeypatch):
    run_dir = tmp_path / "run"
    flags = (*tiny, "--steps=4", "--log_every=2", f"--run_dir={run_dir}")
    with monkeypatch.context() as jax:
        for name, value in JAX.items():
            jax.setenv(name, value)
        output = finish(start("fit", *flags))
    assert (run_dir / "export" / "1" / "saved_model.pb").exists(), output
    output = finish(start("fit", *flags[:-3], "--steps=6", *flags[-2:], "--noexport"))
    assert "Going on from step 4." in output
    finish(start("generate", f"--run_dir={run_dir}", "--labels=0,1", f"--output={tmp_path}/out"))

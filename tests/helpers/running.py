"""What tests of running programs share."""

import contextlib
import os
import socket
import time
from pathlib import Path

import h5py

ROOT = Path(__file__).parents[2]
# XLA would compile for a minute what then runs for a second.
JAX = {"KERAS_BACKEND": "jax", "XLA_FLAGS": "--xla_backend_optimization_level=0"}


def environment(**others):
    """That of this process for one which finds the project, with other variables."""
    return {**os.environ, "PYTHONPATH": str(ROOT), **others}


def on_jax(**others):
    """Environment of a process that computes by JAX."""
    return environment(**JAX, **others)


def variables(path):
    """What a checkpoint holds, by position and path."""
    with h5py.File(path) as store:
        return {f"{name} {store[name].attrs['path']}": store[name][()] for name in store}


def wait_for(condition, process, seconds=120):
    """Waits until a condition holds, while a process runs."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextlib.contextmanager
def reserved_port():
    """A port of this machine that only programs which share their ports can get."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind(("localhost", 0))
        yield holder.getsockname()[1]

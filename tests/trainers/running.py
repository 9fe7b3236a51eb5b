"""What tests of running programs share."""

import time

import h5py


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

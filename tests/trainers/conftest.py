import subprocess
import sys

import pytest

from tests.helpers.running import ROOT, environment


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def cache_dir(shared_cache, monkeypatch):
    """Keeps decoded pictures out of the home directory, and decodes them once."""
    monkeypatch.setenv("KERAS_CVAEGAN_CACHE", str(shared_cache))
    return shared_cache


@pytest.fixture(autouse=True)
def dtype_policy():
    """Undoes what `trainers.fit` sets for its process."""
    import keras

    policy = keras.config.dtype_policy()
    yield
    keras.config.set_dtype_policy(policy)


@pytest.fixture
def start():
    """Returns a function that starts a program as a user would."""

    def start(program, *arguments):
        return subprocess.Popen(
            [sys.executable, "-m", f"trainers.{program}", *arguments],
            cwd=ROOT,
            env=environment(PYTHONUNBUFFERED="1"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


@pytest.fixture(scope="session")
def tiny():
    """Flags of the smallest run."""
    return ("--image_size=16", "--batch_size=8", "--num_classes=2", "--latent_dim=4")


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory, shared_cache, tiny):
    """The directory of a finished run of four steps."""
    from trainers import fit

    run_dir = tmp_path_factory.mktemp("finished") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_CVAEGAN_CACHE", str(shared_cache))
        flags = ["--steps=4", "--log_every=2", f"--run_dir={run_dir}", "--noexport"]
        assert fit.COMMAND.call(fit.main, [*tiny, *flags]) == 0
    return run_dir

import signal

import numpy as np
import pytest

from keras_cvaegan.training.checkpoints import latest_checkpoint
from tests.helpers.running import variables, wait_for

pytestmark = pytest.mark.slow

FLAGS = ("--steps=40", "--log_every=2", "--checkpoint_every=4", "--noexport")


def test_killed_run_ends_with_the_weights_of_an_uninterrupted_one(tmp_path, start, tiny):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    process = start("fit", *tiny, *FLAGS, f"--run_dir={killed}")
    wait_for(lambda: list((killed / "checkpoints").glob("step_*")), process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    stopped_at = latest_checkpoint(killed / "checkpoints")
    assert stopped_at.name < "step_00000040"

    process = start("fit", *tiny, *FLAGS, f"--run_dir={killed}")
    output, errors = process.communicate()
    assert process.returncode == 0, errors
    assert "Going on from step" in output

    process = start("fit", *tiny, *FLAGS, f"--run_dir={whole}")
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    expected = variables(whole / "checkpoints" / "step_00000040.weights.h5")
    received = variables(killed / "checkpoints" / "step_00000040.weights.h5")
    assert expected.keys() == received.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(received[name], value, err_msg=name)
    lines = (killed / "metrics.jsonl").read_text().splitlines()
    assert len(lines) == 20


def test_ctrl_c_saves_and_says_how_to_go_on(tmp_path, start, tiny):
    run_dir = tmp_path / "run"
    process = start("fit", *tiny, "--steps=20000", "--log_every=2", f"--run_dir={run_dir}")
    wait_for(lambda: (run_dir / "metrics.jsonl").exists(), process)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert f"python -m trainers.fit {' '.join(tiny)} --steps=20000" in output
    assert latest_checkpoint(run_dir / "checkpoints") is not None
    assert "Traceback" not in errors

"""The SavedModel as other programs load it. None of them is TensorFlow Serving."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

pytestmark = pytest.mark.slow

LABELS, SEEDS = np.array([0, 2, 1, 2], np.int64), np.array([5, 6, 7, 8], np.int64)
INVALID_ARGUMENT = 3


@pytest.fixture(scope="module")
def c_program(version, tmp_path_factory):
    """Calls a small C program with labels; returns the finished process."""
    if not shutil.which("gcc"):
        pytest.skip("no gcc")
    libraries = Path(tf.sysconfig.get_lib())
    binary = tmp_path_factory.mktemp("c") / "generate"
    names = ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"]
    command = ["gcc", "-Wall", "-Werror", "-I", tf.sysconfig.get_include(), "-o", str(binary)]
    command += [str(Path(__file__).with_name("generate.c")), "-L", str(libraries)]
    command += [*(f"-l:{name}" for name in names), f"-Wl,-rpath,{libraries}"]
    # The libraries find their own needs when they are loaded.
    subprocess.run([*command, "-Wl,--unresolved-symbols=ignore-in-shared-libs"], check=True)
    found = tensor_names(version, "generate")

    def run(*labels, rank=1):
        arguments = [str(version), found["labels"], found["seed"], found["images"], str(rank)]
        return subprocess.run(
            [str(binary), *arguments, *map(str, labels)],
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
            capture_output=True,
            check=False,
        )

    return run


def tensor_names(version, signature):
    """The names of the tensors of a signature, from the file itself."""
    message = saved_model_pb2.SavedModel()
    message.ParseFromString((version / "saved_model.pb").read_bytes())
    definition = message.meta_graphs[0].signature_def[signature]
    tensors = {**definition.inputs, **definition.outputs}
    return {name: tensor.name for name, tensor in tensors.items()}


def test_a_c_program_gets_the_same_bytes(c_program, model):
    done = c_program(*LABELS)
    assert done.returncode == 0, done.stderr
    images = np.frombuffer(done.stdout, np.uint8).reshape(4, 16, 16, 3)
    np.testing.assert_array_equal(images, model.generate(LABELS, seed=SEEDS))


@pytest.mark.parametrize(
    ("labels", "rank", "message"),
    [
        ([3], 1, "labels must be from 0 to 2"),
        ([0, -1], 1, "labels must be from 0 to 2"),
        ([], 1, "at least one row"),
        # Session::Run does not compare what is fed with the signature.
        ([0], 2, "is not compatible with expected shape"),
        ([0], 0, "is not compatible with expected shape"),
    ],
)
def test_a_c_program_is_refused(c_program, labels, rank, message):
    done = c_program(*labels, rank=rank)
    assert (done.returncode, done.stdout) == (INVALID_ARGUMENT, b"")
    assert message in done.stderr.decode()


def test_saved_model_cli_gets_the_same_bytes(version, model, tmp_path):
    for name, values in {"labels": LABELS, "seed": SEEDS}.items():
        np.save(tmp_path / f"{name}.npy", values)
    command = [str(Path(sys.executable).with_name("saved_model_cli")), "run"]
    command += ["--dir", str(version), "--tag_set", "serve", "--signature_def", "generate"]
    command += ["--inputs", ";".join(f"{n}={tmp_path / n}.npy" for n in ("labels", "seed"))]
    subprocess.run([*command, "--outdir", str(tmp_path)], check=True, capture_output=True)
    images = np.load(tmp_path / "images.npy")
    np.testing.assert_array_equal(images, model.generate(LABELS, seed=SEEDS))

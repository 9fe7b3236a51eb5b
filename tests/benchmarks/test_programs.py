"""The programs: their help, a smallest run where that is quick, stand-ins for what trains."""

import importlib.util
import itertools
import json
import subprocess
import sys

import pytest

from benchmarks import (
    against_keras_examples,
    against_torch,
    classes,
    generation,
    input_pipeline,
    nearest_search,
    resolution,
    training_step,
)
from benchmarks.workers import WorkerError

pytestmark = pytest.mark.slow

PROGRAMS = (against_torch, classes, generation, input_pipeline, nearest_search, resolution)
PROGRAMS += (training_step, against_keras_examples)
ABOUT = {
    "flops_per_image": 2e9,
    "flops_per_image_without_padding": 1e9,
    "flops_per_image_computed": 1.6e9,
    "parameters": 1234,
    "gpu": False,
}


class StandIn:
    """A trainer of 10 images/s beside matrix products of 40 GFLOP/s."""

    def __init__(self, kind="ours", *arguments, **keywords):
        self.about = ABOUT | {"disagreement": 1e-7}
        self.peak_memory = 5_000_000
        self.speed = {"naive": 4.0, "channels_last": 8.0}.get(keywords.get("variant"), 10.0)

    def train(self, seconds):
        return self.speed

    warm_up = train

    def products(self, seconds):
        return {"product 8": lambda: 30e9, "product 16": lambda: 40e9}

    def ask(self, what, **arguments):
        return self.peak_memory

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass


@pytest.fixture
def run(monkeypatch, tmp_path, capsys):
    """Runs a program with stand-ins; returns what it printed and what it wrote."""
    monkeypatch.setattr(training_step, "Trainer", StandIn)
    monkeypatch.setattr(classes, "Trainer", StandIn)
    monkeypatch.setattr(against_torch, "Trainer", StandIn)
    monkeypatch.setattr(against_torch, "Worker", StandIn)

    def run(program, *flags):
        path = tmp_path / "figures.json"
        assert program.COMMAND.call(program.main, [f"--output={path}", "--rounds=2", *flags]) == 0
        return capsys.readouterr().out, json.loads(path.read_text())["results"]

    return run


@pytest.mark.parametrize("program", PROGRAMS)
def test_help_is_complete(program, capsys):
    assert program.COMMAND.call(program.main, ["--help"]) == 0
    output = capsys.readouterr().out
    for name in program.COMMAND._values:
        if name != "traceback":
            assert f"--{name}=" in output or f"--[no]{name}\n" in output
    folder = program.__name__.rpartition(".")[2]
    assert f"(default: runs/benchmarks/{folder}" in " ".join(output.split())  # Lines are broken.


def test_help_loads_no_back_end():
    names = ", ".join(program.__name__ for program in PROGRAMS)
    code = f"import sys, {names}; sys.exit(any(x in sys.modules for x in ('tensorflow', 'keras')))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_training_step(run):
    output, results = run(training_step, "--presets=compact,paper", "--backends=jax")
    assert [result["name"] for result in results] == [
        f"{preset} jax {policy}"
        for preset, policy in itertools.product(
            ("compact 32 px", "paper 128 px"), ("float32", "mixed_bfloat16")
        )
    ]
    assert results[0]["share_of_peak"]["median"] == pytest.approx(10 * 2e9 / 40e9)
    assert results[0]["share_of_peak_without_padding"]["median"] == pytest.approx(0.25)
    assert results[0]["peak_product"] == "product 16"
    row = ["compact", "32", "px", "jax", "float32", "10", "(10–10)", "20.0", "50.0", "%"]
    assert output.splitlines()[1].split() == [*row, "25.0", "%", "40.0", "%", "5"]


def test_training_step_where_a_back_end_is_missing(run, monkeypatch):
    def fail(*arguments, **keywords):
        raise WorkerError("keras_training has ended: no jax")

    monkeypatch.setattr(training_step, "Trainer", fail)
    output, results = run(training_step, "--backends=jax", "--dtype_policies=float32")
    assert "compact 32 px jax float32  not available: keras_training has ended: no jax" in output
    assert results[0]["not_available"] == "keras_training has ended: no jax"


def test_against_torch(run):
    output, results = run(against_torch)
    reached = {goal["what"]: goal["reached"]["median"] for goal in results["targets"]}
    assert reached == {
        "ours / eager": 1.0,
        "ours / the best of channels_last and compiled": 1.0,
        "ours / naive": 2.5,
        "share of peak": 0.5,
    }
    assert output.count("torch ") == 4


def test_against_torch_without_one_variant(run, monkeypatch):
    class Partial(StandIn):
        def __init__(self, *arguments, **keywords):
            super().__init__(*arguments, **keywords)
            if keywords["variant"] == "compiled":
                raise WorkerError("no C++ compiler")

    monkeypatch.setattr(against_torch, "Worker", Partial)
    output, results = run(against_torch)
    assert f"{'torch compiled':<19}  not available: no C++ compiler" in output
    assert results["targets"][1]["reached"]["median"] == 1.25


def test_against_torch_on_the_wrong_device(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(against_torch, "Trainer", StandIn)
    flags = ["--device=gpu", f"--output={tmp_path / 'x.json'}"]
    assert against_torch.COMMAND.call(against_torch.main, flags) == 1
    assert "computes on the CPU. Choose the other" in capsys.readouterr().err


def test_classes(run):
    output, results = run(classes, "--num_classes=10,100")
    assert [result["name"] for result in results] == ["10 classes", "100 classes"]
    assert results[1]["time_ratio"]["median"] == 1.0
    assert results[1]["step_seconds"]["median"] == 6.4
    assert "Target: a time of at most 1.15 times that of 10 classes." in output


def test_resolution(run):
    output, results = run(resolution, "--image_sizes=16,32")
    assert [result["image_size"] for result in results] == [16, 32]
    assert "16 px" in output


def test_generation(run):
    flags = ("--image_size=16", "--seconds=0", "--calls=2", "--batch_sizes=2")
    output, results = run(generation, *flags)
    (speed,) = results["throughput"]
    assert set(speed["images_per_second"]) == {"model.generate", "tf.function", "SavedModel"}
    assert all(wait["p95_ms"] >= wait["median_ms"] > 0 for wait in results["latency"].values())
    assert "Target: SavedModel / best in process ≥ 0.95" in output


def test_all_ways_to_generate_give_the_same_images(tmp_path):
    import numpy as np

    from keras_cvaegan.models import CVAEGAN

    model = CVAEGAN.from_preset("compact", image_shape=(16, 16, 3), num_classes=3)
    labels, seeds = np.array([0, 2, 1]), np.array([5, 6, 7])
    first, *others = (
        way(labels, seeds).astype(int)
        for way in generation.contenders(model, str(tmp_path)).values()
    )
    for images in others:
        assert abs(images - first).max() <= 1


def test_input_pipeline(run, monkeypatch):
    monkeypatch.setattr(input_pipeline, "Trainer", StandIn)
    flags = ("--image_sizes=16", "--pictures=40", "--picture_size=20", "--batch_size=4")
    output, results = run(input_pipeline, *flags, "--notorch", "--nograin", "--seconds=0")
    assert results["against_step"][0]["ratio"]["median"] > 0
    loader = results["against_loader"][0]["images_per_second"]
    assert set(loader) == {"datasets.load", "datasets.load, first epoch"}
    assert "16 px datasets.load, first epoch" in output


def test_grain_reads_the_decoded_pictures(run, monkeypatch):
    monkeypatch.setattr(input_pipeline, "Trainer", StandIn)
    flags = ("--image_sizes=16", "--pictures=40", "--picture_size=20", "--batch_size=4")
    output, results = run(input_pipeline, *flags, "--notorch", "--seconds=0")
    loaders = results["against_loader"][0]
    if importlib.util.find_spec("grain"):
        assert loaders["images_per_second"][input_pipeline.GRAIN]["median"] > 0
    else:
        assert "No module named 'grain'" in loaders["not_available"][input_pipeline.GRAIN]
        assert f"{input_pipeline.GRAIN}: not available: " in output


def test_nearest_search(run):
    flags = ("--queries=30", "--candidates=40", "--dimensions=3", "--block_size=16", "--seconds=0")
    _, results = run(nearest_search, *flags)
    assert all(results[name]["agreement"] == 1 for name in results if name != "rates")

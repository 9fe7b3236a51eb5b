"""Measures our training step against the same algorithm written in PyTorch.

The same networks with the same initial weights, objectives and optimizers (the first losses are
compared), a process each, in turns; see benchmarks/torch_training.py for the variants.
"""

import contextlib
import functools
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import measuring
from benchmarks.training_step import SHARES, figures
from benchmarks.workers import Trainer, Worker, WorkerError
from keras_cvaegan.names import PRESET_NAMES

if TYPE_CHECKING:
    from absl.flags import FlagValues

VARIANTS = ("eager", "channels_last", "compiled", "naive")
TARGETS = {"eager": 1.3, "the best of channels_last and compiled": 1.0, "naive": 2.0}
SHARE_TARGET = 0.6
WAIT_POLICIES: dict[str, dict[str, str]] = {
    "default": {},
    "passive": {"OMP_WAIT_POLICY": "PASSIVE"},
}

COMMAND = measuring.Command("benchmarks.against_torch", __doc__)
with COMMAND.section("What to train"):
    COMMAND.enum("preset", "compact", PRESET_NAMES, "networks and hyper-parameters")
    COMMAND.enum("backend", "tensorflow", measuring.BACKENDS, "back end of Keras, for our step")
    COMMAND.enum("device", "cpu", ("cpu", "gpu"), "device that all of them train on")
    COMMAND.enum(
        "dtype_policy",
        "float32",
        ("float32", "mixed_bfloat16"),
        "precision; in PyTorch, mixed_bfloat16 is autocast",
    )
    COMMAND.string("variants", ",".join(VARIANTS), "variants of the step in PyTorch")
    COMMAND.integer("image_size", None, "side in pixels (default: the preset's)", lower_bound=1)
    COMMAND.integer("batch_size", 64, "images a step", lower_bound=1)
    COMMAND.integer("num_classes", 10, "number of classes", lower_bound=1)
measuring.measurement_flags(COMMAND, rounds=9, seconds=3)


def torch_worker(variant: str, device: str, seconds: float, policy: str, **model: Any) -> Worker:
    """Starts a process that trains in PyTorch and has taken its first steps.

    Raises:
        WorkerError: when the variant does not run here.
    """
    worker = Worker(
        "torch_training",
        {"KERAS_BACKEND": "torch", **WAIT_POLICIES[policy]},
        variant=variant,
        device="cuda" if device == "gpu" else "cpu",
        **model,
    )
    worker.warm_up(seconds)
    return worker


def best_wait_policy(seconds: float, **model: Any) -> str:
    """Returns how PyTorch's threads should wait for each other here, by trying.

    The default, to wait actively for a while, suits a machine that does nothing else; where
    anything else runs, it can make PyTorch several times slower.
    """
    measuring.progress("choosing how PyTorch's threads wait")
    with contextlib.ExitStack() as stack:
        workers = {
            policy: stack.enter_context(torch_worker("eager", "cpu", seconds, policy, **model))
            for policy in WAIT_POLICIES
        }
        turns = {
            policy: functools.partial(worker.train, seconds) for policy, worker in workers.items()
        }
        rates = measuring.alternate(turns, 3, "how PyTorch's threads wait")
    return max(rates, key=lambda policy: measuring.Spread.of(rates[policy]).median)


def compare(values: "FlagValues", model: dict[str, Any]) -> dict[str, Any]:
    """Returns the rates of all contenders, and what they say of themselves.

    Raises:
        ValueError: when our own step cannot run on the device.
    """
    seconds = values.seconds
    variants = measuring.listed(values.variants, "variants", VARIANTS)
    hidden = {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"} if values.device == "cpu" else {}
    about: dict[str, Any] = {}
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        start = str(Path(folder) / "start.npz")
        measuring.progress("ours: starting and compiling")
        ours = stack.enter_context(
            Trainer(values.backend, environment=hidden, seconds=seconds, start=start, **model)
        )
        if ours.about["gpu"] != (values.device == "gpu"):
            raise ValueError(
                f"--device={values.device}, but the back end {values.backend} computes on the "
                f"{'GPU' if ours.about['gpu'] else 'CPU'}. Choose the other --device or --backend."
            )
        about["ours"] = {**ours.about, "peak_memory": ours.peak_memory}
        contenders = {"ours": functools.partial(ours.train, seconds)}
        policy = "default"
        with contextlib.suppress(WorkerError):  # Which the variants will report.
            if values.device == "cpu":
                policy = best_wait_policy(seconds, start=start, **model)
        for variant in variants:
            measuring.progress(f"{variant}: starting and compiling")
            try:
                worker = stack.enter_context(
                    torch_worker(variant, values.device, seconds, policy, start=start, **model)
                )
            except WorkerError as error:
                about[variant] = {"not_available": str(error)}
                continue
            about[variant] = {
                **worker.about,
                "wait_policy": policy,
                "peak_memory": worker.ask("memory"),
            }
            contenders[variant] = functools.partial(worker.train, seconds)
        contenders |= ours.products(seconds)
        rates = measuring.alternate(contenders, values.rounds, "in turns")
    return {"rates": rates, "about": about}


def targets(results: dict[str, Any]) -> list[dict[str, Any]]:
    """Returns the goals of this benchmark with what was reached of each that could be measured."""
    rates = results["rates"]
    best = [name for name in ("channels_last", "compiled") if name in rates]
    best = max(best, key=lambda name: measuring.Spread.of(rates[name]).median, default=None)
    peers = dict(zip(TARGETS, ("eager", best, "naive"), strict=True))
    reached = [
        {
            "what": f"ours / {what}",
            "target": TARGETS[what],
            "reached": measuring.quotient(rates, "ours", peer),
        }
        for what, peer in peers.items()
        if peer in rates
    ]
    share = results["ours"]["share_of_peak"]
    return [*reached, {"what": "share of peak", "target": SHARE_TARGET, "reached": share}]


def _row(name: str, about: dict[str, Any], rates: measuring.Rates, backend: str) -> list[str]:
    if name == "ours":
        title, ratio, first_losses = f"ours ({backend})", "", ""
    elif "not_available" in about:
        return [f"torch {name}", f"not available: {about['not_available']}"]
    else:
        title, ratio = f"torch {name}", str(measuring.quotient(rates, "ours", name))
        first_losses = f"{about['disagreement']:.0e}"
    speed = str(measuring.Spread.of(rates[name]))
    return [title, speed, ratio, first_losses, measuring.megabytes(about["peak_memory"])]


def main(values: "FlagValues") -> None:
    model = {
        "preset": values.preset,
        "dtype_policy": values.dtype_policy,
        "image_size": values.image_size or measuring.IMAGE_SIZES[values.preset],
        "batch_size": values.batch_size,
        "num_classes": values.num_classes,
    }
    measuring.warn_of_load()
    results = {**model, **compare(values, model)}
    rates, about = results["rates"], results["about"]
    results["ours"] = figures(rates, about["ours"], "ours")
    results["targets"] = targets(results)
    measuring.progress("")
    rows = [_row(name, worker, rates, values.backend) for name, worker in about.items()]
    print(measuring.table(["step", "images/s", "ours / it", "first losses", "peak MB"], rows))
    print()
    print(
        measuring.table(
            ["", "target", "reached"],
            [[x["what"], f"≥ {x['target']:.2f}", str(x["reached"])] for x in results["targets"]],
        )
    )
    print("\nfirst losses: largest relative difference from ours, of the same weights and noise.")
    print(SHARES)
    measuring.record(COMMAND, values, results)


if __name__ == "__main__":
    COMMAND.run(main)

"""Measures how fast images are generated: in process against the exported SavedModel.

In process: `model.generate`, as Python users call it, and the same computation under `tf.function`,
the best that they can make of it. The SavedModel: its signature `generate`, loaded by TensorFlow.
"""

import functools
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from benchmarks import measuring
from keras_cvaegan.names import PRESET_NAMES
from trainers.command_line.command import Command

if TYPE_CHECKING:
    import numpy as np
    from absl.flags import FlagValues

    from keras_cvaegan.models import GenerativeModel

TARGET = 0.95
SAVED_MODEL = "SavedModel"
Generate = Callable[["np.ndarray", "np.ndarray"], "np.ndarray"]

COMMAND = Command("benchmarks.generation", __doc__)
with COMMAND.section("What to generate"):
    COMMAND.enum("preset", "compact", PRESET_NAMES, "networks that generate")
    COMMAND.integer("image_size", None, "side in pixels (default: the preset's)", lower_bound=1)
    COMMAND.integer("num_classes", 10, "number of classes", lower_bound=1)
    COMMAND.string("batch_sizes", "1,16,64,256", "images a call")
    COMMAND.integer("calls", 100, "calls of one image each a turn, for the latency", lower_bound=2)
measuring.measurement_flags(COMMAND, rounds=9, seconds=1)


def contenders(model: "GenerativeModel", directory: str) -> dict[str, Generate]:
    """Returns the ways to generate: functions of labels and seeds that return uint8 images.

    Args:
        model: model that generates; it is exported.
        directory: folder to export it to.
    """
    import tensorflow as tf

    from keras_cvaegan.export import export_saved_model
    from keras_cvaegan.models.inference import GENERATE_STREAM
    from keras_cvaegan.ops import random

    loaded = tf.saved_model.load(str(export_saved_model(model, directory)))
    signature = loaded.signatures["generate"]

    @tf.function(reduce_retracing=True)
    def compiled(labels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        z = random.normal(tf.zeros_like(seed), model.latent_dim, seed=seed, stream=GENERATE_STREAM)
        inputs = {"z": z, "labels": tf.one_hot(labels, model.num_classes)}
        pixels = tf.round((model.sampler(inputs, training=False) + 1.0) * 127.5)
        return tf.cast(tf.clip_by_value(pixels, 0.0, 255.0), tf.uint8)

    def saved(labels: "np.ndarray", seed: "np.ndarray", loaded: Any = loaded) -> "np.ndarray":
        del loaded  # Kept alive: its variables go when it goes.
        outputs = signature(labels=tf.constant(labels), seed=tf.constant(seed))
        return outputs["images"].numpy()

    return {
        "model.generate": lambda labels, seed: model.generate(labels, seed=seed),
        "tf.function": lambda labels, seed: compiled(
            tf.constant(labels), tf.constant(seed)
        ).numpy(),
        SAVED_MODEL: saved,
    }


def latency(function: Callable[[], Any], calls: int) -> list[float]:
    """Returns the seconds that each of some calls took."""
    seconds = []
    for _ in range(calls):
        began = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - began)
    return seconds


def throughput(ways: dict[str, Generate], batch_size: int, values: "FlagValues") -> dict[str, Any]:
    """Returns images a second of each way, and the ratio of the SavedModel to the best other."""
    calls = _with_batch(ways, batch_size, values.num_classes)
    for call in calls.values():
        call()

    def turn(call: Callable[[], Any]) -> float:
        return batch_size * measuring.rate(call, values.seconds)

    turns = {name: functools.partial(turn, call) for name, call in calls.items()}
    rates = measuring.alternate(turns, values.rounds, f"batch {batch_size}")
    best = max((name for name in rates if name != SAVED_MODEL), key=lambda x: _median(rates[x]))
    return {
        "batch_size": batch_size,
        "images_per_second": {name: measuring.Spread.of(rates[name]) for name in rates},
        "best_in_process": best,
        "ratio": measuring.quotient(rates, SAVED_MODEL, best),
        "ratio_to_generate": measuring.quotient(rates, SAVED_MODEL, "model.generate"),
        "target": TARGET,
        "rates": rates,
    }


def latencies(ways: dict[str, Generate], values: "FlagValues") -> dict[str, dict[str, float]]:
    """Returns median and 95th percentile of the milliseconds that one image takes."""
    calls = _with_batch(ways, 1, values.num_classes)
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(values.rounds):
        measuring.progress(f"latency: round {turn + 1} of {values.rounds}")
        for name in calls if turn % 2 == 0 else reversed(calls):
            seconds[name] += latency(calls[name], values.calls)
    return {
        name: {
            "median_ms": 1e3 * _median(taken),
            "p95_ms": 1e3 * statistics.quantiles(taken, n=20)[-1],
        }
        for name, taken in seconds.items()
    }


def _median(values: list[float]) -> float:
    return statistics.median(values)


def _with_batch(
    ways: dict[str, Generate], batch_size: int, num_classes: int
) -> dict[str, Callable[[], Any]]:
    import numpy as np

    rows = np.arange(batch_size, dtype=np.int64)
    return {name: functools.partial(way, rows % num_classes, rows) for name, way in ways.items()}


def main(values: "FlagValues") -> None:
    batch_sizes = measuring.whole_numbers(values.batch_sizes, "batch_sizes")
    measuring.warn_of_load()

    from keras_cvaegan.models import CVAEGAN

    size = values.image_size or measuring.IMAGE_SIZES[values.preset]
    model = CVAEGAN.from_preset(
        values.preset, image_shape=(size, size, 3), num_classes=values.num_classes
    )
    with tempfile.TemporaryDirectory() as directory:
        measuring.progress("exporting")
        ways = contenders(model, directory)
        speeds = [throughput(ways, batch_size, values) for batch_size in batch_sizes]
        waits = latencies(ways, values)
    measuring.progress("")
    rows = [
        [
            f"batch {speed['batch_size']}",
            *(str(speed["images_per_second"][name]) for name in ways),
            str(speed["ratio"]),
            speed["best_in_process"],
        ]
        for speed in speeds
    ]
    headers = ["images/s", *ways, "SavedModel / best", "best in process"]
    print(measuring.table(headers, rows))
    print(f"\nTarget: SavedModel / best in process ≥ {TARGET}\n")
    rows = [[name, f"{x['median_ms']:.2f}", f"{x['p95_ms']:.2f}"] for name, x in waits.items()]
    print(measuring.table(["one image", "median ms", "p95 ms"], rows))
    results = {"image_size": size, "throughput": speeds, "latency": waits}
    measuring.record(COMMAND, values, results)


if __name__ == "__main__":
    COMMAND.run(main)

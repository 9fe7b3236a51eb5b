"""Measures a training step: speed, share of the machine's matrix products, peak memory.

Each configuration trains in a process of its own, and each of its turns stands beside one of the
same library's matrix products.
"""

import functools
import itertools
import statistics
from typing import TYPE_CHECKING, Any

from benchmarks import measuring
from benchmarks.workers import Trainer, WorkerError
from keras_cvaegan.names import DTYPE_POLICIES, PRESET_NAMES

if TYPE_CHECKING:
    from absl.flags import FlagValues

COMMAND = measuring.Command("benchmarks.training_step", __doc__)
with COMMAND.section("What to train"):
    COMMAND.string("presets", "compact", f"presets to train, of {', '.join(PRESET_NAMES)}")
    COMMAND.string(
        "backends", "tensorflow,jax", f"back ends of Keras, of {', '.join(measuring.BACKENDS)}"
    )
    COMMAND.string(
        "dtype_policies",
        "float32,mixed_bfloat16",
        f"precisions of the layers, of {', '.join(DTYPE_POLICIES)}",
    )
    COMMAND.integer("image_size", None, "side in pixels (default: the preset's)", lower_bound=1)
    COMMAND.integer("batch_size", 64, "images a step", lower_bound=1)
    COMMAND.integer("num_classes", 10, "number of classes", lower_bound=1)
measuring.measurement_flags(COMMAND, rounds=7, seconds=3)

HEADERS = ["step", "images/s", "GFLOP/s", "of peak", "without padding", "computed", "peak MB"]
SHARES = (
    "of peak: of the best square matrix product of the same library and precision, counting the "
    "multiplications\nof the networks as drawn, by the zeros around padded maps too, as FLOP "
    "counters do; beside it without\nthose zeros, and as computed: no map is doubled in order to "
    "be convolved."
)


def figures(rates: measuring.Rates, about: dict[str, Any], contender: str) -> dict[str, Any]:
    """Returns speed and share of the peak from turns of steps beside turns of matrix products.

    Args:
        rates: rates by name: images a second of the contender, FLOP/s of every "product N".
        about: description of the model that the worker gave.
        contender: name of the contender in `rates`.
    """
    speed = measuring.Spread.of(rates[contender])
    best = max(
        (name for name in rates if name.startswith("product ")),
        key=lambda name: statistics.median(rates[name]),
    )
    share = measuring.quotient(rates, contender, best)
    return {
        "images_per_second": speed,
        "flops_per_second": speed * about["flops_per_image"],
        "peak_flops_per_second": measuring.Spread.of(rates[best]),
        "peak_product": best,
        "share_of_peak": share * about["flops_per_image"],
        "share_of_peak_without_padding": share * about["flops_per_image_without_padding"],
        "share_of_peak_computed": share * about["flops_per_image_computed"],
    }


def measure(name: str, backend: str, rounds: int, seconds: float, **model: Any) -> dict[str, Any]:
    """Returns the figures of one configuration.

    Raises:
        WorkerError: when it cannot be trained here.
    """
    measuring.progress(f"{name}: starting and compiling")
    with Trainer(backend, seconds=seconds, **model) as trainer:
        step = functools.partial(trainer.train, seconds)
        contenders = {"step": step, **trainer.products(seconds)}
        rates = measuring.alternate(contenders, rounds, name)
    return {
        "name": name,
        "backend": backend,
        **model,
        **trainer.about,
        **figures(rates, trainer.about, "step"),
        "peak_memory": trainer.peak_memory,
        "rates": rates,
    }


def show(results: list[dict[str, Any]]) -> None:
    """Prints what `measure` returned."""
    measuring.progress("")
    print(measuring.table(HEADERS, [_row(result) for result in results]))
    print(f"\n{SHARES}")


def _row(result: dict[str, Any]) -> list[str]:
    if "not_available" in result:
        return [result["name"], f"not available: {result['not_available']}"]
    return [
        result["name"],
        str(result["images_per_second"]),
        f"{result['flops_per_second'].median / 1e9:,.1f}",
        *(
            f"{100 * result[share].median:.1f} %"
            for share in (
                "share_of_peak",
                "share_of_peak_without_padding",
                "share_of_peak_computed",
            )
        ),
        measuring.megabytes(result["peak_memory"]),
    ]


def main(values: "FlagValues") -> None:
    presets = measuring.listed(values.presets, "presets", PRESET_NAMES)
    backends = measuring.listed(values.backends, "backends", measuring.BACKENDS)
    policies = measuring.listed(values.dtype_policies, "dtype_policies", DTYPE_POLICIES)
    measuring.warn_of_load()
    results = []
    for preset, backend, policy in itertools.product(presets, backends, policies):
        image_size = values.image_size or measuring.IMAGE_SIZES[preset]
        name = f"{preset} {image_size} px {backend} {policy}"
        try:
            result = measure(
                name,
                backend,
                values.rounds,
                values.seconds,
                preset=preset,
                dtype_policy=policy,
                image_size=image_size,
                batch_size=values.batch_size,
                num_classes=values.num_classes,
            )
        except WorkerError as error:
            result = {"name": name, "not_available": str(error)}
        results.append(result)
    show(results)
    measuring.record(COMMAND, values, results)


if __name__ == "__main__":
    COMMAND.run(main)

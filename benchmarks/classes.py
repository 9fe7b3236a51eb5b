"""Measures how the time of a training step grows with the number of classes.

Labels enter the networks as class weights (n, K) and the classifier has K outputs, so that a part
of the step grows with K by nature; the ratio of the operations says how much.
"""

import contextlib
import functools
from typing import TYPE_CHECKING

from benchmarks import measuring
from benchmarks.workers import Trainer

if TYPE_CHECKING:
    from absl.flags import FlagValues

TARGET = 1.15

COMMAND = measuring.Command("benchmarks.classes", __doc__)
with COMMAND.section("What to train"):
    COMMAND.string("num_classes", "10,100,1000,10000", "numbers of classes; the first is the base")
    COMMAND.enum("backend", "tensorflow", measuring.BACKENDS, "back end of Keras")
    COMMAND.integer("image_size", 32, "side in pixels", lower_bound=1)
    COMMAND.integer("batch_size", 64, "images a step", lower_bound=1)
measuring.measurement_flags(COMMAND, rounds=9, seconds=4)


def main(values: "FlagValues") -> None:
    counts = measuring.whole_numbers(values.num_classes, "num_classes")
    measuring.warn_of_load()
    about = {}
    with contextlib.ExitStack() as stack:
        contenders = {}
        for count in counts:
            name = f"{count:,} classes"
            measuring.progress(f"{name}: starting and compiling")
            trainer = stack.enter_context(
                Trainer(
                    values.backend,
                    seconds=values.seconds,
                    preset="compact",
                    image_size=values.image_size,
                    batch_size=values.batch_size,
                    num_classes=count,
                )
            )
            contenders[name] = functools.partial(trainer.train, values.seconds)
            about[name] = {**trainer.about, "peak_memory": trainer.peak_memory}
        rates = measuring.alternate(contenders, values.rounds, "in turns")
    measuring.progress("")
    base = next(iter(about))
    results, rows = [], []
    for name, description in about.items():
        seconds = measuring.Spread.of([values.batch_size / rate for rate in rates[name]])
        time = measuring.quotient(rates, base, name)
        operations = description["flops_per_image"] / about[base]["flops_per_image"]
        results.append(
            {
                "name": name,
                **description,
                "step_seconds": seconds,
                "time_ratio": time,
                "flops_ratio": operations,
                "target": TARGET,
                "rates": rates[name],
            }
        )
        parameters = f"{description['parameters']:,}"
        memory = measuring.megabytes(description["peak_memory"])
        rows.append([name, str(seconds * 1e3), str(time), f"{operations:.3f}", parameters, memory])
    headers = ["step", "ms", f"time / {base}", f"FLOPs / {base}", "parameters", "peak MB"]
    print(measuring.table(headers, rows))
    print(f"\nTarget: a time of at most {TARGET} times that of {base}.")
    measuring.record(COMMAND, values, results)


if __name__ == "__main__":
    COMMAND.run(main)

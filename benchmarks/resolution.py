"""Measures speed and peak memory of a training step at several image sizes."""

from typing import TYPE_CHECKING

from benchmarks import measuring, training_step
from keras_cvaegan.names import DTYPE_POLICIES

if TYPE_CHECKING:
    from absl.flags import FlagValues

COMMAND = measuring.Command("benchmarks.resolution", __doc__)
with COMMAND.section("What to train"):
    COMMAND.string("image_sizes", "16,32,64,128", "sides in pixels")
    COMMAND.enum("backend", "tensorflow", measuring.BACKENDS, "back end of Keras")
    COMMAND.enum("dtype_policy", "float32", DTYPE_POLICIES, "precision of the layers")
    COMMAND.integer("batch_size", 64, "images a step", lower_bound=1)
measuring.measurement_flags(COMMAND, rounds=5, seconds=3)


def main(values: "FlagValues") -> None:
    sizes = measuring.whole_numbers(values.image_sizes, "image_sizes")
    measuring.warn_of_load()
    results = [
        training_step.measure(
            f"{size} px",
            values.backend,
            values.rounds,
            values.seconds,
            preset="compact",
            dtype_policy=values.dtype_policy,
            image_size=size,
            batch_size=values.batch_size,
        )
        for size in sizes
    ]
    training_step.show(results)
    measuring.record(COMMAND, values, results)


if __name__ == "__main__":
    COMMAND.run(main)

"""Trains GAN, WGAN and mean matching on a ring of points far from where they begin.

The toy example of Bao et al. 2017, Section 4: networks of 32, 64 and 64 hidden units, RMSprop with
one learning rate for all, 2,000,000 iterations. The paper finds that mean matching is the first to
learn the ring. The defaults see a first part of them, in minutes.
"""

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from trainers.command_line import flags
from trainers.command_line.command import TRAINING_ENVIRONMENT, Command
from trainers.points import runs as point_runs
from trainers.points import trainings
from trainers.points.ring import COVERED, Ring, covered_at
from trainers.points.runs import Run, Runs, Summary
from trainers.points.trainings import Schedule, Show

if TYPE_CHECKING:
    import tensorflow as tf
    from absl.flags import FlagValues

    from keras_cvaegan.models import GenerativeModel

METHODS = {"gan": "GAN", "wgan": "WGAN", "fm_gan": "mean matching"}
CLAIMED = "fm_gan"
LATENT_DIM = 2
# Points that are measured.
SAMPLES = 2000
# Batches that are drawn at once.
BLOCK = 1000

COMMAND = Command("trainers.toy", __doc__, TRAINING_ENVIRONMENT)
with COMMAND.section("Ring"):
    COMMAND.number("radius", 20.0, "of the ring around (100, 100)")
    COMMAND.number("width", 10.0, "of its band")
with COMMAND.section("Training"):
    COMMAND.string("methods", ",".join(METHODS), f"which, of {', '.join(METHODS)}")
    COMMAND.integer("seeds", 5, "trainings of each method", lower_bound=1)
    COMMAND.integer(
        "steps",
        60_000,
        "iterations: an update of the generator each, and with wgan --critic_steps updates of the "
        "critic before it",
        lower_bound=1,
    )
    COMMAND.integer("batch_size", 64, "points an update", lower_bound=1)
    COMMAND.number("learning_rate", 5e-5, "of RMSprop", lower_bound=0)
    COMMAND.number(
        "rho", 0.99, "of RMSprop: decay of its mean square", lower_bound=0, upper_bound=1
    )
    COMMAND.number(
        "epsilon",
        1e-16,
        "of RMSprop: what is added to its mean square; rho and epsilon are those of Torch, which "
        "the paper uses (Keras' own are 0.9 and 1e-7)",
        lower_bound=0,
    )
    COMMAND.integer("critic_steps", 5, "of wgan", lower_bound=1)
    COMMAND.number("clip_value", 0.01, "of wgan: the critic's weights stay in [−c, c]")
    COMMAND.boolean("jit_compile", True, "compile the step with XLA: pays off in long trainings")
with COMMAND.section("Results"):
    COMMAND.integer("record_every", 1000, "steps a measurement", lower_bound=1)
    COMMAND.string("output", "runs/toy", "folder of toy.json and toy.png")


def schedule(values: "FlagValues") -> Schedule:
    """Returns how long a training is, and checks what no flag can by itself.

    Raises:
        ValueError: for steps that are not a whole number of measurements, or a `--clip_value` that
            is not above 0.
    """
    if not 0 < values.clip_value < math.inf:
        raise ValueError(f"--clip_value must be above 0. Received: {values.clip_value}.")
    return Schedule(values.steps, values.record_every)


def build_model(method: str, seed: int, values: "FlagValues") -> "GenerativeModel":
    """Returns a compiled model of points, with new weights."""
    import keras

    from keras_cvaegan.models import MODELS
    from keras_cvaegan.networks import mlp_discriminator, mlp_generator

    keras.utils.set_random_seed(seed)
    options = {}
    if method == "wgan":
        options = {"critic_steps": values.critic_steps, "clip_value": values.clip_value}
    model = MODELS[method](
        mlp_generator(num_classes=1, latent_dim=LATENT_DIM),
        mlp_discriminator(),
        seed=seed,
        **options,
    )
    rmsprop = {"rho": values.rho, "epsilon": values.epsilon}
    model.compile(
        {
            name: keras.optimizers.RMSprop(values.learning_rate, **rmsprop)
            for name in model.network_names
        },
        jit_compile=values.jit_compile,
        steps_per_execution=values.record_every,
    )
    return model


def batches(data: Ring, batch_size: int, seed: int) -> "tf.data.Dataset":
    """Returns batches of new points of the ring, without end."""
    import tensorflow as tf

    def blocks() -> Iterator[np.ndarray]:
        random = np.random.default_rng(seed)
        while True:
            yield data.points(BLOCK * batch_size, random).reshape(BLOCK, batch_size, 2)

    signature = tf.TensorSpec((BLOCK, batch_size, 2), tf.float32)
    return tf.data.Dataset.from_generator(blocks, output_signature=signature).unbatch()


def train(method: str, seed: int, data: Ring, values: "FlagValues", show: Show) -> Run:
    """Trains a model and returns what it showed.

    Args:
        method: one of `METHODS`.
        seed: of weights, data and noise.
        data: the ring.
        values: the flags.
        show: called after each measurement.

    Raises:
        ValueError: when the training diverges.
    """
    model = build_model(method, seed, values)
    return trainings.train(
        method,
        model,
        batches(data, values.batch_size * model.batches_per_step, seed),
        np.zeros(SAMPLES, np.int64),
        data,
        schedule(values),
        show,
        "Choose a smaller --learning_rate or --clip_value.",
    )


def summarize(runs: Runs) -> Summary:
    """Returns what each method showed, and when each of its seeds covered the ring."""
    summary = point_runs.summarize(runs)
    for showed in summary.values():
        of_seeds = showed["coverage"]["by_seed"]
        showed["covered_at"] = [covered_at(showed["steps"], shares) for shares in of_seeds]
    return summary


def verdict(summary: Mapping[str, Mapping[str, Any]]) -> str:
    """Returns one line: whether mean matching is the first to cover the ring, and how often.

    It is confirmed by all seeds, refuted where others are first in more than half of them. Seeds in
    which a method failed do not count.

    Example:

    >>> showed = {"seeds": [0, 1], "covered_at": [8, None]}
    >>> print(verdict({"wgan": showed, "fm_gan": {"seeds": [0, 1], "covered_at": [5, 6]}}))
    Claim: mean matching is the first to cover 90% of the ring: confirmed. Of 2 seeds, first in:
    WGAN 0, mean matching 2; none in 0.
    """
    if CLAIMED not in summary or len(summary) < 2:
        return "The paper's claim compares mean matching with another method."
    by_seed = point_runs.by_common_seed(summary, lambda showed: showed["covered_at"])
    firsts = dict.fromkeys(summary, 0)
    for steps in by_seed.values():
        known = [step for step in steps.values() if step is not None]
        winners = [method for method, step in steps.items() if known and step == min(known)]
        if len(winners) == 1:
            firsts[winners[0]] += 1
    seeds, wins, decided = len(by_seed), firsts[CLAIMED], sum(firsts.values())
    word = "neither confirmed nor refuted"
    if wins == seeds > 0:
        word = "confirmed"
    elif 2 * (decided - wins) > seeds:
        word = "refuted"
    counts = ", ".join(f"{METHODS[name]} {count}" for name, count in firsts.items())
    return (
        f"Claim: mean matching is the first to cover {COVERED:.0%} of the ring: {word}. "
        f"Of {seeds} seeds, first in: {counts}; none in {seeds - decided}."
    )


def table(summary: Mapping[str, Mapping[str, Any]], data: Ring) -> str:
    """Returns the measures over the iterations, to be read."""
    lines = point_runs.table(
        summary,
        METHODS,
        {
            "coverage": "share of the ring covered",
            "distance": "mean distance to the ring",
            "in_band": "share of points in its band",
        },
        data.measure(data.points(100_000, np.random.default_rng(0))),
        next(iter(summary.values()))["steps"],
        "iteration",
    )
    lines.append(f"first iteration with {COVERED:.0%} covered, by seed")
    for method, showed in summary.items():
        found = [step for step in showed["covered_at"] if step is not None]
        cells = ["never" if step is None else f"{step:,}" for step in showed["covered_at"]]
        mean = f" (mean {np.mean(found):,.0f} ± {np.std(found):,.0f})" if found else ""
        lines.append(f"  {METHODS[method]:<28}    {'  '.join(cells)}{mean}")
    return "\n".join(lines)


def main(values: "FlagValues") -> int:
    methods = flags.choices(values.methods, "methods", METHODS)
    length = schedule(values)
    data = Ring(radius=values.radius, width=values.width)

    from trainers.points import ring_plot

    experiment = trainings.Experiment(
        name="toy",
        titles={method: METHODS[method] for method in methods},
        seeds=values.seeds,
        schedule=length,
        train=lambda method, seed, show: train(method, seed, data, values, show),
        summarize=summarize,
        verdict=verdict,
        table=lambda summary: table(summary, data),
        figure=lambda runs: ring_plot.figure(data, runs),
    )
    return experiment.run(values.output, COMMAND.settings(values))


if __name__ == "__main__":
    COMMAND.run(main)

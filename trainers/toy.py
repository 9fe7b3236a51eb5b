"""Trains GAN, WGAN and mean matching on a ring of points far from where they begin.

The toy example of Bao et al. 2017, Section 4: networks of 32, 64 and 64 hidden units, RMSprop with
one learning rate for all, 2,000,000 iterations. The paper finds that mean matching is the first to
learn the ring. The defaults see a first part of them, in minutes.
"""

import math
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trainers import command_line, status
from trainers.ring import COVERED, Ring, Run, shown_rows

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

COMMAND = command_line.Command("trainers.toy", __doc__, command_line.TRAINING_ENVIRONMENT)
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


def check(values: "FlagValues") -> None:
    """Checks what no flag can by itself, before anything is trained.

    Raises:
        ValueError: for steps that are not a whole number of measurements, or a `--clip_value` that
            is not above 0.
    """
    if not 0 < values.clip_value < math.inf:
        raise ValueError(f"--clip_value must be above 0. Received: {values.clip_value}.")
    if values.steps % values.record_every:
        raise ValueError(
            f"--steps must be a multiple of --record_every={values.record_every}. "
            f"Received: --steps={values.steps}."
        )


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


def train(
    method: str, seed: int, data: Ring, values: "FlagValues", show: Callable[[Run], None]
) -> Run:
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
    import keras

    model, run = build_model(method, seed, values), Run()
    labels = np.zeros(SAMPLES, np.int64)

    def record(step: int) -> None:
        points = model.generate(labels, seed=seed)
        if not np.isfinite(points).all():
            raise ValueError(
                f"{method} with seed {seed} has diverged at step {step}. Choose a smaller "
                "--learning_rate or --clip_value."
            )
        run.add(step, points, data)
        show(run)

    record(0)
    model.fit(
        batches(data, values.batch_size * model.batches_per_step, seed),
        epochs=values.steps // values.record_every,
        steps_per_epoch=values.record_every,
        shuffle=False,
        verbose=0,
        callbacks=[
            keras.callbacks.LambdaCallback(
                on_epoch_end=lambda epoch, logs: record((epoch + 1) * values.record_every)
            )
        ],
    )
    return run


Runs = dict[str, dict[int, Run]]
"""By method and seed; without those that failed."""


def train_all(
    methods: Sequence[str],
    data: Ring,
    values: "FlagValues",
    keep: Callable[[Runs, list[str]], None],
) -> tuple[Runs, list[str]]:
    """Trains each method with each seed, and shows how far that is.

    A training that fails says why, and the others go on.

    Args:
        methods: some of `METHODS`.
        data: the ring.
        values: the flags.
        keep: called after each training with what is returned in the end.

    Returns:
        What the trainings showed, and names and seeds of those that failed.
    """
    line, taken = status.StatusLine(), {method: [] for method in methods}
    to_do = [(seed, method) for seed in range(values.seeds) for method in methods]
    runs, failed = {method: {} for method in methods}, []
    for number, (seed, method) in enumerate(to_do, start=1):
        began = time.monotonic()
        title = f"{number} of {len(to_do)}: {METHODS[method]}, seed {seed}"
        later = [kind for _, kind in to_do[number:]]

        def show(run: Run, began=began, method=method, title=title, later=later) -> None:
            step, seconds = run.steps[-1], time.monotonic() - began
            left = ""
            if step and seconds:
                whole = seconds * values.steps / step
                known = {**taken, method: [*taken[method], whole]}
                left = status.time_left(known, later) + whole - seconds
                left = f"  {status.duration(left)} left"
            figures = "  ".join(f"{name} {all_[-1]:.2f}" for name, all_ in run.measures.items())
            done = step == values.steps
            line.show(f"{title}  step {step:,}/{values.steps:,}{left}  {figures}", done)

        try:
            runs[method][seed] = train(method, seed, data, values, show)
            taken[method].append(time.monotonic() - began)
        except ValueError as error:
            line.close()
            print(f"error: {error}", file=sys.stderr)
            failed.append(f"{method}, seed {seed}")
        keep(runs, failed)
    return runs, failed


def summarize(runs: Runs) -> dict[str, dict[str, Any]]:
    """Returns what each method showed: mean and standard deviation over its seeds.

    "seeds" are those that came to their end: lists by seed are in their order.
    """
    summary = {}
    for method, by_seed in runs.items():
        if not by_seed:
            continue
        of_seeds = list(by_seed.values())
        summary[method] = {"steps": of_seeds[0].steps, "seeds": list(by_seed)}
        for name in of_seeds[0].measures:
            values = np.array([run.measures[name] for run in of_seeds])
            summary[method][name] = {
                "mean": values.mean(axis=0).tolist(),
                "std": values.std(axis=0).tolist(),
                "by_seed": values.tolist(),
            }
        summary[method]["covered_at"] = [run.covered_at for run in of_seeds]
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
    covered_at = {
        method: dict(zip(showed["seeds"], showed["covered_at"], strict=True))
        for method, showed in summary.items()
    }
    common = set.intersection(*(set(by_seed) for by_seed in covered_at.values()))
    firsts = dict.fromkeys(summary, 0)
    for seed in sorted(common):
        steps = {method: by_seed[seed] for method, by_seed in covered_at.items()}
        known = [step for step in steps.values() if step is not None]
        winners = [method for method, step in steps.items() if known and step == min(known)]
        if len(winners) == 1:
            firsts[winners[0]] += 1
    seeds, wins, decided = len(common), firsts[CLAIMED], sum(firsts.values())
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
    steps = next(iter(summary.values()))["steps"]
    rows = shown_rows(steps)
    of_data = data.measure(data.points(100_000, np.random.default_rng(0)))
    titles = {
        "coverage": "share of the ring covered",
        "distance": "mean distance to the ring",
        "in_band": "share of points in its band",
    }
    lines = [f"{'iteration':<30}" + "".join(f"{steps[row]:>16,}" for row in rows)]
    for name, title in titles.items():
        lines.append(f"{title} (data {of_data[name]:.2f})")
        for method, showed in summary.items():
            cells = [
                f"{showed[name]['mean'][row]:.2f} ± {showed[name]['std'][row]:.2f}" for row in rows
            ]
            lines.append(f"  {METHODS[method]:<28}" + "".join(f"{cell:>16}" for cell in cells))
    lines.append(f"first iteration with {COVERED:.0%} covered, by seed")
    for method, showed in summary.items():
        found = [step for step in showed["covered_at"] if step is not None]
        cells = ["never" if step is None else f"{step:,}" for step in showed["covered_at"]]
        mean = f" (mean {np.mean(found):,.0f} ± {np.std(found):,.0f})" if found else ""
        lines.append(f"  {METHODS[method]:<28}    {'  '.join(cells)}{mean}")
    return "\n".join(lines)


def main(values: "FlagValues") -> int:
    methods = command_line.choices(values.methods, "methods", METHODS)
    check(values)
    data = Ring(radius=values.radius, width=values.width)

    from keras_cvaegan.training.run_directory import RunDirectory, write_json
    from trainers import toy_picture

    output, flags = Path(values.output).expanduser(), COMMAND.settings(values)
    RunDirectory(output).create()

    def keep(runs: Runs, failed: list[str]) -> None:
        summary = summarize(runs)
        results = {"flags": flags, "methods": summary, "verdict": verdict(summary)}
        write_json(output / "toy.json", {**results, "failed": failed})

    began = time.monotonic()
    runs, failed = train_all(methods, data, values, keep)
    summary = summarize(runs)
    if not summary:
        raise ValueError("No training came to its end: see the messages above.")
    shown = {METHODS[name]: list(runs[name].values()) for name in summary}
    toy_picture.draw(output / "toy.png", data, shown)
    print(f"\n{table(summary, data)}\n\n{verdict(summary)}")
    for run in failed:
        print(f"Failed, and left out here: {run}")
    print(f"In {status.duration(time.monotonic() - began)}. Written to", end=" ")
    print(" and ".join(shlex.quote(str(output / name)) for name in ("toy.json", "toy.png")))
    return 1 if failed else 0


if __name__ == "__main__":
    COMMAND.run(main)

"""Trains LR/LI-VAE-GAN and CVAE-GAN on three half circles, one a class.

The toy example of Zheng & Sun 2019, Section 4.1, Fig. 2 and B.1: networks of 32, 64 and 64 hidden
units, Adam with one learning rate for all, 50 epochs. The label decides the place along x, not
along y. The paper finds that CVAE-GAN keeps within a limited range along y and LR/LI-VAE-GAN does
not.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from trainers.command_line import flags
from trainers.command_line.command import TRAINING_ENVIRONMENT, Command
from trainers.points import runs as point_runs
from trainers.points import trainings
from trainers.points.half_circles import CLASSES, HalfCircles, labels_by_class
from trainers.points.runs import Run
from trainers.points.trainings import Schedule, Show

if TYPE_CHECKING:
    import keras
    import tensorflow as tf
    from absl.flags import FlagValues

    from keras_cvaegan.models import GenerativeModel

METHODS = {"cvae_gan": "CVAE-GAN", "lr_li_vae_gan": "LR/LI-VAE-GAN"}
OTHER, CLAIMED = METHODS
MEASURES = {
    "spread": "spread along y",
    "spread_error": "|spread − 1|",
    "range": "5 to 95 % range along y",
    "distance_y": "distance along y",
    "distance_x": "distance along x",
}
# Points of each class that are measured.
SAMPLES = 2000

COMMAND = Command("trainers.half_circles", __doc__, TRAINING_ENVIRONMENT)
with COMMAND.section("Half circles"):
    COMMAND.integer("points", 3000, "to learn from, of all classes together", lower_bound=1)
    COMMAND.number("interval", 2.2, "from one half circle, of radius 1, to the next")
    COMMAND.number("noise", 0.15, "standard deviation of both coordinates around it")
with COMMAND.section("Codes"):
    COMMAND.integer("latent_dim", 2, "dimensions of z of cvae_gan", lower_bound=1)
    COMMAND.integer("relevant_dim", 2, "of z_s of lr_li_vae_gan", lower_bound=1)
    COMMAND.integer("irrelevant_dim", 2, "of z_u of lr_li_vae_gan", lower_bound=1)
with COMMAND.section("Training"):
    COMMAND.string("methods", ",".join(METHODS), f"which, of {', '.join(METHODS)}")
    COMMAND.integer("seeds", 5, "trainings of each method", lower_bound=1)
    COMMAND.integer(
        "epochs",
        50,
        "of as many updates of the generator as --points holds batches; lr_li_vae_gan takes three "
        "further batches an update, for the Gaussians of the classes",
        lower_bound=1,
    )
    COMMAND.integer("batch_size", 64, "points an update", lower_bound=1)
    COMMAND.number(
        "learning_rate",
        5e-4,
        "of Adam, all along; its β₁ and β₂ are those of each method's paper: 0.5 and 0.999 of "
        "cvae_gan, 0 and 0.9 of lr_li_vae_gan",
        lower_bound=0,
    )
    COMMAND.boolean("jit_compile", False, "compile the step with XLA: pays off in long trainings")
with COMMAND.section("Results"):
    COMMAND.integer("record_every", 1, "epochs a measurement", lower_bound=1)
    COMMAND.string(
        "output", "runs/half_circles", "folder of half_circles.json and half_circles.png"
    )


def schedule(values: "FlagValues") -> Schedule:
    """Returns how long a training is.

    Raises:
        ValueError: for epochs that are not a whole number of measurements.
    """
    batches_of_set = -(-values.points // values.batch_size)
    return Schedule(values.epochs, values.record_every, "epoch", batches_of_set)


def build_networks(method: str, values: "FlagValues") -> "dict[str, keras.Model]":
    """Returns new networks for a method, by their names: perceptrons of the same hidden layers."""
    from keras_cvaegan.networks import (
        mixture,
        mlp_classifier,
        mlp_discriminator,
        mlp_encoder,
        mlp_generator,
        mlp_projection_discriminator,
    )

    if method == "cvae_gan":
        z = {"num_classes": CLASSES, "latent_dim": values.latent_dim}
        return {
            "encoder": mlp_encoder(**z),
            "generator": mlp_generator(**z),
            "discriminator": mlp_discriminator(),
            "classifier": mlp_classifier(num_classes=CLASSES),
        }
    relevant, irrelevant = values.relevant_dim, values.irrelevant_dim
    return {
        "relevant_encoder": mlp_encoder(
            num_classes=None, latent_dim=relevant, deterministic=True, name="relevant_encoder"
        ),
        "irrelevant_encoder": mlp_encoder(
            num_classes=None, latent_dim=irrelevant, name="irrelevant_encoder"
        ),
        "mixture": mixture(relevant, num_classes=CLASSES),
        "latent_classifier": mlp_classifier(
            (irrelevant,), num_classes=CLASSES, name="latent_classifier"
        ),
        "generator": mlp_generator(num_classes=None, latent_dim=relevant + irrelevant),
        "discriminator": mlp_projection_discriminator(num_classes=CLASSES),
    }


def build_model(method: str, seed: int, values: "FlagValues") -> "GenerativeModel":
    """Returns a compiled model of points with its paper's weights of losses, and new networks."""
    import keras

    from keras_cvaegan.models import MODELS
    from keras_cvaegan.networks import preset

    keras.utils.set_random_seed(seed)
    model = MODELS[method](**build_networks(method, values), seed=seed)
    rates = dict.fromkeys(model.optimizer_names(), values.learning_rate)
    model.compile(
        model.make_optimizers(rates, model.default_beta_1(preset("paper"))),
        jit_compile=values.jit_compile,
        steps_per_execution=schedule(values).iterations_between,
    )
    return model


def batches(
    points: np.ndarray, labels: np.ndarray, batch_size: int, seed: int
) -> "tf.data.Dataset":
    """Returns batches of a set, without end: of all of it again and again, in other orders."""
    import tensorflow as tf

    pairs = tf.data.Dataset.from_tensor_slices((points, labels))
    return pairs.shuffle(len(points), seed=seed).repeat().batch(batch_size)


def train(method: str, seed: int, data: HalfCircles, values: "FlagValues", show: Show) -> Run:
    """Trains a model and returns what it showed.

    Args:
        method: one of `METHODS`.
        seed: of weights, data and noise.
        data: the half circles.
        values: the flags.
        show: called after each measurement.

    Raises:
        ValueError: when the training diverges.
    """
    model = build_model(method, seed, values)
    points, labels = data.training_set(values.points, seed)
    return trainings.train(
        method,
        model,
        batches(points, labels, values.batch_size * model.batches_per_step, seed),
        labels_by_class(SAMPLES),
        data,
        schedule(values),
        show,
        "Choose a smaller --learning_rate.",
    )


def verdict(summary: Mapping[str, Mapping[str, Any]]) -> str:
    """Returns one line: whether LR/LI-VAE-GAN comes nearer to the data's spread in the end.

    It is confirmed where its spread is nearer to 1 in all seeds, refuted where it is so in less
    than half of them. Seeds in which a method failed do not count. Distances stand beside, since a
    spread may be right and the points in the wrong place.

    Example:

    >>> def showed(spread):
    ...     measures = {"spread": spread, "spread_error": 1 - spread, "distance_y": 0.25}
    ...     return {"seeds": [0]} | {name: {"by_seed": [[x]]} for name, x in measures.items()}
    >>> print(verdict({"cvae_gan": showed(0.5), "lr_li_vae_gan": showed(0.75)}))
    Claim: along y LR/LI-VAE-GAN is nearer to the spread of the data than CVAE-GAN: confirmed. It is
    so in 1 of 1 seeds. CVAE-GAN: spread 0.50 (data 1), distance 0.250; LR/LI-VAE-GAN: spread 0.75
    (data 1), distance 0.250.
    """
    if len(summary) < len(METHODS):
        return "The paper's claim compares LR/LI-VAE-GAN with CVAE-GAN."
    claim = "Claim: along y LR/LI-VAE-GAN is nearer to the spread of the data than CVAE-GAN"
    ends = list(point_runs.by_common_seed(summary, _ends).values())
    if not ends:
        return f"{claim}: undecided, since in each seed a training failed."
    wins = sum(of[CLAIMED]["spread_error"] < of[OTHER]["spread_error"] for of in ends)
    word = "neither confirmed nor refuted"
    if wins == len(ends):
        word = "confirmed"
    elif 2 * wins < len(ends):
        word = "refuted"
    figures = []
    for method in (OTHER, CLAIMED):
        spread, distance = (
            np.mean([of[method][name] for of in ends]) for name in ("spread", "distance_y")
        )
        figures.append(f"{METHODS[method]}: spread {spread:.2f} (data 1), distance {distance:.3f}")
    return f"{claim}: {word}. It is so in {wins} of {len(ends)} seeds. {'; '.join(figures)}."


def _ends(showed: Mapping[str, Any]) -> list[dict[str, float]]:
    """The last measures of each seed, by name, of what a method showed."""
    names = ("spread", "spread_error", "distance_y")
    return [
        {name: showed[name]["by_seed"][row][-1] for name in names}
        for row in range(len(showed["seeds"]))
    ]


def table(summary: Mapping[str, Mapping[str, Any]], data: HalfCircles) -> str:
    """Returns the measures over the epochs, to be read."""
    epochs = next(iter(summary.values()))["epochs"]
    of_data = data.measure(data.fresh(SAMPLES, seed=1))
    lines = point_runs.table(summary, METHODS, MEASURES, of_data, epochs, "epoch", digits=3)
    return "\n".join(lines)


def main(values: "FlagValues") -> int:
    methods = flags.choices(values.methods, "methods", METHODS)
    length = schedule(values)
    data = HalfCircles(interval=values.interval, noise=values.noise)

    from trainers.points import half_circles_plot

    experiment = trainings.Experiment(
        name="half_circles",
        titles={method: METHODS[method] for method in methods},
        seeds=values.seeds,
        schedule=length,
        train=lambda method, seed, show: train(method, seed, data, values, show),
        summarize=lambda runs: point_runs.summarize(runs, "epochs"),
        verdict=verdict,
        table=lambda summary: table(summary, data),
        figure=lambda runs: half_circles_plot.figure(data, runs),
    )
    return experiment.run(values.output, COMMAND.settings(values))


if __name__ == "__main__":
    COMMAND.run(main)

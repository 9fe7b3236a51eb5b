"""The methods of Zheng & Sun 2019, Section 4.1, trained on half circles of points."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from keras_cvaegan.models import MODELS, GenerativeModel
from keras_cvaegan.networks import (
    mixture,
    mlp_classifier,
    mlp_discriminator,
    mlp_encoder,
    mlp_generator,
    mlp_projection_discriminator,
    preset,
)
from trainers.points import half_circles_plot, half_circles_verdict
from trainers.points.experiment import Experiment
from trainers.points.half_circles import CLASSES, HalfCircles, labels_by_class
from trainers.points.history import History, summarize
from trainers.points.settings import HALF_CIRCLES_METHODS, HalfCirclesSettings
from trainers.points.trainings import Show, train_model

# Points of each class that are measured.
SAMPLES = 2000


def build_networks(method: str, settings: HalfCirclesSettings) -> dict[str, keras.Model]:
    """Returns new networks for a method, by their names: perceptrons of the same hidden layers.

    Args:
        method: name of one of `HALF_CIRCLES_METHODS`.
        settings: dimensions of the codes.
    """
    if method == "cvae_gan":
        z = {"num_classes": CLASSES, "latent_dim": settings.latent_dim}
        return {
            "encoder": mlp_encoder(**z),
            "generator": mlp_generator(**z),
            "discriminator": mlp_discriminator(),
            "classifier": mlp_classifier(num_classes=CLASSES),
        }
    relevant, irrelevant = settings.relevant_dim, settings.irrelevant_dim
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


def build_model(method: str, seed: int, settings: HalfCirclesSettings) -> GenerativeModel:
    """Returns a compiled model of points with its paper's weights of losses, and new networks.

    Args:
        method: name of one of `HALF_CIRCLES_METHODS`.
        seed: seed of weights and noise.
        settings: dimensions of the codes, and learning rate.
    """
    keras.utils.set_random_seed(seed)
    model = MODELS[method](**build_networks(method, settings), seed=seed)
    rates = dict.fromkeys(model.optimizer_names(), settings.learning_rate)
    model.compile(
        model.make_optimizers(rates, model.default_beta_1(preset("paper"))),
        jit_compile=settings.jit_compile,
        steps_per_execution=settings.schedule.iterations_between,
    )
    return model


def batches(points: np.ndarray, labels: np.ndarray, batch_size: int, seed: int) -> tf.data.Dataset:
    """Returns batches of a set, without end: of all of it again and again, in other orders.

    Args:
        points: points of all classes, float32 `(n, 2)`.
        labels: labels, integers `(n,)`.
        batch_size: points in a batch.
        seed: seed of the orders.
    """
    pairs = tf.data.Dataset.from_tensor_slices((points, labels))
    return pairs.shuffle(len(points), seed=seed).repeat().batch(batch_size)


def train(
    method: str, seed: int, circles: HalfCircles, settings: HalfCirclesSettings, show: Show
) -> History:
    """Trains a model and returns what it showed.

    Args:
        method: name of one of `HALF_CIRCLES_METHODS`.
        seed: seed of weights, data and noise.
        circles: half circles to learn.
        settings: settings of the training.
        show: function that is called after each measurement.

    Raises:
        ValueError: when the training diverges.
    """
    model = build_model(method, seed, settings)
    points, labels = circles.training_set(settings.points, seed)
    return train_model(
        method,
        model,
        batches(points, labels, settings.batch_size * model.batches_per_step, seed),
        labels_by_class(SAMPLES),
        circles,
        settings.schedule,
        show,
        "Choose a smaller --learning_rate.",
    )


def experiment(
    circles: HalfCircles, settings: HalfCirclesSettings, methods: Sequence[str], seeds: int
) -> Experiment:
    """Returns the trainings of several methods on half circles.

    Args:
        circles: half circles to learn.
        settings: settings of the trainings.
        methods: names of some of `HALF_CIRCLES_METHODS`.
        seeds: number of trainings of each method.

    Raises:
        ValueError: for epochs that are not a whole number of measurements.
    """
    return Experiment(
        name="half_circles",
        titles={method: HALF_CIRCLES_METHODS[method] for method in methods},
        seeds=seeds,
        schedule=settings.schedule,
        train=lambda method, seed, show: train(method, seed, circles, settings, show),
        summarize=lambda histories: summarize(histories, "epochs"),
        verdict=half_circles_verdict.verdict,
        table=lambda summary: half_circles_verdict.table(summary, circles, SAMPLES),
        figure=lambda histories: half_circles_plot.figure(circles, histories),
    )

"""The methods of Bao et al. 2017, Section 4, trained on a ring of points."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf

from keras_cvaegan.models import MODELS, GenerativeModel
from keras_cvaegan.networks import mlp_discriminator, mlp_generator
from trainers.points import ring_plot, ring_verdict
from trainers.points.experiment import Experiment
from trainers.points.history import History
from trainers.points.ring import Ring
from trainers.points.settings import RING_METHODS, RingSettings
from trainers.points.trainings import Show, train_model

LATENT_DIM = 2
# Points that are measured.
SAMPLES = 2000
# Batches that are drawn at once.
BLOCK = 1000


def build_model(method: str, seed: int, settings: RingSettings) -> GenerativeModel:
    """Returns a compiled model of points, with new weights.

    Args:
        method: name of one of `RING_METHODS`.
        seed: seed of weights and noise.
        settings: values of optimizers and critic.
    """
    keras.utils.set_random_seed(seed)
    options = {}
    if method == "wgan":
        options = {"critic_steps": settings.critic_steps, "clip_value": settings.clip_value}
    model = MODELS[method](
        mlp_generator(num_classes=1, latent_dim=LATENT_DIM),
        mlp_discriminator(),
        seed=seed,
        **options,
    )
    rmsprop = {"rho": settings.rho, "epsilon": settings.epsilon}
    model.compile(
        {
            name: keras.optimizers.RMSprop(settings.learning_rate, **rmsprop)
            for name in model.network_names
        },
        jit_compile=settings.jit_compile,
        steps_per_execution=settings.record_every,
    )
    return model


def batches(ring: Ring, batch_size: int, seed: int) -> tf.data.Dataset:
    """Returns batches of new points of the ring, without end.

    Args:
        ring: ring that the points are of.
        batch_size: points in a batch.
        seed: seed of the points.
    """

    def blocks() -> Iterator[np.ndarray]:
        random = np.random.default_rng(seed)
        while True:
            yield ring.points(BLOCK * batch_size, random).reshape(BLOCK, batch_size, 2)

    signature = tf.TensorSpec((BLOCK, batch_size, 2), tf.float32)
    return tf.data.Dataset.from_generator(blocks, output_signature=signature).unbatch()


def train(method: str, seed: int, ring: Ring, settings: RingSettings, show: Show) -> History:
    """Trains a model and returns what it showed.

    Args:
        method: name of one of `RING_METHODS`.
        seed: seed of weights, data and noise.
        ring: ring to learn.
        settings: settings of the training.
        show: function that is called after each measurement.

    Raises:
        ValueError: when the training diverges.
    """
    model = build_model(method, seed, settings)
    return train_model(
        method,
        model,
        batches(ring, settings.batch_size * model.batches_per_step, seed),
        np.zeros(SAMPLES, np.int64),
        ring,
        settings.schedule,
        show,
        "Choose a smaller --learning_rate or --clip_value.",
    )


def experiment(
    ring: Ring, settings: RingSettings, methods: Sequence[str], seeds: int
) -> Experiment:
    """Returns the trainings of several methods on a ring.

    Args:
        ring: ring to learn.
        settings: settings of the trainings.
        methods: names of some of `RING_METHODS`.
        seeds: number of trainings of each method.

    Raises:
        ValueError: for steps that are not a whole number of measurements.
    """
    return Experiment(
        name="toy",
        titles={method: RING_METHODS[method] for method in methods},
        seeds=seeds,
        schedule=settings.schedule,
        train=lambda method, seed, show: train(method, seed, ring, settings, show),
        summarize=ring_verdict.summarize,
        verdict=ring_verdict.verdict,
        table=lambda summary: ring_verdict.table(summary, ring),
        figure=lambda histories: ring_plot.figure(ring, histories),
    )

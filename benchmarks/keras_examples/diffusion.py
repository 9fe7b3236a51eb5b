"""Denoising diffusion implicit model, after the keras.io example of that name, with labels."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

MIN_SIGNAL_RATE, MAX_SIGNAL_RATE = 0.02, 0.95
EMBEDDING_DIMS, EMBEDDING_MAX_FREQUENCY = 32, 1000.0
WIDTHS, BLOCK_DEPTH = (32, 64, 96, 128), 2
AVERAGE_DECAY = 0.999
LEARNING_RATE, WEIGHT_DECAY = 1e-3, 1e-4
SAMPLING_STEPS = 20


def _sinusoidal(x: tf.Tensor) -> tf.Tensor:
    frequencies = np.exp(
        np.linspace(0.0, math.log(EMBEDDING_MAX_FREQUENCY), EMBEDDING_DIMS // 2)
    ).astype(np.float32)
    angles = 2.0 * math.pi * frequencies * x
    return keras.ops.concatenate([keras.ops.sin(angles), keras.ops.cos(angles)], axis=3)


def _residual_block(x: Any, width: int) -> Any:
    residual = x if x.shape[3] == width else layers.Conv2D(width, 1)(x)
    x = layers.BatchNormalization(center=False, scale=False)(x)
    x = layers.Conv2D(width, 3, padding="same", activation="swish")(x)
    x = layers.Conv2D(width, 3, padding="same")(x)
    return layers.Add()([x, residual])


def denoiser(image_size: int, num_classes: int) -> keras.Model:
    """The U-Net of (noisy images, noise variances, class weights) to the noise.

    The class is embedded, and repeated over space beside the embedding of the variance.
    """
    images = keras.Input((image_size, image_size, 3), name="images")
    variances = keras.Input((1, 1, 1), name="variances")
    labels = keras.Input((num_classes,), name="labels")
    e = layers.Lambda(_sinusoidal, output_shape=(1, 1, EMBEDDING_DIMS), dtype="float32")(variances)
    e = layers.UpSampling2D(image_size, interpolation="nearest")(e)
    c = layers.Dense(EMBEDDING_DIMS, use_bias=False)(labels)
    c = layers.Reshape((1, 1, EMBEDDING_DIMS))(c)
    c = layers.UpSampling2D(image_size, interpolation="nearest")(c)
    x = layers.Conv2D(WIDTHS[0], 1)(images)
    x = layers.Concatenate()([x, e, c])
    skips = []
    for width in WIDTHS[:-1]:
        for _ in range(BLOCK_DEPTH):
            x = _residual_block(x, width)
            skips.append(x)
        x = layers.AveragePooling2D(2)(x)
    for _ in range(BLOCK_DEPTH):
        x = _residual_block(x, WIDTHS[-1])
    for width in reversed(WIDTHS[:-1]):
        x = layers.UpSampling2D(2, interpolation="bilinear")(x)
        for _ in range(BLOCK_DEPTH):
            x = layers.Concatenate()([x, skips.pop()])
            x = _residual_block(x, width)
    noise = layers.Conv2D(3, 1, kernel_initializer="zeros", dtype="float32")(x)
    return keras.Model({"images": images, "variances": variances, "labels": labels}, noise)


class Diffusion(keras.Model):
    """Learns the noise in noisy images, and removes it from noise step by step.

    Args:
        images: training images, uint8, from which mean and deviation are taken.
        num_classes: number of classes.
        horizontal_flip: whether training mirrors each image with probability ½.
    """

    def __init__(self, images: np.ndarray, num_classes: int, horizontal_flip: bool) -> None:
        super().__init__()
        self.normalizer = layers.Normalization(dtype="float32")
        self.normalizer.adapt(images[:4096].astype(np.float32) / 255.0)
        self.num_classes = num_classes
        self.horizontal_flip = horizontal_flip
        self.network = denoiser(images.shape[1], num_classes)
        self.average = denoiser(images.shape[1], num_classes)
        self.average.set_weights(self.network.get_weights())
        self.average.trainable = False
        self.loss_tracker = keras.metrics.Mean(name="noise_loss")
        self.built = True

    def compile(self) -> None:
        """Takes the example's optimizer and loss."""
        super().compile(keras.optimizers.AdamW(LEARNING_RATE, weight_decay=WEIGHT_DECAY), loss=None)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return [self.loss_tracker]

    @staticmethod
    def rates(times: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Noise and signal rates at diffusion times in [0, 1], a cosine schedule."""
        start, end = math.acos(MAX_SIGNAL_RATE), math.acos(MIN_SIGNAL_RATE)
        angles = start + times * (end - start)
        return tf.sin(angles), tf.cos(angles)

    def train_step(self, data: Any) -> dict[str, Any]:
        images, labels = data
        images = tf.cast(images, tf.float32) / 255.0
        count = tf.shape(images)[0]
        if self.horizontal_flip:
            flipped = tf.random.uniform((count, 1, 1, 1)) < 0.5
            images = tf.where(flipped, tf.reverse(images, [2]), images)
        images = self.normalizer(images)
        noise = tf.random.normal(tf.shape(images))
        noise_rates, signal_rates = self.rates(tf.random.uniform((count, 1, 1, 1)))
        inputs = {
            "images": signal_rates * images + noise_rates * noise,
            "variances": noise_rates**2,
            "labels": tf.one_hot(labels, self.num_classes),
        }
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.abs(noise - self.network(inputs, training=True)))
        variables = self.network.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        for average, current in zip(self.average.variables, self.network.variables, strict=True):
            average.assign(AVERAGE_DECAY * average + (1.0 - AVERAGE_DECAY) * current)
        self.loss_tracker.update_state(loss)
        return {"noise_loss": self.loss_tracker.result()}

    def generate(self, labels: np.ndarray, seed: int = 0) -> np.ndarray:
        """Draws images of classes, uint8, in `SAMPLING_STEPS` steps."""
        noise = np.random.default_rng(seed).standard_normal(
            (len(labels), *self.network.input["images"].shape[1:])
        )
        return self._sample(
            tf.constant(noise, tf.float32), tf.one_hot(labels, self.num_classes)
        ).numpy()

    @tf.function(reduce_retracing=True)
    def _sample(self, noise: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        noisy, images = noise, noise
        for step in range(SAMPLING_STEPS):
            times = tf.ones((tf.shape(noise)[0], 1, 1, 1)) * (1.0 - step / SAMPLING_STEPS)
            noise_rates, signal_rates = self.rates(times)
            inputs = {"images": noisy, "variances": noise_rates**2, "labels": labels}
            predicted = self.average(inputs, training=False)
            images = (noisy - noise_rates * predicted) / signal_rates
            noise_rates, signal_rates = self.rates(times - 1.0 / SAMPLING_STEPS)
            noisy = signal_rates * images + noise_rates * predicted
        images = self.normalizer.mean + images * self.normalizer.variance**0.5
        return tf.cast(tf.round(255.0 * tf.clip_by_value(images, 0.0, 1.0)), tf.uint8)

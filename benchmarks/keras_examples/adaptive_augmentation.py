"""GAN with adaptive discriminator augmentation, after the keras.io example, with labels."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

NOISE_SIZE, DEPTH, WIDTH = 64, 4, 128
LEAKY_SLOPE, DROPOUT_RATE = 0.2, 0.4
MAX_TRANSLATION, MAX_ROTATION, MAX_ZOOM = 0.125, 0.125, 0.25
TARGET_ACCURACY, INTEGRATION_STEPS = 0.85, 1000
AVERAGE_DECAY = 0.99
LEARNING_RATE, BETA_1 = 2e-4, 0.5


def generator(image_size: int, num_classes: int) -> keras.Model:
    """(noise, class weights) to images in [0, 1]: the class is embedded beside the noise."""
    noise = keras.Input((NOISE_SIZE,), name="noise")
    labels = keras.Input((num_classes,), name="labels")
    x = layers.Concatenate()([noise, layers.Dense(NOISE_SIZE, use_bias=False)(labels)])
    depth, side = _depth(image_size)
    x = layers.Dense(side * side * WIDTH, use_bias=False)(x)
    x = layers.BatchNormalization(scale=False)(x)
    x = layers.ReLU()(x)
    x = layers.Reshape((side, side, WIDTH))(x)
    for _ in range(depth - 1):
        x = layers.Conv2DTranspose(WIDTH, 4, 2, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(scale=False)(x)
        x = layers.ReLU()(x)
    images = layers.Conv2DTranspose(3, 4, 2, padding="same", activation="sigmoid", dtype="float32")(
        x
    )
    return keras.Model({"noise": noise, "labels": labels}, images)


def discriminator(image_size: int, num_classes: int) -> keras.Model:
    """(images in [0, 1], class weights) to a logit, which the label enters by projection."""
    images = keras.Input((image_size, image_size, 3), name="images")
    labels = keras.Input((num_classes,), name="labels")
    x = images
    for _ in range(_depth(image_size)[0]):
        x = layers.Conv2D(WIDTH, 4, 2, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(scale=False)(x)
        x = layers.LeakyReLU(LEAKY_SLOPE)(x)
    x = layers.Flatten()(x)
    x = layers.Dropout(DROPOUT_RATE)(x)
    of_class = layers.Dense(x.shape[-1], use_bias=False, dtype="float32")(labels)
    of_image = layers.Dense(1, dtype="float32")(x)
    projected = layers.Dot(axes=-1, dtype="float32")([x, of_class])
    logit = layers.Add(dtype="float32")([of_image, projected])
    return keras.Model({"images": images, "labels": labels}, logit)


def _depth(image_size: int) -> tuple[int, int]:
    """How often the side is halved, at most `DEPTH` times, down to at least 4; and what is left."""
    depth = min(DEPTH, int(np.log2(image_size // 4)))
    return depth, image_size // 2**depth


class AdaptiveAugmenter(keras.Model):
    """Flips, moves, turns and zooms images with a probability that keeps D's accuracy at a target.

    The probability rises where D recognises more than `TARGET_ACCURACY` of the real images.
    """

    def __init__(self, image_size: int) -> None:
        super().__init__(dtype="float32")
        self.probability = self.add_weight(name="probability", initializer="zeros", trainable=False)
        moves, zooms = (MAX_TRANSLATION, MAX_TRANSLATION), ((-MAX_ZOOM, 0.0), (-MAX_ZOOM, 0.0))
        self.augmenter = keras.Sequential(
            [
                keras.Input((image_size, image_size, 3)),
                layers.RandomFlip("horizontal", dtype="float32"),
                layers.RandomTranslation(*moves, interpolation="nearest", dtype="float32"),
                layers.RandomRotation(MAX_ROTATION, dtype="float32"),
                layers.RandomZoom(*zooms, dtype="float32"),
            ]
        )
        self.built = True

    def call(self, images: Any, training: bool = False) -> Any:
        if not training:
            return images
        augmented = self.augmenter(images, training=True)
        chosen = tf.random.uniform((tf.shape(images)[0], 1, 1, 1)) < self.probability
        return tf.where(chosen, augmented, images)

    def update(self, real_logits: tf.Tensor) -> None:
        """Moves the probability towards the target."""
        accuracy = tf.reduce_mean(0.5 * (1.0 + tf.sign(real_logits)))
        moved = self.probability + (accuracy - TARGET_ACCURACY) / INTEGRATION_STEPS
        self.probability.assign(tf.clip_by_value(moved, 0.0, 1.0))


class AdaptiveGAN(keras.Model):
    """DCGAN with a non-saturating loss whose discriminator sees adaptively augmented images.

    Args:
        image_size: side of the images.
        num_classes: number of classes.
    """

    def __init__(self, image_size: int, num_classes: int) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.augmenter = AdaptiveAugmenter(image_size)
        self.generator = generator(image_size, num_classes)
        self.average = keras.models.clone_model(self.generator)
        self.average.set_weights(self.generator.get_weights())
        self.average.trainable = False
        self.discriminator = discriminator(image_size, num_classes)
        self.trackers = [keras.metrics.Mean(name=name) for name in ("g_loss", "d_loss")]
        self.built = True

    def compile(self) -> None:
        """Takes the example's optimizers."""
        super().compile(loss=None)
        self.of_generator = keras.optimizers.Adam(LEARNING_RATE, beta_1=BETA_1)
        self.of_discriminator = keras.optimizers.Adam(LEARNING_RATE, beta_1=BETA_1)
        self.of_generator.build(self.generator.trainable_variables)
        self.of_discriminator.build(self.discriminator.trainable_variables)

    @property
    def optimizers(self) -> list[keras.optimizers.Optimizer]:
        return [self.of_generator, self.of_discriminator]

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return self.trackers

    def train_step(self, data: Any) -> dict[str, Any]:
        images, labels = data
        images = tf.cast(images, tf.float32) / 255.0
        classes = tf.one_hot(labels, self.num_classes)
        images = self.augmenter(images, training=True)
        noise = tf.random.normal((tf.shape(images)[0], NOISE_SIZE))
        with tf.GradientTape(persistent=True) as tape:
            generated = self.generator({"noise": noise, "labels": classes}, training=True)
            generated = self.augmenter(generated, training=True)
            real_logits, generated_logits = (
                self.discriminator({"images": x, "labels": classes}, training=True)
                for x in (images, generated)
            )
            g_loss = tf.reduce_mean(tf.nn.softplus(-generated_logits))
            d_loss = tf.reduce_mean(tf.nn.softplus(-real_logits)) + tf.reduce_mean(
                tf.nn.softplus(generated_logits)
            )
        for loss, network, optimizer in (
            (g_loss, self.generator, self.of_generator),
            (d_loss, self.discriminator, self.of_discriminator),
        ):
            variables = network.trainable_variables
            optimizer.apply(tape.gradient(loss, variables), variables)
        self.augmenter.update(real_logits)
        for average, current in zip(self.average.variables, self.generator.variables, strict=True):
            average.assign(AVERAGE_DECAY * average + (1.0 - AVERAGE_DECAY) * current)
        for tracker, loss in zip(self.trackers, (g_loss, d_loss), strict=True):
            tracker.update_state(loss)
        return {tracker.name: tracker.result() for tracker in self.trackers}

    def generate(self, labels: np.ndarray, seed: int = 0) -> np.ndarray:
        """Draws images of classes, uint8."""
        noise = np.random.default_rng(seed).standard_normal((len(labels), NOISE_SIZE))
        return self._decode(
            tf.constant(noise, tf.float32), tf.one_hot(labels, self.num_classes)
        ).numpy()

    @tf.function(reduce_retracing=True)
    def _decode(self, noise: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        images = self.average({"noise": noise, "labels": labels}, training=False)
        return tf.cast(tf.round(255.0 * images), tf.uint8)

"""Takes training steps of every model from fixed weights on fixed data and writes all variables.

Tests start it under another back end, strategy or number of processes, and compare.
"""

import argparse
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_cvaegan import models
from keras_cvaegan.training.distribution import open_distribution

BATCH, SIDE, CLASSES = 16, 16, 5
MODELS = {**models.MODELS, "imle": models.IMLE}
# Names of models and their presets: of photo the one whose step is all that others' are.
STEPS = {**{name: (name, "compact") for name in MODELS}, "photo": ("cvae_gan", "photo")}


def batches(count: int, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """Pictures, and labels whose two halves have other classes; class 4 never comes."""
    rng = np.random.default_rng(1)
    images = rng.uniform(-1, 1, (count * BATCH, SIDE, SIDE, 3)).astype(dtype)
    labels = np.where(np.arange(BATCH) < BATCH // 2, 0, rng.integers(1, 4, (count, BATCH)))
    labels[:, 1] = 1
    return images, labels.reshape(-1).astype("int32")


def optimizers(model: keras.Model, dtype: str) -> dict[str, keras.optimizers.Optimizer]:
    """In float32, plain descent, whose steps show gradients; Adam would show their signs.

    Keras rounds Adam's decays to float32 on TensorFlow alone: these need no rounding. The epsilon
    is above the rounding errors of gradients that are zero, those of biases before normalization.
    """
    if dtype == "float32":
        return {name: keras.optimizers.SGD(1e-3) for name in model.optimizer_names()}
    adam = {"beta_1": 0.5, "beta_2": 1.0 - 2.0**-10, "epsilon": 1e-4}
    return {name: keras.optimizers.Adam(1e-3, **adam) for name in model.optimizer_names()}


def build(name: str, dtype: str) -> keras.Model:
    model, preset = STEPS[name]
    cls = MODELS[model]
    # Heavy enough for their gradients to show among the others, and not lost in clipping.
    weights = {"mean_matching_weight": 10.0, "class_matching_weight": 10.0, "clip_value": 0.2}
    model = cls.from_preset(
        preset,
        image_shape=(SIDE, SIDE, 3),
        num_classes=CLASSES,
        **{name: weight for name, weight in weights.items() if name in cls.hyperparameters()},
    )
    rng = np.random.default_rng(0)
    for network in [*model.networks.values(), model.average_generator]:
        for layer in network.layers:
            if hasattr(
                layer, "negative_slope"
            ):  # TensorFlow rounds it to float32, even in float64.
                layer.negative_slope = float(np.float32(layer.negative_slope))
    for network in model.networks.values():
        for variable in network.weights:
            value = rng.normal(0, 0.1, variable.shape)
            if "moving_variance" in variable.path or "gamma" in variable.path:
                value = 1.0 + value**2
            variable.assign(value.astype(dtype))
    model.average_generator.set_weights(model.generator.get_weights())
    model.compile(optimizers(model, dtype))
    return model


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--output", required=True)
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--steps", type=int, default=1)
    parser.add_argument("--strategy", default="none")
    parser.add_argument("--devices", type=int)
    # The step of LR/LI-VAE is a part of LR/LI-VAE-GAN's.
    parser.add_argument("--models", nargs="+", default=[n for n in STEPS if n != "lr_li_vae"])
    values = parser.parse_args()

    distribution = open_distribution(values.strategy, values.devices)
    keras.config.set_dtype_policy(values.dtype)
    if values.dtype == "float64":
        # Keras (3.15) rounds float64 to float32 in some operations (mean, tanh) on JAX.
        from keras.src.backend.common import dtypes

        dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"
    result = {}
    for name in values.models:
        with distribution.scope():
            model = build(name, values.dtype)
        size = BATCH * model.batches_per_step
        images, labels = batches(values.steps * model.batches_per_step, values.dtype)

        def part(
            shard: tuple[int, int], images: Any = images, labels: Any = labels, size: int = size
        ) -> tf.data.Dataset:
            index, count = shard
            rows = np.arange(len(images)).reshape(-1, count, size // count)[:, index].reshape(-1)
            data = tf.data.Dataset.from_tensor_slices((images[rows], labels[rows]))
            return data.batch(size // count, drop_remainder=True)

        history = model.fit(
            distribution.dataset(part, size),
            steps_per_epoch=values.steps,
            shuffle=False,
            verbose=0,
        )
        for index, variable in enumerate(model.weights):
            value = keras.ops.convert_to_numpy(variable)
            result[f"{name}/{index}/{variable.path}"] = value
        for measure, (value,) in history.history.items():
            result[f"{name}/history/{measure}"] = np.array(value)
    if distribution.is_chief:
        np.savez(values.output, **result)


if __name__ == "__main__":
    main()

"""Each layer of the library with inputs, and what it makes of them."""

import dataclasses
from collections.abc import Callable

import keras
import numpy as np

from keras_cvaegan import layers

COUNT = 4
CLASSES = np.eye(3, dtype="float32")[[0, 2, 0, 1]]
LABELS = np.array([0, 2, 0, 1], "int32")
# Far from where a move of a picture becomes another one.
DRAWS = np.array(
    [[0.1, 0.9, 0.4, 0.1, 0.9], [0.7, 0.2, 0.8, 0.5, 0.2], [0.5] * 5, [0.9, 0.1, 0.6, 0.8, 0.5]],
    "float32",
)


@dataclasses.dataclass(frozen=True)
class LayerCase:
    """A layer, and what is asked of it.

    Args:
        build: function that makes it.
        inputs: arguments of its call.
        shape: shape of its output, without the batch.
        trained: names of the weights that gradients move.
        updated: names of those that the layer moves itself.
        output_dtype: dtype of its output; that of the policy by default.
    """

    build: Callable[[], keras.layers.Layer]
    inputs: tuple
    shape: tuple[int, ...]
    trained: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    output_dtype: str | None = None


def drawn(*shape):
    return np.random.default_rng(0).normal(0.5, 1.0, (COUNT, *shape)).astype("float32")


CASES = {
    "BatchNormalization": LayerCase(
        lambda: layers.BatchNormalization(epsilon=0.5, momentum=0.9),
        (drawn(4, 5, 3),),
        (4, 5, 3),
        trained=("gamma", "beta"),
        updated=("moving_mean", "moving_variance"),
    ),
    "ClassCenters": LayerCase(
        lambda: layers.ClassCenters(3, 0.5),
        (drawn(5), LABELS),
        (5,),
        updated=("sums", "weights_of_classes"),
        output_dtype="float32",
    ),
    "ClassMoments": LayerCase(
        lambda: layers.ClassMoments(3), (drawn(5), CLASSES), (5,), output_dtype="float32"
    ),
    "ConditionalBatchNormalization": LayerCase(
        lambda: layers.ConditionalBatchNormalization(0.5, 0.01),
        ((drawn(4, 5, 3), drawn(7)),),
        (4, 5, 3),
        trained=("kernel", "bias"),
        updated=("moving_mean", "moving_variance"),
    ),
    "DifferentiableAugmentation": LayerCase(
        layers.DifferentiableAugmentation, (drawn(8, 8, 3), DRAWS), (8, 8, 3)
    ),
    "GaussianMixtureHead": LayerCase(
        lambda: layers.GaussianMixtureHead(3, (-2.0, 2.0)),
        (drawn(5),),
        (3,),
        trained=("means", "log_variances"),
        output_dtype="float32",
    ),
    "GaussianSampling": LayerCase(
        lambda: layers.GaussianSampling(seed=3, stream=4, log_var_range=(-1.0, 1.0)),
        ((drawn(5), drawn(5)),),
        (5,),
        output_dtype="float32",
    ),
    "GridMeans": LayerCase(
        lambda: layers.GridMeans(2), (drawn(5, 6, 3),), (12,), output_dtype="float32"
    ),
    "LowPass": LayerCase(layers.LowPass, (drawn(8, 8, 3),), (8, 8, 3)),
    "ProjectionHead": LayerCase(
        layers.ProjectionHead,
        ((drawn(6), CLASSES),),
        (1,),
        trained=("kernel", "bias", "kernel"),
        updated=("u", "u"),
        output_dtype="float32",
    ),
    "SpectralNormalization": LayerCase(
        lambda: layers.SpectralNormalization(
            keras.layers.Conv2D(5, 3, strides=2, padding="same", use_bias=False)
        ),
        (drawn(8, 8, 3),),
        (4, 4, 5),
        trained=("kernel", "bias"),
        updated=("u",),
    ),
    "UpsamplingConv2D": LayerCase(
        lambda: layers.UpsamplingConv2D(2, 3, activation="tanh"),
        (drawn(8, 8, 3),),
        (16, 16, 2),
        trained=("kernel", "bias"),
    ),
}

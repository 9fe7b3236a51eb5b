"""An affine map of each class's points, which gives them moments that are known."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_cvaegan.ops.precision import full_precision_dtype


@keras.saving.register_keras_serializable(package="keras_cvaegan")
class ClassMoments(keras.layers.Layer):
    """Scales and shifts the points of each class, dimension by dimension.

        y = μ_c + (x − m_c) σ_c / s_c

    with the mean m_c and the deviation s_c that points of class c have, and those, μ_c and σ_c,
    that they should have: see `adapt`. At first it is the identity. Nothing is trained.

    Args:
        num_classes: number of classes.

    Call arguments:
        points: tensor (n, d).
        classes: class weights (n, num_classes).

    Returns:
        Tensor (n, d).

    Example:

    >>> layer = ClassMoments(1)
    >>> layer.adapt(np.array([[1.0], [3.0]]), [0, 0], np.array([[0.0], [20.0]]), [0, 0])
    >>> np.array(layer(np.array([[1.0], [2.0]]), np.ones((2, 1)))).tolist()
    [[0.0], [10.0]]
    """

    def __init__(self, num_classes: int, **kwargs: Any):
        kwargs.setdefault("dtype", full_precision_dtype())
        super().__init__(**kwargs)
        self.num_classes = num_classes

    def build(self, points_shape: Any, classes_shape: Any = None) -> None:
        shape = (self.num_classes, points_shape[-1])
        self.scale = self.add_weight(name="scale", shape=shape, initializer="ones", trainable=False)
        self.shift = self.add_weight(
            name="shift", shape=shape, initializer="zeros", trainable=False
        )
        self.built = True

    def adapt(
        self, points: np.ndarray, labels: np.ndarray, like: np.ndarray, like_labels: np.ndarray
    ) -> None:
        """Makes points of each class have mean and deviation of others of that class.

        Points of a class with fewer than two on either side stay as they are, and of a dimension
        without any spread only the mean changes. What was adapted before does not count.

        Args:
            points: (n, d), as they come to the layer.
            labels: integers (n,).
            like: (m, d), as they should be.
            like_labels: integers (m,).
        """
        if not self.built:
            self.build(np.shape(points))
        scale, shift = np.ones(self.scale.shape), np.zeros(self.shift.shape)
        for label in range(self.num_classes):
            own = points[np.asarray(labels) == label].astype(np.float64)
            other = like[np.asarray(like_labels) == label].astype(np.float64)
            if min(len(own), len(other)) < 2:
                continue
            spread = own.std(axis=0)
            scale[label] = np.where(spread > 0, other.std(axis=0) / np.maximum(spread, 1e-12), 1)
            shift[label] = other.mean(axis=0) - scale[label] * own.mean(axis=0)
        self.scale.assign(scale)
        self.shift.assign(shift)

    def call(self, points: Any, classes: Any) -> Any:
        classes = ops.cast(classes, self.compute_dtype)
        return points * ops.matmul(classes, self.scale) + ops.matmul(classes, self.shift)

    def compute_output_shape(self, points_shape: Any, classes_shape: Any = None) -> Any:
        return points_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_classes": self.num_classes}

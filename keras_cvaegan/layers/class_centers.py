"""Moving averages of a feature's mean, one for each class."""

from typing import Any

import keras
from keras import ops

from keras_cvaegan.ops.precision import full_precision_dtype


@keras.saving.register_keras_serializable(package="keras_cvaegan")
class ClassCenters(keras.layers.Layer):
    """Keeps a moving average of each class's mean feature (Eq. 4, Bao et al. 2017).

    For each class c that is present in the batch, with batch mean b_c:

        S_c ← m S_c + (1 − m) b_c,   W_c ← m W_c + (1 − m),   centre_c = S_c / W_c

    W_c removes the bias of the start at zero, class by class. Absent classes are left as they
    are. History carries no gradient. The gradient with respect to the features is that of the
    batch mean b_c itself, not of (1 − m) b_c: a loss of the centres keeps its weight whatever the
    decay.

    Args:
        num_classes: number of classes, at least 1.
        decay: m, in [0, 1). 0 gives the means of the batch.

    Call arguments:
        features: tensor of shape (n, d).
        labels: integer tensor of shape (n,), each in [0, num_classes).
        training: whether the averages move (the default) or are only read.

    Returns:
        float32 tensor of shape (n, d): row i is the centre of the class of example i. Cost and
        memory depend on n and d, not on the number of classes.

    Example:

    >>> import numpy as np
    >>> centers = ClassCenters(num_classes=3, decay=0.9)
    >>> features = np.array([[1.0, 3.0], [3.0, 5.0], [7.0, 7.0]])
    >>> np.array(centers(features, np.array([0, 0, 2]))).round(3).tolist()
    [[2.0, 4.0], [2.0, 4.0], [7.0, 7.0]]
    """

    def __init__(self, num_classes: int, decay: float = 0.9, **kwargs: Any):
        kwargs.setdefault("dtype", full_precision_dtype())
        super().__init__(**kwargs)
        if num_classes < 1:
            raise ValueError(f"num_classes must be at least 1. Received: {num_classes}")
        if not 0.0 <= decay < 1.0:
            raise ValueError(f"decay must be in [0, 1). Received: {decay}")
        self.num_classes = num_classes
        self.decay = decay

    def build(self, features_shape: Any, labels_shape: Any = None) -> None:
        self.sums = self.add_weight(
            name="sums",
            shape=(self.num_classes, features_shape[-1]),
            initializer="zeros",
            trainable=False,
        )
        self.weights_of_classes = self.add_weight(
            name="weights_of_classes",
            shape=(self.num_classes,),
            initializer="zeros",
            trainable=False,
        )

    def call(self, features: Any, labels: Any, training: bool = True) -> Any:
        labels = ops.cast(labels, "int32")
        sums = ops.take(self.sums, labels, axis=0)
        weights = ops.take(self.weights_of_classes, labels, axis=0)
        if not training:
            return sums / ops.maximum(weights, keras.config.epsilon())[:, None]

        means = same_class_means(features, labels)
        batch = ops.stop_gradient(means)
        sums = self.decay * sums + (1.0 - self.decay) * batch
        weights = self.decay * weights + (1.0 - self.decay)
        rows = labels[:, None]
        self.sums.assign(ops.scatter_update(self.sums, rows, sums))
        self.weights_of_classes.assign(ops.scatter_update(self.weights_of_classes, rows, weights))
        return sums / weights[:, None] + (means - batch)

    def compute_output_shape(self, features_shape: Any, labels_shape: Any = None) -> Any:
        return features_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_classes": self.num_classes, "decay": self.decay}


def same_class_weights(labels: Any) -> Any:
    """1 / (how many examples of the batch share the label), for each example.

    Args:
        labels: integer tensor of shape (n,).

    Returns:
        float32 tensor of shape (n,). Its sum is the number of classes present.
    """
    return 1.0 / ops.sum(_same_class(labels, full_precision_dtype()), axis=1)


def same_class_means(features: Any, labels: Any) -> Any:
    """The mean feature of the batch's examples that share each example's label.

    Args:
        features: tensor of shape (n, d).
        labels: integer tensor of shape (n,).

    Returns:
        Tensor of shape (n, d).
    """
    same = _same_class(labels, features.dtype)
    return ops.matmul(same, features) / ops.sum(same, axis=1, keepdims=True)


def _same_class(labels: Any, dtype: str) -> Any:
    return ops.cast(ops.equal(labels[:, None], labels[None, :]), dtype)

"""What models share that match features: Eq. 2, 4 and 6 of Bao et al. 2017.

Means speak of the whole batch, on however many replicas it lies; maps are pooled over space.

With `relative_matching` a distance of features is divided by ½ E‖f(x_r)‖², and over several layers
(over classes, in Eq. 4) the mean takes the place of the sum: features of any network then weigh
alike, which those of a frozen trunk need, whose scales no training has set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from keras_cvaegan import losses
from keras_cvaegan.layers import ClassCenters
from keras_cvaegan.layers.class_centers import same_class_weights
from keras_cvaegan.models.arguments import check_decay
from keras_cvaegan.ops.precision import full_precision
from keras_cvaegan.training.model_part import ModelPart


class FeatureMatching(ModelPart):
    """Distances of features, as they are or relative to the size of those of real images."""

    relative_matching: bool = False

    def feature_matching(
        self, real: Mapping[str, Any], reconstructed: Mapping[str, Any], layers: Sequence[str]
    ) -> Any:
        """½ ‖f(x_r) − f(x_f)‖² (Eq. 6) over the layers of f, from a network's outputs."""
        return self._over_layers(
            [
                losses.pairwise_matching(real[layer], reconstructed[layer])
                / self._size(real[layer])
                for layer in layers
            ]
        )

    def _size(self, features: Any) -> Any:
        """½ E‖f‖² over the whole batch where distances are relative to it; else 1."""
        if not self.relative_matching:
            return 1.0
        features = ops.stop_gradient(full_precision(features))
        axes = tuple(range(1, len(features.shape)))
        squares = self.all_replicas(ops.sum(ops.square(features), axis=axes))
        return 0.5 * ops.mean(squares) + keras.config.epsilon()

    def _over_layers(self, values: Sequence[Any]) -> Any:
        return sum(values) / (len(values) if self.relative_matching else 1)


class MeanMatching(FeatureMatching):
    """L_GD of a `GenerativeModel` with a discriminator (Eq. 2)."""

    def prepare_mean_matching(self, layers: Sequence[str], decay: float) -> None:
        """Chooses f_D; for the constructor.

        Args:
            layers: outputs of the discriminator.
            decay: decay of the moving averages of the means; 0: means of the batch.

        Raises:
            ValueError: for a layer that the discriminator does not give, or a wrong decay.
        """
        self.discriminator_layers = check_layers(self.discriminator, layers)
        self.mean_center_decay = decay = check_decay("mean_center_decay", decay)
        self.real_means = _centers(self.discriminator, layers, 1, decay)
        self.generated_means = _centers(self.discriminator, layers, 1, decay)

    def mean_matching(
        self, real: Mapping[str, Any], generated: Mapping[str, Any], training: bool
    ) -> Any:
        """Eq. 2 over the layers of f_D, from the discriminator's outputs."""
        values = []
        for layer, real_means, generated_means in zip(
            self.discriminator_layers, self.real_means, self.generated_means, strict=True
        ):
            pooled = _pooled(real[layer])
            features = self.all_replicas(pooled)
            one_class = ops.zeros((ops.shape(features)[0],), "int32")
            distance = losses.mean_feature_matching(
                real_means(features, one_class, training=training),
                generated_means(
                    self.all_replicas(_pooled(generated[layer])), one_class, training=training
                ),
            )
            values.append(distance / self._size(pooled))
        return self._over_layers(values)


class ClassMatching(FeatureMatching):
    """L_GC of a `GenerativeModel` with a classifier (Eq. 4)."""

    def prepare_class_matching(self, layers: Sequence[str], decay: float) -> None:
        """Chooses f_C; for the constructor.

        Args:
            layers: outputs of the classifier.
            decay: decay of the moving averages of the classes' means; 0: means of the batch.

        Raises:
            ValueError: for a layer that the classifier does not give, or a wrong decay.
        """
        self.classifier_layers = check_layers(self.classifier, layers)
        self.class_center_decay = decay = check_decay("class_center_decay", decay)
        self.real_centers = _centers(self.classifier, layers, self.num_classes, decay)
        self.generated_centers = _centers(self.classifier, layers, self.num_classes, decay)

    def class_matching(
        self, real: Mapping[str, Any], generated: Mapping[str, Any], labels: Any, training: bool
    ) -> Any:
        """Eq. 4 over the layers of f_C, from the classifier's outputs."""
        labels = self.all_replicas(labels)
        weights = same_class_weights(labels)
        classes = ops.sum(weights) if self.relative_matching else 1.0
        values = []
        for layer, real_centers, generated_centers in zip(
            self.classifier_layers, self.real_centers, self.generated_centers, strict=True
        ):
            pooled = _pooled(real[layer])
            distance = losses.class_mean_feature_matching(
                real_centers(self.all_replicas(pooled), labels, training=training),
                generated_centers(
                    self.all_replicas(_pooled(generated[layer])), labels, training=training
                ),
                weights,
            )
            values.append(distance / (classes * self._size(pooled)))
        return self._over_layers(values)


def check_layers(network: keras.Model, layers: Sequence[str]) -> tuple[str, ...]:
    """Returns feature layers as a tuple, or raises a ValueError for those a network lacks."""
    allowed = [name for name in network.output if name != "logits"]
    unknown = [name for name in layers if name not in allowed]
    if unknown or not layers:
        raise ValueError(
            f"The feature layers of the {network.name} must be some of {', '.join(allowed)}. "
            f"Received: {', '.join(layers) or 'none'}."
        )
    return tuple(layers)


def _centers(
    network: keras.Model, layers: Sequence[str], num_classes: int, decay: float
) -> list[ClassCenters]:
    """A built `ClassCenters` for each feature layer of a network."""
    result = []
    for layer in layers:
        centers = ClassCenters(num_classes, decay, name=f"{layer}_centers")
        centers.build((None, network.output[layer].shape[-1]))
        result.append(centers)
    return result


def _pooled(features: Any) -> Any:
    """Features whose mean is matched: maps are averaged over space.

    The factor keeps the squared distance of two maps that differ by the same vector everywhere.
    """
    features = full_precision(features)
    if len(features.shape) == 4:
        _, height, width, _ = features.shape
        features = (height * width) ** 0.5 * ops.mean(features, axis=(1, 2))
    return features

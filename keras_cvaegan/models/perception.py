"""What a discriminator and a classifier take in place of images: a frozen trunk's features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from keras_cvaegan.layers import DifferentiableAugmentation
from keras_cvaegan.models.arguments import check_share
from keras_cvaegan.ops import random
from keras_cvaegan.ops.precision import full_precision_dtype
from keras_cvaegan.training.model_part import ModelPart

AUGMENTATION_STREAM = 501
DRAWS = 6
ZOOM = 0.1


class Perception(ModelPart):
    """How a `GenerativeModel` shows images to its discriminator and its classifier.

    A view of images is a dictionary of what these networks may ask for by the names of their
    inputs: "images", "labels" and, where the model has a trunk, each of its outputs.
    """

    trunk: keras.Model | None
    seed: int
    step: Any

    def prepare_perception(self, trunk: keras.Model | None, augmentation: float) -> None:
        """Chooses trunk and augmentation; for the constructor.

        Args:
            trunk: frozen network of images to a dictionary of features, such as
                `keras_cvaegan.pretrained.trunk` gives; None where images are seen themselves.
            augmentation: strength of the random changes of what is seen in training, in [0, 1].

        Raises:
            ValueError: for a trunk that is not frozen, or a strength out of its range.
        """
        self.trunk = trunk
        self.augmentation = check_share("augmentation", augmentation)
        self.augment = DifferentiableAugmentation(self.augmentation, zoom=ZOOM)
        if trunk is not None and (trunk.trainable_variables or not isinstance(trunk.output, dict)):
            raise ValueError(
                "trunk must be a frozen network (trainable = False) of images to a dictionary of "
                f"features. Received: {trunk.name!r}, of {len(trunk.trainable_variables)} "
                "trainable variables."
            )

    def view(self, images: Any, classes: Any, training: bool) -> dict[str, Any]:
        """What the discriminator and the classifier may see of images.

        In training the images are changed at random, those of one place in their batches alike,
        whether real or generated.

        Args:
            images: (n, height, width, channels) in [−1, 1].
            classes: class weights (n, num_classes).
            training: whether the images are changed.
        """
        if training and self.augmentation:
            rows = self.global_rows(keras.ops.shape(images)[0])
            draws = random.uniform(
                rows,
                DRAWS,
                seed=self.seed,
                step=self.step,
                stream=AUGMENTATION_STREAM,
                dtype=full_precision_dtype(),
            )
            images = self.augment(images, draws)
        seen = {"images": images, "labels": classes}
        # Its statistics stay as they were learned, in training too.
        return seen if self.trunk is None else seen | self.trunk(images, training=False)

    @staticmethod
    def recognize(network: keras.Model, view: Mapping[str, Any], training: bool) -> dict[str, Any]:
        """The outputs of a discriminator or a classifier for a view of images."""
        inputs = network.input
        if isinstance(inputs, Mapping):
            return network({name: view[name] for name in inputs}, training=training)
        return network(view["images"], training=training)

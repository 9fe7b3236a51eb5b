"""A source of pictures for the demo whose model is known."""

import numpy as np

from trainers.demo.sources import Source


class Linear(Source):
    """Pictures of 2×4 pixels that tell z and the class weights: linear in both, up to rounding."""

    mixes_classes = can_encode = can_classify = True

    def __init__(self, class_names=("rose", "lily", "oak"), channels=3):
        super().__init__("Linear", "nowhere", class_names, 4, (2, 4, channels), 7)
        self.matrix = np.diag([12.0, 9.0, 6.0, 3.0])

    def decode(self, z, weights):
        values = 100 + z @ self.matrix + 30 * weights @ np.arange(weights.shape[1])[:, np.newaxis]
        images = np.repeat(values[:, np.newaxis, :, np.newaxis], 2, axis=1)
        images = np.repeat(images, self.image_shape[-1], axis=-1)
        return np.clip(np.rint(images), 0, 255).astype(np.uint8)

    def encode(self, images, labels):
        values = images[:, 0, :, 0].astype(float) - 100 - 30 * np.asarray(labels)[:, np.newaxis]
        return (values / np.diag(self.matrix)).astype(np.float32)

    def classify(self, images):
        return np.tile(np.float32([0.1, 0.7, 0.2]), (len(images), 1))

    def why_not(self, task):
        return f"Linear cannot {task}."

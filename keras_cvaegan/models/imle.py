"""IMLE: conditional implicit maximum likelihood estimation."""

from __future__ import annotations

from typing import Any, ClassVar

import keras
from keras import ops

from keras_cvaegan import losses
from keras_cvaegan.models.generative_model import GenerativeModel
from keras_cvaegan.networks.common import check_positive_integer
from keras_cvaegan.ops import random
from keras_cvaegan.ops.nearest import nearest
from keras_cvaegan.ops.precision import full_precision_dtype

CANDIDATE_STREAM = 400


@keras.saving.register_keras_serializable(package="keras_cvaegan")
class IMLE(GenerativeModel):
    """Implicit maximum likelihood estimation (Li & Malik, "Implicit Maximum Likelihood Estimation",
    2018), given the label.

    Of m n fresh candidates T(ε_j, c_j), ε_j ~ N(0, I), m for each of the n examples of a batch and
    of its class, the nearest one is pulled to each example, and no other:

        σ(i) = argmin over j with c_j = c_i of ‖x_i − T(ε_j, c_j)‖²
        T minimizes  ½ E[‖x_i − T(ε_σ(i), c_i)‖²]

    So every example has a sample near it, where a GAN may leave some out. Candidates of a class
    serve all its examples, and those of a step are drawn anew. `ClusterGuidedGenerator` learns the
    latent codes of a cluster by it.

    Args:
        generator: T, {"z", "labels"} → points (n, d); on images it searches by pixels.
        candidates: m, of each example, each of which costs a forward pass without gradient. Few
            shrink the samples where dimensions are many; of many in few dimensions those that are
            nearest to no example are pulled by none, and stay where no example is.
        class_names, seed, average_decay, horizontal_flip, preset: see `GenerativeModel`.

    Example:

    >>> import numpy as np
    >>> from keras_cvaegan.networks.mlp import mlp_generator
    >>> model = IMLE(mlp_generator((2,), num_classes=3), candidates=4)
    >>> model.compile()
    >>> points, labels = np.zeros((6, 2), "float32"), np.arange(6) % 3
    >>> history = model.fit(points, labels, batch_size=3, verbose=0)
    >>> model.generate([0, 1, 2], seed=0).shape
    (3, 2)
    """

    network_names = ("generator",)
    updates: ClassVar = {"generator": ("generator",)}
    measures = ("nearest_matching",)
    learning_rates: ClassVar = {"generator": 1e-3}

    def __init__(self, generator: keras.Model, *, candidates: int = 16, **kwargs: Any):
        super().__init__({"generator": generator}, **kwargs)
        self.candidates = check_positive_integer("candidates", candidates)

    def compute_objectives(
        self, images: Any, labels: Any, training: bool
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        classes = self.one_hot(labels)
        noise = self._winners(images, classes)
        pulled = self.generator({"z": noise, "labels": classes}, training=training)
        loss = losses.pairwise_matching(images, pulled)
        return {"generator": loss}, {"nearest_matching": loss}

    def _winners(self, images: Any, classes: Any) -> Any:
        """The noise of the candidate nearest to each image, (n, latent_dim)."""
        # Every replica searches among the candidates for the whole batch.
        of_candidates = ops.tile(self.all_replicas(classes), (self.candidates, 1))
        count = ops.shape(of_candidates)[0]
        noise = random.normal(
            ops.arange(count),
            self.latent_dim,
            seed=self.seed,
            step=self.step,
            stream=CANDIDATE_STREAM,
            dtype=full_precision_dtype(),
        )
        found = self.generator({"z": noise, "labels": of_candidates}, training=False)
        winners, _ = nearest(
            _flat(images),
            _flat(ops.stop_gradient(found)),
            query_groups=ops.argmax(classes, axis=1),
            candidate_groups=ops.argmax(of_candidates, axis=1),
        )
        return ops.take(noise, winners, axis=0)


def _flat(images: Any) -> Any:
    return ops.reshape(images, (ops.shape(images)[0], -1))

"""Networks on codes: a Gaussian for each class, and a classifier."""

from __future__ import annotations

import math

import keras

from keras_cvaegan.layers import GaussianMixtureHead
from keras_cvaegan.networks.common import check_positive_integer
from keras_cvaegan.networks.mlp import mlp_classifier
from keras_cvaegan.ops.precision import full_precision_dtype


def mixture(
    latent_dim: int,
    *,
    num_classes: int,
    least_deviation: float = 1e-3,
    name: str = "mixture",
) -> keras.Model:
    """A `GaussianMixtureHead` as a network.

    Args:
        latent_dim: dimensions of the codes.
        num_classes: number of classes, at least 1.
        least_deviation: value that no σ_c falls below: codes and their Gaussians that are free to
            contract together do so without end.
        name: name of the model.

    Returns:
        A model of codes (n, latent_dim) to log-likelihoods of the classes (n, num_classes).

    Example:

    >>> mixture(5, num_classes=3).output.shape
    (None, 3)
    """
    check_positive_integer("latent_dim", latent_dim)
    check_positive_integer("num_classes", num_classes)
    z = keras.Input((latent_dim,), dtype=full_precision_dtype(), name="z")
    head = GaussianMixtureHead(
        num_classes, log_variance_range=(2.0 * math.log(least_deviation), 14.0), name="head"
    )
    return keras.Model(z, head(z), name=name)


def latent_classifier(
    latent_dim: int, *, num_classes: int, hidden_units: int = 256, name: str = "latent_classifier"
) -> keras.Model:
    """Classifier of codes with one hidden layer (B.2 and B.3, Zheng & Sun 2019).

    Args:
        latent_dim: dimensions of the codes.
        num_classes: number of classes, at least 1.
        hidden_units: units of the hidden layer.
        name: name of the model.

    Returns:
        A model of codes (n, latent_dim) to {"logits": (n, num_classes), "features"}, float32.

    Example:

    >>> latent_classifier(5, num_classes=3).output["logits"].shape
    (None, 3)
    """
    return mlp_classifier(
        (latent_dim,), num_classes=num_classes, hidden_units=(hidden_units,), name=name
    )

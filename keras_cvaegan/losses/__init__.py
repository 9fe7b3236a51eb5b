"""The published terms, each a pure function of tensors, in float32 (or float64) inside.

Sums run over the dimensions of an example, means over the examples of a batch: the weights λ of
Eq. 7 keep their meaning only so.
"""

from keras_cvaegan.losses.adversarial import (
    discriminator_loss,
    hinge_discriminator_loss,
    hinge_generator_loss,
    minimax_generator_loss,
    non_saturating_generator_loss,
    wasserstein_distance,
)
from keras_cvaegan.losses.classification import classification_loss
from keras_cvaegan.losses.codes import likelihood_loss, uniform_target_loss
from keras_cvaegan.losses.feature_matching import (
    class_mean_feature_matching,
    mean_feature_matching,
    pairwise_matching,
)
from keras_cvaegan.losses.variational import kl_divergence

__all__ = [
    "class_mean_feature_matching",
    "classification_loss",
    "discriminator_loss",
    "hinge_discriminator_loss",
    "hinge_generator_loss",
    "kl_divergence",
    "likelihood_loss",
    "mean_feature_matching",
    "minimax_generator_loss",
    "non_saturating_generator_loss",
    "pairwise_matching",
    "uniform_target_loss",
    "wasserstein_distance",
]

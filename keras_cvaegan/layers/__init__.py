"""Layers of the family's models, each usable in any Keras model."""

from keras_cvaegan.layers.class_centers import ClassCenters
from keras_cvaegan.layers.conditional_batch_normalization import ConditionalBatchNormalization
from keras_cvaegan.layers.gaussian_sampling import GaussianSampling

__all__ = ["ClassCenters", "ConditionalBatchNormalization", "GaussianSampling"]

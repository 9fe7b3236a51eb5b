"""Layers of the family's models, each usable in any Keras model."""

from keras_cvaegan.layers.batch_normalization import BatchNormalization
from keras_cvaegan.layers.class_centers import ClassCenters
from keras_cvaegan.layers.class_moments import ClassMoments
from keras_cvaegan.layers.conditional_batch_normalization import ConditionalBatchNormalization
from keras_cvaegan.layers.differentiable_augmentation import DifferentiableAugmentation
from keras_cvaegan.layers.gaussian_mixture_head import GaussianMixtureHead
from keras_cvaegan.layers.gaussian_sampling import GaussianSampling
from keras_cvaegan.layers.grid_means import GridMeans
from keras_cvaegan.layers.low_pass import LowPass
from keras_cvaegan.layers.projection_head import ProjectionHead
from keras_cvaegan.layers.spectral_normalization import SpectralNormalization
from keras_cvaegan.layers.upsampling_convolution import UpsamplingConv2D

__all__ = [
    "BatchNormalization",
    "ClassCenters",
    "ClassMoments",
    "ConditionalBatchNormalization",
    "DifferentiableAugmentation",
    "GaussianMixtureHead",
    "GaussianSampling",
    "GridMeans",
    "LowPass",
    "ProjectionHead",
    "SpectralNormalization",
    "UpsamplingConv2D",
]

"""Encoders, generators, discriminators and classifiers by architecture, and presets of them.

Every network takes labels as class weights of shape (n, num_classes): one-hot rows, or mixtures
of classes that sum to 1. Encoders give {"z_mean", "z_log_var"}, generators images in [−1, 1],
discriminators and classifiers {"logits", "features", "block_1", …}; those on a frozen trunk take
its outputs, and the discriminator gives them on.
"""

from keras_cvaegan.networks.alexnet import alexnet_classifier
from keras_cvaegan.networks.cifar import (
    cifar_decoder,
    cifar_encoder,
    cifar_projection_discriminator,
)
from keras_cvaegan.networks.compact import (
    compact_classifier,
    compact_discriminator,
    compact_encoder,
    compact_generator,
    compact_projection_discriminator,
)
from keras_cvaegan.networks.conditional import conditional_discriminator
from keras_cvaegan.networks.dcgan import dcgan_discriminator
from keras_cvaegan.networks.generator_features import (
    feature_layers,
    feature_network,
    layers_network,
    unconditional_network,
)
from keras_cvaegan.networks.googlenet import googlenet_encoder
from keras_cvaegan.networks.latent import latent_classifier, mixture
from keras_cvaegan.networks.mlp import (
    mlp_classifier,
    mlp_discriminator,
    mlp_encoder,
    mlp_generator,
    mlp_projection_discriminator,
)
from keras_cvaegan.networks.photo import photo_classifier, photo_discriminator
from keras_cvaegan.networks.presets import PRESETS, Preset, preset
from keras_cvaegan.networks.projection import projection_discriminator
from keras_cvaegan.networks.upsampling_generator import upsampling_generator
from keras_cvaegan.networks.vgg import vgg_decoder, vgg_encoder, vgg_projection_discriminator

__all__ = [
    "PRESETS",
    "Preset",
    "alexnet_classifier",
    "cifar_decoder",
    "cifar_encoder",
    "cifar_projection_discriminator",
    "compact_classifier",
    "compact_discriminator",
    "compact_encoder",
    "compact_generator",
    "compact_projection_discriminator",
    "conditional_discriminator",
    "dcgan_discriminator",
    "feature_layers",
    "feature_network",
    "googlenet_encoder",
    "latent_classifier",
    "layers_network",
    "mixture",
    "mlp_classifier",
    "mlp_discriminator",
    "mlp_encoder",
    "mlp_generator",
    "mlp_projection_discriminator",
    "photo_classifier",
    "photo_discriminator",
    "preset",
    "projection_discriminator",
    "unconditional_network",
    "upsampling_generator",
    "vgg_decoder",
    "vgg_encoder",
    "vgg_projection_discriminator",
]

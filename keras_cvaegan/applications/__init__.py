"""What a trained model is for: each application works on any fitted model."""

from keras_cvaegan.applications.latent_directions import (
    PrincipalDirections,
    principal_directions,
)
from keras_cvaegan.applications.plug_and_play import PlugAndPlay, denoising_prior

__all__ = ["PlugAndPlay", "PrincipalDirections", "denoising_prior", "principal_directions"]

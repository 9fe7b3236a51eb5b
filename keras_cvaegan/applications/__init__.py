"""What a trained model is for: each application works on any fitted model."""

from keras_cvaegan.applications.plug_and_play import PlugAndPlay, denoising_prior

__all__ = ["PlugAndPlay", "denoising_prior"]

"""The models, each a file of networks and objectives on the contract of `GenerativeModel`."""

from keras_cvaegan.models.cvae_gan import CVAEGAN
from keras_cvaegan.models.generative_model import GenerativeModel

MODELS: dict[str, type[GenerativeModel]] = {"cvae_gan": CVAEGAN}
"""Command-line name of each model and its class."""

__all__ = ["CVAEGAN", "MODELS", "GenerativeModel"]

"""The models, each a file of networks and objectives on the contract of `GenerativeModel`."""

from keras_cvaegan.models.cgan import CGAN
from keras_cvaegan.models.cluster_guided import ClusterGuidedGenerator
from keras_cvaegan.models.cvae import CVAE
from keras_cvaegan.models.cvae_gan import CVAEGAN
from keras_cvaegan.models.fm_cgan import FMCGAN
from keras_cvaegan.models.fm_gan import FMGAN
from keras_cvaegan.models.gan import GAN
from keras_cvaegan.models.generative_model import GenerativeModel
from keras_cvaegan.models.imle import IMLE
from keras_cvaegan.models.lr_li_vae import LRLIVAE
from keras_cvaegan.models.lr_li_vae_gan import LRLIVAEGAN
from keras_cvaegan.models.vae import VAE
from keras_cvaegan.models.vae_gan import VAEGAN
from keras_cvaegan.models.wgan import WGAN
from keras_cvaegan.names import MODEL_NAMES
from keras_cvaegan.training.phases import Phase

MODELS: dict[str, type[GenerativeModel]] = dict(
    zip(
        MODEL_NAMES,
        (VAE, GAN, WGAN, FMGAN, VAEGAN, CVAE, CGAN, FMCGAN, CVAEGAN, LRLIVAE, LRLIVAEGAN),
        strict=True,
    )
)
"""Command-line name of each model and its class."""

__all__ = [
    "CGAN",
    "CVAE",
    "CVAEGAN",
    "FMCGAN",
    "FMGAN",
    "GAN",
    "IMLE",
    "LRLIVAE",
    "LRLIVAEGAN",
    "MODELS",
    "VAE",
    "VAEGAN",
    "WGAN",
    "ClusterGuidedGenerator",
    "GenerativeModel",
    "Phase",
]

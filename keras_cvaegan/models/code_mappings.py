"""What may learn the codes of clusters: models of points with one network for T."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from keras_cvaegan.models.cgan import CGAN
from keras_cvaegan.models.cvae import CVAE
from keras_cvaegan.models.generative_model import GenerativeModel
from keras_cvaegan.models.imle import IMLE
from keras_cvaegan.networks.mlp import (
    mlp_encoder,
    mlp_generator,
    mlp_projection_discriminator,
)

HIDDEN_UNITS = (256, 256, 256)


def _imle(sizes: Mapping[str, Any], **kwargs: Any) -> GenerativeModel:
    return IMLE(mlp_generator(residual=True, **sizes), **kwargs)


def _gan(sizes: Mapping[str, Any], **kwargs: Any) -> GenerativeModel:
    shared = {name: sizes[name] for name in ("image_shape", "num_classes", "hidden_units")}
    discriminator = mlp_projection_discriminator(**shared)
    return CGAN(mlp_generator(residual=True, **sizes), discriminator, **kwargs)


def _vae(sizes: Mapping[str, Any], **kwargs: Any) -> GenerativeModel:
    # As a part of the codes' own variance, 1, what the decoder leaves open is 0.1.
    kwargs = {"kl_weight": 0.1, **kwargs}
    return CVAE(mlp_encoder(**sizes), mlp_generator(residual=True, **sizes), **kwargs)


MAPPINGS: dict[str, Callable[..., GenerativeModel]] = {"imle": _imle, "gan": _gan, "vae": _vae}
"""What T may be trained as, by name: functions of the networks' sizes and of other arguments."""

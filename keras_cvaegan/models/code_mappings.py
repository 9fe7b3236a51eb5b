"""What may learn the codes of clusters: models of points with one network for T."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras

from keras_cvaegan.models.arguments import check_choice
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


def named_mapping(
    name: str,
    code_dim: int,
    n_clusters: int,
    *,
    hidden_units: Sequence[int],
    arguments: Mapping[str, Any],
    **given: Any,
) -> GenerativeModel:
    """Builds a model of codes by its name. It seeds the global generators.

    Args:
        name: key of `MAPPINGS`.
        code_dim: dimensions of codes and of noise.
        n_clusters: number of classes.
        hidden_units: units of the networks' hidden layers.
        arguments: arguments of the model's constructor, which go before `given`.
        **given: arguments of every model's constructor, its `seed` among them.

    Raises:
        ValueError: for an unknown name, or arguments that the constructor does not take.
    """
    check_choice("mapping", name, MAPPINGS)
    sizes = {
        "image_shape": (code_dim,),
        "num_classes": n_clusters,
        "latent_dim": code_dim,
        "hidden_units": tuple(hidden_units),
    }
    keras.utils.set_random_seed(given["seed"])
    try:
        return MAPPINGS[name](sizes, **{**given, **arguments})
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"mapping_arguments are of the constructor of {name!r}. Received: "
            f"{dict(arguments)}. ({error})"
        ) from error


def given_mapping(
    mapping: GenerativeModel,
    hidden_units: Sequence[int] | None,
    mapping_arguments: Mapping[str, Any] | None,
    class_names: Sequence[str] | None,
) -> GenerativeModel:
    """Returns a model of codes that is there already, where nothing else is said of it.

    Raises:
        ValueError: for what a model that is there cannot take.
    """
    if hidden_units is not None or mapping_arguments:
        raise ValueError(
            "hidden_units and mapping_arguments are of a mapping that is built. Received: both a "
            f"{type(mapping).__name__} and one of them."
        )
    if class_names is not None and tuple(class_names) != mapping.class_names:
        raise ValueError(
            f"The mapping has its own class_names, {list(mapping.class_names)}. Received: "
            f"{list(class_names)}."
        )
    return mapping

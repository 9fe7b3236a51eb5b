"""What a trained model is for: each application works on any fitted model."""

from keras_cvaegan.applications.inpainting import fill_holes, inpaint
from keras_cvaegan.applications.inputs import reconstruct
from keras_cvaegan.applications.interpolation import interpolate
from keras_cvaegan.applications.latent_directions import (
    PrincipalDirections,
    principal_directions,
)
from keras_cvaegan.applications.latent_walks import (
    Walk,
    dimension_changes,
    dimension_walk,
    latent_walk,
    part_of_code,
)
from keras_cvaegan.applications.masks import (
    hole_masks,
    picture_mask,
    rectangle_mask,
    region_mask,
)
from keras_cvaegan.applications.plug_and_play import PlugAndPlay, denoising_prior
from keras_cvaegan.applications.recombination import recombine

__all__ = [
    "PlugAndPlay",
    "PrincipalDirections",
    "Walk",
    "denoising_prior",
    "dimension_changes",
    "dimension_walk",
    "fill_holes",
    "hole_masks",
    "inpaint",
    "interpolate",
    "latent_walk",
    "part_of_code",
    "picture_mask",
    "principal_directions",
    "recombine",
    "reconstruct",
    "rectangle_mask",
    "region_mask",
]

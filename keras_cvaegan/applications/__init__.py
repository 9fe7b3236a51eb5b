"""What a trained model is for: each application works on any fitted model."""

from keras_cvaegan.applications.attribute_transfer import transfer
from keras_cvaegan.applications.augmentation import (
    Augmentation,
    FewAcceptedWarning,
    Mix,
    augment,
    new_classes,
    plan,
)
from keras_cvaegan.applications.ganspace import GanspaceDirections, ganspace_directions
from keras_cvaegan.applications.inpainting import fill_holes, inpaint
from keras_cvaegan.applications.inputs import guess_labels, reconstruct
from keras_cvaegan.applications.interpolation import interpolate
from keras_cvaegan.applications.inversion import encode_by_optimisation, find_codes
from keras_cvaegan.applications.latent_directions import (
    PrincipalDirections,
    principal_directions,
)
from keras_cvaegan.applications.latent_map import (
    LatentMap,
    LatentStatistics,
    latent_map,
    latent_statistics,
    map_cells,
)
from keras_cvaegan.applications.latent_walks import (
    Walk,
    dimension_changes,
    dimension_walk,
    direction_walk,
    latent_walk,
    part_of_code,
)
from keras_cvaegan.applications.layer_survey import LayerClusters, layer_survey
from keras_cvaegan.applications.masks import (
    hole_masks,
    picture_mask,
    rectangle_mask,
    region_mask,
)
from keras_cvaegan.applications.morphing import morph
from keras_cvaegan.applications.novelty import Copies, find_copies
from keras_cvaegan.applications.picture_codes import picture_codes
from keras_cvaegan.applications.plug_and_play import PlugAndPlay, denoising_prior
from keras_cvaegan.applications.recombination import recombine
from keras_cvaegan.applications.retrieval import LatentIndex
from keras_cvaegan.applications.sefa import sefa_directions
from keras_cvaegan.applications.super_resolution import (
    back_project,
    enlarge,
    shrink,
    super_resolve,
)

__all__ = [
    "Augmentation",
    "Copies",
    "FewAcceptedWarning",
    "GanspaceDirections",
    "LatentIndex",
    "LatentMap",
    "LatentStatistics",
    "LayerClusters",
    "Mix",
    "PlugAndPlay",
    "PrincipalDirections",
    "Walk",
    "augment",
    "back_project",
    "denoising_prior",
    "dimension_changes",
    "dimension_walk",
    "direction_walk",
    "encode_by_optimisation",
    "enlarge",
    "fill_holes",
    "find_codes",
    "find_copies",
    "ganspace_directions",
    "guess_labels",
    "hole_masks",
    "inpaint",
    "interpolate",
    "latent_map",
    "latent_statistics",
    "latent_walk",
    "layer_survey",
    "map_cells",
    "morph",
    "new_classes",
    "part_of_code",
    "picture_codes",
    "picture_mask",
    "plan",
    "principal_directions",
    "recombine",
    "reconstruct",
    "rectangle_mask",
    "region_mask",
    "sefa_directions",
    "shrink",
    "super_resolve",
    "transfer",
]

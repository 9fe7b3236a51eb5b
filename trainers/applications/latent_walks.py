"""Walks through a model's code: its parts, its dimensions, and what they change."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from keras_cvaegan import applications
from keras_cvaegan.models import LRLIVAE, GenerativeModel
from keras_cvaegan.progress import Progress

# Latents along which the change that a dimension makes is measured.
MEASURED_LATENTS = 16


@dataclasses.dataclass(frozen=True)
class CodeParts:
    """The parts of a model's code.

    Args:
        files: names of the parts, by the file that a walk through each goes to.
        varied: name of the part whose single dimensions are varied.
        symbol: name of that part in papers.
        size: number of its dimensions.
    """

    files: Mapping[str, str]
    varied: str
    symbol: str
    size: int


def code_parts(model: GenerativeModel) -> CodeParts:
    """Returns the parts of a model's code: z_s and z_u where there are two, or z."""
    files, varied, symbol = {"z.png": "all"}, "all", "z"
    if isinstance(model, LRLIVAE):
        files = {"relevant.png": "relevant", "irrelevant.png": "irrelevant"}
        varied, symbol = "irrelevant", "z_u"
    found = applications.part_of_code(model, varied)
    return CodeParts(files, varied, symbol, found.stop - found.start)


def measure_dimensions(
    model: GenerativeModel, labels: Sequence[int], parts: CodeParts, reach: float
) -> np.ndarray:
    """Returns how much pictures change along each dimension, and shows how far it is.

    Args:
        model: model to walk through.
        labels: classes of the pictures.
        parts: parts of its code, see `code_parts`.
        reach: distance that dimensions go from 0 to both sides.
    """
    changes = []
    with Progress("Measuring dimensions:", parts.size, "dimensions") as progress:
        for number in range(parts.size):
            changes.append(
                applications.dimension_changes(
                    model, labels, [number], part=parts.varied, reach=reach, count=MEASURED_LATENTS
                )
            )
            progress.update()
    return np.concatenate(changes)


def walks(
    model: GenerativeModel,
    labels: Sequence[int],
    parts: CodeParts,
    dimensions: Sequence[int],
    *,
    reach: float,
    steps: int,
    seed: int,
) -> dict[str, np.ndarray]:
    """Returns rows of pictures by file name, float (rows, steps, height, width, channels).

    Args:
        model: model to walk through.
        labels: classes, a row each; single dimensions are varied of the first.
        parts: parts of its code, see `code_parts`.
        dimensions: numbers of the single dimensions, a row each of `dimensions.png`.
        reach: distance that single dimensions go from 0 to both sides.
        steps: number of pictures in a row.
        seed: seed of the ends of the walks and of what is fixed.
    """
    found = {
        name: applications.latent_walk(model, labels, part=part, steps=steps, seed=seed).images
        for name, part in parts.files.items()
    }
    walk = applications.dimension_walk(
        model, labels[0], dimensions, part=parts.varied, reach=reach, steps=steps, seed=seed
    )
    return {**found, "dimensions.png": walk.images}

"""Small pictures that are to be enlarged: of files, or held-out ones that are reduced."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from keras_cvaegan import pictures
from keras_cvaegan.applications import shrink
from keras_cvaegan.models import GenerativeModel
from trainers.applications.restoration import given_labels
from trainers.command_line.flags import to_integer
from trainers.pictures.given import picture_paths, picture_side
from trainers.pictures.named import NamedPictures


@dataclasses.dataclass(frozen=True)
class SmallPictures:
    """Small pictures of one size.

    Args:
        factor: number by which height and width are to be multiplied.
        small: pictures at their own size.
        originals: large pictures, uint8 (n, side, side, 3); None where they are not known.
    """

    factor: int
    small: NamedPictures
    originals: np.ndarray | None = None

    @property
    def title(self) -> str:
        """What tables and files call it."""
        return f"x{self.factor}"

    def without_labels(self) -> "SmallPictures":
        """Returns the same pictures, of which no labels are known."""
        return dataclasses.replace(self, small=dataclasses.replace(self.small, labels=None))


def parse_factors(text: str, side: int) -> list[int]:
    """Returns the factors that `--factors` lists, each once, in ascending order.

    Args:
        text: value of the flag.
        side: side of the large pictures.

    Raises:
        ValueError: for what does not divide the side, or is below 2.

    Example:

    >>> parse_factors("4,2", side=32)
    [2, 4]
    """
    factors = {to_integer(part, "--factors") for part in text.split(",")}
    for factor in factors:
        if factor not in _divisors(side):
            allowed = ", ".join(map(str, _divisors(side)))
            raise ValueError(
                f"--factors takes whole numbers that divide the pictures' side, {side}: {allowed}. "
                f"Received: {factor}."
            )
    return sorted(factors)


def _divisors(side: int) -> list[int]:
    return [factor for factor in range(2, side + 1) if side % factor == 0]


def given_pictures(
    texts: Sequence[str], labels: str | None, models: Sequence[GenerativeModel]
) -> list[SmallPictures]:
    """Returns the pictures of `--pictures` by factor, the lowest first.

    Args:
        texts: values of `--pictures`, see `picture_paths`.
        labels: value of `--labels`.
        models: models that are to enlarge them.

    Raises:
        ValueError: for pictures or labels that the models do not take.
    """
    found, names = read_small(texts, picture_side(models[0]))
    known = given_labels(labels, len(found), models)
    factors = np.array([models[0].image_shape[0] // len(picture) for picture in found])
    groups = []
    for factor in np.unique(factors).tolist():
        rows = np.flatnonzero(factors == factor)
        small = NamedPictures(
            np.stack([found[row] for row in rows]),
            [names[row] for row in rows],
            None if known is None else known[rows],
        )
        groups.append(SmallPictures(factor, small))
    return groups


def read_small(texts: Sequence[str], side: int) -> tuple[list[np.ndarray], list[str]]:
    """Reads the small pictures that `--pictures` names, as they are.

    Args:
        texts: values of the flag, see `picture_paths`.
        side: side of the pictures that they are to be enlarged to.

    Returns:
        The pictures, uint8 (side / factor, side / factor, 3) each, and their names.

    Raises:
        ValueError: for files that are missing, no pictures or of another size; it names the file.
    """
    sides = [side // factor for factor in _divisors(side)]
    paths = picture_paths(texts, "pictures")
    found = [pictures.read_picture(path) for path in paths]
    for path, picture in zip(paths, found, strict=True):
        height, width, _ = picture.shape
        if height != width or height not in sides:
            allowed = ", ".join(f"{each}×{each}" for each in sides)
            raise ValueError(
                f"--pictures takes small ones, of {allowed} pixels for a model of {side}×{side}. "
                f"Received: {str(path)!r}, which has {width}×{height}."
            )
    return found, [str(path) for path in paths]


def reduced_pictures(taken: NamedPictures, factors: Sequence[int]) -> list[SmallPictures]:
    """Returns pictures reduced by each of some factors."""
    return [
        SmallPictures(
            factor,
            dataclasses.replace(taken, images=reduce_pictures(taken.images, factor)),
            taken.images,
        )
        for factor in factors
    ]


def reduce_pictures(images: np.ndarray, factor: int) -> np.ndarray:
    """Returns the means over squares of pixels, rounded to uint8.

    Example:

    >>> reduce_pictures(np.array([[[[0], [255]], [[254], [255]]]], np.uint8), 2)
    array([[[[191]]]], dtype=uint8)
    """
    return np.rint(shrink(images, factor)).astype(np.uint8)

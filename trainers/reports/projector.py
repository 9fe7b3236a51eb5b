"""Files for TensorBoard's projector: codes, what each is of, and its picture."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tensorboard.plugins import projector

from keras_cvaegan import pictures
from keras_cvaegan.files import write_text

# A texture of the browser's has at most so many pixels a side.
SPRITE_SIDE = 8192


def thumbnail_side(count: int) -> int:
    """Returns the largest side of as many pictures that fit into a texture.

    Example:

    >>> thumbnail_side(10_000)
    81
    """
    return SPRITE_SIDE // _columns(count)


def _columns(count: int) -> int:
    """The projector draws square grids alone."""
    return math.ceil(math.sqrt(count))


def write_projector(
    folder: Path,
    symbol: str,
    z: np.ndarray,
    images: np.ndarray,
    names: Sequence[str],
    classes: Sequence[str],
) -> None:
    """Writes what TensorBoard's projector reads.

    Args:
        folder: folder to write to; made when missing.
        symbol: name of the codes.
        z: codes, (n, d).
        images: picture of each code, uint8 (n, height, width, 3), at most `thumbnail_side` large.
        names: name of each picture.
        classes: name of each picture's class.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lines = ("\t".join(f"{value:.6g}" for value in code) for code in z)
    write_text(folder / "tensors.tsv", "\n".join(lines) + "\n")
    write_text(folder / "metadata.tsv", metadata(names, classes))
    columns = _columns(len(z))
    blank = np.full((columns**2 - len(images), *images.shape[1:]), 255, np.uint8)
    sprite = pictures.grid(np.concatenate([images, blank]), columns, padding=0)
    pictures.write_png(folder / "sprite.png", sprite)
    config = projector.ProjectorConfig()
    embedding = config.embeddings.add(
        tensor_name=symbol, tensor_path="tensors.tsv", metadata_path="metadata.tsv"
    )
    embedding.sprite.image_path = "sprite.png"
    embedding.sprite.single_image_dim.extend([images.shape[2], images.shape[1]])
    projector.visualize_embeddings(str(folder), config)


def metadata(names: Sequence[str], classes: Sequence[str]) -> str:
    r"""Returns the contents of metadata.tsv.

    Example:

    >>> metadata(["test 0 (a\tb)"], ["a\tb"])
    'name\tclass\ntest 0 (a b)\ta b\n'
    """
    rows = [("name", "class"), *zip(names, classes, strict=True)]
    return "".join("\t".join(" ".join(cell.split()) for cell in row) + "\n" for row in rows)

"""`pictures`: one's own pictures without classes."""

import os

from datasets.pipeline.registry import Source, register
from datasets.reading import files
from datasets.reading.files import EXTENSIONS

CLASS_NAME = "picture"

_LAYOUT = f"pictures ({' '.join(EXTENSIONS)}), in folders or not"


@register("pictures", doc="your own pictures without classes: all below data_dir")
def pictures(
    split: str,
    image_size: int,
    data_dir: str | os.PathLike | None = None,
    hold_out: bool = True,
) -> Source:
    """Returns one split of the pictures anywhere below a folder, as of one class.

    They are split by a hash of their paths: see `files.share`. Hidden files and folders are left
    out.

    Args:
        split: name of the split, "train", "validation" or "test".
        image_size: height and width, in pixels, that pictures are cropped and resized to.
        data_dir: folder of the pictures.
        hold_out: whether some are kept from the training; without, it has all of them, and the
            other splits are empty.

    Raises:
        ValueError: when `data_dir` is no folder, or the split has no pictures.
    """
    root = files.existing("pictures", data_dir, _LAYOUT)
    paths = list(files.pictures_below(root, root))
    if not paths:
        raise ValueError(f"{str(root)!r} has no {_LAYOUT}.")
    chosen = files.share(paths, split) if hold_out else [[], paths][split == "train"]
    if not chosen:
        raise ValueError(
            f"The split {split!r} of {str(root)!r} is empty: it has {len(paths)} pictures in all."
        )
    return files.source(root, {CLASS_NAME: chosen}, image_size)

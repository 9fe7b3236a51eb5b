"""`lfw`: 13,233 pictures of 5,749 people (Huang et al., 2007: Labeled Faces in the Wild)."""

import os

from datasets.pipeline.registry import Source, register
from datasets.reading import files, people
from datasets.reading.lfw_folder import people_in


@register("lfw", doc="Labeled Faces in the Wild: 13,233 pictures of 5,749 people")
def lfw(
    split: str,
    image_size: int,
    data_dir: str | os.PathLike | None = None,
    min_images: int = 20,
) -> Source:
    """Returns one split of the people of whom there are enough pictures.

    Splits are by `files.share`: the same wherever the pictures lie, and for every alignment.

    Args:
        split: name of the split, "train", "validation" or "test".
        image_size: height and width, in pixels, that pictures are resized to.
        data_dir: folder with a folder for each person, or the folder around it, or that of an
            archive (`lfw.tgz`, `lfw-funneled.tgz`, `lfw-deepfunneled.tgz`), which is unpacked
            there. By default TFDS downloads the archive into its own folder, as it does into a
            `data_dir` that has a folder `downloads`.
        min_images: number of pictures, of all splits together, below which a person is left out.
            20 leaves 62 people, 1 all of them.

    Raises:
        ValueError: when there are no such pictures, or fewer than two people with so many; when an
            archive is damaged.
        ConnectionError: when the archive cannot be downloaded.

    Example:

    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from keras_cvaegan import pictures
    >>> with tempfile.TemporaryDirectory() as root:
    ...     for name in ("Ann_Example", "Bob_Example"):
    ...         (Path(root) / name).mkdir()
    ...         for number in range(1, 6):
    ...             path = Path(root) / name / f"{name}_{number:04d}.jpg"
    ...             pictures.write_png(path, np.zeros((250, 250, 3), np.uint8))
    ...     source = lfw("train", 64, root, min_images=5)
    >>> source.class_names, source.count
    (('Ann Example', 'Bob Example'), 6)
    """
    root, found = people_in(data_dir)
    found = {name.replace("_", " "): paths for name, paths in found.items()}
    classes = people.of_split(found, split, min_images, repr(str(root)))
    return files.source(root, classes, image_size)

"""Animations of pictures as files."""

import os
from collections.abc import Sequence

import numpy as np
from PIL import Image

from keras_cvaegan.files import replacing


def write_gif(
    path: str | os.PathLike, frames: np.ndarray | Sequence[np.ndarray], milliseconds: Sequence[int]
) -> None:
    """Writes an animation that begins again for ever; whoever looks sees the whole file.

    Args:
        path: path of the file, in a folder that exists.
        frames: pictures of one size, `uint8 (height, width, 3)` each, at least one.
        milliseconds: time that each of them is shown.

    Raises:
        ValueError: for no frame, or another number of durations.
        OSError: when the file cannot be written.

    Example:

    >>> import tempfile
    >>> black = np.zeros((8, 8, 3), np.uint8)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_gif(f"{folder}/blinking.gif", [black, black + 255], [100, 700])
    ...     os.listdir(folder)
    ['blinking.gif']
    """
    if not len(frames) or len(frames) != len(milliseconds):
        raise ValueError(
            "An animation takes at least one frame, and a duration of each. Received: "
            f"{len(frames)} frames and {len(milliseconds)} durations."
        )
    first, *others = (Image.fromarray(frame) for frame in frames)
    with replacing(path, ending=".gif", durable=False) as partial:
        first.save(
            partial, save_all=True, append_images=others, duration=list(milliseconds), loop=0
        )

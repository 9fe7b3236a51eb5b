"""Pictures, with what each is called."""

import dataclasses
from collections.abc import Sequence

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class NamedPictures:
    """Pictures, and what each is called.

    Args:
        images: pictures, uint8 `(n, height, width, 3)`.
        names: names of the pictures, for the reader.
        labels: labels, int `(n,)`; None where they are not known.
    """

    images: np.ndarray
    names: Sequence[str]
    labels: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.images)

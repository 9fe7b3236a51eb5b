"""`cub200`: 11,788 pictures of 200 species of birds (Wah et al., 2011)."""

import contextlib
import io
import os
import types
from collections.abc import Iterator
from unittest import mock

import numpy as np
from PIL import Image

from datasets.pipeline.registry import Source, register
from datasets.reading import tfds_source


@register("cub200", doc="CUB-200-2011: 11,788 pictures of 200 species of birds")
def cub200(
    split: str,
    image_size: int,
    data_dir: str | os.PathLike | None = None,
    crop_to_box: bool = False,
) -> Source:
    """Returns one split: see `tfds_source`."""
    with _masks_by_pillow():
        builder = tfds_source.prepared_builder("caltech_birds2011", data_dir)
    return tfds_source.source(builder, split, image_size, crop_to_box)


@contextlib.contextmanager
def _masks_by_pillow() -> Iterator[None]:
    """Lets TFDS read the birds' masks, for which it wants OpenCV, a package of 50 MB."""
    import tensorflow_datasets as tfds

    def imdecode(data: np.ndarray, flags: int) -> np.ndarray:
        return np.array(Image.open(io.BytesIO(data)).convert("L"))

    stand_in = types.SimpleNamespace(imdecode=imdecode)
    with mock.patch.object(tfds.core.lazy_imports, "cv2", stand_in):
        yield

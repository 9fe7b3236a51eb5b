"""`flowers102`: 8,189 pictures of 102 kinds of flowers (Nilsback and Zisserman, 2008)."""

import os

from datasets.pipeline.registry import Source, register
from datasets.reading import tfds_source


@register("flowers102", doc="Oxford 102 Flowers: 8,189 pictures of 102 kinds of flowers")
def flowers102(split: str, image_size: int, data_dir: str | os.PathLike | None = None) -> Source:
    """Returns one split: see `tfds_source`."""
    builder = tfds_source.prepared_builder("oxford_flowers102", data_dir)
    return tfds_source.source(builder, split, image_size)

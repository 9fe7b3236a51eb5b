"""`cub200_2010`: 6,033 pictures of 200 species of birds (Welinder et al., 2010)."""

import os

from datasets.pipeline.registry import Source, register
from datasets.reading import tfds_source


@register("cub200_2010", doc="CUB-200-2010: 6,033 pictures of 200 species of birds")
def cub200_2010(
    split: str,
    image_size: int,
    data_dir: str | os.PathLike | None = None,
    crop_to_box: bool = False,
) -> Source:
    """Returns one split: see `tfds_source`."""
    builder = tfds_source.prepared_builder(
        "caltech_birds2010", data_dir, unnamed_archive="annotations.tgz"
    )
    return tfds_source.source(builder, split, image_size, crop_to_box)

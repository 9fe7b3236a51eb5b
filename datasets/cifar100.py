"""`cifar100`: 60,000 pictures of 32×32 pixels in 100 classes (Krizhevsky, 2009)."""

import os

from datasets.pipeline.registry import Source, register
from datasets.reading import tfds_source


@register("cifar100", doc="CIFAR-100: 60,000 pictures of 32×32 pixels in 100 classes")
def cifar100(split: str, image_size: int, data_dir: str | os.PathLike | None = None) -> Source:
    """Returns one split: see `tfds_source`."""
    builder = tfds_source.prepared_builder("cifar100", data_dir)
    return tfds_source.source(builder, split, image_size)

"""`cifar10`: 60,000 pictures of 32×32 pixels in 10 classes (Krizhevsky, 2009)."""

import os

from datasets.pipeline.registry import Source, register
from datasets.reading import tfds_source


@register("cifar10", doc="CIFAR-10: 60,000 pictures of 32×32 pixels in 10 classes")
def cifar10(split: str, image_size: int, data_dir: str | os.PathLike | None = None) -> Source:
    """Returns one split: see `tfds_source`."""
    builder = tfds_source.prepared_builder("cifar10", data_dir)
    return tfds_source.source(builder, split, image_size)

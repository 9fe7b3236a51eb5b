"""Data sets and the input pipeline; a data set is one file here, registered by `register`."""

from datasets.pipeline.cache import Prepared, prepare
from datasets.pipeline.description import Description
from datasets.pipeline.loading import load
from datasets.pipeline.registry import (
    SPLITS,
    Batch,
    Source,
    Unreadable,
    get,
    in_batches,
    names,
    register,
)
from datasets.pipeline.semi_supervised import load_semi_supervised

__all__ = [
    "SPLITS",
    "Batch",
    "Description",
    "Prepared",
    "Source",
    "Unreadable",
    "get",
    "in_batches",
    "load",
    "load_semi_supervised",
    "names",
    "prepare",
    "register",
]

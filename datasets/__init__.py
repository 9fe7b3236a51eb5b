"""Data sets and the input pipeline; a data set is one file here, registered by `register`."""

from datasets.cache import Prepared, prepare
from datasets.description import Description
from datasets.pipeline import load
from datasets.registry import (
    SPLITS,
    Batch,
    Source,
    Unreadable,
    get,
    in_batches,
    names,
    register,
)
from datasets.semi_supervised import load_semi_supervised

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

"""Data sets and the input pipeline; a data set is one file here, registered by `register`."""

from datasets.pipeline.cache import Prepared
from datasets.pipeline.description import Description
from datasets.pipeline.open_dataset import OpenDataset, open_dataset
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
from datasets.pipeline.shortcuts import load, prepare

__all__ = [
    "SPLITS",
    "Batch",
    "Description",
    "OpenDataset",
    "Prepared",
    "Source",
    "Unreadable",
    "get",
    "in_batches",
    "load",
    "names",
    "open_dataset",
    "prepare",
    "register",
]

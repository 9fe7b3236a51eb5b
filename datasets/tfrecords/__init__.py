"""A data set as TFRecord files of `tf.train.Example`, for TFX and other pipelines."""

from datasets.tfrecords.example import to_example
from datasets.tfrecords.records import Records, Shard
from datasets.tfrecords.writing import DESCRIPTION, write

__all__ = ["DESCRIPTION", "Records", "Shard", "to_example", "write"]

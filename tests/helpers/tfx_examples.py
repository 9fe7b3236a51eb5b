"""Examples on disk, and what stands for TFX's arguments and its reading of them."""

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf

from datasets import tfrecords
from keras_cvaegan import pictures

SIZE, CLASSES = 16, 2


@dataclasses.dataclass
class FnArgs:
    """The attributes of TFX's `FnArgs` that a run function reads."""

    train_files: list[str]
    eval_files: list[str]
    serving_model_dir: str
    model_run_dir: str
    train_steps: int | None = 4
    eval_steps: int | None = None
    data_accessor: Any = None
    custom_config: dict[str, Any] | None = None


def write_petals(folder, count=40):
    """Writes drawn flowers, and returns the patterns of train and test files and class names."""
    options = {"num_classes": CLASSES, "count": count}
    records = tfrecords.Records("petals", SIZE, ("train", "test"), shards=2, options=options)
    about = tfrecords.write(folder, records)
    return [f"{folder}/train-*"], [f"{folder}/test-*"], about["class_names"]


def write_file(path, *examples):
    """Writes dictionaries of features as a TFRecord file, and returns its pattern."""
    with tf.io.TFRecordWriter(str(path), "GZIP" if str(path).endswith(".gz") else "") as writer:
        for example in examples:
            feature = {name: to_feature(value) for name, value in example.items()}
            features = tf.train.Features(feature=feature)
            writer.write(tf.train.Example(features=features).SerializeToString())
    return [str(path)]


def to_feature(value):
    if isinstance(value, bytes):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
    if isinstance(value, float):
        return tf.train.Feature(float_list=tf.train.FloatList(value=[value]))
    return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))


def example(label=0, value=100, **features):
    """A picture of one colour and its label, as features."""
    picture = np.full((SIZE, SIZE, 3), value, np.uint8)
    own = {"image/encoded": pictures.encode_png(picture), "image/class/label": label}
    return {**own, **{name.replace("__", "/"): value for name, value in features.items()}}


class DataAccessor:
    """Reads Examples as TFX's does: by a schema, in batches of dense tensors (n, 1)."""

    def __init__(self):
        self.options = []

    def tf_dataset_factory(self, file_pattern, options, schema):
        self.options.append(options)
        types = {"BYTES": tf.string, "INT": tf.int64}
        features = {}
        for feature in schema.feature:
            kind = type(feature).DESCRIPTOR.fields_by_name["type"].enum_type
            dtype = types[kind.values_by_number[feature.type].name]
            shape = [dimension.size for dimension in feature.shape.dim]
            features[feature.name] = tf.io.FixedLenFeature(shape, dtype)
        files = sorted(path for pattern in file_pattern for path in tf.io.gfile.glob(pattern))
        dataset = tf.data.TFRecordDataset(files, "GZIP")
        if options.shuffle:
            dataset = dataset.shuffle(options.shuffle_buffer_size, options.shuffle_seed)
        dataset = dataset.repeat(options.num_epochs).batch(options.batch_size)
        return dataset.map(lambda serialized: tf.io.parse_example(serialized, features))

"""Pictures in serialized `tf.train.Example`s, as TFX and TFRecord files have them."""

from __future__ import annotations

import contextlib
import dataclasses
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_cvaegan.models.arguments import check_choice, check_count
from keras_cvaegan.pictures import graph

HEIGHT_KEY, WIDTH_KEY = "image/height", "image/width"
IMAGE_FORMATS = ("encoded", "raw")

Batch = dict[str, tf.Tensor]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExampleFormat:
    """How pictures and labels lie in Examples, and how they are read.

    Args:
        image_size: side in pixels to which pictures are cropped and resized.
        class_names: one name a class, in the order of the labels.
        num_classes: number of classes, where they have no names.
        conditional: whether labels are read; without, all are 0.
        image_key: name of the feature of the picture: bytes.
        label_key: name of the feature of the class: one integer.
        image_format: "encoded" for JPEG, PNG, GIF, BMP or WebP files; "raw" for uint8 values,
            height × width × 3 of them, beside the integers `image/height` and `image/width`.
        shuffle_buffer: number of Examples among which the next one is drawn.
        seed: seed of the order.

    Raises:
        ValueError: for a value that is not allowed.

    Example:

    >>> ExampleFormat(image_size=64, class_names=["daisy", "rose"]).classes
    2
    """

    image_size: int
    class_names: Sequence[str] | None = None
    num_classes: int | None = None
    conditional: bool = True
    image_key: str = "image/encoded"
    label_key: str = "image/class/label"
    image_format: str = "encoded"
    shuffle_buffer: int = 10_000
    seed: int = 0

    def __post_init__(self) -> None:
        check_choice("image_format", self.image_format, IMAGE_FORMATS)
        check_count("image_size", self.image_size)
        check_count("shuffle_buffer", self.shuffle_buffer)
        for name in ("image_key", "label_key"):
            value = getattr(self, name)
            if not isinstance(value, str):
                raise ValueError(f"{name} must be the name of a feature. Received: {value!r}.")
        if self.label_key == self.image_key:
            raise ValueError(
                f"label_key must be another than image_key. Received: {self.label_key!r}."
            )
        if self.conditional:
            self._check_classes()

    def _check_classes(self) -> None:
        names, count = self.class_names, self.num_classes
        if count is not None:
            check_count("num_classes", count)
        if names is None and count is None:
            raise ValueError(
                "A model that learns classes needs class_names, a list of names in the order of "
                "the labels, or num_classes. Received: neither."
            )
        if names is None:
            return
        texts = isinstance(names, Sequence) and all(isinstance(name, str) for name in names)
        if isinstance(names, str) or not texts or not len(names):
            raise ValueError(
                f"class_names must be a list of names, one a class. Received: {names!r}."
            )
        if count not in (None, len(names)):
            raise ValueError(
                f"There are {len(names)} class_names and num_classes={count}: leave one of them "
                "out."
            )

    @property
    def classes(self) -> int:
        """Number of classes; 1 for an unconditional model."""
        if not self.conditional:
            return 1
        return len(self.class_names) if self.class_names is not None else int(self.num_classes or 0)


def training_batches(
    patterns: Sequence[str], form: ExampleFormat, batch_size: int, accessor: Any = None
) -> tf.data.Dataset:
    """Returns shuffled batches without end: images, uint8 (b, size, size, 3), and labels (b,)."""
    rows = _rows(patterns, form, accessor, shuffle=True).repeat()
    return _decoded(rows.rebatch(batch_size, drop_remainder=True), form)


def batches(
    patterns: Sequence[str], form: ExampleFormat, batch_size: int = 256, accessor: Any = None
) -> tf.data.Dataset:
    """Returns all Examples once, in batches: images, uint8 (b, size, size, 3), and labels (b,)."""
    rows = _rows(patterns, form, accessor, shuffle=False)
    return _decoded(rows.rebatch(batch_size, drop_remainder=False), form)


def counted_batches(found: tf.data.Dataset, steps: int | None = None) -> tf.data.Dataset:
    """Returns batches of a known number, which Keras warns without.

    Args:
        found: batches, once.
        steps: number of batches to take, again from the start where they are fewer; None for all.
    """
    if steps is not None:
        return found.repeat().take(steps)
    count = found.reduce(np.int64(0), lambda count, batch: count + 1)
    return found.apply(tf.data.experimental.assert_cardinality(count))


def check_examples(patterns: Sequence[str], form: ExampleFormat, accessor: Any = None) -> None:
    """Reads the first batch.

    Raises:
        ValueError: when there is none, or it cannot be used.
    """
    with unusable_examples_as_value_errors():
        for _ in batches(patterns, form, accessor=accessor).take(1):
            return
    raise ValueError(
        f"There are no Examples in {', '.join(patterns)}. Give TFRecord files that hold some."
    )


@contextlib.contextmanager
def unusable_examples_as_value_errors() -> Iterator[None]:
    """Around the reading of Examples: what TensorFlow finds wrong becomes one clear error."""
    try:
        yield
    except (tf.errors.InvalidArgumentError, tf.errors.DataLossError) as error:
        raise ValueError(f"The Examples cannot be used: {_reason(error)}") from error


def _reason(error: tf.errors.OpError) -> str:
    """Returns what TensorFlow found wrong, without where in its graph."""
    said = error.message.replace("assertion failed: ", "").partition("\n")[0]
    said = re.sub(r"Error in user-defined function .*? iterator: \S+: ", "", said)
    said = " ".join(re.sub(r"\{\{.*?\}\}|\[\[.*|\[Op:.*|Name: <unknown>,", "", said).split())
    if "could not be found" in said:
        said += " Name yours with image_key and label_key."
    return said


def _rows(
    patterns: Sequence[str], form: ExampleFormat, accessor: Any, shuffle: bool
) -> tf.data.Dataset:
    """Returns batches of the features that are needed, by name, a value a row."""
    if accessor is not None:
        rows = _rows_of_accessor(patterns, form, accessor, shuffle)
    else:
        rows = _rows_of_files(patterns, form, shuffle)
    needed = _features(form)
    for name in needed:
        if name not in rows.element_spec:
            found = ", ".join(sorted(rows.element_spec))
            raise ValueError(
                f"The Examples have no feature {name!r}, but {found}. Name yours with "
                "image_key and label_key."
            )
    return rows.map(lambda row: {name: tf.reshape(row[name], [-1]) for name in needed})


def _features(form: ExampleFormat) -> dict[str, tf.DType]:
    """Returns the features that are read."""
    features = {form.image_key: tf.string}
    if form.conditional:
        features[form.label_key] = tf.int64
    if form.image_format == "raw":
        features |= {HEIGHT_KEY: tf.int64, WIDTH_KEY: tf.int64}
    return features


def _rows_of_accessor(
    patterns: Sequence[str], form: ExampleFormat, accessor: Any, shuffle: bool
) -> tf.data.Dataset:
    """Reads as TFX does, whatever the format of the files."""
    from tensorflow_metadata.proto.v0 import schema_pb2
    from tfx_bsl.public.tfxio import TensorFlowDatasetOptions

    schema = schema_pb2.Schema()
    for name, dtype in _features(form).items():
        kind = schema_pb2.BYTES if dtype == tf.string else schema_pb2.INT
        feature = schema.feature.add(name=name, type=kind)
        feature.presence.min_fraction = 1.0
        feature.shape.dim.add(size=1)
    options = TensorFlowDatasetOptions(
        batch_size=256,
        num_epochs=1,
        shuffle=shuffle,
        shuffle_buffer_size=form.shuffle_buffer,
        shuffle_seed=form.seed,
    )
    return accessor.tf_dataset_factory(list(patterns), options, schema)


def _rows_of_files(patterns: Sequence[str], form: ExampleFormat, shuffle: bool) -> tf.data.Dataset:
    """Reads TFRecord files, gzipped or not, of serialized Examples."""
    files = sorted(path for pattern in patterns for path in tf.io.gfile.glob(pattern))
    if not files:
        raise ValueError(f"No file matches {', '.join(patterns)}.")

    def of_file(path: tf.Tensor) -> tf.data.Dataset:
        zipped = tf.strings.regex_full_match(path, r".*\.gz")
        return tf.data.TFRecordDataset(path, tf.where(zipped, "GZIP", ""))

    dataset = tf.data.Dataset.from_tensor_slices(files).interleave(
        of_file, cycle_length=8, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
    )
    if shuffle:
        dataset = dataset.shuffle(form.shuffle_buffer, form.seed)
    features = {name: tf.io.FixedLenFeature([], dtype) for name, dtype in _features(form).items()}
    return dataset.batch(256).map(
        lambda serialized: tf.io.parse_example(serialized, features),
        num_parallel_calls=tf.data.AUTOTUNE,
    )


def _decoded(rows: tf.data.Dataset, form: ExampleFormat) -> tf.data.Dataset:
    size = (form.image_size, form.image_size)

    def decode(picture: Batch) -> tf.Tensor:
        if form.image_format == "raw":
            return graph.resize(_decode_raw(picture, form), size)
        return graph.resize(graph.decode_file(picture[form.image_key]), size)

    def convert(row: Batch) -> tuple[tf.Tensor, tf.Tensor]:
        picture = {name: value for name, value in row.items() if name != form.label_key}
        images = tf.map_fn(decode, picture, fn_output_signature=tf.TensorSpec((*size, 3), tf.uint8))
        if not form.conditional:
            return images, tf.zeros(tf.shape(images)[:1], tf.int32)
        return images, _checked(row[form.label_key], form)

    return rows.map(convert, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def _checked(labels: tf.Tensor, form: ExampleFormat) -> tf.Tensor:
    last = form.classes - 1
    wrong = tf.boolean_mask(labels, (labels < 0) | (labels > last))
    fine = tf.debugging.Assert(
        tf.equal(tf.size(wrong), 0),
        [f"{form.label_key} must be from 0 to {last}. Received:", wrong],
    )
    with tf.control_dependencies([fine]):
        return tf.cast(labels, tf.int32)


def _decode_raw(picture: Batch, form: ExampleFormat) -> tf.Tensor:
    values = tf.io.decode_raw(picture[form.image_key], tf.uint8)
    height, width = picture[HEIGHT_KEY], picture[WIDTH_KEY]
    fine = tf.debugging.Assert(
        tf.equal(tf.size(values, tf.int64), height * width * 3),
        [
            "A raw picture must have height × width × 3 bytes. Received bytes, height and width:",
            *(tf.size(values), height, width),
        ],
    )
    with tf.control_dependencies([fine]):
        return tf.reshape(values, tf.stack([height, width, 3]))

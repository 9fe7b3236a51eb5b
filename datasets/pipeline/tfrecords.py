"""Writes a data set as TFRecord files of `tf.train.Example`, for TFX and other pipelines.

Features of an Example: `image/encoded` (PNG bytes), `image/height`, `image/width`,
`image/class/label` (int64), `image/class/text` (bytes), and `image/attribute/NAME` (float) for each
attribute that the data set has.
"""

import concurrent.futures
import dataclasses
import functools
import hashlib
import json
import logging
import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from datasets.pipeline.registry import Source, Unreadable, get
from keras_cvaegan import pictures
from keras_cvaegan.progress import Progress

if TYPE_CHECKING:
    import tensorflow as tf

DESCRIPTION = "description.json"
# Increase when the same data would be written as other bytes.
_FORMAT = 1
_THREADS = min(16, os.cpu_count() or 1)

_logger = logging.getLogger(__name__)


def to_example(
    image: np.ndarray, label: int, class_name: str, attributes: Mapping[str, float]
) -> "tf.train.Example":
    """Returns the Example of one picture.

    Args:
        image: `uint8 (height, width, 3)`.
        label: number of its class.
        class_name: name of its class.
        attributes: numbers by name.

    Example:

    >>> example = to_example(np.zeros((8, 8, 3), np.uint8), 1, "rose", {"size": 0.5})
    >>> sorted(example.features.feature)
    ['image/attribute/size', 'image/class/label', 'image/class/text', 'image/encoded',
     'image/height', 'image/width']
    """
    import tensorflow as tf

    def integer(value: int) -> tf.train.Feature:
        return tf.train.Feature(int64_list=tf.train.Int64List(value=[int(value)]))

    def text(value: bytes) -> tf.train.Feature:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))

    feature = {
        "image/encoded": text(pictures.encode_png(image)),
        "image/height": integer(image.shape[0]),
        "image/width": integer(image.shape[1]),
        "image/class/label": integer(label),
        "image/class/text": text(class_name.encode()),
    }
    for name, value in attributes.items():
        number = tf.train.FloatList(value=[float(value)])
        feature[f"image/attribute/{name}"] = tf.train.Feature(float_list=number)
    return tf.train.Example(features=tf.train.Features(feature=feature))


@dataclasses.dataclass(frozen=True)
class Records:
    """What to write, and in how many files.

    Args:
        name: a name from `datasets.names()`.
        image_size: height and width of the pictures, in pixels.
        splits: which of "train", "validation" and "test"; by default all that the data set has.
        shards: files a split; fewer for a split of fewer pictures.
        compress: whether the files are gzipped.
        data_dir: where the data set lies, or is downloaded to; for `folder`, the folder.
        options: the data set's own options.

    Raises:
        ValueError: for an image size or a number of shards below 1.

    Example:

    >>> records = Records("petals", 16, splits=("test",), shards=2, options={"count": 20})
    >>> [shard.file for shard in records.all_shards()]
    ['test-00000-of-00002.tfrecord.gz', 'test-00001-of-00002.tfrecord.gz']
    """

    name: str
    image_size: int
    splits: Sequence[str] = ()
    shards: int = 4
    compress: bool = True
    data_dir: str | None = None
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.image_size < 1 or self.shards < 1:
            raise ValueError(
                "image_size and shards must be 1 or more. "
                f"Received: image_size={self.image_size}, shards={self.shards}."
            )
        object.__setattr__(self, "splits", tuple(self.splits or get(self.name).splits))
        # Files may have changed since earlier records of the same arguments.
        _source.cache_clear()

    def source(self, split: str) -> Source:
        """Returns one of the splits, as it was when it was first asked for."""
        arguments = {"image_size": self.image_size, "data_dir": self.data_dir, **self.options}
        return _source(self.name, split, json.dumps(arguments))

    def all_shards(self) -> list["Shard"]:
        """Returns the files to write."""
        counts = {split: min(self.shards, self.source(split).count) for split in self.splits}
        return [
            Shard(self, split, index, count)
            for split, count in counts.items()
            for index in range(count)
        ]

    def digest(self) -> str:
        """Returns what changes whenever the files would."""
        sources = [self.source(split) for split in self.splits]
        written = [(source.class_names, source.key, source.count) for source in sources]
        values = [_FORMAT, self.name, self.image_size, self.splits, self.shards, self.compress]
        return hashlib.sha256(json.dumps([*values, written]).encode()).hexdigest()[:16]


@functools.lru_cache(maxsize=8)
def _source(name: str, split: str, arguments: str) -> Source:
    return get(name).source(split, **json.loads(arguments))


@dataclasses.dataclass(frozen=True)
class Shard:
    """One file: the examples `index`, `index + count`, … of a split.

    Args:
        records: what it is a part of.
        split: "train", "validation" or "test".
        index: of the file.
        count: files of the split.
    """

    records: Records
    split: str
    index: int
    count: int

    @property
    def file(self) -> str:
        """The file's name."""
        suffix = ".tfrecord.gz" if self.records.compress else ".tfrecord"
        return f"{self.split}-{self.index:05d}-of-{self.count:05d}{suffix}"

    def examples(self, unreadable: list[tuple[int, str, str]]) -> Iterator["tf.train.Example"]:
        """Gives the examples.

        Args:
            unreadable: gets label, path and reason of each picture that cannot be read.
        """
        source, image_size = self.records.source(self.split), self.records.image_size
        for read in source.batches(range(self.index, source.count, self.count)):
            batch = read()
            for row, (image, label) in enumerate(zip(batch.images, batch.labels, strict=True)):
                if isinstance(image, Unreadable):
                    unreadable.append((int(label), image.path, image.reason))
                    continue
                if image.shape != (image_size, image_size, 3):
                    image = pictures.resize_picture(image, image_size)
                values = {name: column[row] for name, column in batch.attributes.items()}
                yield to_example(image, label, source.class_names[label], values)

    def write(self, folder: str) -> "Written":
        """Writes the file into a folder, and returns what came into it."""
        import tensorflow as tf

        counts = np.zeros(len(self.records.source(self.split).class_names), np.int64)
        unreadable: list[tuple[int, str, str]] = []
        compression = "GZIP" if self.records.compress else ""
        with tf.io.TFRecordWriter(f"{folder}/{self.file}", compression) as writer:
            for example in self.examples(unreadable):
                counts[example.features.feature["image/class/label"].int64_list.value[0]] += 1
                writer.write(example.SerializeToString(deterministic=True))
        return Written(self.split, counts.tolist(), unreadable)


@dataclasses.dataclass(frozen=True)
class Written:
    """What came into a file.

    Args:
        split: the file's.
        counts: pictures of each class.
        unreadable: label, path and reason of each picture that was left out.
    """

    split: str
    counts: list[int]
    unreadable: list[tuple[int, str, str]]


def write(
    folder: str | os.PathLike,
    records: Records,
    *,
    beam: Sequence[str] | None = None,
    verbose: bool = False,
) -> dict[str, Any]:
    """Writes records into a new folder, with `description.json` beside them.

    The folder is written beside its place and renamed: it is whole or not there. Neighbours of a
    split, often of one class, come into different files.

    Args:
        folder: where to write; it must not exist yet. Whatever `tf.io.gfile` can write will do.
        records: what to write.
        beam: options of Apache Beam, such as `["--runner=DataflowRunner", …]`; its workers then
            write the same files. They must reach `folder` and the data. None is without Beam.
        verbose: whether a line shows how far it is.

    Returns:
        The contents of `description.json`: name, image size, class names, attributes, and for each
        split the number of pictures, in all and by class.

    Raises:
        ValueError: for a folder that is there already, data that cannot be used, or a class none
            of whose pictures can be read.
        OSError: when the folder cannot be written.
        ImportError: with `beam`, where Apache Beam is not installed.

    Example:

    >>> import tempfile
    >>> records = Records("petals", 16, splits=("test",), shards=2, options={"count": 20})
    >>> with tempfile.TemporaryDirectory() as root:
    ...     about = write(f"{root}/petals", records)
    ...     sorted(os.listdir(f"{root}/petals"))
    ['description.json', 'test-00000-of-00002.tfrecord.gz', 'test-00001-of-00002.tfrecord.gz']
    >>> about["splits"]["test"]["num_images"], about["class_names"][0]
    (20, 'round_7_hue_000')
    """
    import tensorflow as tf

    folder = os.fspath(folder).rstrip("/")
    if tf.io.gfile.exists(folder):
        raise ValueError(f"{folder!r} is there already: remove it, or choose another folder.")
    shards = records.all_shards()
    parent, slash, name = folder.rpartition("/")
    partial = f"{parent}{slash}.{name}.{uuid.uuid4().hex}.partial"
    try:
        tf.io.gfile.makedirs(partial)
        if beam is None:
            written = _write_here(shards, partial, verbose)
        else:
            written = _write_by_beam(shards, partial, beam, verbose)
        description = _describe(records, written)
        with tf.io.gfile.GFile(f"{partial}/{DESCRIPTION}", "w") as file:
            file.write(json.dumps(description, indent=2) + "\n")
        tf.io.gfile.rename(partial, folder)
    except tf.errors.OpError as error:
        raise OSError(
            f"Cannot write records to {folder!r}: {error.message}. Choose another folder."
        ) from error
    finally:
        if tf.io.gfile.exists(partial):
            tf.io.gfile.rmtree(partial)
    return description


def _write_here(shards: Sequence[Shard], folder: str, verbose: bool) -> list[Written]:
    """Writes the shards in threads."""
    splits = {shard.split: shard.records for shard in shards}
    total = sum(records.source(split).count for split, records in splits.items())
    written: list[Written] = []
    with (
        concurrent.futures.ThreadPoolExecutor(_THREADS) as pool,
        Progress("Records:", total, "pictures", disable=not verbose) as progress,
    ):
        futures = [pool.submit(shard.write, folder) for shard in shards]
        try:
            for future in concurrent.futures.as_completed(futures):
                written.append(future.result())
                progress.set_postfix_str(f"{len(written)}/{len(shards)} files", refresh=False)
                progress.update(sum(written[-1].counts))
        finally:
            pool.shutdown(cancel_futures=True)
    return written


def _write_by_beam(
    shards: Sequence[Shard], folder: str, options: Sequence[str], verbose: bool
) -> list[Written]:
    """Has Beam's workers write the shards; each leaves what came into its file beside it."""
    import tensorflow as tf

    try:
        import apache_beam as beam
    except ImportError as error:
        raise ImportError(
            f"Apache Beam cannot be imported ({error}). Install it with pip install apache-beam, "
            "or write without it."
        ) from error
    if verbose:
        print(f"Beam writes {len(shards)} files …", flush=True)
    with beam.Pipeline(options=beam.options.pipeline_options.PipelineOptions(list(options))) as run:
        _ = (
            run
            | "Shards" >> beam.Create(list(shards))
            | "Spread" >> beam.Reshuffle()
            | "Write" >> beam.Map(_write_and_note, folder)
        )
    written = []
    for path in tf.io.gfile.glob(f"{folder}/*.json"):
        with tf.io.gfile.GFile(path) as file:
            written.append(Written(**json.loads(file.read())))
        tf.io.gfile.remove(path)
    return written


def _write_and_note(shard: Shard, folder: str) -> None:
    import tensorflow as tf

    written = shard.write(folder)
    with tf.io.gfile.GFile(f"{folder}/{shard.file}.json", "w") as file:
        file.write(json.dumps(dataclasses.asdict(written)))


def _describe(records: Records, written: Sequence[Written]) -> dict[str, Any]:
    """Returns the contents of description.json.

    Raises:
        ValueError: for a class none of whose pictures can be read.
    """
    class_names = records.source(records.splits[0]).class_names
    splits = {}
    for split in records.splits:
        mine = [one for one in written if one.split == split]
        counts = np.sum([one.counts for one in mine], axis=0) if mine else np.zeros(0, np.int64)
        lost = sorted(tuple(entry) for one in mine for entry in one.unreadable)
        _report_lost(f"{records.name} {split}", class_names, counts, lost)
        splits[split] = {
            "num_images": int(counts.sum()),
            "class_counts": counts.tolist(),
            "unreadable": [[path, reason] for _, path, reason in lost],
            "files": len(mine),
        }
    return {
        "name": records.name,
        "image_size": records.image_size,
        "class_names": list(class_names),
        "splits": splits,
        "digest": records.digest(),
    }


def _report_lost(
    title: str,
    class_names: Sequence[str],
    counts: np.ndarray,
    lost: Sequence[tuple[int, str, str]],
) -> None:
    for label, path, reason in lost:
        if counts[label] == 0:
            raise ValueError(
                f"None of the pictures of class {class_names[label]!r} in {title} can be read, "
                f"such as {path} ({reason}). Replace them or remove the class."
            )
    if lost:
        _, path, reason = lost[0]
        _logger.warning(
            "%s: %d pictures could not be read and are left out; the first is %s (%s).",
            *(title, len(lost), path, reason),
        )

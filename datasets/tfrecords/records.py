"""What is written, and in which files."""

import dataclasses
import functools
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from datasets.pipeline.decoding import fit
from datasets.pipeline.registry import Source, Unreadable, get
from datasets.pipeline.unreadable import Lost
from datasets.tfrecords.example import to_example

# Increase when the same data would be written as other bytes.
_FORMAT = 1


@dataclasses.dataclass(frozen=True)
class Records:
    """What to write, and in how many files.

    Args:
        name: name from `datasets.names()`.
        image_size: height and width of the pictures, in pixels.
        splits: names of splits, of "train", "validation" and "test"; by default all that the data
            set has.
        shards: number of files a split; fewer for a split of fewer pictures.
        compress: whether the files are gzipped.
        data_dir: folder where the data set lies, or is downloaded to; for `folder`, the folder.
        options: options of the data set itself.

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
        records: data of which the file is a part.
        split: name of the split, "train", "validation" or "test".
        index: number of the file, from 0.
        count: number of files of the split.
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

    def examples(self, lost: list[Lost]) -> Iterator[tf.train.Example]:
        """Gives the examples.

        Args:
            lost: list that gets those which cannot be read.
        """
        source, image_size = self.records.source(self.split), self.records.image_size
        for read in source.batches(range(self.index, source.count, self.count)):
            batch = read()
            for row, (image, label) in enumerate(zip(batch.images, batch.labels, strict=True)):
                if isinstance(image, Unreadable):
                    lost.append((int(label), image.path, image.reason))
                    continue
                values = {name: column[row] for name, column in batch.attributes.items()}
                yield to_example(fit(image, image_size), label, source.class_names[label], values)

    def write(self, folder: str) -> "Written":
        """Writes the file into a folder, and returns what came into it.

        Args:
            folder: path or URL of a folder that is there.
        """
        counts = np.zeros(len(self.records.source(self.split).class_names), np.int64)
        lost: list[Lost] = []
        compression = "GZIP" if self.records.compress else ""
        with tf.io.TFRecordWriter(f"{folder}/{self.file}", compression) as writer:
            for example in self.examples(lost):
                counts[example.features.feature["image/class/label"].int64_list.value[0]] += 1
                writer.write(example.SerializeToString(deterministic=True))
        return Written(self.split, counts.tolist(), lost)


@dataclasses.dataclass(frozen=True)
class Written:
    """What came into a file.

    Args:
        split: split of the file.
        counts: number of pictures of each class.
        unreadable: pictures that were left out.
    """

    split: str
    counts: list[int]
    unreadable: list[Lost]

"""Writes the files, in threads here or by Apache Beam's workers."""

import concurrent.futures
import dataclasses
import json
import os
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from datasets.tfrecords.description import describe
from datasets.tfrecords.records import Records, Shard, Written
from keras_cvaegan.progress import Progress
from keras_cvaegan.remote_files import replacing_remote_folder

DESCRIPTION = "description.json"
_THREADS = min(16, os.cpu_count() or 1)


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
        folder: path or URL, of whatever `tf.io.gfile` can write; it must not exist yet.
        records: data to write, and in how many files.
        beam: options of Apache Beam, such as `["--runner=DataflowRunner", …]`; its workers then
            write the same files. They must reach `folder` and the data. None is without Beam.
        verbose: whether a line shows how far it is.

    Returns:
        The contents of `description.json`: name, image size, class names, and for each split
        the number of pictures, in all and by class.

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
    folder = os.fspath(folder).rstrip("/")
    if tf.io.gfile.exists(folder):
        raise ValueError(f"{folder!r} is there already: remove it, or choose another folder.")
    shards = records.all_shards()
    try:
        with replacing_remote_folder(folder) as partial:
            if beam is None:
                written = _write_here(shards, partial, verbose)
            else:
                written = _write_by_beam(shards, partial, beam, verbose)
            description = describe(records, written)
            with tf.io.gfile.GFile(f"{partial}/{DESCRIPTION}", "w") as file:
                file.write(json.dumps(description, indent=2) + "\n")
    except tf.errors.OpError as error:
        raise OSError(
            f"Cannot write records to {folder!r}: {error.message}. Choose another folder."
        ) from error
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
    written = shard.write(folder)
    with tf.io.gfile.GFile(f"{folder}/{shard.file}.json", "w") as file:
        file.write(json.dumps(dataclasses.asdict(written)))

"""Folders on any file system that TensorFlow reaches, such as object stores."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf


@contextlib.contextmanager
def replacing_remote_folder(target: str) -> Iterator[str]:
    """Gives a folder to write to, which takes the place of `target` when it is whole.

    After an error what was there stays, and nothing is left beside it: `files.replacing_folder` for
    any file system. On a disk whoever looks never sees half of it. An object store, such as
    `gs://`, renames a folder by a copy of each file: for that while half of it can be seen.

    Args:
        target: path or URL of the folder; those above it are made where they are missing.

    Raises:
        tf.errors.OpError: when the folder cannot be written.

    Example:

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     with replacing_remote_folder(f"{directory}/pictures") as partial:
    ...         with tf.io.gfile.GFile(f"{partial}/about.txt", "w") as file:
    ...             file.write("all of them")
    ...     tf.io.gfile.listdir(directory), tf.io.gfile.listdir(f"{directory}/pictures")
    (['pictures'], ['about.txt'])
    """
    parent, slash, name = target.rstrip("/").rpartition("/")
    partial = f"{parent}{slash}.{name}.{uuid.uuid4().hex}.partial"
    try:
        tf.io.gfile.makedirs(partial)
        yield partial
        if tf.io.gfile.exists(target):
            tf.io.gfile.rmtree(target)
        tf.io.gfile.rename(partial, target)
    finally:
        if tf.io.gfile.exists(partial):
            tf.io.gfile.rmtree(partial)


def copy_tree(source: Path, target: str) -> None:
    """Copies a folder's files into another, which may be there and on any file system of TFX."""
    tf.io.gfile.makedirs(target)
    for path in sorted(source.rglob("*")):
        place = f"{target}/{path.relative_to(source).as_posix()}"
        if path.is_dir():
            tf.io.gfile.makedirs(place)
        else:
            tf.io.gfile.copy(str(path), place, overwrite=True)


def copy_whole(source: Path, target: str) -> None:
    """Copies a folder, which takes the place of what was there by `replacing_remote_folder`."""
    with replacing_remote_folder(target) as partial:
        copy_tree(source, partial)

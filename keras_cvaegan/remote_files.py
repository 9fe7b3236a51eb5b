"""Folders on any file system that TensorFlow reaches, such as object stores."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf


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
    """Copies a folder, beside its place and renamed; what was there stays until all is copied.

    On a file system whoever looks never sees half of it. An object store, such as `gs://`, renames
    a folder by a copy of each file: for that while half of it can be seen.
    """
    parent, _, name = target.rstrip("/").rpartition("/")
    partial = f"{parent}/.{name}.partial"
    if tf.io.gfile.exists(partial):
        tf.io.gfile.rmtree(partial)
    copy_tree(source, partial)
    if tf.io.gfile.exists(target):
        tf.io.gfile.rmtree(target)
    tf.io.gfile.rename(partial, target)

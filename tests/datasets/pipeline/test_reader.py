"""Rows of pictures, read from files and given back."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import datasets
from datasets.pipeline import registry
from datasets.pipeline.reader import Reader


def test_rows_are_read_from_the_file(tmp_path):
    for dtype in (np.uint8, np.float32):
        array = np.random.default_rng(0).integers(0, 256, (20, 3, 2)).astype(dtype)
        np.save(tmp_path / "array.npy", array)
        reader = Reader(np.load(tmp_path / "array.npy", mmap_mode="r"))
        for rows in ([], [7], [19, 0, 7, 7]):
            read = reader(np.array(rows, np.int64))[0]
            assert read.dtype == dtype
            np.testing.assert_array_equal(read, array[np.array(rows, np.int64)])


def test_a_file_that_became_shorter(tmp_path):
    path = tmp_path / "array.npy"
    np.save(path, np.zeros((20, 1000), np.uint8))
    reader = Reader(np.load(path, mmap_mode="r"))
    with path.open("r+b") as file:
        file.truncate(10_000)
    reader(np.array([3]))
    with pytest.raises(OSError, match=r"array.npy' has become shorter. Remove its folder"):
        reader(np.array([15]))


def test_files_are_closed(tmp_path):
    np.save(tmp_path / "array.npy", np.zeros((20, 10), np.uint8))
    readers = [Reader(np.load(tmp_path / "array.npy", mmap_mode="r")) for _ in range(5)]
    descriptors = [reader._arrays[0]._descriptor for reader in readers]
    del readers
    for descriptor in descriptors:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)


def resident_file_pages():
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"RssFile:\s+(\d+) kB", status)[1]) / 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="counts pages as Linux does")
def test_pictures_that_were_read_do_not_stay_in_memory(no_other_datasets):
    @registry.register("large")
    def large(split, image_size):
        def read(rows):
            shape = (len(rows), image_size, image_size, 3)
            return registry.Batch(np.zeros(shape, np.uint8), [0] * len(rows))

        return registry.Source(("a", "b"), 1000, "", registry.in_batches(1000, read))

    # 49 MB of pictures.
    batches = iter(datasets.load("large", "train", 128, 50, repeat=True, dtype="uint8"))
    next(batches)
    before = resident_file_pages()
    for _ in range(40):
        next(batches)
    assert resident_file_pages() - before < 10


@pytest.mark.slow
def test_a_process_that_leaves_an_endless_iterator_ends(cache_dir):
    program = """
import numpy as np, datasets
from datasets.pipeline.registry import Batch, Source, in_batches, register

@register("toy")
def toy(split, image_size):
    read = lambda rows: Batch(np.zeros((len(rows), image_size, image_size, 3), np.uint8), [0] * 64)
    return Source(("a", "b"), 640, "", in_batches(640, read))

iterator = iter(datasets.load("toy", "train", 128, repeat=True))
for _ in range(20):
    next(iterator)
"""
    for _ in range(2):
        subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


@pytest.mark.slow
def test_iterators_are_dropped_while_batches_are_read():
    program = """
import time
import numpy as np, datasets
from datasets.pipeline.cache import Prepared
from datasets.pipeline import reader
from datasets.pipeline.batches import batches

call = reader.Reader.__call__
reader.Reader.__call__ = lambda self, rows: time.sleep(0.003) or call(self, rows)
description = datasets.Description("toy", "train", ("a", "b"), (4, 4, 3), (20, 20))
prepared = Prepared(np.zeros((40, 4, 4, 3), np.uint8), np.zeros(40, np.int32), {}, description)
dataset = batches(
    prepared, 4, 0, shuffle=True, repeat=True, start=0, drop_remainder=True
)
kept = []
for _ in range(100):
    kept.append(iter(dataset))
    next(kept[-1])
kept.clear()
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)

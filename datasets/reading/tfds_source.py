"""Data sets that tensorflow-datasets (TFDS) knows how to download and prepare."""

import contextlib
import dataclasses
import functools
import json
import os
import tempfile
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from datasets.pipeline.devices import leave_to_jax
from datasets.pipeline.registry import Batch, Source, Unreadable
from datasets.reading import archives
from datasets.reading.boxes import crop_square
from keras_cvaegan import pictures

if TYPE_CHECKING:
    import tensorflow_datasets as tfds

_TIMEOUT_SECONDS = 20
_BATCH_SIZE = 64


def prepared_builder(
    name: str, data_dir: str | os.PathLike | None = None, unnamed_archive: str | None = None
) -> "tfds.core.DatasetBuilder":
    """Returns the TFDS builder of a data set, which is downloaded and prepared when necessary.

    An archive that lies in `data_dir/downloads/manual` takes the place of a download.

    Args:
        name: name of the data set in TFDS.
        data_dir: folder of TFDS's data; by default its own, `~/tensorflow_datasets`.
        unnamed_archive: name of the archive's file where TFDS knows none.

    Raises:
        ConnectionError: when an archive cannot be downloaded; the message says where to get it and
            where to put it.
        ValueError: when an archive is not the official one.
        OSError: when `data_dir` cannot be written.
    """
    builder = _builder(name, data_dir)
    if not builder.is_prepared():
        for url, info in builder.url_infos.items():
            if not info.filename:
                builder.url_infos[url] = dataclasses.replace(info, filename=unnamed_archive)
        with _downloading(builder):
            builder.download_and_prepare()
    return builder


def unpacked_archive(name: str, data_dir: str | os.PathLike | None = None) -> Path:
    """Returns a folder with the files of a data set's only archive, downloaded when necessary.

    For data sets of which TFDS's records lack something that the archive has. An archive that lies
    in `data_dir/downloads/manual` takes the place of a download.

    Args:
        name: name of the data set in TFDS.
        data_dir: folder of TFDS's data; by default its own, `~/tensorflow_datasets`.

    Raises:
        ConnectionError, ValueError, OSError: as `prepared_builder`.
    """
    import tensorflow_datasets as tfds

    builder = _builder(name, data_dir)
    folder = _downloads(builder) / "extracted" / name
    if not folder.is_dir():
        with _downloading(builder):
            manager = tfds.download.DownloadManager(
                download_dir=_downloads(builder),
                manual_dir=_downloads(builder) / "manual",
                url_infos=builder.url_infos,
                dataset_name=name,
            )
            (url,) = builder.url_infos
            archives.unpack(Path(manager.download(url)), folder)
    return folder


def _builder(name: str, data_dir: str | os.PathLike | None) -> "tfds.core.DatasetBuilder":
    import tensorflow_datasets as tfds

    leave_to_jax()
    return tfds.builder(name, data_dir=Path(data_dir).expanduser() if data_dir else None)


def _downloads(builder: "tfds.core.DatasetBuilder") -> Path:
    return Path(builder.data_dir_root) / "downloads"


@contextlib.contextmanager
def _downloading(builder: "tfds.core.DatasetBuilder") -> Iterator[None]:
    """Around a download: a way for archives put there by hand, and clear errors."""
    import requests
    import tensorflow_datasets as tfds

    name, manual = builder.name, _downloads(builder) / "manual"
    try:
        manual.mkdir(parents=True, exist_ok=True)
        missing = _missing_archives(builder)
        if missing:
            # Without a network, TFDS would try in silence for minutes.
            requests.head(next(iter(missing.values())), timeout=_TIMEOUT_SECONDS)
        yield
    except (requests.RequestException, tfds.download.DownloadError, ImportError) as error:
        listed = "".join(
            f"\n  {file} from {url}" for file, url in _missing_archives(builder).items()
        )
        raise ConnectionError(
            f"Cannot download the data set {name!r}: {_reason(error)}. To do without, put these "
            f"files into {str(manual)!r} and start again:{listed}"
        ) from error
    except tfds.download.download_manager.NonMatchingChecksumError as error:
        raise ValueError(
            f"An archive of {name!r} is damaged or not the official one. Remove it and start "
            f"again. {error}"
        ) from error
    except OSError as error:
        raise OSError(
            f"Cannot prepare the data set {name!r} in {str(builder.data_dir_root)!r}: {error}. "
            "Choose another folder with data_dir."
        ) from error


def _reason(error: Exception) -> str:
    host = urllib.parse.urlsplit(getattr(getattr(error, "request", None), "url", "")).hostname
    return f"{host} does not answer ({type(error).__name__})" if host else str(error)


def _missing_archives(builder: "tfds.core.DatasetBuilder") -> dict[str, str]:
    """Returns the file name and URL of each archive that was not downloaded or put in place yet."""
    downloads = _downloads(builder)
    records = [*downloads.glob("*.INFO"), *downloads.glob(f"{builder.name}/*.INFO")]
    downloaded = {url for path in records for url in json.loads(path.read_text("utf-8"))["urls"]}
    missing = {}
    for url, info in builder.url_infos.items():
        if url not in downloaded and not (downloads / "manual" / info.filename).exists():
            missing.setdefault(info.filename, url)
    return missing


def source(
    builder: "tfds.core.DatasetBuilder", split: str, image_size: int, crop_to_box: bool = False
) -> Source:
    """Returns one split of a prepared builder.

    Where TFDS has no split "validation", its split "test" serves as both.

    Args:
        builder: builder of `prepared_builder`, with the features `image` and `label`.
        split: name of the split, "train", "validation" or "test".
        image_size: height and width, in pixels, that pictures are cropped and resized to.
        crop_to_box: whether pictures are cropped to the smallest square around the feature `bbox`
            that fits into the picture.
    """
    split = split if split in builder.info.splits else "test"
    info = builder.info.splits[split]
    key = [builder.info.full_name, split, info.num_bytes, info.num_examples, crop_to_box]
    read = functools.partial(
        _read, name=f"{builder.name} {split}", image_size=image_size, crop_to_box=crop_to_box
    )

    def batches(indices: range | None = None) -> Iterator[Callable[[], Batch]]:
        import tensorflow_datasets as tfds

        indices = range(info.num_examples) if indices is None else indices
        features = {"image", "label"} | ({"bbox"} if crop_to_box else set())
        raw = {"image": tfds.decode.SkipDecoding()}
        examples = _examples(builder, split, features, raw).take(indices.stop).skip(indices.start)
        examples = examples.shard(indices.step, 0).batch(_BATCH_SIZE)
        for number, columns in enumerate(examples.as_numpy_iterator()):
            yield functools.partial(read, columns, indices[number * _BATCH_SIZE :])

    return Source(_class_names(builder), info.num_examples, json.dumps(key), batches)


def _examples(
    builder: "tfds.core.DatasetBuilder",
    split: str,
    features: set[str],
    decoders: dict[str, Any] | None = None,
):
    """Returns the examples of a split, always in the same order, with these features alone."""
    import tensorflow_datasets as tfds

    return builder.as_dataset(
        split=split,
        shuffle_files=False,
        decoders=tfds.decode.PartialDecoding(dict.fromkeys(features, True), decoders),
        read_config=tfds.ReadConfig(try_autocache=False),
    )


def _read(
    columns: dict[str, np.ndarray], indices: range, name: str, image_size: int, crop_to_box: bool
) -> Batch:
    """Decodes a batch of examples, which have the first ones of `indices`."""
    images = []
    for row, data in enumerate(columns["image"]):
        try:
            if crop_to_box:
                picture = pictures.read_picture(data)
                top, left, bottom, right = columns["bbox"][row] * np.tile(picture.shape[:2], 2)
                square = crop_square(picture, (left, top, right, bottom))
                images.append(pictures.resize_picture(square, image_size))
            else:
                images.append(pictures.read_picture(data, image_size))
        except pictures.PictureError as error:
            images.append(Unreadable(f"{name}, example {indices[row]}", error.reason))
    return Batch(images, columns["label"])


def _class_names(builder: "tfds.core.DatasetBuilder") -> tuple[str, ...]:
    """Returns the names of the classes, in label order.

    Where TFDS knows them from the feature `label_name` of the examples alone, they are kept with
    the prepared data, as TFDS does itself for others.
    """
    label = builder.info.features["label"]
    numbers = [str(number) for number in range(label.num_classes)]
    if label.names == numbers and "label_name" in builder.info.features:
        names = dict(enumerate(numbers))
        for split in builder.info.splits:
            for example in _examples(builder, split, {"label", "label_name"}).as_numpy_iterator():
                names[int(example["label"])] = example["label_name"].decode()
        label.names = list(names.values())
        # Data that another user prepared may lie where this one cannot write.
        with contextlib.suppress(OSError), tempfile.TemporaryDirectory(dir=builder.data_dir) as new:
            label.save_metadata(new, feature_name="label")
            for path in Path(new).iterdir():
                path.replace(Path(builder.data_dir) / path.name)
    return tuple(label.names)

"""A versioned SavedModel of a trained model, for TensorFlow Serving."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from keras_cvaegan.export.signatures import Signatures
from keras_cvaegan.export.warm_up import warm_up_requests, write_warm_up
from keras_cvaegan.files import locked, replace_folder
from keras_cvaegan.models import GenerativeModel
from keras_cvaegan.version import __version__

_PARTIAL = ".partial-"
# What TensorFlow makes of a full disk, missing rights, a read-only or broken disk.
_DISK_ERRORS = (
    tf.errors.ResourceExhaustedError,
    tf.errors.PermissionDeniedError,
    tf.errors.FailedPreconditionError,
    tf.errors.NotFoundError,
    tf.errors.UnknownError,
)


def export_saved_model(
    model: GenerativeModel,
    directory: str | os.PathLike,
    *,
    extra_config: Mapping[str, Any] | None = None,
    networks: Sequence[str] | None = None,
) -> Path:
    """Writes the next version of a SavedModel: `directory/1`, `directory/2`, ….

    Signatures, each with a batch dimension on every input; a row's result does not depend on its
    neighbours:

    | signature | inputs → outputs |
    |---|---|
    | `serving_default`, `generate` | labels, seed → images (uint8) |
    | `generate_by_name` | class_names, seed → images (uint8) |
    | `generate_png` | labels, seed → image_bytes (PNG) |
    | `decode` | z, labels → images (floats in [−1, 1]) |
    | `encode`, `encode_bytes` | images (uint8) or image_bytes, labels → z_mean, z_log_var |
    | `reconstruct` | images (uint8), labels → images (floats in [−1, 1]) |
    | `classify`, `classify_bytes` | images (uint8) or image_bytes → probabilities |
    | `describe` | labels → class_name, num_classes, latent_dim, image_shape, step |

    Labels, seeds and counts are int64; seeds count modulo 2³². `image_bytes` are PNG or JPEG files
    of any size. What needs an encoder or a classifier is there where the model has one; models of
    points have floats for images, and nothing with files. A wrong label, name, file or z is an
    InvalidArgument error that says what is allowed.

    In `assets.extra` travel class names, shapes, training step and `extra_config`
    (`trainers.export`: the run's configuration), as `model.json`, and requests that a server
    replays before it serves the version.

    The version is written beside and renamed, so that a server never sees half of one, and what an
    export that was killed left behind is removed. The SavedModel is made by TensorFlow; on another
    back end, by a process of its own.

    Args:
        model: a fitted model.
        directory: folder of the versions; made when missing.
        extra_config: more values for `model.json`.
        networks: networks that it holds, "generator" among them, of those in
            `model.inference_networks`; all by default. Signatures that need another are left out,
            and with the classifier the trunk that it may stand on.

    Returns:
        Path of the version.

    Raises:
        ValueError: for networks that the model does not have, or none that generates.
        OSError: when the directory cannot be written.

    Example:

    >>> import tempfile
    >>> from keras_cvaegan.models import CVAEGAN
    >>> model = CVAEGAN.from_preset("compact", image_shape=(16, 16, 3), num_classes=2)
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     version = export_saved_model(model, directory)
    ...     signatures = tf.saved_model.load(str(version)).signatures
    ...     signatures["generate"](labels=tf.constant([0, 1], "int64"),
    ...                            seed=tf.constant([5, 5], "int64"))["images"].shape
    TensorShape([2, 16, 16, 3])
    """
    directory = Path(directory)
    kept = _kept_networks(model, networks)
    with _written(model, directory, extra_config or {}, kept) as written:
        while True:
            version = _next_version(directory)
            try:
                written.rename(version)
            except OSError:
                if not version.exists():
                    raise
                continue  # Another export took that number first.
            return version


def write_saved_model(
    model: GenerativeModel,
    path: str | os.PathLike,
    *,
    extra_config: Mapping[str, Any] | None = None,
) -> None:
    """Writes a SavedModel as `export_saved_model` does, at a path of its own.

    Args:
        model: a fitted model.
        path: path of the SavedModel; what is there is replaced.
        extra_config: more values for `model.json`.

    Raises:
        OSError: when it cannot be written.
    """
    path = Path(path)
    kept = _kept_networks(model, None)
    with _written(model, path.parent, extra_config or {}, kept) as written:
        replace_folder(path, written)


def _kept_networks(model: GenerativeModel, names: Sequence[str] | None) -> list[str]:
    """Checks the networks that a SavedModel is to hold."""
    had = list(model.inference_networks)
    kept = had if names is None else list(names)
    unknown = [name for name in kept if name not in had]
    if unknown or "generator" not in kept:
        raise ValueError(
            f"networks must be the generator, and more of {', '.join(had)} where wanted. Received: "
            f"{', '.join(kept) or 'none'}."
        )
    return kept


@contextlib.contextmanager
def _written(
    model: GenerativeModel, directory: Path, extra: Mapping[str, Any], networks: Sequence[str]
) -> Iterator[Path]:
    """Writes a SavedModel under a name in `directory` that servers pass over."""
    partial = directory / f"{_PARTIAL}{uuid.uuid4().hex}"
    with contextlib.ExitStack() as stack:
        try:
            directory.mkdir(parents=True, exist_ok=True)
            _remove_abandoned(directory)
            # Before there is a folder: no other export may take it for an abandoned one.
            stack.enter_context(_locked(partial))
            partial.mkdir()
        except OSError as error:
            raise _cannot_write(directory, error.strerror or str(error)) from error
        try:
            _write(model, partial / "model", extra, networks)
            # Whoever runs the server may be another user than whoever exports.
            (partial / "model").chmod(0o755)
            _flush(partial / "model")
            yield partial / "model"
        except _DISK_ERRORS as error:
            reason = re.sub(r"\{\{.*?\}\} | \[Op:.*?\]", "", error.message)
            raise _cannot_write(directory, reason) from error
        except OSError as error:
            raise _cannot_write(directory, error.strerror or str(error)) from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def _cannot_write(directory: Path, reason: str) -> OSError:
    return OSError(
        f"Cannot write a SavedModel in {str(directory)!r}: {reason}. "
        "Choose a directory that can be written, with room."
    )


@contextlib.contextmanager
def _locked(partial: Path) -> Iterator[None]:
    """Locks a folder by a file beside it, which goes in the end."""
    lock = partial.with_name(f"{partial.name}.lock")
    with locked(lock, f"Another process is writing {str(partial)!r}."):
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)


def _remove_abandoned(directory: Path) -> None:
    """Removes what exports left that were killed: it is locked by none."""
    for partial in directory.glob(f"{_PARTIAL}*/"):
        with contextlib.suppress(OSError), _locked(partial):
            shutil.rmtree(partial)


def _flush(path: Path) -> None:
    """Waits until all of it is on the disk, so that a crash cannot leave a version with holes."""
    for found in [path, *path.rglob("*")]:
        descriptor = os.open(found, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _next_version(directory: Path) -> Path:
    versions = [int(path.name) for path in directory.iterdir() if path.name.isdecimal()]
    return directory / str(max(versions, default=0) + 1)


def _write(
    model: GenerativeModel, path: Path, extra: Mapping[str, Any], networks: Sequence[str]
) -> None:
    if keras.backend.backend() == "tensorflow":
        _write_in_tensorflow(model, path, extra, networks)
        return
    file = path.with_name("model.keras")
    model.save(file)
    code = (
        "import json, sys, pathlib, keras_cvaegan\n"
        f"from {__name__} import {_write_in_tensorflow.__name__} as write\n"
        "model, path, *values = sys.argv[1:]\n"
        "write(keras_cvaegan.load(model), pathlib.Path(path), *map(json.loads, values))"
    )
    # A GPU that this process holds has no memory left for another.
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1"}
    result = subprocess.run(
        [sys.executable, "-c", code, str(file), str(path), json.dumps(extra), json.dumps(networks)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    file.unlink()
    if result.returncode:
        raise OSError(f"TensorFlow's process failed: {result.stderr.strip()}")


def _write_in_tensorflow(
    model: GenerativeModel, path: Path, extra: Mapping[str, Any], networks: Sequence[str]
) -> None:
    signatures = Signatures(model, networks)
    archive = keras.export.ExportArchive()
    for resource in signatures.resources:
        archive.track(resource)
    endpoints = signatures.endpoints()
    for name, (function, inputs) in endpoints.items():
        archive.add_endpoint(name, function, input_signature=inputs)
    archive.write_out(str(path), verbose=False)
    extras = path / "assets.extra"
    extras.mkdir()
    description = json.dumps(_describe(model, extra), indent=2)
    (extras / "model.json").write_text(f"{description}\n", encoding="utf-8")
    requests = warm_up_requests(endpoints, model.class_names[0])
    write_warm_up(extras / "tf_serving_warmup_requests", requests)


def _describe(model: GenerativeModel, extra: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "keras_cvaegan": __version__,
        "model": type(model).__name__,
        "class_names": list(model.class_names),
        "image_shape": list(model.image_shape),
        "latent_dim": model.latent_dim,
        "step": int(keras.ops.convert_to_numpy(model.step)),
        **extra,
    }

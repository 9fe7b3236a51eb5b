"""A versioned SavedModel of a trained model, for TensorFlow Serving."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from keras_cvaegan import random
from keras_cvaegan.models import GenerativeModel
from keras_cvaegan.models.inference import GENERATE_STREAM


def export_saved_model(
    model: GenerativeModel,
    directory: str | os.PathLike,
    *,
    extra_config: Mapping[str, Any] | None = None,
) -> Path:
    """Writes the next version of a SavedModel: `directory/1`, `directory/2`, ….

    Signatures, each with a batch dimension on every input; a row's result does not depend on its
    neighbours: `serving_default` = `generate` (labels, seed → uint8 images), `generate_png`
    (labels, seed → PNG bytes), `decode` (z, labels → images in [−1, 1]), and, where the model has
    an encoder or a classifier, `encode` (uint8 images, labels → z_mean, z_log_var), `reconstruct`
    (uint8 images, labels → images in [−1, 1]) and `classify` (uint8 images → probabilities).
    A label out of range is an InvalidArgument error. Class names, shapes and the training step
    travel in `assets.extra/model.json`.

    The version is written beside and renamed, so that a server never sees half of one. The
    SavedModel is made by TensorFlow; on another back end, by a process of its own.

    Args:
        model: a fitted model.
        directory: where the versions lie; made when missing.
        extra_config: what else `model.json` should hold.

    Returns:
        Path of the version.

    Raises:
        OSError: when the directory cannot be written.
    """
    directory = Path(directory)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=directory))
    except OSError as error:
        raise OSError(
            f"Cannot write a SavedModel in {str(directory)!r}: {error.strerror or error}. "
            "Choose a directory that can be written."
        ) from error
    try:
        _write(model, partial / "model")
        _write_description(model, partial / "model", extra_config or {})
        version = _next_version(directory)
        (partial / "model").rename(version)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return version


def _next_version(directory: Path) -> Path:
    versions = [int(path.name) for path in directory.iterdir() if path.name.isdecimal()]
    return directory / str(max(versions, default=0) + 1)


def _write_description(model: GenerativeModel, path: Path, extra: Mapping[str, Any]) -> None:
    values = {
        "model": type(model).__name__,
        "class_names": list(model.class_names),
        "image_shape": list(model.image_shape),
        "latent_dim": model.latent_dim,
        "step": int(keras.ops.convert_to_numpy(model.step)),
        **extra,
    }
    folder = path / "assets.extra"
    folder.mkdir()
    (folder / "model.json").write_text(json.dumps(values, indent=2), encoding="utf-8")


def _write(model: GenerativeModel, path: Path) -> None:
    if keras.backend.backend() == "tensorflow":
        _write_in_tensorflow(model, path)
        return
    file = path.with_name("model.keras")
    model.save(file)
    code = (
        "import sys, pathlib, keras_cvaegan\n"
        f"from {__name__} import {_write_in_tensorflow.__name__} as write\n"
        "write(keras_cvaegan.load(sys.argv[1]), pathlib.Path(sys.argv[2]))"
    )
    # A GPU that this process holds has no memory left for another.
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1"}
    result = subprocess.run(
        [sys.executable, "-c", code, str(file), str(path)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    file.unlink()
    if result.returncode:
        raise OSError(f"The SavedModel could not be written: {result.stderr.strip()}")


def _write_in_tensorflow(model: GenerativeModel, path: Path) -> None:
    archive = keras.export.ExportArchive()
    archive.track(model.sampler)
    for name in ("encoder", "classifier"):
        if name in model.network_names:
            archive.track(getattr(model, name))
    for name, (function, signature) in _signatures(model).items():
        archive.add_endpoint(name, function, input_signature=signature)
    archive.write_out(str(path), verbose=False)


def _signatures(model: GenerativeModel) -> dict[str, tuple[Callable[..., Any], list[Any]]]:
    """The endpoints by name: a function of tensors and the form of its inputs."""
    labels = tf.TensorSpec([None], tf.int64, name="labels")
    seed = tf.TensorSpec([None], tf.int64, name="seed")
    z = tf.TensorSpec([None, model.latent_dim], tf.float32, name="z")
    images = tf.TensorSpec([None, *model.image_shape], tf.uint8, name="images")

    def class_weights(labels: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
        last = model.num_classes - 1
        checks = [
            tf.debugging.Assert(
                tf.reduce_all((labels >= 0) & (labels <= last)),
                [f"labels must be from 0 to {last}. Received:", labels],
            ),
            tf.debugging.Assert(
                tf.equal(tf.shape(labels)[0], count),
                ["one label is needed for each row of the other input. Received labels:", labels],
            ),
        ]
        with tf.control_dependencies(checks):
            return tf.one_hot(tf.identity(labels), model.num_classes)

    def to_float(images: tf.Tensor) -> tf.Tensor:
        return tf.cast(images, tf.float32) / 127.5 - 1.0

    def decode_weights(z: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        return model.sampler({"z": z, "labels": weights}, training=False)

    def generate(labels: tf.Tensor, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        weights = class_weights(labels, tf.shape(seed)[0])
        latents = random.normal(
            tf.zeros_like(seed), model.latent_dim, seed=seed, stream=GENERATE_STREAM
        )
        pixels = tf.round((decode_weights(latents, weights) + 1.0) * 127.5)
        return {"images": tf.cast(tf.clip_by_value(pixels, 0.0, 255.0), tf.uint8)}

    def generate_png(labels: tf.Tensor, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        pixels = generate(labels, seed)["images"]
        return {"png": tf.map_fn(tf.io.encode_png, pixels, fn_output_signature=tf.string)}

    def decode(z: tf.Tensor, labels: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"images": decode_weights(z, class_weights(labels, tf.shape(z)[0]))}

    def encode(images: tf.Tensor, labels: tf.Tensor) -> dict[str, tf.Tensor]:
        weights = class_weights(labels, tf.shape(images)[0])
        return model.encoder({"images": to_float(images), "labels": weights}, training=False)

    def reconstruct(images: tf.Tensor, labels: tf.Tensor) -> dict[str, tf.Tensor]:
        return decode(encode(images, labels)["z_mean"], labels)

    def classify(images: tf.Tensor) -> dict[str, tf.Tensor]:
        logits = model.classifier(to_float(images), training=False)["logits"]
        return {"probabilities": tf.nn.softmax(logits)}

    signatures = {
        "serving_default": (generate, [labels, seed]),
        "generate": (generate, [labels, seed]),
        "generate_png": (generate_png, [labels, seed]),
        "decode": (decode, [z, labels]),
    }
    if "encoder" in model.network_names:
        signatures["encode"] = (encode, [images, labels])
        signatures["reconstruct"] = (reconstruct, [images, labels])
    if "classifier" in model.network_names:
        signatures["classify"] = (classify, [images])
    return signatures

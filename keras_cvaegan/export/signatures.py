"""What a SavedModel of a model answers: a function of tensors for each signature."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_cvaegan.export import checks
from keras_cvaegan.models import GenerativeModel
from keras_cvaegan.models.inference import GENERATE_STREAM
from keras_cvaegan.ops import random
from keras_cvaegan.pictures.graph import decode_pictures

Tensors = dict[str, tf.Tensor]
Endpoint = tuple[Callable[..., Tensors], list[tf.TensorSpec]]


class Signatures:
    """The signatures that a model has, as functions of tensors: see `export_saved_model`.

    Args:
        model: a fitted model, under TensorFlow.
        networks: names of its `inference_networks` that they may use; all by default.
    """

    def __init__(self, model: GenerativeModel, networks: Sequence[str] | None = None) -> None:
        had = model.inference_networks
        self._model = model
        self._networks = {name: had[name] for name in (had if networks is None else networks)}
        self._are_points = len(model.image_shape) == 1
        self._step = int(keras.ops.convert_to_numpy(model.step))
        self._class_names = checks.ClassNames(model.class_names)

    @property
    def resources(self) -> list[Any]:
        """What the functions use and a SavedModel must hold."""
        return [*self._networks.values(), self._class_names.table]

    def endpoints(self) -> dict[str, Endpoint]:
        """Returns by name each function and the form of its inputs."""
        model = self._model
        labels = tf.TensorSpec([None], tf.int64, name="labels")
        seed = tf.TensorSpec([None], tf.int64, name="seed")
        z = tf.TensorSpec([None, model.latent_dim], tf.float32, name="z")
        dtype = tf.float32 if self._are_points else tf.uint8
        images = tf.TensorSpec([None, *model.image_shape], dtype, name="images")
        names = tf.TensorSpec([None], tf.string, name="class_names")
        files = tf.TensorSpec([None], tf.string, name="image_bytes")
        has_files = not self._are_points and model.image_shape[-1] in (1, 3)

        found: dict[str, Endpoint] = {
            "serving_default": (self.generate, [labels, seed]),
            "generate": (self.generate, [labels, seed]),
            "generate_by_name": (self.generate_by_name, [names, seed]),
            "decode": (self.decode, [z, labels]),
            "describe": (self.describe, [labels]),
        }
        if has_files:
            found["generate_png"] = (self.generate_png, [labels, seed])
        if "encoder" in self._networks:
            found["encode"] = (self.encode, [images, labels])
            found["reconstruct"] = (self.reconstruct, [images, labels])
            if has_files:
                found["encode_bytes"] = (self.encode_bytes, [files, labels])
        if "classifier" in self._networks:
            found["classify"] = (self.classify, [images])
            if has_files:
                found["classify_bytes"] = (self.classify_bytes, [files])
        return found

    def generate(self, labels: tf.Tensor, seed: tf.Tensor) -> Tensors:
        labels, seed = checks.rows(labels=labels, seed=seed)
        z = random.normal(
            tf.zeros_like(seed), self._model.latent_dim, seed=seed, stream=GENERATE_STREAM
        )
        images = self._decode(z, labels)
        if self._are_points:
            return {"images": images}
        pixels = tf.round((images + 1.0) * 127.5)
        return {"images": tf.cast(tf.clip_by_value(pixels, 0.0, 255.0), tf.uint8)}

    def generate_by_name(self, class_names: tf.Tensor, seed: tf.Tensor) -> Tensors:
        return self.generate(self._class_names.labels(class_names), seed)

    def generate_png(self, labels: tf.Tensor, seed: tf.Tensor) -> Tensors:
        pixels = self.generate(labels, seed)["images"]
        files = tf.map_fn(tf.io.encode_png, pixels, fn_output_signature=tf.string)
        return {"image_bytes": files}

    def decode(self, z: tf.Tensor, labels: tf.Tensor) -> Tensors:
        labels, z = checks.rows(labels=labels, z=z)
        return {"images": self._decode(checks.bounded("z", z), labels)}

    def encode(self, images: tf.Tensor, labels: tf.Tensor) -> Tensors:
        labels, images = checks.rows(labels=labels, images=images)
        inputs = {"images": self._floats(images), "labels": self._class_weights(labels)}
        outputs = self._networks["encoder"](inputs, training=False)
        return {name: outputs[name] for name in ("z_mean", "z_log_var")}

    def encode_bytes(self, image_bytes: tf.Tensor, labels: tf.Tensor) -> Tensors:
        return self.encode(decode_pictures(image_bytes, self._model.image_shape), labels)

    def reconstruct(self, images: tf.Tensor, labels: tf.Tensor) -> Tensors:
        return {"images": self._decode(self.encode(images, labels)["z_mean"], labels)}

    def classify(self, images: tf.Tensor) -> Tensors:
        [images] = checks.rows(images=images)
        logits = self._networks["classifier"](self._floats(images), training=False)["logits"]
        return {"probabilities": tf.nn.softmax(logits)}

    def classify_bytes(self, image_bytes: tf.Tensor) -> Tensors:
        return self.classify(decode_pictures(image_bytes, self._model.image_shape))

    def describe(self, labels: tf.Tensor) -> Tensors:
        model = self._model
        [labels] = checks.rows(labels=labels)
        labels = checks.labels_below(labels, model.num_classes)

        def repeated(value: Any) -> tf.Tensor:
            """The same for each row."""
            value = tf.constant(value, tf.int64)
            return tf.broadcast_to(value, tf.concat([tf.shape(labels), tf.shape(value)], axis=0))

        return {
            "class_name": self._class_names.names(labels),
            "num_classes": repeated(model.num_classes),
            "latent_dim": repeated(model.latent_dim),
            "image_shape": repeated(model.image_shape),
            "step": repeated(self._step),
        }

    def _class_weights(self, labels: tf.Tensor) -> tf.Tensor:
        labels = checks.labels_below(labels, self._model.num_classes)
        return tf.one_hot(labels, self._model.num_classes)

    def _decode(self, z: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        inputs = {"z": z, "labels": self._class_weights(labels)}
        return self._networks["generator"](inputs, training=False)

    def _floats(self, images: tf.Tensor) -> tf.Tensor:
        if self._are_points:
            return checks.bounded("images", images)
        return tf.cast(images, tf.float32) / 127.5 - 1.0

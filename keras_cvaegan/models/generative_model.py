"""The contract of every model: networks by name, objectives, and which network each updates."""

from __future__ import annotations

import numbers
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import keras
import numpy as np
from keras import ops

from keras_cvaegan import random
from keras_cvaegan.networks import preset as find_preset
from keras_cvaegan.training.step import Step

GENERATE_STREAM = 1000

Optimizers = keras.optimizers.Optimizer | Mapping[str, keras.optimizers.Optimizer]


class GenerativeModel(Step, keras.Model):
    """Networks plus objectives; `fit`, saving and sampling follow from them.

    A subclass names its networks (each is a constructor argument and an attribute), computes one
    scalar for each objective in one forward pass (`compute_objectives`), and says which networks
    each objective updates (`updates`). The training step is written once for all models, in
    `keras_cvaegan.training`.

    Args:
        networks: the networks by name, as the subclass's `network_names` lists them.
        class_names: one name a class; "0", "1", … by default.
        seed: all noise of training is a function of (seed, step, purpose, example).
        average_decay: decay of a moving average of the generator's weights, which sampling then
            uses; None for no average.
        preset: name of the preset whose optimizers `compile` takes by default.

    Attributes:
        latent_dim: dimensions of z.
        num_classes: number of classes.
        image_shape: (height, width, channels).
        class_names: tuple of names.
        step: training steps taken, an integer variable.
    """

    network_names: ClassVar[tuple[str, ...]] = ()
    updates: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    measures: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        networks: Mapping[str, keras.Model],
        *,
        class_names: Sequence[str] | None = None,
        seed: int = 0,
        average_decay: float | None = None,
        preset: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        for name in self.network_names:
            setattr(self, name, networks[name])
        if average_decay is not None and not 0.0 <= average_decay < 1.0:
            raise ValueError(f"average_decay must be in [0, 1), or None. Received: {average_decay}")
        self.seed = seed
        self.average_decay = average_decay
        self.preset = preset
        self.latent_dim = int(self.generator.input["z"].shape[-1])
        self.num_classes = int(self.generator.input["labels"].shape[-1])
        self.image_shape = tuple(self.generator.output.shape[1:])
        if class_names is None:
            class_names = [str(label) for label in range(self.num_classes)]
        if len(class_names) != self.num_classes:
            raise ValueError(
                f"class_names must have one name for each of the {self.num_classes} classes. "
                f"Received: {len(class_names)} names."
            )
        self.class_names = tuple(class_names)
        self.average_generator = None
        if average_decay is not None:
            self.average_generator = keras.models.clone_model(self.generator)
            self.average_generator.set_weights(self.generator.get_weights())
            self.average_generator.trainable = False
        self.step = self.add_weight(
            name="step", shape=(), dtype="int32", initializer="zeros", trainable=False
        )
        self._trackers = {name: keras.metrics.Mean(name=name) for name in self.measures}

    @classmethod
    def from_preset(
        cls,
        name: str = "compact",
        *,
        image_shape: tuple[int, int, int] | None = None,
        num_classes: int,
        class_names: Sequence[str] | None = None,
        latent_dim: int | None = None,
        seed: int = 0,
        **overrides: Any,
    ) -> GenerativeModel:
        """Builds the model with a preset's networks and hyper-parameters.

        Args:
            name: "compact" or "paper".
            image_shape: (height, width, channels); the preset's by default.
            num_classes: number of classes.
            class_names: one name a class.
            latent_dim: dimensions of z; the preset's by default.
            seed: of the weights' initial values and of all noise.
            **overrides: constructor arguments that replace the preset's.

        Raises:
            ValueError: for an unknown preset, or a shape that its networks cannot take.
        """
        preset = find_preset(name)
        image_shape = image_shape or (preset.image_size, preset.image_size, 3)
        keras.utils.set_random_seed(seed)
        built = preset.networks(image_shape, num_classes, latent_dim)
        arguments = {"average_decay": preset.average_decay, **preset.objective, **overrides}
        return cls(
            **{network: built[network] for network in cls.network_names},
            class_names=class_names,
            seed=seed,
            preset=name,
            **arguments,
        )

    @property
    def networks(self) -> dict[str, keras.Model]:
        """The trained networks, by name."""
        return {name: getattr(self, name) for name in self.network_names}

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return list(self._trackers.values())

    def compute_objectives(
        self, images: Any, labels: Any, training: bool
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """One forward pass: a scalar for each objective, and the measures to log.

        Args:
            images: float tensor (n, height, width, channels) in [−1, 1].
            labels: int32 tensor (n,).
            training: whether statistics and moving averages move.

        Returns:
            Objectives by name (the keys of `updates`), and measures by name.
        """
        raise NotImplementedError

    def compile(
        self,
        optimizer: keras.optimizers.Optimizer
        | Mapping[str, keras.optimizers.Optimizer]
        | None = None,
        *,
        jit_compile: bool = False,
        steps_per_execution: int = 1,
        run_eagerly: bool = False,
    ) -> None:
        """Chooses the optimizers and how the step is compiled.

        Args:
            optimizer: one for each network by name, or one optimizer (such as a
                `keras.optimizers.MultiOptimizer`) for all; Adam with the preset's learning rates
                by default.
            jit_compile: whether XLA compiles the step.
            steps_per_execution: steps a call of the compiled function; the host sees the losses
                once in that many steps.
            run_eagerly: whether the step runs uncompiled, for debugging.

        Raises:
            ValueError: for names that are not the networks'.
        """
        if optimizer is None:
            optimizer = self._preset_optimizers()
        if isinstance(optimizer, Mapping):
            if set(optimizer) != set(self.network_names):
                raise ValueError(
                    "optimizer must have one optimizer for each network: "
                    f"{', '.join(self.network_names)}. Received: {', '.join(optimizer)}."
                )
            owners = {
                id(variable): optimizer[name]
                for name, network in self.networks.items()
                for variable in network.trainable_variables
            }
            self._optimizers = dict(optimizer)
            optimizer = keras.optimizers.MultiOptimizer(lambda variable: owners[id(variable)])
        else:
            self._optimizers = optimizer
        super().compile(
            optimizer=optimizer,
            jit_compile=jit_compile,
            steps_per_execution=steps_per_execution,
            run_eagerly=run_eagerly,
        )
        self.optimizer.build(self.trainable_variables)

    def _preset_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        preset = find_preset(self.preset or "compact")
        return {
            name: keras.optimizers.Adam(preset.learning_rates[name], beta_1=preset.beta_1)
            for name in self.network_names
        }

    def get_compile_config(self) -> dict[str, Any]:
        return {"optimizer": keras.saving.serialize_keras_object(self._optimizers)}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        self.compile(keras.saving.deserialize_keras_object(config["optimizer"]))

    def unpack(self, data: Any) -> tuple[Any, Any]:
        """Images as floats in [−1, 1] and integer labels, from a batch of `fit`."""
        images, labels = ops.convert_to_tensor(data[0]), ops.convert_to_tensor(data[1])
        if keras.backend.standardize_dtype(images.dtype) == "uint8":
            images = ops.cast(images, "float32") / 127.5 - 1.0
        return images, ops.cast(labels, "int32")

    def one_hot(self, labels: Any) -> Any:
        """Labels as the class weights that networks take."""
        return ops.one_hot(labels, self.num_classes, dtype="float32")

    def noise(self, count: Any, stream: int) -> Any:
        """Standard normal noise (count, latent_dim) of the current step."""
        return random.normal(
            ops.arange(count), self.latent_dim, seed=self.seed, step=self.step, stream=stream
        )

    def finish_step(self) -> None:
        """What follows the updates: the average of the generator's weights, the step's number."""
        if self.average_generator is not None:
            step = ops.cast(self.step, "float32")
            decay = ops.minimum(self.average_decay, (1.0 + step) / (10.0 + step))
            for average, current in zip(
                self.average_generator.variables, self.generator.variables, strict=True
            ):
                average.assign(average + (1.0 - decay) * (current - average))
        self.step.assign_add(1)

    def track(self, measures: Mapping[str, Any]) -> dict[str, Any]:
        """Adds the batch's measures to their means and returns the means."""
        for name, tracker in self._trackers.items():
            tracker.update_state(measures[name])
        return {name: tracker.result() for name, tracker in self._trackers.items()}

    @property
    def sampler(self) -> keras.Model:
        """The generator that samples are drawn with: the averaged one where there is one."""
        return self.generator if self.average_generator is None else self.average_generator

    def call(self, inputs: Mapping[str, Any], training: bool = False) -> Any:
        """Images of latents and class weights: {"z": (n, d), "labels": (n, K)}."""
        return self.sampler(inputs, training=training)

    def sample_latents(self, count: int, seed: int | Sequence[int] = 0) -> np.ndarray:
        """Draws latents from the prior N(0, I).

        Args:
            count: how many.
            seed: one seed for all, or one for each; a latent depends on its own seed alone.

        Returns:
            float32 array (count, latent_dim).
        """
        seeds = np.asarray(seed)
        if seeds.ndim:
            if seeds.shape != (count,):
                raise ValueError(
                    f"seed must be one integer, or {count} of them. Received: {seeds.shape}."
                )
            rows = np.zeros(count, np.uint32)
        else:
            rows = np.arange(count, dtype=np.uint32)
        z = random.normal(
            rows, self.latent_dim, seed=seeds.astype(np.uint32), stream=GENERATE_STREAM
        )
        return ops.convert_to_numpy(z)

    def generate(
        self, labels: Sequence[int] | np.ndarray, seed: int | Sequence[int] = 0
    ) -> np.ndarray:
        """Draws images of the given classes.

        Args:
            labels: n integers in [0, num_classes), or class weights of shape (n, num_classes).
            seed: one integer, or n of them: an image depends on its own seed and label alone.

        Returns:
            uint8 array (n, height, width, channels).

        Raises:
            ValueError: for a label out of range or of the wrong shape.
        """
        weights = self.class_weights(labels)
        images = self.decode(self.sample_latents(len(weights), seed), weights)
        return np.clip(np.rint((images + 1.0) * 127.5), 0, 255).astype(np.uint8)

    def decode(self, z: np.ndarray, labels: Sequence[int] | np.ndarray) -> np.ndarray:
        """Images of latents under labels.

        Args:
            z: (n, latent_dim).
            labels: n integers, or class weights (n, num_classes).

        Returns:
            float32 array (n, height, width, channels) in [−1, 1].
        """
        weights = self.class_weights(labels)
        z = np.asarray(z, np.float32)
        if z.shape != (len(weights), self.latent_dim):
            raise ValueError(
                f"z must have the shape ({len(weights)}, {self.latent_dim}): one latent a label. "
                f"Received: {z.shape}."
            )
        return self._in_batches(self.sampler, {"z": z, "labels": weights})

    def encode(
        self, images: np.ndarray, labels: Sequence[int] | np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The encoder's distribution of z for images under labels.

        Args:
            images: (n, height, width, channels), uint8 or float in [−1, 1].
            labels: n integers, or class weights (n, num_classes).

        Returns:
            z_mean and z_log_var, float32 arrays (n, latent_dim).

        Raises:
            ValueError: for a model without an encoder, or inputs of the wrong shape.
        """
        encoder = self._need("encoder")
        images, weights = self._floats(images), self.class_weights(labels)
        if len(images) != len(weights):
            raise ValueError(
                f"One label an image is needed. Received: {len(images)} images, "
                f"{len(weights)} labels."
            )
        outputs = self._in_batches(encoder, {"images": images, "labels": weights})
        return outputs["z_mean"], outputs["z_log_var"]

    def reconstruct(self, images: np.ndarray, labels: Sequence[int] | np.ndarray) -> np.ndarray:
        """Images decoded from the mean of their encoding: float32 in [−1, 1]."""
        z_mean, _ = self.encode(images, labels)
        return self.decode(z_mean, labels)

    def classify(self, images: np.ndarray) -> np.ndarray:
        """The classifier's probabilities.

        Args:
            images: (n, height, width, channels), uint8 or float in [−1, 1].

        Returns:
            float32 array (n, num_classes); rows sum to 1.
        """
        outputs = self._in_batches(self._need("classifier"), self._floats(images))
        return ops.convert_to_numpy(ops.softmax(outputs["logits"]))

    def class_weights(self, labels: Sequence[int] | np.ndarray) -> np.ndarray:
        """Checks labels and returns them as class weights.

        Args:
            labels: n integers in [0, num_classes), or floats of shape (n, num_classes).

        Returns:
            float32 array (n, num_classes).

        Raises:
            ValueError: for anything else.
        """
        labels = np.asarray(labels)
        if labels.ndim == 2 and labels.shape[1] == self.num_classes:
            return labels.astype(np.float32)
        if labels.size == 0 and labels.ndim == 1:
            return np.zeros((0, self.num_classes), np.float32)
        if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
            raise ValueError(
                "labels must be integers of shape (n,), or class weights of shape "
                f"(n, {self.num_classes}). Received: {labels.dtype} of shape {labels.shape}."
            )
        wrong = labels[(labels < 0) | (labels >= self.num_classes)]
        if wrong.size:
            raise ValueError(
                f"labels must be from 0 to {self.num_classes - 1}. Received: {wrong[0]}."
            )
        return np.eye(self.num_classes, dtype=np.float32)[labels]

    def _need(self, name: str) -> keras.Model:
        if name not in self.network_names:
            raise ValueError(
                f"{type(self).__name__} has no {name}: it has {', '.join(self.network_names)}. "
                "Use a model that has one, such as CVAEGAN."
            )
        return getattr(self, name)

    def _floats(self, images: np.ndarray) -> np.ndarray:
        images = np.asarray(images)
        if images.ndim != 4 or images.shape[1:] != self.image_shape:
            raise ValueError(
                f"images must have the shape (n, {', '.join(map(str, self.image_shape))}). "
                f"Received: {images.shape}."
            )
        if images.dtype == np.uint8:
            return images.astype(np.float32) / 127.5 - 1.0
        if not np.issubdtype(images.dtype, np.floating):
            raise ValueError(
                f"images must be uint8, or floats in [-1, 1]. Received: {images.dtype}."
            )
        if images.size and not (images.min() >= -1.001 and images.max() <= 1.001):
            raise ValueError(
                "Float images must lie in [-1, 1]. Received values from "
                f"{images.min():.3g} to {images.max():.3g}."
            )
        return images.astype(np.float32)

    def _in_batches(self, network: keras.Model, inputs: Any, batch_size: int = 128) -> Any:
        """Runs a network in inference mode and returns its outputs as arrays."""
        count = len(keras.tree.flatten(inputs)[0])
        if count == 0:  # Convolutions of an empty batch fail on some devices.
            one = keras.tree.map_structure(lambda x: np.zeros((1, *x.shape[1:]), x.dtype), inputs)
            return keras.tree.map_structure(lambda x: x[:0], self._in_batches(network, one))
        outputs = []
        for start in range(0, count, batch_size):
            part = keras.tree.map_structure(
                lambda x, start=start: ops.convert_to_tensor(x[start : start + batch_size]), inputs
            )
            outputs.append(
                keras.tree.map_structure(ops.convert_to_numpy, network(part, training=False))
            )
        return keras.tree.map_structure(lambda *parts: np.concatenate(parts), *outputs)

    def get_config(self) -> dict[str, Any]:
        return {
            **{
                name: keras.saving.serialize_keras_object(network)
                for name, network in self.networks.items()
            },
            "class_names": list(self.class_names),
            "seed": self.seed,
            "average_decay": self.average_decay,
            "preset": self.preset,
            "name": self.name,
            "dtype": self.dtype_policy.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> GenerativeModel:
        config = dict(config)
        for name in cls.network_names:
            config[name] = keras.saving.deserialize_keras_object(
                config[name], custom_objects=custom_objects
            )
        return cls(**config)


def check_weight(name: str, value: float) -> float:
    """Returns an objective's weight as a float, or raises a ValueError unless it is ≥ 0."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 <= value < 1e12:
        raise ValueError(f"{name} must be a number of at least 0. Received: {value!r}")
    return float(value)

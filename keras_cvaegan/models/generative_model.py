"""The contract of every model: networks by name, objectives, and which network each updates."""

from __future__ import annotations

import numbers
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import keras
from keras import ops

from keras_cvaegan import random
from keras_cvaegan.models.inference import Inference
from keras_cvaegan.networks import preset as find_preset
from keras_cvaegan.precision import full_precision_dtype
from keras_cvaegan.training.statistics import unsynchronized
from keras_cvaegan.training.step import Step

FLIP_STREAM = 500


class GenerativeModel(Step, Inference, keras.Model):
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
        horizontal_flip: whether training mirrors each image with probability ½.
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
        horizontal_flip: bool = False,
        preset: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        for name in self.network_names:
            setattr(self, name, networks[name])
            self.share_statistics(networks[name])
        if average_decay is not None and not 0.0 <= average_decay < 1.0:
            raise ValueError(f"average_decay must be in [0, 1), or None. Received: {average_decay}")
        self.seed = seed
        self.average_decay = average_decay
        self.horizontal_flip = horizontal_flip
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

    def get_compile_config(self) -> dict[str, Any] | None:
        if not self.compiled:
            return None
        return {"optimizer": keras.saving.serialize_keras_object(self._optimizers)}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        self.compile(keras.saving.deserialize_keras_object(config["optimizer"]))

    def unpack(self, data: Any, training: bool = False) -> tuple[Any, Any]:
        """Images as floats in [−1, 1], in training flipped, and labels, from a batch of `fit`."""
        images, labels = ops.convert_to_tensor(data[0]), ops.convert_to_tensor(data[1])
        if keras.backend.standardize_dtype(images.dtype) == "uint8":
            images = ops.cast(images, full_precision_dtype()) / 127.5 - 1.0
        if training and self.horizontal_flip:
            flipped = self.noise(ops.shape(images)[0], FLIP_STREAM)[:, :1, None, None] > 0
            images = ops.where(flipped, ops.flip(images, axis=2), images)
        return images, ops.cast(labels, "int32")

    def one_hot(self, labels: Any) -> Any:
        """Labels as the class weights that networks take."""
        return ops.one_hot(labels, self.num_classes, dtype=full_precision_dtype())

    def noise(self, count: Any, stream: int) -> Any:
        """Standard normal noise (count, latent_dim) of the current step.

        On several replicas, `count` are this replica's rows of the noise of the whole batch.
        """
        return random.normal(
            self.global_rows(count),
            self.latent_dim,
            seed=self.seed,
            step=self.step,
            stream=stream,
            dtype=full_precision_dtype(),
        )

    def finish_step(self) -> None:
        """What follows the updates: the average of the generator's weights, the step's number."""
        if self.average_generator is not None:
            step = ops.cast(self.step, full_precision_dtype())
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

    def call(self, inputs: Mapping[str, Any], training: bool = False) -> Any:
        """Images of latents and class weights: {"z": (n, d), "labels": (n, K)}."""
        return self.sampler(inputs, training=training)

    def get_config(self) -> dict[str, Any]:
        networks = {}
        for name, network in self.networks.items():
            with unsynchronized(network):
                networks[name] = keras.saving.serialize_keras_object(network)
        return {
            **networks,
            "class_names": list(self.class_names),
            "seed": self.seed,
            "average_decay": self.average_decay,
            "horizontal_flip": self.horizontal_flip,
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

"""The contract of every model: networks by name, objectives, and which network each updates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import keras
from keras import ops

from keras_cvaegan.models.arguments import check_decay, check_switch
from keras_cvaegan.models.compilation import Compilation
from keras_cvaegan.models.from_presets import FromPreset
from keras_cvaegan.models.inference import Inference
from keras_cvaegan.models.perception import Perception
from keras_cvaegan.ops import random
from keras_cvaegan.ops.precision import full_precision_dtype
from keras_cvaegan.training.overflow import MeanOfSteps
from keras_cvaegan.training.phases import Phase
from keras_cvaegan.training.statistics import unsynchronized
from keras_cvaegan.training.step import Step

# What noise is for: a stream each, so that no two draws are the same numbers.
POSTERIOR_STREAM, PRIOR_STREAM, FLIP_STREAM = 0, 1, 500

ANY_CLASS = "any"
"""Name of the one class of an unconditional model."""


class GenerativeModel(Step, FromPreset, Compilation, Inference, Perception, keras.Model):
    """Networks plus objectives; `fit`, saving and sampling follow from them.

    A subclass names its networks (each is a constructor argument and an attribute), computes one
    scalar for each objective in one forward pass (`compute_objectives`), and says which networks
    each objective updates (`updates`). Where a step has several parts, such as five steps of the
    critic for each of the generator, it says so in `phases`. The training step is written once
    for all models, in `keras_cvaegan.training`.

    The keyword-only arguments of a subclass's constructor are attributes of the same names: its
    configuration is made of them.

    Args:
        networks: the networks by name, as the subclass's `network_names` lists them.
        class_names: one name a class; "0", "1", … by default.
        seed: all noise of training is a function of (seed, step, purpose, example).
        average_decay: decay of a moving average of the generator's weights, which sampling then
            uses; None for no average.
        horizontal_flip: whether training mirrors each image with probability ½.
        preset: name of the preset whose optimizers `compile` takes by default.
        trunk: frozen network, see `keras_cvaegan.pretrained.trunk`, whose features the
            discriminator and the classifier take in place of images; None for none.
        augmentation: strength, in [0, 1], of the random changes of what these two see in training;
            see `keras_cvaegan.layers.DifferentiableAugmentation`.

    Attributes:
        conditional: whether the label shapes the image. A model where it does not has networks
            for one class: labels of data are ignored, labels of samples are all 0.
        takes_unlabelled: whether `fit` takes images without a label, as label −1.
        latent_dim: dimensions of z.
        num_classes: number of classes.
        image_shape: (height, width, channels); (d,) for points of d dimensions.
        class_names: tuple of names.
        step: training steps taken, an integer variable.
    """

    network_names: ClassVar[tuple[str, ...]] = ()
    updates: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    measures: ClassVar[tuple[str, ...]] = ()
    conditional: ClassVar[bool] = True
    takes_unlabelled: ClassVar[bool] = False

    def __init__(
        self,
        networks: Mapping[str, keras.Model],
        *,
        class_names: Sequence[str] | None = None,
        seed: int = 0,
        average_decay: float | None = None,
        horizontal_flip: bool = False,
        preset: str | None = None,
        trunk: keras.Model | None = None,
        augmentation: float = 0.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        for name in self.network_names:
            setattr(self, name, networks[name])
            self.share_statistics(networks[name])
        if average_decay is not None:
            average_decay = check_decay("average_decay", average_decay)
        self.seed = seed
        self.average_decay = average_decay
        self.horizontal_flip = check_switch("horizontal_flip", horizontal_flip)
        self.preset = preset
        self.prepare_perception(trunk, augmentation)
        self.latent_dim, self.num_classes = self.latent_sizes()
        self.image_shape = tuple(self.generator.output.shape[1:])
        if not self.conditional and self.num_classes != 1:
            raise ValueError(
                f"{type(self).__name__} is unconditional: its networks take labels of one class. "
                f"Received: a generator for {self.num_classes} classes."
            )
        if horizontal_flip and len(self.image_shape) != 3:
            raise ValueError(
                f"horizontal_flip is for images. Received: data of shape {self.image_shape}."
            )
        if class_names is None:
            class_names = [str(label) for label in range(self.num_classes)]
            if not self.conditional:
                class_names = [ANY_CLASS]
        if len(class_names) != self.num_classes:
            raise ValueError(
                f"class_names must have one name for each of the {self.num_classes} classes. "
                f"Received: {len(class_names)} names."
            )
        if len(set(class_names)) < len(class_names):
            raise ValueError(f"class_names must all be different. Received: {list(class_names)}.")
        self.class_names = tuple(class_names)
        self.average_generator = None
        if average_decay is not None:
            self.average_generator = keras.models.clone_model(self.generator)
            self.average_generator.set_weights(self.generator.get_weights())
            self.average_generator.trainable = False
        self.step = self.add_weight(
            name="step", shape=(), dtype="int32", initializer="zeros", trainable=False
        )
        self._trackers = {name: MeanOfSteps(name=name) for name in self.measures}
        self.built = True

    def latent_sizes(self) -> tuple[int, int]:
        """Dimensions of z and number of classes, as the networks have them."""
        inputs = self.generator.input
        return int(inputs["z"].shape[-1]), int(inputs["labels"].shape[-1])

    @property
    def networks(self) -> dict[str, keras.Model]:
        """The trained networks, by name."""
        return {name: getattr(self, name) for name in self.network_names}

    @property
    def phases(self) -> tuple[Phase, ...]:
        """The parts of a training step: by default one, of `compute_objectives` and `updates`."""
        return (Phase(self.updates),)

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

    def unpack(self, data: Any, training: bool = False) -> tuple[Any, Any]:
        """Images as floats in [−1, 1], in training flipped, and labels, from a batch of `fit`.

        An unconditional model's labels are 0, whatever comes with the images.
        """
        images, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
        images = ops.convert_to_tensor(images)
        if keras.backend.standardize_dtype(images.dtype) == "uint8":
            images = ops.cast(images, full_precision_dtype()) / 127.5 - 1.0
        if training and self.horizontal_flip:
            flipped = self.noise(ops.shape(images)[0], FLIP_STREAM)[:, :1, None, None] > 0
            images = ops.where(flipped, ops.flip(images, axis=2), images)
        if not self.conditional:
            return images, ops.zeros((ops.shape(images)[0],), "int32")
        if labels is None:
            raise ValueError(
                f"{type(self).__name__} learns from images and their labels: fit(images, labels). "
                "Received: images alone."
            )
        return images, ops.cast(ops.convert_to_tensor(labels), "int32")

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

    def prior_latents(self, count: Any) -> Any:
        """z_p ~ N(0, I) of the current step, (count, latent_dim)."""
        return self.noise(count, PRIOR_STREAM)

    def finish_phase(self, networks: Iterable[str]) -> None:
        """What follows the updates of some networks: the average of the generator's weights."""
        if self.average_generator is None or "generator" not in networks:
            return
        step = ops.cast(self.step, full_precision_dtype())
        decay = ops.minimum(self.average_decay, (1.0 + step) / (10.0 + step))
        for average, current in zip(
            self.average_generator.variables, self.generator.variables, strict=True
        ):
            average.assign(average + (1.0 - decay) * (current - average))

    def track(self, measures: Mapping[str, Any], finite: Any = None) -> None:
        """Adds a batch's measures to their means.

        Args:
            measures: scalars by name, some of the class's `measures`.
            finite: whether the batch's gradients were finite; None where no step is skipped.
        """
        for name, value in measures.items():
            self._trackers[name].update_state(value, finite)

    def call(self, inputs: Mapping[str, Any], training: bool = False) -> Any:
        """Images of latents and class weights: {"z": (n, d), "labels": (n, K)}."""
        return self.sampler(inputs, training=training)

    def get_config(self) -> dict[str, Any]:
        networks = {}
        for name, network in self.networks.items():
            with unsynchronized(network):
                networks[name] = keras.saving.serialize_keras_object(network)
        own = {name: getattr(self, name) for name in self.keyword_arguments()}
        if self.trunk is not None:
            networks["trunk"] = keras.saving.serialize_keras_object(self.trunk)
        return {
            **networks,
            "class_names": list(self.class_names),
            "seed": self.seed,
            "average_decay": self.average_decay,
            "horizontal_flip": self.horizontal_flip,
            "preset": self.preset,
            "augmentation": self.augmentation,
            "name": self.name,
            "dtype": self.dtype_policy.name,
            **{k: list(v) if isinstance(v, tuple) else v for k, v in own.items()},
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> GenerativeModel:
        config = dict(config)
        for name in {*cls.network_names, "trunk"} & config.keys():
            config[name] = keras.saving.deserialize_keras_object(
                config[name], custom_objects=custom_objects
            )
        return cls(**config)

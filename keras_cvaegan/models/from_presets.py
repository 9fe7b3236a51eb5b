"""How a model is built with the networks and hyper-parameters of a preset."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import keras

from keras_cvaegan.networks import Preset
from keras_cvaegan.networks import preset as find_preset
from keras_cvaegan.training.model_part import ModelPart


class FromPreset(ModelPart):
    """The class methods of a `GenerativeModel` that read presets."""

    conditional: ClassVar[bool]
    network_names: ClassVar[tuple[str, ...]]

    @classmethod
    def from_preset(
        cls,
        name: str = "compact",
        *,
        image_shape: tuple[int, int, int] | None = None,
        num_classes: int | None = None,
        class_names: Sequence[str] | None = None,
        latent_dim: int | Sequence[int] | None = None,
        seed: int = 0,
        **overrides: Any,
    ) -> Self:
        """Builds the model with a preset's networks and hyper-parameters.

        Args:
            name: name of the preset, of `keras_cvaegan.networks.PRESETS`.
            image_shape: (height, width, channels); by default that of `default_image_size`.
            num_classes: number of classes; ignored by an unconditional model, which has one.
            class_names: one name a class; ignored by an unconditional model.
            latent_dim: dimensions of z; by default those of `default_latent_dim`.
            seed: seed of the weights' initial values and of all noise.
            **overrides: constructor arguments that replace the preset's.

        Raises:
            ValueError: for an unknown preset, a shape that its networks cannot take, or a
                conditional model without num_classes.
        """
        preset = find_preset(name)
        if image_shape is None:
            side = cls.default_image_size(preset)
            image_shape = (side, side, 3)
        if latent_dim is None:
            latent_dim = cls.default_latent_dim(preset, image_shape)
        if not cls.conditional:
            num_classes, class_names = 1, None
        elif num_classes is None:
            raise ValueError(f"{cls.__name__} is conditional: from_preset needs num_classes.")
        keras.utils.set_random_seed(seed)
        return cls(
            **cls.preset_networks(preset, image_shape, num_classes, latent_dim),
            class_names=class_names,
            seed=seed,
            preset=name,
            **{**cls.hyperparameters(name), **overrides},
        )

    @classmethod
    def default_image_size(cls, preset: Preset) -> int:
        """Side in pixels of the images that a preset's networks for this model are made for."""
        return preset.image_size

    @classmethod
    def default_latent_dim(
        cls, preset: Preset, image_shape: tuple[int, ...]
    ) -> int | tuple[int, int]:
        """Dimensions of z in a preset, as `from_preset` takes them."""
        return preset.latent_dim

    @classmethod
    def preset_networks(
        cls,
        preset: Preset,
        image_shape: tuple[int, ...],
        num_classes: int,
        latent_dim: int | Sequence[int],
    ) -> dict[str, keras.Model]:
        """The preset's networks that this model has, by name."""
        return preset.networks(image_shape, num_classes, latent_dim, cls.network_names)

    @classmethod
    def hyperparameters(cls, preset: str = "compact") -> dict[str, Any]:
        """The constructor's weights, layers, decays and counts, as a preset sets them.

        Example:

        >>> from keras_cvaegan.models import WGAN
        >>> WGAN.hyperparameters("paper")
        {'critic_steps': 5, 'clip_value': 0.01, 'augmentation': 0.0, 'average_decay': None}
        """
        found = find_preset(preset)
        own = cls.keyword_arguments()
        objective = {k: value for k, value in cls.preset_objective(found).items() if k in own}
        if cls._sees_views():
            own["augmentation"] = found.augmentation
        return {**own, "average_decay": found.average_decay, **objective}

    @classmethod
    def has_preset(cls, name: str) -> bool:
        """Whether `from_preset` builds the model with the networks of a preset."""
        return True

    @classmethod
    def _sees_views(cls) -> bool:
        """Whether a network of the model takes what a trunk may stand before."""
        return not {"discriminator", "classifier"}.isdisjoint(cls.network_names)

    @classmethod
    def preset_objective(cls, preset: Preset) -> Mapping[str, Any]:
        """The keyword arguments that a preset sets for models of this kind."""
        return preset.objective

    @classmethod
    def keyword_arguments(cls) -> dict[str, Any]:
        """The constructor's keyword-only arguments and their defaults."""
        # Not of the class: before Python 3.11.4 that is the signature of Keras' `__new__`.
        parameters = inspect.signature(cls.__init__).parameters.values()
        return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}

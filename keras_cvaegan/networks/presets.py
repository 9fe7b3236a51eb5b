"""Presets: an architecture with the hyper-parameters it trains well with."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import keras

from keras_cvaegan.networks import builders, cifar, compact, photo, vgg
from keras_cvaegan.networks.builders import ImageShape, Pair
from keras_cvaegan.pretrained import trunk as pretrained_trunk

Networks = dict[str, keras.Model]


@dataclasses.dataclass(frozen=True)
class Preset:
    """An architecture and its hyper-parameters; what a user may want to change lives here.

    Args:
        name: name, as on the command line.
        doc: line for the programs' help.
        builders: a function of (image_shape, num_classes, latent_dim) for each of the networks
            "encoder", "generator", "discriminator" and "classifier"; of the latter two not where
            `trunk_builders` have them.
        image_size: default side in pixels.
        latent_dim: dimensions of z.
        code_builders: such functions for each of the networks of LR/LI-VAE, with the dimensions of
            z_s and z_u in place of latent_dim.
        code_image_size: default side in pixels for those.
        code_dims: function of an image shape to the default dimensions of z_s and z_u.
        code_objective: arguments as `objective`, of LR/LI-VAE.
        code_learning_rates: learning rates of networks of LR/LI-VAE that its paper's rates do not
            suit.
        batch_size: images an update.
        steps: default length of a training.
        learning_rates: learning rates of Adam, by network.
        beta_1: β₁ of Adam.
        beta_2: β₂ of Adam.
        average_decay: decay of the moving average of the generator's weights.
        trunk: function of image_shape to the frozen network that the discriminator and the
            classifier stand on; None where they take images.
        trunk_builders: a function of (trunk, num_classes) for each of these.
        augmentation: strength of the random changes of what these see in training.
        horizontal_flip: whether training mirrors each image with probability ½.
        replaces_paper_rates: whether learning rates and momenta hold for every model, also where
            its paper gives others.
        objective: keyword arguments of the models, of which each takes those that it has:
            weights, feature layers, decays.
    """

    name: str
    doc: str
    builders: MappingProxyType[str, Callable[[ImageShape, int, int], keras.Model]]
    image_size: int
    latent_dim: int
    code_builders: MappingProxyType[str, Callable[[ImageShape, int, Pair], keras.Model]]
    code_image_size: int
    code_dims: Callable[[ImageShape], Pair]
    code_objective: MappingProxyType[str, Any]
    code_learning_rates: MappingProxyType[str, float]
    batch_size: int
    steps: int
    learning_rates: MappingProxyType[str, float]
    beta_1: float
    average_decay: float | None
    objective: MappingProxyType[str, Any]
    beta_2: float = 0.999
    trunk: Callable[[ImageShape], keras.Model] | None = None
    trunk_builders: MappingProxyType[str, Callable[[keras.Model, int], keras.Model]] = (
        dataclasses.field(default_factory=lambda: MappingProxyType({}))
    )
    augmentation: float = 0.0
    horizontal_flip: bool = False
    replaces_paper_rates: bool = False

    def networks(
        self,
        image_shape: ImageShape,
        num_classes: int,
        latent_dim: int | Sequence[int] | None = None,
        names: Iterable[str] | None = None,
    ) -> Networks:
        """Builds the preset's networks of one z, by name.

        Args:
            image_shape: `(height, width, channels)`.
            num_classes: number of classes, at least 1.
            latent_dim: dimensions of z; the preset's by default.
            names: names of the networks to build; all by default.

        Returns:
            Networks by name; with one that stands on a trunk also the "trunk".

        Raises:
            ValueError: for a name that the preset does not have, or a shape that the architecture
                cannot take.
        """
        latent_dim = self.latent_dim if latent_dim is None else latent_dim
        return self._built(self.builders, image_shape, num_classes, latent_dim, names)

    def code_networks(
        self,
        image_shape: ImageShape,
        num_classes: int,
        code_dims: Sequence[int] | None = None,
        names: Iterable[str] | None = None,
    ) -> Networks:
        """Builds the preset's networks of LR/LI-VAE, by name.

        Args:
            image_shape: `(height, width, channels)`.
            num_classes: number of classes, at least 1.
            code_dims: dimensions of z_s and of z_u; the preset's by default.
            names: names of the networks to build; all by default.

        Raises:
            ValueError: as `networks`.
        """
        code_dims = self.code_dims(tuple(image_shape)) if code_dims is None else code_dims
        return self._built(self.code_builders, image_shape, num_classes, code_dims, names)

    def _built(
        self,
        builders: Mapping[str, Callable[..., keras.Model]],
        image_shape: ImageShape,
        num_classes: int,
        latent: int | Sequence[int],
        names: Iterable[str] | None,
    ) -> Networks:
        on_trunk = self.trunk_builders
        names = list({**builders, **on_trunk} if names is None else names)
        for name in names:
            if name not in builders and name not in on_trunk:
                known = ", ".join([*builders, *on_trunk]) or "none of this kind"
                raise ValueError(f"The preset {self.name!r} has no {name}. It has {known}.")
        shape = tuple(image_shape)
        found = {}
        trunk = None
        if self.trunk is not None and not on_trunk.keys().isdisjoint(names):
            found["trunk"] = trunk = self.trunk(shape)
        for name in names:
            if name in on_trunk and trunk is not None:
                found[name] = on_trunk[name](trunk, num_classes)
            else:
                found[name] = builders[name](shape, num_classes, latent)
        return found


# With the paper's own, z_s takes all that pictures show and z_u next to nothing, in the steps that
# two cores bear.
_COMPACT_CODE_OBJECTIVE = {
    "irrelevant_kl_weight": 1024.0,
    "irrelevant_reconstruction_weight": 16.0,
    "relevant_reconstruction_weight": 0.05,
    "latent_adversarial_weight": 30.0,
    "adversarial_weight": 10.0,
}

PRESETS = {
    preset.name: preset
    for preset in (
        Preset(
            name="compact",
            doc="small networks for 16 to 256 px that train on two CPU cores",
            builders=MappingProxyType(builders.COMPACT),
            image_size=32,
            latent_dim=16,
            code_builders=builders.code_builders(
                builders.compact_code_encoder,
                functools.partial(compact.compact_generator, num_classes=None),
                functools.partial(compact.compact_projection_discriminator, base_filters=24),
                least_deviation=0.1,
            ),
            code_image_size=32,
            code_dims=lambda image_shape: (16, 16),
            code_objective=MappingProxyType(_COMPACT_CODE_OBJECTIVE),
            code_learning_rates=MappingProxyType({"latent_classifier": 1e-3}),
            batch_size=64,
            steps=4500,
            learning_rates=MappingProxyType(
                {"encoder": 1e-3, "generator": 1e-3, "discriminator": 2e-4, "classifier": 2e-4}
            ),
            beta_1=0.5,
            average_decay=0.99,
            objective=MappingProxyType(
                {
                    "kl_weight": 3.0,
                    "mean_matching_weight": 3e-3,
                    "class_matching_weight": 1e-2,
                }
            ),
        ),
        Preset(
            name="paper",
            doc="the papers' networks and weights: for CVAE-GAN (GoogLeNet, DCGAN, AlexNet) at "
            "128 px, for LR/LI-VAE at 32 px and (VGG) at 64 px and other multiples of 32",
            builders=MappingProxyType(builders.PAPER),
            image_size=128,
            latent_dim=256,
            code_builders=builders.code_builders(
                builders.by_size(cifar.cifar_encoder, vgg.vgg_encoder),
                builders.by_size(cifar.cifar_decoder, vgg.vgg_decoder),
                builders.by_size(
                    cifar.cifar_projection_discriminator, vgg.vgg_projection_discriminator
                ),
            ),
            code_image_size=64,
            code_dims=builders.paper_code_dims,
            # About 2 epochs of FaceScrub.
            code_objective=MappingProxyType({"variance_decay_steps": 3000}),
            code_learning_rates=MappingProxyType({}),
            batch_size=64,
            steps=100_000,
            learning_rates=MappingProxyType(
                {"encoder": 2e-4, "generator": 2e-4, "discriminator": 2e-4, "classifier": 2e-4}
            ),
            beta_1=0.5,
            average_decay=None,
            objective=MappingProxyType(
                {
                    "kl_weight": 3.0,
                    "mean_matching_weight": 1e-3,
                    "class_matching_weight": 1e-3,
                }
            ),
        ),
        Preset(
            name="photo",
            doc="for photographs of 32 to 256 px: small networks that train on two CPU cores "
            "against the features of a pretrained one (EfficientNet-Lite0)",
            builders=MappingProxyType(builders.PHOTO),
            image_size=64,
            latent_dim=64,
            code_builders=builders.code_builders(
                builders.compact_code_encoder,
                functools.partial(
                    compact.compact_generator, num_classes=None, base_filters=64, low_pass=True
                ),
                None,
                least_deviation=0.1,
            ),
            code_image_size=64,
            code_dims=lambda image_shape: (64, 64),
            code_objective=MappingProxyType(_COMPACT_CODE_OBJECTIVE),
            code_learning_rates=MappingProxyType({"latent_classifier": 1e-3}),
            batch_size=64,
            steps=3500,
            learning_rates=MappingProxyType(
                {"encoder": 5e-4, "generator": 5e-4, "discriminator": 5e-4, "classifier": 1e-3}
            ),
            beta_1=0.0,
            beta_2=0.99,
            average_decay=0.995,
            # Below 64 px its maps would be of 2×2 places and less.
            trunk=lambda shape: pretrained_trunk(
                "efficientnet_lite0", shape, resize_to=64 if min(shape[:2]) < 64 else None
            ),
            trunk_builders=MappingProxyType(
                {
                    "discriminator": lambda trunk, num_classes: photo.photo_discriminator(
                        trunk, num_classes=num_classes
                    ),
                    "classifier": lambda trunk, num_classes: photo.photo_classifier(
                        trunk, num_classes=num_classes
                    ),
                }
            ),
            augmentation=1.0,
            horizontal_flip=True,
            replaces_paper_rates=True,
            objective=MappingProxyType(
                {
                    "relative_matching": True,
                    "joint_generation": True,
                    "kl_weight": 10.0,
                    "pixel_weight": 2.0,
                    "discriminator_feature_weight": 1.0,
                    "classifier_feature_weight": 0.0,
                    "discriminator_layers": ("stride_4", "stride_8", "stride_16", "pooled"),
                    "mean_matching_weight": 1.0,
                    "class_matching_weight": 2.0,
                    "adversarial_weight": 2.0,
                    "adversarial_loss": "hinge",
                    "generator_loss": "hinge",
                }
            ),
        ),
    )
}


def preset(name: str) -> Preset:
    """Returns a preset by its name.

    Raises:
        ValueError: for an unknown name.

    Example:

    >>> preset("paper").latent_dim
    256
    """
    if name not in PRESETS:
        raise ValueError(f"Unknown preset. Received: {name!r}. Allowed: {', '.join(PRESETS)}.")
    return PRESETS[name]

"""CGAN: a conditional generative adversarial network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras

from keras_cvaegan.models.gan import GAN
from keras_cvaegan.networks import Preset, conditional_discriminator


@keras.saving.register_keras_serializable(package="keras_cvaegan")
class CGAN(GAN):
    """Conditional generative adversarial network (Mirza & Osindero, "Conditional Generative
    Adversarial Nets", 2014).

    The objectives of `GAN` with x_p = G(z, c) and a discriminator D(x, c) that sees the label too
    (Fig. 2e, Table 1 of Bao et al. 2017). The generated images have the labels of the real ones
    of the batch.

    Args:
        generator: {"z", "labels"} → images in [−1, 1].
        discriminator: {"images", "labels"} → {"logits", …}; `from_preset` makes it of the
            preset's discriminator, see `keras_cvaegan.networks.conditional_discriminator`.
        generator_loss: see `GAN`.
        class_names, seed, average_decay, horizontal_flip, preset: see `GenerativeModel`.

    Example:

    >>> import numpy as np
    >>> model = CGAN.from_preset("compact", image_shape=(16, 16, 3), num_classes=3)
    >>> model.compile()
    >>> images = np.zeros((8, 16, 16, 3), "uint8")
    >>> history = model.fit(images, np.arange(8) % 3, batch_size=4, verbose=0)
    >>> model.generate([0, 1, 2], seed=0).shape
    (3, 16, 16, 3)
    """

    conditional = True

    @classmethod
    def preset_networks(
        cls,
        preset: Preset,
        image_shape: tuple[int, ...],
        num_classes: int,
        latent_dim: int | Sequence[int],
    ) -> dict[str, keras.Model]:
        networks = super().preset_networks(preset, image_shape, num_classes, latent_dim)
        discriminator = networks["discriminator"]
        if not (isinstance(discriminator.input, Mapping) and "labels" in discriminator.input):
            networks["discriminator"] = conditional_discriminator(
                discriminator, num_classes=num_classes
            )
        return networks

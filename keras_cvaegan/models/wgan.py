"""WGAN: a generative adversarial network with a clipped critic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import keras
from keras import ops

from keras_cvaegan import losses
from keras_cvaegan.models.arguments import check_count, check_positive
from keras_cvaegan.models.generative_model import GenerativeModel
from keras_cvaegan.networks import PRESETS, Preset
from keras_cvaegan.training.phases import Phase


class WeightClipping(keras.constraints.Constraint):
    """Keeps a variable in [−c, c].

    Args:
        limit: c.

    Example:

    >>> import numpy as np
    >>> [float(x) for x in WeightClipping(0.5)(np.array([-2.0, 0.25, 3.0]))]
    [-0.5, 0.25, 0.5]
    """

    def __init__(self, limit: float) -> None:
        self.limit = limit

    def __call__(self, w: Any) -> Any:
        return ops.clip(w, -self.limit, self.limit)

    def get_config(self) -> dict[str, Any]:
        return {"limit": self.limit}


@keras.saving.register_keras_serializable(package="keras_cvaegan")
class WGAN(GenerativeModel):
    """Wasserstein GAN (Arjovsky et al., "Wasserstein GAN", ICML 2017), with weight clipping.

    With x_p = G(z), z ~ N(0, I), and a critic f, which takes the place of the discriminator:

        f maximizes  E[f(x_r)] − E[f(x_p)],  its weights in [−c, c] after each update
        G minimizes  −E[f(x_p)]

    A step is `critic_steps` updates of the critic, then one of the generator, each on images of
    its own (Algorithm 1 there): it takes `critic_steps` + 1 batches. Both are trained by RMSprop
    with a learning rate of 5e-5. Unconditional.

    Every trained variable of the critic is clipped, the scale and shift of its batch
    normalizations too, as in the authors' program. Real and generated images are normalized in
    batches of their own, so that the bound holds for what a batch of images becomes, not for
    single images.

    Args:
        generator: {"z", "labels"} → images in [−1, 1].
        discriminator: the critic: images → {"logits", …}, of which "logits" are f(x).
        critic_steps: updates of the critic for each of the generator.
        clip_value: c, above 0.
        class_names, seed, average_decay, horizontal_flip, preset: see `GenerativeModel`.

    Raises:
        ValueError: for critic_steps below 1, a clip_value that is not above 0, or a preset whose
            discriminator stands on a trunk.

    Example:

    >>> import numpy as np
    >>> model = WGAN.from_preset("compact", image_shape=(16, 16, 3))
    >>> model.compile()
    >>> images = np.zeros((24, 16, 16, 3), "uint8")
    >>> history = model.fit(images, batch_size=2 * model.batches_per_step, verbose=0)
    >>> model.generate([0, 0], seed=0).shape
    (2, 16, 16, 3)
    """

    conditional = False
    network_names = ("generator", "discriminator")
    measures = ("wasserstein_distance", "generator_loss")
    optimizer_class = keras.optimizers.RMSprop
    learning_rates: ClassVar = {"generator": 5e-5, "discriminator": 5e-5}

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        critic_steps: int = 5,
        clip_value: float = 0.01,
        **kwargs: Any,
    ):
        super().__init__({"generator": generator, "discriminator": discriminator}, **kwargs)
        self.critic_steps = check_count("critic_steps", critic_steps)
        self.clip_value = check_positive("clip_value", clip_value)
        for variable in discriminator.trainable_variables:
            variable.constraint = WeightClipping(self.clip_value)

    @classmethod
    def has_preset(cls, name: str) -> bool:
        return "discriminator" not in PRESETS[name].trunk_builders

    @classmethod
    def preset_networks(
        cls,
        preset: Preset,
        image_shape: tuple[int, ...],
        num_classes: int,
        latent_dim: int | Sequence[int],
    ) -> dict[str, keras.Model]:
        if not cls.has_preset(preset.name):
            raise ValueError(
                f"{cls.__name__} cannot train the critic of the preset {preset.name!r}: clipping "
                "its weights fights with the spectral normalization that it has. Allowed: "
                f"{', '.join(filter(cls.has_preset, PRESETS))}."
            )
        return super().preset_networks(preset, image_shape, num_classes, latent_dim)

    @property
    def phases(self) -> tuple[Phase, ...]:
        return (
            Phase({"critic": ("discriminator",)}, "critic_objectives", self.critic_steps),
            Phase({"generator": ("generator",)}, "generator_objectives"),
        )

    def critic_objectives(
        self, images: Any, labels: Any, training: bool
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The critic's objective, on real and generated images."""
        real_scores = self._scores(images, self.one_hot(labels), training)
        generated_scores = self._generated_scores(labels, training)
        distance = losses.wasserstein_distance(real_scores, generated_scores)
        return {"critic": -distance}, {"wasserstein_distance": distance}

    def generator_objectives(
        self, images: Any, labels: Any, training: bool
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The generator's objective, on generated images."""
        loss = -ops.mean(self._generated_scores(labels, training))
        return {"generator": loss}, {"generator_loss": loss}

    def _generated_scores(self, labels: Any, training: bool) -> Any:
        """f(x_p), as many as labels."""
        z, classes = self.prior_latents(ops.shape(labels)[0]), self.one_hot(labels)
        generated = self.generator({"z": z, "labels": classes}, training=training)
        return self._scores(generated, classes, training)

    def _scores(self, images: Any, classes: Any, training: bool) -> Any:
        """f of images."""
        view = self.view(images, classes, training)
        return self.recognize(self.discriminator, view, training)["logits"]

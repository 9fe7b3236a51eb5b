"""Random changes of colour and place that gradients pass through."""

from typing import Any

import keras
from keras import ops

from keras_cvaegan.ops.precision import full_precision_dtype


@keras.saving.register_keras_serializable(package="keras_cvaegan")
class DifferentiableAugmentation(keras.layers.Layer):
    """Changes images at random before a discriminator sees them, real and generated alike (Zhao et
    al., "Differentiable Augmentation for Data-Efficient GAN Training", NeurIPS 2020).

    In this order, with u₁, u₂, … in (0, 1) of each image, s the strength, m(x) the mean over the
    channels of a pixel and M(x) that over the image:

        brightness   x ← x + 0.6 s (u₁ − ½)
        saturation   x ← m(x) + (1 + 1.4 s (u₂ − ½)) (x − m(x))
        contrast     x ← M(x) + (1 + 0.8 s (u₃ − ½)) (x − M(x))
        translation  x ← x moved by whole pixels, up to ⅛ of its sides; zeros move in

    With a zoom ζ the last one is instead, about the middle and with bilinear interpolation,

        x ← x enlarged (1 + ζ)^(s (2 u₆ − 1)) times and moved by fractions of pixels

    so that nothing lies at the same phase of a network's strided convolutions twice: without it,
    their gradients can leave a screen of dots.

    A discriminator that overlooks such changes cannot learn few images by heart, and since
    gradients pass through, the generator does not learn to show them.

    Args:
        strength: s, in [0, 1].
        translation: largest move as a share of the sides, in [0, 1).
        zoom: ζ, at least 0; 0 for moves by whole pixels alone.

    Call arguments:
        images: tensor (n, height, width, channels) in [−1, 1].
        draws: uniform numbers u in [0, 1), (n, 5), with a zoom (n, 6): the same make the same
            changes.

    Returns:
        Tensor of the images' shape; values may leave [−1, 1].

    Raises:
        ValueError: for an argument out of its range.

    Example:

    >>> import numpy as np
    >>> middle = np.full((2, 5), 0.5, "float32")
    >>> images = np.random.default_rng(0).uniform(-1, 1, (2, 16, 16, 3)).astype("float32")
    >>> same = DifferentiableAugmentation()(images, middle)
    >>> bool(np.allclose(same, images, atol=1e-6))
    True
    """

    def __init__(
        self, strength: float = 1.0, translation: float = 0.125, zoom: float = 0.0, **kwargs: Any
    ):
        super().__init__(**kwargs)
        if not 0 <= strength <= 1:
            raise ValueError(f"strength must be in [0, 1]. Received: {strength!r}.")
        if not 0 <= translation < 1:
            raise ValueError(f"translation must be in [0, 1). Received: {translation!r}.")
        if not 0 <= zoom < 10:
            raise ValueError(f"zoom must be a number of at least 0. Received: {zoom!r}.")
        self.strength = strength
        self.zoom = zoom
        self.translation = translation
        self.built = True  # It has no state, also where a model never calls it.

    def call(self, images: Any, draws: Any) -> Any:
        x, draws = images, ops.cast(draws, images.dtype)
        brightness, saturation, contrast = (
            draws[:, index, None, None, None] - 0.5 for index in range(3)
        )
        x = x + 0.6 * self.strength * brightness
        grey = ops.mean(x, axis=3, keepdims=True)
        x = grey + (1.0 + 1.4 * self.strength * saturation) * (x - grey)
        mean = ops.mean(x, axis=(1, 2, 3), keepdims=True)
        x = mean + (1.0 + 0.8 * self.strength * contrast) * (x - mean)
        if self.zoom:
            scale = (1.0 + self.zoom) ** (self.strength * (2.0 * draws[:, 5] - 1.0))
            down = self._zooms(draws[:, 3], scale, x.shape[1])
            right = self._zooms(draws[:, 4], scale, x.shape[2])
        else:
            down = self._moves(draws[:, 3], x.shape[1])
            right = self._moves(draws[:, 4], x.shape[2])
        x = ops.einsum("nij,njwc->niwc", down, x)
        return ops.einsum("nij,nhjc->nhic", right, x)

    def _moves(self, draws: Any, side: int) -> Any:
        """A matrix (n, side, side) for each image that moves its rows by whole pixels."""
        most = int(self.strength * self.translation * side)
        # In half precision, draws near 1 are 1.
        moves = ops.minimum(ops.cast(ops.floor(draws * (2 * most + 1)), "int32") - most, most)
        places = ops.arange(side)
        sources = places[None, :] - moves[:, None]
        return ops.cast(sources[:, :, None] == places[None, None, :], draws.dtype)

    def _zooms(self, draws: Any, scale: Any, side: int) -> Any:
        """A matrix (n, side, side) that enlarges about the middle and moves by fractions."""
        dtype = full_precision_dtype()
        draws, scale = (ops.cast(x, dtype)[:, None] for x in (draws, scale))
        moves = self.strength * self.translation * side * (2.0 * draws - 1.0)
        places, middle = ops.arange(side, dtype=dtype), (side - 1) / 2
        sources = (places[None, :] - middle - moves) / scale + middle
        weights = 1.0 - ops.abs(sources[:, :, None] - places[None, None, :])
        return ops.cast(ops.relu(weights), self.compute_dtype)

    def compute_output_shape(self, images_shape: Any, draws_shape: Any = None) -> Any:
        return images_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "strength": self.strength,
            "translation": self.translation,
            "zoom": self.zoom,
        }

"""CVAE: a conditional variational auto-encoder."""

import keras

from keras_cvaegan.models.vae import VAE


@keras.saving.register_keras_serializable(package="keras_cvaegan")
class CVAE(VAE):
    """Conditional variational auto-encoder (Sohn et al., "Learning Structured Output
    Representation using Deep Conditional Generative Models", NIPS 2015).

    The objective of `VAE` with x_f = G(z, c), z ~ E(x_r, c): encoder and generator see the label.
    The prior of z is N(0, I) for every class. In Bao et al. 2017 (Fig. 2d, Table 1) it is
    CVAE-GAN without discriminator and classifier.

    Args:
        encoder, generator, kl_weight: see `VAE`.
        class_names, seed, average_decay, horizontal_flip, preset: see `GenerativeModel`.

    Example:

    >>> import numpy as np
    >>> model = CVAE.from_preset("compact", image_shape=(16, 16, 3), num_classes=3)
    >>> model.compile()
    >>> images = np.zeros((8, 16, 16, 3), "uint8")
    >>> history = model.fit(images, np.arange(8) % 3, batch_size=4, verbose=0)
    >>> model.reconstruct(images[:2], [0, 1]).shape
    (2, 16, 16, 3)
    """

    conditional = True

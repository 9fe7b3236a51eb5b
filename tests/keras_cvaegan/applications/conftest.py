import numpy as np
import pytest

from keras_cvaegan.models import CVAEGAN, LRLIVAE

SHAPE = (16, 16, 3)


@pytest.fixture(scope="session")
def cvae_gan():
    return CVAEGAN.from_preset("compact", image_shape=SHAPE, num_classes=3, latent_dim=4)


@pytest.fixture(scope="session")
def lr_li_vae():
    """Untrained, with Gaussians that differ."""
    model = LRLIVAE.from_preset("compact", image_shape=SHAPE, num_classes=3, latent_dim=4)
    rng = np.random.default_rng(0)
    model.head.means.assign(rng.normal(0, 2, (3, 4)))
    model.head.raw_log_variances.assign(rng.normal(0, 1, (3, 4)))
    return model


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (5, *SHAPE), dtype=np.uint8)

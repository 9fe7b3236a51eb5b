"""A tiny model with random weights, and its export."""

import keras
import numpy as np

from keras_cvaegan.export import export_saved_model
from keras_cvaegan.models import CVAEGAN

CLASS_NAMES = ("rose", "lily", 'café "d\'or"')


def tiny_model():
    """A model with random weights that give pictures which differ."""
    keras.utils.set_random_seed(0)
    model = CVAEGAN.from_preset(
        "compact", image_shape=(16, 16, 3), num_classes=3, latent_dim=4, class_names=CLASS_NAMES
    )
    noise = np.random.default_rng(0)
    for variable in model.sampler.variables:
        variable.assign(variable + 0.05 * noise.standard_normal(variable.shape))
    return model


_EXPORTED = []


def exported(tmp_path_factory):
    """A tiny model, and the directory of its only version; both made once a process."""
    if not _EXPORTED:
        model, path = tiny_model(), tmp_path_factory.mktemp("served")
        export_saved_model(model, path)
        _EXPORTED[:] = model, path
    return _EXPORTED

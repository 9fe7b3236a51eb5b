"""One small model, exported once for all tests of a worker process."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_cvaegan.export import export_saved_model
from keras_cvaegan.models import CVAEGAN


@pytest.fixture(scope="session")
def model():
    keras.utils.set_random_seed(0)
    names = ["rose", "lily", "daisy"]
    model = CVAEGAN.from_preset(
        "compact", image_shape=(16, 16, 3), num_classes=3, class_names=names
    )
    rng = np.random.default_rng(0)
    for variable in model.average_generator.variables:
        variable.assign(variable + 0.05 * rng.standard_normal(variable.shape))
    return model


@pytest.fixture(scope="session")
def version(model, tmp_path_factory):
    return export_saved_model(model, tmp_path_factory.mktemp("export"), extra_config={"run": "a"})


@pytest.fixture(scope="session")
def signatures(version):
    return tf.saved_model.load(str(version)).signatures


@pytest.fixture(scope="session")
def call(signatures):
    def call(name, **inputs):
        outputs = signatures[name](**{k: tf.constant(v) for k, v in inputs.items()})
        return {k: v.numpy() for k, v in outputs.items()}

    return call

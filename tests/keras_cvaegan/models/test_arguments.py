"""Wrong arguments of models: each a ValueError that names it."""

import numpy as np
import pytest

from keras_cvaegan.models import CVAEGAN, GAN, WGAN


@pytest.mark.parametrize(
    ("model", "name", "value"),
    [
        (CVAEGAN, "kl_weight", -1.0),
        (CVAEGAN, "pixel_weight", float("nan")),
        (CVAEGAN, "average_decay", "a"),
        (CVAEGAN, "average_decay", 1.0),
        (CVAEGAN, "class_center_decay", 1.0),
        (CVAEGAN, "mean_center_decay", "a"),
        (CVAEGAN, "class_names", ["a", "a"]),
        (GAN, "generator_loss", ["hinge"]),
        (WGAN, "clip_value", "a"),
        (WGAN, "clip_value", 0),
        (WGAN, "critic_steps", 0.5),
    ],
)
def test_wrong_arguments(model, name, value):
    classes = {"num_classes": 2} if model.conditional else {}
    with pytest.raises(ValueError, match=f"{name} must"):
        model.from_preset("compact", image_shape=(16, 16, 3), **classes, **{name: value})


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([[np.nan, 0.0]], "must be finite"),
        ([[np.inf, 0.0]], "must be finite"),
        ([["a", "b"]], "labels must be integers"),
    ],
)
def test_wrong_class_weights(weights, message):
    model = CVAEGAN.from_preset("compact", image_shape=(16, 16, 3), num_classes=2)
    with pytest.raises(ValueError, match=message):
        model.generate(weights)

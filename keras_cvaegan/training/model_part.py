"""The base of what a model is put together from."""

from typing import TYPE_CHECKING

import keras

if TYPE_CHECKING:
    # A part has what Keras and the other parts give the whole.
    ModelPart = keras.Model
else:
    ModelPart = object

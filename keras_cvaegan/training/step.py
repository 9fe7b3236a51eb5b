"""The training step that serves every model, chosen by back end."""

from typing import Any

import keras

Step: Any
if keras.backend.backend() == "tensorflow":
    from keras_cvaegan.training.tensorflow_step import TensorFlowStep

    Step = TensorFlowStep
elif keras.backend.backend() == "jax":
    from keras_cvaegan.training.jax_step import JAXStep

    Step = JAXStep
else:
    raise ValueError(
        "keras_cvaegan trains on the TensorFlow and JAX back ends of Keras. "
        f"Received: KERAS_BACKEND={keras.backend.backend()!r}. Set KERAS_BACKEND to tensorflow or "
        "jax."
    )

__all__ = ["Step"]

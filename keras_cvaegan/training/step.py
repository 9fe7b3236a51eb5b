"""The training step that serves every model, chosen by back end."""

import keras

if keras.backend.backend() == "tensorflow":
    from keras_cvaegan.training.tensorflow_step import TensorFlowStep as Step
else:
    raise ValueError(
        "keras_cvaegan trains on the TensorFlow back end of Keras. "
        f"Received: KERAS_BACKEND={keras.backend.backend()!r}. Set KERAS_BACKEND=tensorflow."
    )

__all__ = ["Step"]

"""Which devices TensorFlow may take while it reads data."""

import contextlib


def leave_to_jax() -> None:
    """Hides GPUs from TensorFlow where Keras runs on JAX and TensorFlow only reads data.

    TensorFlow takes most of a GPU's memory at its first operation, unless this comes before.
    """
    import keras
    import tensorflow as tf

    if keras.backend.backend() == "jax":
        # The error of a TensorFlow that has begun to work: there is nothing left to hide.
        with contextlib.suppress(RuntimeError):
            tf.config.set_visible_devices([], "GPU")

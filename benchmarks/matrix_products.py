"""A worker that multiplies square matrices on all that the back end of KERAS_BACKEND has.

A process of its own: a trainer may leave most cores to other operations.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from benchmarks import measuring
from benchmarks.workers import Channel


def on_gpu() -> bool:
    """Whether the back end computes on a GPU."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.default_backend() == "gpu"
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


def product(dtype: str) -> Callable[[int, float], float]:
    """Returns a function of a side and seconds that gives the FLOP/s of square matrix products."""
    operands: dict[int, tuple[Any, Any]] = {}
    if keras.backend.backend() == "jax":
        import jax

        multiply = jax.jit(lambda a, b: a @ b)
        finish = jax.block_until_ready
    else:
        import tensorflow as tf

        multiply = tf.function(tf.linalg.matmul)
        finish = np.shape if not on_gpu() else lambda c: c[0, 0].numpy()

    def measure(side: int, seconds: float) -> float:
        if side not in operands:
            rng = np.random.default_rng(side)
            operands[side] = tuple(
                keras.ops.cast(rng.standard_normal((side, side), np.float32), dtype)
                for _ in range(2)
            )
            finish(multiply(*operands[side]))
        return 2 * side**3 * measuring.rate(lambda: finish(multiply(*operands[side])), seconds)

    return measure


def serve(channel: Channel, dtype: str) -> None:
    """Answers "product" with the FLOP/s of square matrix products, until the program has gone.

    Args:
        channel: connection to the program.
        dtype: dtype of the matrices.
    """
    channel.answer({"sides": (4096, 8192, 16384) if on_gpu() else (512, 1024, 2048)})
    channel.serve({"product": product(dtype)})

"""A worker that trains with `model.fit`, in turns, on the back end that KERAS_BACKEND names."""

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np

from benchmarks import flops, measuring
from benchmarks.matrix_products import on_gpu
from benchmarks.workers import Channel
from keras_cvaegan.models import CVAEGAN
from keras_cvaegan.models.generative_model import POSTERIOR_STREAM, PRIOR_STREAM
from keras_cvaegan.ops import random

# A call of the compiled function takes several short steps, as in `trainers.fit`, or one long one.
FLOPS_A_CALL, MAX_STEPS_A_CALL = 1e11, 25


def endless(batches: list[tuple[np.ndarray, np.ndarray]]) -> Any:
    """Returns what `fit` takes: the batches over and over, at next to no cost."""
    if keras.backend.backend() != "tensorflow":
        return (batch for batch in itertools.cycle(batches))
    import tensorflow as tf

    images, labels = (np.stack(column) for column in zip(*batches, strict=True))
    return tf.data.Dataset.from_tensor_slices((images, labels)).repeat().prefetch(2)


class Turns(keras.callbacks.Callback):
    """Holds `fit` between two epochs until the program asks for a turn.

    Args:
        channel: connection to the program.
        batch_size: number of images in a step.
        steps: number of steps in an epoch.
        others: functions that answer the program's other requests, by request.
    """

    def __init__(
        self, channel: Channel, batch_size: int, steps: int, others: dict[str, Callable[..., Any]]
    ) -> None:
        super().__init__()
        self._channel = channel
        self._requests: Iterator = channel.requests()
        self._images = batch_size * steps
        self._others = others
        self._seconds = -1.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if self._seconds < 0:
            self._wait()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._epochs += 1
        elapsed = time.perf_counter() - self._began
        if elapsed >= self._seconds:
            losses = {name: float(value) for name, value in (logs or {}).items()}
            rate = self._epochs * self._images / elapsed
            self._channel.answer({"images_per_second": rate, "losses": losses})
            self._seconds = -1.0

    def _wait(self) -> None:
        for what, arguments in self._requests:
            if what == "train":
                self._seconds, self._epochs = arguments["seconds"], 0
                self._began = time.perf_counter()
                return
            self._channel.answer(self._others[what](**arguments))
        raise SystemExit  # The program has gone.


def memory() -> int:
    """Returns the peak: of the GPU where there is one, else of this process."""
    if not on_gpu():
        return measuring.peak_memory()
    if keras.backend.backend() == "jax":
        import jax

        return jax.devices()[0].memory_stats()["peak_bytes_in_use"]
    import tensorflow as tf

    return tf.config.experimental.get_memory_info("GPU:0")["peak"]


def write_start(path: str, model: CVAEGAN, batch: tuple[np.ndarray, np.ndarray]) -> None:
    """Writes what another implementation needs to start alike, and to prove that it does.

    The file holds the networks' weights ("encoder/0", …), the first step's draws ("noise" of the
    posterior, "prior") and, of the batch, the terms of the loss ("terms/kl_divergence", …).
    """
    arrays = {
        f"{name}/{index}": array
        for name, network in model.networks.items()
        for index, array in enumerate(network.get_weights())
    }
    images, labels = model.unpack(batch)
    rows = np.arange(len(labels))
    for name, stream in (("noise", POSTERIOR_STREAM), ("prior", PRIOR_STREAM)):
        draws = random.normal(rows, model.latent_dim, seed=model.seed, step=0, stream=stream)
        arrays[name] = keras.ops.convert_to_numpy(draws)
    _, terms = model.compute_objectives(images, labels, training=True)
    for name, value in terms.items():
        arrays[f"terms/{name}"] = keras.ops.convert_to_numpy(value)
    np.savez(path, **arrays)


def serve(
    channel: Channel,
    preset: str,
    image_size: int,
    batch_size: int,
    num_classes: int = 10,
    dtype_policy: str = "float32",
    start: str | None = None,
) -> None:
    """Trains in turns: answers "train", "memory", until the program has gone.

    Args:
        channel: connection to the program.
        preset: name of networks and hyper-parameters.
        image_size: height and width of the images, in pixels.
        batch_size: number of images in a step.
        num_classes: number of classes.
        dtype_policy: precision of the layers.
        start: file that `write_start` writes, for others to start from.
    """
    keras.config.set_dtype_policy(dtype_policy)
    model = CVAEGAN.from_preset(
        preset, image_shape=(image_size, image_size, 3), num_classes=num_classes
    )
    batches = measuring.random_batches(image_size, batch_size, num_classes)
    if start:
        write_start(start, model, batches[0])
    operations = flops.of_step(model, batch_size)
    most = MAX_STEPS_A_CALL if on_gpu() else int(FLOPS_A_CALL / operations.padded)
    steps = min(max(most, 1), MAX_STEPS_A_CALL)
    model.compile(steps_per_execution=steps, jit_compile=keras.backend.backend() == "jax")
    channel.answer(
        {
            "parameters": model.count_params(),
            "flops_per_image": operations.padded / batch_size,
            "flops_per_image_without_padding": operations.real / batch_size,
            "flops_per_image_computed": operations.computed / batch_size,
            "steps_per_execution": steps,
            "compute_dtype": keras.config.dtype_policy().compute_dtype,
            "gpu": on_gpu(),
            "memory_before": memory(),
        }
    )
    model.fit(
        endless(batches),
        steps_per_epoch=steps,
        epochs=10**9,
        verbose=0,
        callbacks=[Turns(channel, batch_size, steps, {"memory": memory})],
    )

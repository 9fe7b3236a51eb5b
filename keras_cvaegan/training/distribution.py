"""How one run is spread over devices and machines.

A `Distribution` hides which of them it is: `none` (one device), `mirrored` (the devices of one
machine), `multi_worker` (several machines, described by TF_CONFIG), `tpu` (untested) under
TensorFlow, and `data_parallel` under JAX. The model is made within its scope, its data set by its
`dataset`; `Model.fit` does the rest. A batch is always the whole batch of all devices, and the
result that of one device with it.
"""

import contextlib
import json
import os
import re
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf

from keras_cvaegan.names import STRATEGIES

MakeDataset = Callable[[tuple[int, int]], tf.data.Dataset]


class Distribution:
    """One device: the base of the others.

    Attributes:
        num_replicas: parts that a batch is cut into.
        num_workers: processes that train together.
        worker: index of this process among them.
    """

    num_replicas = 1
    num_workers = 1
    worker = 0

    @property
    def is_chief(self) -> bool:
        """Whether this process is the one that writes."""
        return self.worker == 0

    def scope(self) -> contextlib.AbstractContextManager:
        """Within this the model is made, compiled and restored."""
        return contextlib.nullcontext()

    def watch(self) -> contextlib.AbstractContextManager:
        """Around `fit`: turns the loss of another worker into a clear error."""
        return contextlib.nullcontext()

    def gather(self, value: float) -> list[float]:
        """What each worker gives, in their order. All workers must call it at the same point.

        Example:

        >>> Distribution().gather(3)
        [3.0]
        """
        return [float(value)]

    def check_same(self, step: int) -> None:
        """Checks that all workers go on from the same step.

        Raises:
            ValueError: on every worker, when one of them found another checkpoint.
        """
        steps = [int(x) for x in self.gather(step)]
        if len(set(steps)) > 1:
            raise ValueError(
                "The workers do not see the same run directory: their checkpoints are of the steps "
                f"{', '.join(map(str, steps))}. Put --run_dir on a disk that all of them share."
            )

    def dataset(self, make: MakeDataset, batch_size: int, batches_per_step: int = 1) -> Any:
        """The data set for `fit`.

        Args:
            make: function of (index, count) to this worker's part of every step's images, the
                index-th of `count`.
            batch_size: images of a whole batch.
            batches_per_step: batches that the model's step takes, see `Phased`.

        Raises:
            ValueError: for a batch that the replicas cannot share equally.
        """
        if batch_size % self.num_replicas:
            raise ValueError(
                f"A batch must be a multiple of the {self.num_replicas} replicas that share it. "
                f"Received: batch_size={batch_size}."
            )
        return self._dataset(make, batch_size * batches_per_step)

    def _dataset(self, make: MakeDataset, batch_size: int) -> Any:
        return make((0, 1))


class _Strategy(Distribution):
    """A strategy of `tf.distribute`."""

    def __init__(self, strategy: tf.distribute.Strategy) -> None:
        self._strategy = strategy
        self.num_replicas = strategy.num_replicas_in_sync

    def scope(self) -> contextlib.AbstractContextManager:
        return self._strategy.scope()

    def _dataset(self, make: MakeDataset, batch_size: int) -> tf.distribute.DistributedDataset:
        def of_worker(context: tf.distribute.InputContext) -> tf.data.Dataset:
            part = make((context.input_pipeline_id, context.num_input_pipelines))
            return part.rebatch(batch_size // self.num_replicas, drop_remainder=True)

        # TensorFlow's threads that fetch to devices would call our pipeline's Python, and wait for
        # it for ever where an iterator is dropped.
        options = tf.distribute.InputOptions(experimental_fetch_to_device=False)
        return self._strategy.distribute_datasets_from_function(of_worker, options)


class _MultiWorker(_Strategy):
    def __init__(self) -> None:
        address = _check_cluster()
        try:
            strategy = tf.distribute.MultiWorkerMirroredStrategy()
        except tf.errors.UnknownError as error:
            raise OSError(
                f"Cannot listen at {address!r}, the address of this worker in TF_CONFIG: another "
                f"program may use the port. ({error.message})"
            ) from error
        super().__init__(strategy)
        resolver = self._strategy.cluster_resolver
        self.num_workers = len(resolver.cluster_spec().as_dict()["worker"])
        self.worker = resolver.task_id
        self._of_all_replicas = tf.function(
            lambda value: self._strategy.run(self._of_replica, args=(value,))
        )

    @contextlib.contextmanager
    def scope(self) -> Iterator[None]:
        # Every variable begins with the chief's value, which a lost worker cannot have.
        with self.watch(), super().scope():
            yield

    @contextlib.contextmanager
    def watch(self) -> Iterator[None]:
        try:
            yield
        except (
            tf.errors.UnavailableError,
            tf.errors.AbortedError,
            tf.errors.CancelledError,
            tf.errors.DeadlineExceededError,
            tf.errors.FailedPreconditionError,
        ) as error:
            # TensorFlow's frames hold a thread pool, which would complain as Python ends.
            traceback.clear_frames(error.__traceback__)
            said = re.sub(r"\{\{.*?\}\} *", "", error.message or "").partition("\n")[0]
            raise ConnectionError(
                f"Worker {self.worker} has lost another of the {self.num_workers} workers, whose "
                "own output may say why. The last checkpoint is intact: to go on from it, start "
                "all workers again with the same command, or fewer with another TF_CONFIG. "
                f"({type(error).__name__}: {said})"
            ) from error

    def gather(self, value: float) -> list[float]:
        with self.watch():
            result = self._of_all_replicas(tf.constant(value, tf.float64))
            values = self._strategy.experimental_local_results(result)[0].numpy()
        return values[:: self.num_replicas // self.num_workers].tolist()

    def _of_replica(self, value: tf.Tensor) -> tf.Tensor:
        context = tf.distribute.get_replica_context()
        mine = tf.one_hot(context.replica_id_in_sync_group, self.num_replicas, dtype=value.dtype)
        return context.all_reduce(tf.distribute.ReduceOp.SUM, value * mine)


class _DataParallel(Distribution):
    """`keras.distribution.DataParallel`: JAX shards each batch over the devices."""

    def __init__(self, devices: int | None) -> None:
        names = keras.distribution.list_devices()[:devices]
        self.num_replicas = len(names)
        keras.distribution.set_distribution(keras.distribution.DataParallel(devices=names))


def open_distribution(strategy: str = "none", devices: int | None = None) -> Distribution:
    """Prepares the devices of a run. Call it before anything else uses them.

    Args:
        strategy: one of `STRATEGIES`.
        devices: number of devices of this machine to use; all by default. On a machine without
            accelerators, the CPU stands for that many devices, to try things out.

    Raises:
        ValueError: for a strategy that the back end does not have, more devices than there are,
            or a TF_CONFIG that does not describe the workers.
    """
    if strategy not in STRATEGIES:
        raise ValueError(
            f"strategy must be one of {', '.join(STRATEGIES)}. Received: {strategy!r}."
        )
    backend = keras.backend.backend()
    needed = {"none": backend, "data_parallel": "jax"}.get(strategy, "tensorflow")
    if backend != needed:
        raise ValueError(
            f"The strategy {strategy!r} runs on KERAS_BACKEND={needed}. "
            f"Received: KERAS_BACKEND={backend}. "
            f"With {backend}, choose {'data_parallel' if backend == 'jax' else 'mirrored'}."
        )
    if devices is not None and strategy not in ("mirrored", "data_parallel"):
        raise ValueError(
            "A number of devices is for the strategies mirrored and data_parallel. "
            f"Received: devices={devices}, strategy={strategy!r}."
        )
    if strategy == "mirrored":
        return _Strategy(tf.distribute.MirroredStrategy(_tensorflow_devices(devices)))
    if strategy == "multi_worker":
        return _MultiWorker()
    if strategy == "tpu":
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver.connect()
        return _Strategy(tf.distribute.TPUStrategy(resolver))
    if strategy == "data_parallel":
        _jax_devices(devices)
        return _DataParallel(devices)
    return Distribution()


def _tensorflow_devices(devices: int | None) -> list[str] | None:
    """The devices' names, or None for all."""
    if devices is None:
        return None
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        _check_count(devices, len(gpus))
        return [f"GPU:{index}" for index in range(devices)]
    try:
        tf.config.set_logical_device_configuration(
            tf.config.list_physical_devices("CPU")[0],
            [tf.config.LogicalDeviceConfiguration()] * devices,
        )
    except RuntimeError:  # TensorFlow has begun; the devices may be there already.
        _check_count(devices, len(tf.config.list_logical_devices("CPU")))
    return [f"CPU:{index}" for index in range(devices)]


def _jax_devices(devices: int | None) -> None:
    import jax

    if devices is None:
        return
    with contextlib.suppress(RuntimeError):  # JAX has begun; the devices may be there already.
        jax.config.update("jax_num_cpu_devices", devices)
        # XLA's thread pool on CPUs has NPROC threads. A collective occupies one for each device;
        # with none left for what it waits on, it would wait for ever.
        os.environ.setdefault("NPROC", str(4 * devices + (os.cpu_count() or 1)))
        jax.config.update("jax_cpu_enable_async_dispatch", False)
    _check_count(devices, jax.local_device_count())


def _check_count(devices: int, there: int) -> None:
    if devices > there:
        raise ValueError(
            f"There are not as many devices as asked for. Received: devices={devices}; this "
            f"machine has {there}."
        )


def _check_cluster() -> str:
    """Checks TF_CONFIG, whose errors would otherwise show as a wait without end.

    Returns:
        The address of this worker.
    """
    example = (
        """TF_CONFIG='{"cluster": {"worker": ["host0:2222", "host1:2222"]}, """
        """"task": {"type": "worker", "index": 0}}'"""
    )
    text = os.environ.get("TF_CONFIG", "")
    try:
        config = json.loads(text)
        workers, task = config["cluster"]["worker"], config["task"]
        valid = list(config["cluster"]) == ["worker"] and task["type"] == "worker"
        valid = valid and 0 <= int(task["index"]) < len(workers)
    except (ValueError, KeyError, TypeError):
        valid = False
    if not valid:
        raise ValueError(
            "The strategy multi_worker reads the cluster from TF_CONFIG, which must list all "
            f"workers and say which of them this is, as in {example}. "
            f"Received: TF_CONFIG={text!r}."
        )
    return workers[int(task["index"])]

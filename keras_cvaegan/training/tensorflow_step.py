"""Simultaneous updates of several networks from one forward pass, in TensorFlow."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_cvaegan.ops.keras_private import BuiltWhenMade
from keras_cvaegan.training.overflow import may_skip, unless_skipped
from keras_cvaegan.training.phases import Phase, Phased
from keras_cvaegan.training.statistics import set_synchronized


class TensorFlowStep(BuiltWhenMade, Phased):
    """The `train_step` and `test_step` of a `GenerativeModel`.

    For each phase, one forward pass under one persistent tape; one gradient call for each
    objective, with respect to the variables of the networks that it updates and of no other; one
    application of all gradients (Algorithm 1, Bao et al. 2017: all updates are simultaneous).

    Under a `tf.distribute` strategy each replica runs the step on its rows of the batch, and the
    result is that of one replica with the whole batch: means over examples are divided by the
    number of replicas, since optimizers sum gradients; what is no mean over examples (statistics
    of classes, of the batch) is computed by each replica from the rows of all.
    """

    @staticmethod
    def share_statistics(network: keras.Model) -> None:
        """Makes batch statistics those of the whole batch, on however many replicas."""
        set_synchronized(network, _replicas() > 1)

    def global_rows(self, count: Any) -> Any:
        """Index of each of this replica's examples within the whole batch."""
        rows = tf.range(count)
        if _replicas() > 1:
            replica = tf.distribute.get_replica_context().replica_id_in_sync_group
            rows = tf.cast(replica, rows.dtype) * count + rows
        return self._rows_of_batch(rows)

    def all_replicas(self, x: Any) -> Any:
        """The rows of all replicas, in the order of the whole batch. Gradients flow back.

        Every replica must have as many rows, as `Distribution.dataset` gives them.
        """
        if _replicas() == 1:
            return x
        # Sums of rows that are zero elsewhere: all_gather fails on several workers (TF 2.21).
        context = tf.distribute.get_replica_context()
        mine = tf.one_hot(context.replica_id_in_sync_group, _replicas(), dtype=x.dtype)
        rows = tf.tensordot(mine, x, axes=0)
        rows = context.all_reduce(tf.distribute.ReduceOp.SUM, rows)
        return tf.reshape(rows, [-1, *x.shape[1:]])

    @staticmethod
    def compiled_function(function: Callable[..., Any]) -> Callable[..., Any]:
        """A function of tensors, compiled; it must not depend on variables."""
        return tf.function(function, reduce_retracing=True)

    @staticmethod
    def compiled_network(network: keras.Model) -> Callable[[Any], Any]:
        """A network's outputs in inference mode as a compiled function of its inputs."""
        return tf.function(lambda inputs: network(inputs, training=False), reduce_retracing=True)

    @staticmethod
    def compiled_gradient(network: keras.Model, name: str) -> Callable[[Any], tuple[Any, Any]]:
        """A compiled function of a network's inputs to its outputs, one number an example, and
        their gradient with respect to the input of that name."""

        @tf.function(reduce_retracing=True)
        def call(inputs: Any) -> tuple[Any, Any]:
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(inputs[name])
                outputs = network(inputs, training=False)
            return outputs, tape.gradient(outputs, inputs[name])

        return call

    def train_step(self, data: Any) -> dict[str, Any]:
        images, labels = self.unpack(data, training=True)
        for index, phase, *share in self._shares(images, labels):
            with self._counting_rows_of_share(index):
                self._take(phase, *share)
        self.step.assign_add(1)
        return self._logs()

    def _take(self, phase: Phase, images: Any, labels: Any) -> None:
        skipping = may_skip(self.optimizer)
        before = [tf.identity(v) for v in self.non_trainable_variables] if skipping else []
        with tf.GradientTape(persistent=True) as tape:
            compute = getattr(self, phase.objectives)
            objectives, measures = compute(images, labels, training=True)
            scaled = {
                name: self.optimizer.scale_loss(loss / _replicas())
                for name, loss in objectives.items()
            }
        gradients = self._gradients(phase, tape, scaled)
        del tape
        finite = None
        if skipping:
            finite, gradients = self._finite_everywhere(gradients)
        self.optimizer.apply(gradients, self.trainable_variables)
        self.finish_phase(phase.networks)
        if skipping:
            variables = self.non_trainable_variables
            values = unless_skipped(finite, variables, before)
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)
        self.track(measures, finite)

    def _finite_everywhere(self, gradients: list[Any]) -> tuple[Any, list[Any]]:
        """Whether the gradients are finite on all replicas; where on one they are not, on none.

        Keras (3.15) asks its first replica alone whether a step is to be skipped.
        """
        finite = self.optimizer.check_finite(gradients)
        if _replicas() == 1:
            return finite, gradients
        context = tf.distribute.get_replica_context()
        overflow = tf.cast(tf.logical_not(finite), tf.float32)
        finite = context.all_reduce(tf.distribute.ReduceOp.SUM, overflow) == 0
        add = tf.where(finite, 0.0, np.inf)
        return finite, [x if x is None else x + tf.cast(add, x.dtype) for x in gradients]

    def test_step(self, data: Any) -> dict[str, Any]:
        images, labels = self.unpack(data)
        for phase in self.phases:
            _, measures = getattr(self, phase.objectives)(images, labels, training=False)
            self.track(measures)
        return self._logs()

    def _logs(self) -> dict[str, Any]:
        logs = self.get_metrics_result()
        if isinstance(tf.distribute.get_strategy(), tf.distribute.MultiWorkerMirroredStrategy):
            # Keras (3.15) averages a replica's logs over their first axis, which scalars lack.
            return {name: tf.reshape(value, [1]) for name, value in logs.items()}
        return logs

    def _gradients(
        self, phase: Phase, tape: tf.GradientTape, objectives: dict[str, Any]
    ) -> list[Any]:
        """The gradient of each trainable variable: the sum over the objectives that update it.

        None for the variables that the phase does not update.
        """
        totals: dict[int, Any] = {}
        for name, updated in phase.updates.items():
            variables = [
                variable
                for network in updated
                for variable in self.networks[network].trainable_variables
            ]
            for variable, gradient in zip(
                variables, tape.gradient(objectives[name], variables), strict=True
            ):
                if gradient is not None:
                    earlier = totals.get(id(variable))
                    totals[id(variable)] = gradient if earlier is None else earlier + gradient
        return [totals.get(id(variable)) for variable in self.trainable_variables]


def _replicas() -> int:
    return tf.distribute.get_strategy().num_replicas_in_sync

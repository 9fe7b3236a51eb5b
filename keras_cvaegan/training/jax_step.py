"""Simultaneous updates of several networks from one forward pass, in JAX."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jax
import keras
from keras import ops

from keras_cvaegan.training.statistics import set_synchronized

State = tuple[Sequence[Any], ...]


class JAXStep:
    """The `train_step` and `test_step` of a `GenerativeModel`.

    One forward pass, linearized once; the linear map transposed once for each objective, of whose
    gradients those of the networks that it updates are kept (the compiler drops the rest); one
    application of all gradients (Algorithm 1, Bao et al. 2017: all updates are simultaneous).
    Under a `keras.distribution` arrays are global: nothing here speaks of devices.
    """

    @staticmethod
    def share_statistics(network: keras.Model) -> None:
        """Makes batch statistics those of the whole batch: they are, since arrays are global."""
        set_synchronized(network, False)

    def global_rows(self, count: Any) -> Any:
        """Index of each example within the whole batch."""
        return ops.arange(count)

    def all_replicas(self, x: Any) -> Any:
        """The rows of all replicas: x itself, which is global."""
        return x

    @staticmethod
    def compiled_function(function: Callable[..., Any]) -> Callable[..., Any]:
        """A function of arrays, compiled; it must not depend on variables."""
        return jax.jit(function)

    @staticmethod
    def compiled_network(network: keras.Model) -> Callable[[Any], Any]:
        """A network's outputs in inference mode as a compiled function of its inputs."""

        @jax.jit
        def call(trainable: Sequence[Any], others: Sequence[Any], inputs: Any) -> Any:
            return network.stateless_call(trainable, others, inputs, training=False)[0]

        def call_with_values(inputs: Any) -> Any:
            trainable = [variable.value for variable in network.trainable_variables]
            others = [variable.value for variable in network.non_trainable_variables]
            return call(trainable, others, inputs)

        return call_with_values

    def train_step(self, state: State, data: Any) -> tuple[dict[str, Any], State]:
        trainable, others, optimizer, metrics = state
        with self._with_values(trainable, others):
            images, labels = self.unpack(data, training=True)

        def forward(trainable: Sequence[Any]) -> tuple[dict[str, Any], Any]:
            with self._with_values(trainable, others, optimizer) as scope:
                objectives, measures = self.compute_objectives(images, labels, training=True)
                scaled = {name: self.optimizer.scale_loss(x) for name, x in objectives.items()}
            return scaled, (measures, _values(scope, self.non_trainable_variables))

        objectives, linear, (measures, others) = jax.linearize(forward, trainable, has_aux=True)
        gradients = self._gradients(objectives, linear, trainable)
        trainable, optimizer = self.optimizer.stateless_apply(optimizer, gradients, trainable)
        with self._with_values(trainable, others) as scope:
            self.finish_step()
        others = _values(scope, self.non_trainable_variables)
        logs, metrics = self._stateless_track(measures, metrics)
        return logs, (trainable, others, optimizer, metrics)

    def test_step(self, state: State, data: Any) -> tuple[dict[str, Any], State]:
        trainable, others, metrics = state
        images, labels = self.unpack(data)
        with self._with_values(trainable, others):
            _, measures = self.compute_objectives(images, labels, training=False)
        logs, metrics = self._stateless_track(measures, metrics)
        return logs, (trainable, others, metrics)

    def _gradients(self, objectives: dict[str, Any], linear: Any, at: Sequence[Any]) -> list[Any]:
        """The gradient of each trainable variable: the sum over the objectives that update it."""
        totals: dict[int, Any] = {}
        for name, updated in self.updates.items():
            pull_back = jax.linear_transpose(lambda x, name=name: linear(x)[name], at)
            (gradients,) = pull_back(ops.ones_like(objectives[name]))
            mine = {
                id(v) for network in updated for v in self.networks[network].trainable_variables
            }
            for variable, gradient in zip(self.trainable_variables, gradients, strict=True):
                if id(variable) in mine:
                    earlier = totals.get(id(variable))
                    totals[id(variable)] = gradient if earlier is None else earlier + gradient
        return [totals.get(id(variable)) for variable in self.trainable_variables]

    def _with_values(
        self, trainable: Sequence[Any], others: Sequence[Any], optimizer: Sequence[Any] = ()
    ) -> keras.StatelessScope:
        """A scope in which the model's variables, and the optimizer's, have these values."""
        mapping = [
            *zip(self.trainable_variables, trainable, strict=True),
            *zip(self.non_trainable_variables, others, strict=True),
        ]
        if optimizer:
            mapping += zip(self.optimizer.variables, optimizer, strict=True)
        return keras.StatelessScope(mapping)

    def _stateless_track(
        self, measures: dict[str, Any], metrics: Sequence[Any]
    ) -> tuple[dict[str, Any], list[Any]]:
        mapping = list(zip(self.metrics_variables, metrics, strict=True))
        with keras.StatelessScope(mapping) as scope:
            logs = self.track(measures)
        return logs, _values(scope, self.metrics_variables)


def _values(scope: keras.StatelessScope, variables: Iterable[keras.Variable]) -> list[Any]:
    """What the variables hold at the end of a scope that gave each of them a value."""
    return [scope.get_current_value(variable) for variable in variables]

"""Simultaneous updates of several networks from one forward pass, in JAX."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jax
import keras
from keras import ops

from keras_cvaegan.training.overflow import may_skip, unless_skipped
from keras_cvaegan.training.phases import Phase, Phased
from keras_cvaegan.training.statistics import set_synchronized

State = tuple[Sequence[Any], ...]


class JAXStep(Phased):
    """The `train_step` and `test_step` of a `GenerativeModel`.

    For each phase, one forward pass, linearized once; the linear map transposed once for each
    objective, of whose gradients those of the networks that it updates are kept (the compiler
    drops the rest); one application of all gradients (Algorithm 1, Bao et al. 2017: all updates
    are simultaneous).
    Under a `keras.distribution` arrays are global: nothing here speaks of devices.
    """

    @staticmethod
    def share_statistics(network: keras.Model) -> None:
        """Makes batch statistics those of the whole batch: they are, since arrays are global."""
        set_synchronized(network, False)

    def global_rows(self, count: Any) -> Any:
        """Index of each example within the whole batch."""
        return self._rows_of_batch(ops.arange(count))

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

    @staticmethod
    def compiled_gradient(network: keras.Model, name: str) -> Callable[[Any], tuple[Any, Any]]:
        """A compiled function of a network's inputs to its outputs, one number an example, and
        their gradient with respect to the input of that name."""

        @jax.jit
        def call(trainable: Sequence[Any], others: Sequence[Any], inputs: Any) -> tuple[Any, Any]:
            def total(x: Any) -> tuple[Any, Any]:
                with_x = {**inputs, name: x}
                outputs, _ = network.stateless_call(trainable, others, with_x, training=False)
                return outputs.sum(), outputs

            gradient, outputs = jax.grad(total, has_aux=True)(inputs[name])
            return outputs, gradient

        def call_with_values(inputs: Any) -> tuple[Any, Any]:
            trainable = [variable.value for variable in network.trainable_variables]
            others = [variable.value for variable in network.non_trainable_variables]
            return call(trainable, others, inputs)

        return call_with_values

    def train_step(self, state: State, data: Any) -> tuple[dict[str, Any], State]:
        trainable, others, *_ = state
        with self._with_values(trainable, others):
            images, labels = self.unpack(data, training=True)
        for index, phase, *share in self._shares(images, labels):
            with self._counting_rows_of_share(index):
                state = self._take(phase, state, *share)
        trainable, others, optimizer, metrics = state
        with self._with_values(trainable, others) as scope:
            self.step.assign_add(1)
        others = _values(scope, self.non_trainable_variables)
        return self._stateless_logs(metrics), (trainable, others, optimizer, metrics)

    def _take(self, phase: Phase, state: State, images: Any, labels: Any) -> State:
        trainable, before, optimizer, metrics = state
        mine = self._indices(phase.networks)

        def forward(values: Sequence[Any]) -> tuple[dict[str, Any], Any]:
            moved = list(trainable)
            for index, value in zip(mine, values, strict=True):
                moved[index] = value
            with self._with_values(moved, before, optimizer) as scope:
                compute = getattr(self, phase.objectives)
                objectives, measures = compute(images, labels, training=True)
                scaled = {name: self.optimizer.scale_loss(x) for name, x in objectives.items()}
            return scaled, (measures, _values(scope, self.non_trainable_variables))

        at = [trainable[index] for index in mine]
        objectives, linear, (measures, others) = jax.linearize(forward, at, has_aux=True)
        gradients = self._gradients(phase, objectives, linear, at)
        finite = self.optimizer.check_finite(gradients) if may_skip(self.optimizer) else None
        trainable, optimizer = self.optimizer.stateless_apply(optimizer, gradients, trainable)
        with self._with_values(trainable, others) as scope:
            self.finish_phase(phase.networks)
        others = _values(scope, self.non_trainable_variables)
        if finite is not None:
            others = unless_skipped(finite, others, before)
        metrics = self._stateless_track(metrics, measures, finite)
        return trainable, others, optimizer, metrics

    def test_step(self, state: State, data: Any) -> tuple[dict[str, Any], State]:
        trainable, others, metrics = state
        images, labels = self.unpack(data)
        for phase in self.phases:
            with self._with_values(trainable, others):
                _, measures = getattr(self, phase.objectives)(images, labels, training=False)
            metrics = self._stateless_track(metrics, measures)
        return self._stateless_logs(metrics), (trainable, others, metrics)

    def _indices(self, networks: frozenset[str]) -> list[int]:
        """Which of the model's trainable variables are those of some of its networks."""
        ids = {id(v) for name in networks for v in self.networks[name].trainable_variables}
        return [index for index, v in enumerate(self.trainable_variables) if id(v) in ids]

    def _gradients(
        self, phase: Phase, objectives: dict[str, Any], linear: Any, at: Sequence[Any]
    ) -> list[Any]:
        """The gradient of each trainable variable: the sum over the objectives that update it.

        None for the variables that the phase does not update.
        """
        mine = self._indices(phase.networks)
        totals: list[Any] = [None] * len(self.trainable_variables)
        for name, updated in phase.updates.items():
            pull_back = jax.linear_transpose(lambda x, name=name: linear(x)[name], at)
            (gradients,) = pull_back(ops.ones_like(objectives[name]))
            wanted = set(self._indices(frozenset(updated)))
            for index, gradient in zip(mine, gradients, strict=True):
                if index in wanted:
                    earlier = totals[index]
                    totals[index] = gradient if earlier is None else earlier + gradient
        return totals

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
        self, metrics: Sequence[Any], measures: dict[str, Any], finite: Any = None
    ) -> list[Any]:
        with self._with_metrics(metrics) as scope:
            self.track(measures, finite)
        return _values(scope, self.metrics_variables)

    def _stateless_logs(self, metrics: Sequence[Any]) -> dict[str, Any]:
        with self._with_metrics(metrics):
            return self.get_metrics_result()

    def _with_metrics(self, values: Sequence[Any]) -> keras.StatelessScope:
        return keras.StatelessScope(list(zip(self.metrics_variables, values, strict=True)))


def _values(scope: keras.StatelessScope, variables: Iterable[keras.Variable]) -> list[Any]:
    """What the variables hold at the end of a scope that gave each of them a value."""
    return [scope.get_current_value(variable) for variable in variables]

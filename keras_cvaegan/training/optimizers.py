"""Several optimizers that act as one."""

from collections.abc import Callable, Sequence
from typing import Any

import keras

from keras_cvaegan.ops.keras_private import optimized_variables


class NetworkOptimizers(keras.optimizers.MultiOptimizer):
    """An optimizer for each network.

    An application moves the variables that have a gradient, and steps only the optimizers of
    those: a phase that updates one network leaves the momenta and step counts of the others.

    Args:
        optimizer_of: function of a variable that returns its optimizer.
    """

    def __init__(
        self, optimizer_of: Callable[[keras.Variable], keras.optimizers.Optimizer]
    ) -> None:
        super().__init__(optimizer_of, name="multi_optimizer")
        self._optimizer_of = optimizer_of

    def apply(self, grads: Sequence[Any], trainable_variables: Any = None) -> None:
        variables = (
            optimized_variables(self) if trainable_variables is None else trainable_variables
        )
        pairs = [pair for pair in zip(grads, variables, strict=True) if pair[0] is not None]
        for optimizer in self.optimizers:
            mine = [pair for pair in pairs if self._optimizer_of(pair[1]) is optimizer]
            if mine:
                optimizer.apply(*map(list, zip(*mine, strict=True)))
        self.iterations.assign_add(1)

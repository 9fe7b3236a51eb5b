"""What Keras has no public way for: all that this package takes of its private names.

Keras may change them in any release. `setup.py` therefore bounds its version, and
`tests/keras_cvaegan/ops/test_keras_private.py` tells what they must do before the bound is raised.
"""

from collections.abc import Iterator
from typing import Any

import keras


def all_layers(network: keras.Layer) -> list[keras.Layer]:
    """Returns a network and every layer inside it, however deep.

    `keras.Model.layers` gives the outermost alone, and what is inside a layer that is no model,
    such as a block or a wrapper, has no public list.

    Args:
        network: a layer or a model.

    Example:

    >>> wrapped = keras.layers.SpectralNormalization(keras.layers.Dense(2))
    >>> [type(layer).__name__ for layer in all_layers(keras.Sequential([wrapped]))]
    ['Sequential', 'SpectralNormalization', 'Dense']
    """
    return list(network._flatten_layers())


def graph_calls(network: keras.Model) -> Iterator[Any]:
    """Yields the calls of layers and operations that a network is, in order of computation.

    `keras.Function.operations` names the operations, but not what each was called on, nor how
    often.

    Args:
        network: a functional or built sequential model.

    Returns:
        Calls, each with `operation`, `arguments`, `input_tensors` and `outputs`.

    Example:

    >>> x = keras.Input((4,))
    >>> dense = keras.layers.Dense(4, name="dense")
    >>> [call.operation.name for call in graph_calls(keras.Model(x, dense(dense(x))))]
    ['dense', 'dense']
    """
    graph = keras.Function(network.inputs, network.outputs)
    for depth in sorted(graph._nodes_by_depth, reverse=True):
        yield from (node for node in graph._nodes_by_depth[depth] if not node.is_input)


def optimized_variables(optimizer: keras.optimizers.Optimizer) -> list[keras.Variable]:
    """Returns the variables that a built optimizer updates, in the order of their gradients.

    `keras.optimizers.Optimizer.variables` are its own, and what a subclass keeps of those that it
    is built for as an attribute becomes one of its own: it would be saved with them.

    Args:
        optimizer: built for them.

    Example:

    >>> weight, optimizer = keras.Variable([1.0]), keras.optimizers.SGD()
    >>> optimizer.build([weight])
    >>> optimized_variables(optimizer)[0] is weight
    True
    """
    return optimizer._trainable_variables


class BuiltWhenMade:
    """Goes before `keras.Model` in a model that has all its variables from the start.

    Under a strategy, `fit` and `evaluate` of Keras (3.15) take a batch apart to build the model,
    which fails on several workers; neither `built` nor anything else public keeps them from it.

    Example:

    >>> class Model(BuiltWhenMade, keras.Model):
    ...     pass
    """

    def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        """Does nothing."""

"""Batch statistics of several replicas."""

import contextlib
from collections.abc import Iterator

import keras

from keras_cvaegan.ops.keras_private import all_layers


def set_synchronized(network: keras.Model, synchronized: bool) -> None:
    """Chooses whether a network's batch normalizations share their statistics among replicas.

    A network may have been made under another number of replicas: what it says of
    synchronization does not bind here.

    Args:
        network: changed in place.
        synchronized: whether statistics are taken over all replicas. True needs TensorFlow.

    Example:

    >>> network = keras.Sequential([keras.Input((4,)), keras.layers.BatchNormalization()])
    >>> set_synchronized(network, True)
    >>> network.layers[0].synchronized
    True
    """
    for layer in _normalizations(network):
        layer.synchronized = synchronized


@contextlib.contextmanager
def unsynchronized(network: keras.Model) -> Iterator[None]:
    """Within this, a network's configuration is one that every back end takes.

    Keras refuses a layer with `synchronized=True` on back ends other than TensorFlow.
    """
    changed = [layer for layer in _normalizations(network) if layer.synchronized]
    for layer in changed:
        layer.synchronized = False
    try:
        yield
    finally:
        for layer in changed:
            layer.synchronized = True


def _normalizations(network: keras.Model) -> list[keras.layers.BatchNormalization]:
    kind = keras.layers.BatchNormalization
    return [layer for layer in all_layers(network) if isinstance(layer, kind)]

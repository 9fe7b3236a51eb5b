"""Batch statistics of several replicas."""

import keras


def set_synchronized(network: keras.Model, synchronized: bool) -> None:
    """Chooses whether a network's batch normalizations share their statistics among replicas.

    A network may come from a file that was written under another number of replicas, or another
    back end: what it says of synchronization there does not bind here.

    Args:
        network: changed in place.
        synchronized: whether statistics are taken over all replicas. True needs TensorFlow.

    Example:

    >>> network = keras.Sequential([keras.Input((4,)), keras.layers.BatchNormalization()])
    >>> set_synchronized(network, True)
    >>> network.layers[0].synchronized
    True
    """
    for layer in network._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = synchronized

import keras

from keras_cvaegan.networks import compact
from keras_cvaegan.ops.keras_private import all_layers
from keras_cvaegan.training.statistics import set_synchronized, unsynchronized


def synchronized(network):
    layers = [x for x in all_layers(network) if isinstance(x, keras.layers.BatchNormalization)]
    assert layers
    return {layer.synchronized for layer in layers}


def test_normalizations_inside_layers_are_synchronized_too():
    network = compact.compact_generator((16, 16, 3), num_classes=2)
    assert synchronized(network) == {False}
    set_synchronized(network, True)
    assert synchronized(network) == {True}


def test_configuration_of_synchronized_network_names_no_replicas():
    network = compact.compact_generator((16, 16, 3), num_classes=2)
    set_synchronized(network, True)
    with unsynchronized(network):
        config = keras.saving.serialize_keras_object(network)
    assert synchronized(network) == {True}
    assert "'synchronized': True" not in str(config)
    assert synchronized(keras.saving.deserialize_keras_object(config)) == {False}

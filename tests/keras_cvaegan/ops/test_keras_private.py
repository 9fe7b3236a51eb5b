"""What the package relies on in private names of Keras: to be run with each new release."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from keras_cvaegan.ops.keras_private import (
    BuiltWhenMade,
    all_layers,
    graph_calls,
    optimized_variables,
)
from keras_cvaegan.training.optimizers import NetworkOptimizers


@keras.saving.register_keras_serializable(package="tests")
class Block(layers.Layer):
    """A layer that has others, and is no model."""

    def __init__(self):
        super().__init__()
        self.branches = [layers.Dense(3), {"last": layers.SpectralNormalization(layers.Dense(4))}]

    def call(self, inputs):
        return self.branches[1]["last"](self.branches[0](inputs))


def test_layers_inside_of_layers_are_found_however_deep():
    block = Block()
    network = keras.Sequential([keras.Input((2,)), keras.Sequential([block])])
    first, last = block.branches[0], block.branches[1]["last"]
    assert len(network.layers) == 1
    found = {id(layer) for layer in all_layers(network)}
    assert found >= {id(layer) for layer in (network, block, first, last, last.layer)}
    assert {type(layer).__name__ for layer in all_layers(network)} == {
        *("Sequential", "InputLayer", "Block", "Dense", "SpectralNormalization")
    }


@pytest.mark.parametrize("kind", ["functional", "sequential"])
def test_calls_of_a_graph_come_in_order_and_can_be_repeated(kind):
    shared = layers.Dense(4, name="shared")
    if kind == "functional":
        x = keras.Input((4,))
        y = layers.Add(name="add")([keras.ops.multiply(shared(x), 2.0), shared(shared(x))])
        network, names = keras.Model(x, y), ["multiply", "shared", "shared", "shared", "add"]
    else:
        network, names = keras.Sequential([keras.Input((4,)), shared]), ["shared"]
    calls = list(graph_calls(network))
    found = [call.operation.name.partition("_")[0] for call in calls]
    assert (sorted(found), found[-1]) == (sorted(names), names[-1])
    values = np.arange(8, dtype="float32").reshape(2, 4)
    tensors = {id(network.inputs[0]): keras.ops.convert_to_tensor(values)}
    for call in calls:
        assert all(id(x) in tensors for x in call.input_tensors)
        arguments, options = call.arguments.fill_in(tensors)
        (output,) = call.outputs
        tensors[id(output)] = call.operation(*arguments, **options)
    np.testing.assert_allclose(tensors[id(network.outputs[0])], network(values), rtol=1e-5)


def test_an_optimizer_knows_what_it_updates_in_order_and_does_not_own_it():
    weights = [keras.Variable([float(number)]) for number in range(3)]
    optimizers = [keras.optimizers.SGD(1.0), keras.optimizers.SGD(2.0)]
    parted = NetworkOptimizers(lambda variable: optimizers[variable is weights[1]])
    parted.build(weights)
    assert [id(x) for x in optimized_variables(parted)] == [id(x) for x in weights]
    assert not {id(x) for x in parted.variables} & {id(x) for x in weights}
    parted.apply([np.ones(1, "float32"), None, np.ones(1, "float32")])
    assert [float(weight[0]) for weight in weights] == [-1.0, 1.0, 1.0]


@pytest.mark.tensorflow
def test_a_model_that_is_built_when_made_is_not_built_from_a_batch(monkeypatch):
    """Without `BuiltWhenMade`, Keras takes a batch apart; should it stop, this class can go."""

    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)
            self.dense.build((None, 2))

        def call(self, inputs):
            return self.dense(inputs)

    class Built(BuiltWhenMade, Model):
        pass

    def fit(kind):
        with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
            model = kind()
            model.compile("sgd", "mse")
        batches = tf.data.Dataset.from_tensors((np.ones((2, 2)), np.ones((2, 1))))
        model.fit(batches, shuffle=False, verbose=0)
        model.evaluate(batches, verbose=0)

    def refuse(self, *args, **kwargs):
        raise AssertionError("built from a batch")

    monkeypatch.setattr(keras.Model, "_symbolic_build", refuse)
    fit(Built)
    with pytest.raises(AssertionError, match="built from a batch"):
        fit(Model)

"""Checks that every layer and every network must pass, as KerasHub's `TestCase` has them.

Where one takes a `layer`, it takes a network too. `inputs` is the tuple of its call's arguments.
"""

import contextlib
import copy
import inspect
import json

import keras
import numpy as np
from keras import tree

HALF_PRECISION = ("mixed_bfloat16", "mixed_float16")


@contextlib.contextmanager
def dtype_policy(name):
    """What is made inside has this dtype policy, unless it says otherwise."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def arrays(outputs):
    """Outputs by name, of one that has none by ""."""
    outputs = outputs if isinstance(outputs, dict) else {"": outputs}
    return {key: keras.ops.convert_to_numpy(value) for key, value in outputs.items()}


def check_configuration(layer, inputs):
    """A layer that is made from the configuration, also as JSON, is the same, and trains alike."""
    weights, config = layer.get_weights(), _as_json(layer)
    expected = [arrays(layer(*inputs, training=training)) for training in (False, True)]
    for again in (
        type(layer).from_config(copy.deepcopy(layer.get_config())),
        keras.saving.deserialize_keras_object(copy.deepcopy(config)),
    ):
        assert type(again) is type(layer)
        assert again.name == layer.name
        again(*inputs, training=False)
        assert _as_json(again) == config
        again.set_weights(weights)
        for training in (False, True):
            _assert_same(again(*inputs, training=training), expected[training])
        _assert_same_weights(again, layer)
    arguments = inspect.signature(type(layer)).parameters.values()
    if not isinstance(layer, keras.Model):
        variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        named = {each.name for each in arguments if each.kind not in variable}
        assert named <= config["config"].keys()


def check_symbolic_call(layer, inputs, shapes):
    """Symbolic and eager calls agree on values, shapes and dtypes, whatever the batch's size.

    Args:
        layer: layer.
        inputs: arguments of its call.
        shapes: shapes of the outputs, without the batch.
    """
    model, flat = _model(layer, inputs)
    outputs = layer(*inputs, training=False)
    count = len(tree.flatten(inputs)[0])
    for symbol, output, shape in zip(
        tree.flatten(model.output), tree.flatten(outputs), shapes, strict=True
    ):
        assert symbol.shape == (None, *shape)
        assert tuple(output.shape) == (count, *shape)
        assert symbol.dtype == keras.backend.standardize_dtype(output.dtype)
    _assert_same(model(flat, training=False), outputs)
    few = tree.map_structure(lambda x: x[:1], (flat, inputs))
    _assert_same(model(few[0], training=False), layer(*few[1], training=False))


def check_saved(layer, inputs, folder):
    """A `.keras` file gives the name, the weights and the outputs of what was trained."""
    model, flat = _model(layer, inputs)
    model(flat, training=True)
    model.save(folder / "model.keras")
    again = keras.saving.load_model(folder / "model.keras")
    assert again.name == model.name
    assert [type(x) for x in again.layers] == [type(x) for x in model.layers]
    _assert_same_weights(again, model)
    _assert_same(again(flat, training=False), model(flat, training=False))


def check_dtype_policy(build, inputs, policy, output_dtype=None):
    """Under a policy weights are float32, and outputs those of full precision, nearly.

    Args:
        build: function that makes the layer.
        inputs: arguments of its call.
        policy: name of the policy, which is the global one then.
        output_dtype: dtype of its outputs; the policy's by default.
    """
    with dtype_policy(policy):
        layer = build()
        compute_dtype = keras.config.dtype_policy().compute_dtype
    half = _cast(inputs, compute_dtype)
    layer(*half, training=False)
    assert {weight.dtype for weight in layer.weights} <= {"float32"}
    exact = build()
    exact(*inputs, training=False)
    exact.set_weights(layer.get_weights())
    for training in (False, True):
        received, expected = layer(*half, training=training), exact(*inputs, training=training)
        dtype = keras.backend.standardize_dtype(received.dtype)
        assert dtype == (output_dtype or compute_dtype)
        received = keras.ops.cast(received, "float32")
        np.testing.assert_allclose(received, expected, rtol=0.05, atol=0.05)


def check_training_step(layer, inputs, trained=(), updated=()):
    """A step moves the weights that it should; inference moves none.

    Args:
        layer: layer.
        inputs: arguments of its call.
        trained: names of the weights that gradients move.
        updated: names of those that the layer moves itself, in training alone.
    """
    model, flat = _model(layer, inputs)
    assert sorted(w.name for w in layer.trainable_variables) == sorted(trained)
    before = layer.get_weights()
    outputs = arrays(model(flat, training=False))[""]
    assert _moved(layer, before) == []
    model(flat, training=True)
    assert _moved(layer, before) == sorted(updated)
    if trained:
        upstream = np.random.default_rng(0).normal(size=outputs.shape)
        model.compile(keras.optimizers.SGD(1.0), loss=lambda target, y: target * y)
        model.train_on_batch(flat, upstream)
        assert _moved(layer, before) == sorted([*trained, *updated])


def check_copies(network, inputs, folder):
    """What a network's configuration and its file make has the same outputs."""
    check_configuration(network, (inputs,))
    check_saved(network, (inputs,), folder)


def check_mixed_precision(build, inputs, half_layer, keys=None, *, policy):
    """A network computes in half precision, and its outputs are float32 and finite.

    Args:
        build: function that makes the network.
        inputs: its inputs.
        half_layer: name of a layer whose output is in half precision.
        keys: outputs that are float32; all by default.
        policy: name of a dtype policy.
    """
    with dtype_policy(policy):
        network = build()
    half = keras.backend.standardize_dtype(network.get_layer(half_layer).output.dtype)
    assert half == policy.removeprefix("mixed_")
    outputs = arrays(network(inputs))
    for key in keys or outputs:
        assert outputs[key].dtype == np.float32
        assert np.isfinite(outputs[key]).all()


def _model(layer, inputs):
    """The layer as a model of its own, by a symbolic call, and its inputs as this takes them."""
    if isinstance(layer, keras.Model):
        return layer, *inputs
    symbols = tree.map_structure(lambda x: keras.Input(x.shape[1:], dtype=x.dtype.name), inputs)
    return keras.Model(tree.flatten(symbols), layer(*symbols)), tree.flatten(inputs)


def _as_json(layer):
    return json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))


def _cast(inputs, dtype):
    """Numbers with a fraction in that dtype."""
    return tree.map_structure(
        lambda x: keras.ops.cast(x, dtype) if x.dtype.kind == "f" else x, inputs
    )


def _assert_same(received, expected):
    received, expected = arrays(received), arrays(expected)
    assert received.keys() == expected.keys()
    for key, value in expected.items():
        np.testing.assert_array_equal(received[key], value, err_msg=key)


def _assert_same_weights(received, expected):
    for one, other in zip(received.weights, expected.weights, strict=True):
        np.testing.assert_array_equal(one, other, err_msg=other.path)


def _moved(layer, before):
    pairs = zip(layer.weights, before, strict=True)
    return sorted(weight.name for weight, value in pairs if (np.array(weight) != value).any())

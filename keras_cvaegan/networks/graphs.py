"""Networks as graphs of layers, called again on other inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from keras_cvaegan.networks.inference_network import InferenceNetwork
from keras_cvaegan.ops.keras_private import graph_calls


def is_graph(network: Any) -> bool:
    """Whether what a model computes is its graph: no `call` of its own, and known inputs."""
    if not isinstance(network, keras.Model):
        return False
    own = not type(network).call.__module__.startswith("keras.")
    if own and not isinstance(network, InferenceNetwork):
        return False
    if isinstance(network, keras.Sequential):
        return network.built and hasattr(network, "inputs")
    return isinstance(network, keras.Function)


def replay(
    network: keras.Model, inputs: Sequence[Any], layers: Sequence[str]
) -> tuple[list[Any], dict[str, Any]]:
    """Calls a network's layers again, on other inputs.

    Args:
        network: a graph.
        inputs: one for each of `network.inputs`.
        layers: names, of nested models' layers "outer/inner".

    Returns:
        What stands for each of `network.outputs`, and the outputs of `layers` by name.
    """
    tensors = {id(old): new for old, new in zip(network.inputs, inputs, strict=True)}
    found: dict[str, Any] = {}
    for node in graph_calls(network):
        layer = node.operation
        args, kwargs = node.arguments.fill_in(tensors)
        prefix = f"{layer.name}/"
        inner = [name.removeprefix(prefix) for name in layers if name.startswith(prefix)]
        if inner:
            outputs, features = _exposing(layer, inner)(*args, **kwargs)
            found |= {prefix + name: x for name, x in zip(inner, features, strict=True)}
        else:
            outputs = layer(*args, **kwargs)
        outputs = keras.tree.flatten(outputs)
        if layer.name in layers:
            (found[layer.name],) = outputs
        tensors |= {id(old): new for old, new in zip(node.outputs, outputs, strict=True)}
    return [tensors[id(x)] for x in network.outputs], found


def _exposing(network: keras.Model, layers: Sequence[str]) -> keras.Model:
    """A nested model that gives (its outputs, [the outputs of some of its layers])."""
    inputs = keras.tree.map_structure(
        lambda x: keras.Input(batch_shape=x.shape, dtype=x.dtype, name=x.name),
        network.input if isinstance(network, keras.Function) else network.inputs[0],
    )
    outputs, found = replay(network, keras.tree.flatten(inputs), layers)
    return keras.Model(inputs, (outputs, [found[name] for name in layers]), name=network.name)

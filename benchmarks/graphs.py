"""The layers of a functional Keras model, and how they are connected."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import keras


@dataclasses.dataclass(frozen=True)
class Node:
    """A layer in its place.

    Args:
        layer: layer itself; an input of the network is an `InputLayer`.
        inputs: names of the layers whose outputs it takes, in order.
        input_shapes: shape of each of these outputs, without the batch.
        output_shape: shape of its own output, without the batch.
    """

    layer: keras.layers.Layer
    inputs: tuple[str, ...]
    input_shapes: tuple[tuple[int, ...], ...]
    output_shape: tuple[int, ...]


def nodes(network: keras.Model) -> list[Node]:
    """Returns the layers of a network, each after those it depends on.

    Raises:
        ValueError: for a layer with several outputs, which no network here has.
    """
    producers: dict[int, str] = {}
    result = []
    for layer in network.layers:
        if not hasattr(layer.output, "shape"):
            raise ValueError(f"Layer {layer.name!r} has several outputs. Allowed: one.")
        is_input = isinstance(layer, keras.layers.InputLayer)
        tensors = [] if is_input else keras.tree.flatten(layer.input)
        result.append(
            Node(
                layer,
                tuple(producers[id(tensor)] for tensor in tensors),
                tuple(tuple(tensor.shape[1:]) for tensor in tensors),
                tuple(layer.output.shape[1:]),
            )
        )
        producers[id(layer.output)] = layer.name
    return result


def output_names(network: keras.Model) -> dict[str, str]:
    """Returns, for each output of a network, the layer it comes from; "" is a lone output."""
    outputs = network.output if isinstance(network.output, Mapping) else {"": network.output}
    producers = {id(layer.output): layer.name for layer in network.layers}
    return {name: producers[id(tensor)] for name, tensor in outputs.items()}


def same_padding(side: int, kernel: int, stride: int) -> tuple[int, int]:
    """Returns how many cells "same" adds before and after: the odd one comes after.

    Example:

    >>> same_padding(32, kernel=4, stride=2), same_padding(32, kernel=5, stride=2)
    ((1, 1), (1, 2))
    """
    total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
    return total // 2, total - total // 2


def paddings(node: Node) -> list[tuple[int, int]]:
    """Returns what a convolution or pooling adds before and after, for height and width."""
    layer: Any = node.layer
    if layer.padding != "same":
        return [(0, 0), (0, 0)]
    window = getattr(layer, "kernel_size", None) or layer.pool_size
    sides = zip(node.input_shapes[0][:2], window, layer.strides, strict=True)
    return [same_padding(side, kernel, stride) for side, kernel, stride in sides]

"""Which entries of a network's variables belong to which class, read from its graph."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np

from keras_cvaegan.networks.generator_features import graph_calls, is_graph


class ClassAxis(NamedTuple):
    """The entries of a variable that belong to classes.

    Args:
        axis: axis of the variable along which they lie.
        positions: position along it of each class, (num_classes,).
    """

    axis: int
    positions: np.ndarray


def class_axes(layer: keras.layers.Layer, num_classes: int) -> list[ClassAxis | None]:
    """Where the classes are in each weight of a network, or of a layer by itself.

    Class weights come into a network as the input "labels". They are followed to the layers that
    multiply them with a weight: those are made once more for one class more, and the axes that
    grow are the classes'. Scores of classes go out as "logits", or from a layer with `num_classes`
    in its configuration; there the layer in front is made for one class more. So is a layer by
    itself, if it has that `num_classes`.

    Args:
        layer: functional model, with labels and logits as every network here has them; or a
            built layer.
        num_classes: number of classes that it was made for.

    Returns:
        For each of `layer.weights` where its classes are; None where it has none.

    Raises:
        ValueError: for a network that does with labels what cannot be followed.

    Example:

    >>> from keras_cvaegan.networks import mlp_generator
    >>> generator = mlp_generator(num_classes=3, latent_dim=5, hidden_units=(8,))
    >>> kernel, *others = class_axes(generator, num_classes=3)
    >>> kernel.axis, kernel.positions.tolist(), others
    (0, [5, 6, 7], [None, None, None])
    """
    found: dict[int, ClassAxis] = {}
    if is_graph(layer):
        if isinstance(layer.input, Mapping) and "labels" in layer.input:
            labels = layer.input["labels"]
            _follow(layer, {id(labels): np.arange(num_classes)}, num_classes, found)
        outputs = layer.output if isinstance(layer.output, Mapping) else {"": layer.output}
        for name, output in outputs.items():
            if output.shape[-1] == num_classes:
                _trace_back(layer, output, name == "logits", num_classes, found)
    else:
        config = _without_shapes(layer.get_config())
        if config.get("num_classes") == num_classes:
            grown = type(layer).from_config(config | {"num_classes": num_classes + 1})
            grown.build_from_config(layer.get_build_config())
            found = _grown(layer, grown, np.arange(num_classes))
    return [found.get(id(variable)) for variable in layer.weights]


def _follow(
    network: keras.Model,
    positions: dict[int, np.ndarray],
    num_classes: int,
    found: dict[int, ClassAxis],
) -> None:
    """Follows class weights to the layers that multiply them.

    Args:
        network: a graph.
        positions: positions of the classes along the last axis, by the id of a symbolic tensor;
            tensors of the graph that have classes are added.
        num_classes: number of classes.
        found: class axes by the id of a variable, to which those of this graph are added.
    """
    for node in graph_calls(network):
        layer = node.operation
        with_classes = [x for x in node.input_tensors if id(x) in positions]
        if not with_classes:
            continue
        if is_graph(layer):
            pairs = zip(layer.inputs, node.input_tensors, strict=True)
            inner = {id(x): positions[id(outer)] for x, outer in pairs if id(outer) in positions}
            _follow(layer, inner, num_classes, found)
            for outer, x in zip(node.outputs, layer.outputs, strict=True):
                if id(x) in inner:
                    positions[id(outer)] = inner[id(x)]
        elif getattr(layer, "weights", ()):
            for x in with_classes:
                found |= _rows(node, x, positions[id(x)], num_classes)
        else:
            positions |= _carried(node, positions, num_classes)


def _rows(
    node: Any, classes: keras.KerasTensor, positions: np.ndarray, num_classes: int
) -> dict[int, ClassAxis]:
    """The class axes of a layer's weights, of one of its inputs with classes."""
    layer = node.operation
    config = _without_shapes(layer.get_config())
    if config.get("num_classes") == num_classes:
        config["num_classes"] = num_classes + 1
    outputs, grown = _made_again(node, config, grow=classes)
    found = _grown(layer, grown, positions)
    size = classes.shape[-1]
    axes = {v.shape[found[id(v)].axis] for v in layer.weights if id(v) in found}
    if axes != {size} or [x.shape for x in outputs] != [x.shape for x in node.outputs]:
        raise _not_followed(layer)
    return found


def _carried(
    node: Any, positions: Mapping[int, np.ndarray], num_classes: int
) -> dict[int, np.ndarray]:
    """Where classes are after an operation without weights, such as a concatenation.

    Found by a batch of inputs that are 0 but for the classes: each example has one binary digit of
    each class's number, so that all numbers are exact in any precision.
    """
    digits = np.arange(math.ceil(math.log2(num_classes + 1)))
    bits = (np.arange(1, num_classes + 1) >> digits[:, None]) & 1
    values = {}
    for x in node.input_tensors:
        marked = np.zeros((len(digits), *x.shape[1:]), keras.backend.standardize_dtype(x.dtype))
        if id(x) in positions:
            middle = (1,) * (marked.ndim - 2)
            marked[..., positions[id(x)]] = bits.reshape(len(digits), *middle, num_classes)
        values[id(x)] = keras.ops.convert_to_tensor(marked)
    args, kwargs = node.arguments.fill_in(values)
    outputs = keras.tree.flatten(node.operation(*args, **kwargs))
    found = {}
    for symbolic, output in zip(node.outputs, outputs, strict=True):
        marks = keras.ops.convert_to_numpy(keras.ops.cast(output, "float32"))
        # Where classes lie on a map, they are the same all over it.
        marks = marks.reshape(len(digits), -1, marks.shape[-1])
        numbers = np.tensordot(2.0**digits, marks[:, 0], axes=1)
        at = np.flatnonzero(numbers)
        order = np.argsort(numbers[at], kind="stable")
        wanted = np.arange(1, num_classes + 1)
        if not (np.array_equal(numbers[at][order], wanted) and np.all(marks == marks[:, :1])):
            raise _not_followed(node.operation)
        found[id(symbolic)] = at[order]
    return found


def _trace_back(
    network: keras.Model,
    output: keras.KerasTensor,
    is_logits: bool,
    num_classes: int,
    found: dict[int, ClassAxis],
) -> None:
    """Adds the class axes of the layer that an output with scores of classes comes from."""
    calls = (node for node in graph_calls(network) if any(x is output for x in node.outputs))
    node = next(calls, None)
    if node is None:
        return  # An input.
    layer = node.operation
    if is_graph(layer):
        index = next(index for index, x in enumerate(node.outputs) if x is output)
        _trace_back(layer, layer.outputs[index], is_logits, num_classes, found)
    elif getattr(layer, "weights", ()):
        config = _without_shapes(layer.get_config())
        if is_logits or config.get("num_classes") == num_classes:
            found |= _columns(node, config, num_classes)
    elif len(node.input_tensors) == 1 and node.input_tensors[0].shape == output.shape:
        _trace_back(network, node.input_tensors[0], is_logits, num_classes, found)
    elif is_logits:
        raise _not_followed(layer)


def _columns(node: Any, config: Mapping[str, Any], num_classes: int) -> dict[int, ClassAxis]:
    """The class axes of a layer whose outputs are scores of classes."""
    for larger in _enlarged(config, num_classes):
        (output,), grown = _made_again(node, larger)
        if output.shape[-1] == num_classes + 1:
            return _grown(node.operation, grown, np.arange(num_classes))
    if num_classes == 1:
        return {}  # The logit of a discriminator, whatever layer gives it.
    raise _not_followed(node.operation)


def _made_again(
    node: Any, config: Mapping[str, Any], grow: keras.KerasTensor | None = None
) -> tuple[Sequence[keras.KerasTensor], keras.layers.Layer]:
    """A layer of a configuration, called as in the graph: its symbolic outputs, and the layer.

    Args:
        node: call of the layer that it resembles.
        config: configuration.
        grow: input whose last axis has one entry more.
    """
    layer = type(node.operation).from_config(dict(config))
    inputs = {}
    for x in node.input_tensors:
        shape = (*x.shape[:-1], x.shape[-1] + (x is grow))
        inputs[id(x)] = keras.Input(batch_shape=shape, dtype=x.dtype)
    args, kwargs = node.arguments.fill_in(inputs)
    return keras.tree.flatten(layer(*args, **kwargs)), layer


def _grown(
    layer: keras.layers.Layer, grown: keras.layers.Layer, positions: np.ndarray
) -> dict[int, ClassAxis]:
    """The axes along which a layer's weights have one entry more, by the id of the variable."""
    found = {}
    for variable, larger in zip(layer.weights, grown.weights, strict=True):
        sizes = zip(variable.shape, larger.shape, strict=True)
        axes = [axis for axis, (size, more) in enumerate(sizes) if size != more]
        if len(axes) > 1:
            raise _not_followed(layer)
        if axes:
            found[id(variable)] = ClassAxis(axes[0], positions)
    return found


def _enlarged(config: Mapping[str, Any], number: int) -> Iterator[dict[str, Any]]:
    """Configurations in which one value that is `number` is one more."""
    for key, value in config.items():
        if isinstance(value, Mapping):
            yield from ({**config, key: inner} for inner in _enlarged(value, number))
        elif type(value) is int and value == number:
            yield {**config, key: number + 1}


def _without_shapes(config: Mapping[str, Any]) -> dict[str, Any]:
    """A layer's configuration without the shapes that wrapped layers were built for."""
    return {
        key: _without_shapes(value) if isinstance(value, Mapping) else value
        for key, value in config.items()
        if key != "build_config"
    }


def _not_followed(layer: Any) -> ValueError:
    return ValueError(
        f"Cannot tell which weights of {layer.name!r} belong to which class: a network takes "
        "class weights as the input 'labels', joins them to other values or multiplies them with "
        "a layer's weights, and gives a score a class as the output 'logits' of a layer. Received: "
        f"{type(layer).__name__}."
    )

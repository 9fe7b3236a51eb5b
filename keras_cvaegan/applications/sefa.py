"""Directions of the latent space in closed form, from a generator's first weights (SeFa)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from keras_cvaegan.applications.latent_directions import PrincipalDirections
from keras_cvaegan.layers import SpectralNormalization
from keras_cvaegan.models.arguments import check_count
from keras_cvaegan.networks.graphs import is_graph
from keras_cvaegan.ops.keras_private import graph_calls
from keras_cvaegan.ops.precision import full_precision_dtype

_AFFINE = (
    layers.Dense,
    layers.Conv1D,
    layers.Conv1DTranspose,
    layers.Conv2D,
    layers.Conv2DTranspose,
)
_NORMALIZED = (SpectralNormalization, layers.SpectralNormalization)


def sefa_directions(
    generator: keras.Model, count: int | None = None, layer: str | None = None
) -> PrincipalDirections:
    """Finds the directions of z that the first layer of a generator passes on most (Shen & Zhou,
    "Closed-Form Factorization of Latent Semantics in GANs", CVPR 2021).

    N* = argmax Σ ‖A n‖² over directions n at right angles, of ‖n‖ = 1  (Eq. 3–6)

    A is the weight of the first affine layer that acts on z, G₁(z) = A z + b: the n are the
    eigenvectors of AᵀA, that of the largest eigenvalue first. An edit is z + α n; the shares are
    eigenvalues / their sum. A is as it is, as in the paper; the authors' code divides the weights
    of each output by their norm first.

    The layer is a fully connected one or a convolution, plain or spectrally normalized (which
    divides A by a number: the directions stay). Where z is joined with labels or their embedding,
    the columns of z count. Between z and the layer, z may be reshaped, joined and padded; a layer
    without weights that keeps its shape, such as a normalization of z, counts as the identity. What
    follows the layer (its activation, a batch normalization) does not count.

    A direction's sign is such that its largest entry is positive.

    Args:
        generator: a `GenerativeModel`, whose `sampler` is taken, or a functional or built
            sequential `keras.Model` whose one input, or the one named "z", is z (n, d).
        count: number of directions; all d by default.
        layer: name of the affine layer, a nested model's as "outer/inner"; by default the first.

    Returns:
        `vectors` (count, d) and `shares` (count,).

    Raises:
        ValueError: for a generator without a graph of layers, or without an affine layer on z, a
            layer that is none, a count above d, or a layer of zeros.

    Example:

    >>> generator = keras.Sequential([keras.Input((2,)), layers.Dense(3, name="project")])
    >>> generator.set_weights([np.array([[0.0, 1.0, 0.0], [3.0, 0.0, 0.0]]), np.zeros(3)])
    >>> found = sefa_directions(generator)
    >>> found.vectors.tolist(), found.shares.astype(float).round(2).tolist()
    ([[0.0, 1.0], [1.0, 0.0]], [0.9, 0.1])
    """
    network = getattr(generator, "sampler", generator)
    z = _latent_input(network, type(generator).__name__)
    latent_dim = int(z.shape[1])
    count = latent_dim if count is None else check_count("count", count)
    if count > latent_dim:
        raise ValueError(
            f"count must be from 1 to the dimensions of z, which are {latent_dim}. "
            f"Received: {count}."
        )
    weight = _weight(network, z, layer)
    return _eigenvectors(weight, count)


def _latent_input(network: Any, kind: str) -> keras.KerasTensor:
    if not is_graph(network):
        raise ValueError(
            "A generator must be a functional or built sequential keras.Model, or a model whose "
            f"sampler is one: its layers must be known. Received: {kind}."
        )
    inputs = [x for x in network.inputs if len(network.inputs) == 1 or x.name == "z"]
    if len(inputs) != 1 or len(inputs[0].shape) != 2 or inputs[0].shape[1] is None:
        raise ValueError(
            'A generator must have one input of shape (n, d), or one of its inputs named "z". '
            f"Received: {kind} with {', '.join(f'{x.name} {x.shape}' for x in network.inputs)}."
        )
    return inputs[0]


def _weight(network: keras.Model, z: keras.KerasTensor, name: str | None) -> np.ndarray:
    """A as (d, outputs), of the first affine layer on z or of the one with a name."""
    known = []
    for found, layer, inputs in _affine_layers(network, {id(z): np.eye(z.shape[1])}, set()):
        if name is None or found == name:
            return _products(layer, inputs)
        known.append(found)
    if known:
        raise ValueError(f"layer must be an affine one on z: {', '.join(known)}. Received: {name}.")
    raise ValueError(
        f"{network.name!r} has no fully connected layer or convolution on z itself; its layers are "
        f"{', '.join(layer.name for layer in network.layers)}. Give a part of it that begins with "
        "one."
    )


def _affine_layers(
    network: keras.Model, linear: dict[int, np.ndarray], other: set[int]
) -> Iterator[tuple[str, layers.Layer, np.ndarray]]:
    """Yields the affine layers that act on z, in order: name, layer, and inputs.

    Args:
        network: a graph.
        linear: values of what is a linear function of z: its values for the d unit vectors as a
            batch, by the id of the tensor. What the network adds stays in it.
        other: the ids of what depends on z in another way, likewise.
    """
    for call in graph_calls(network):
        ids = [id(x) for x in call.input_tensors]
        if not any(i in linear or i in other for i in ids):
            continue
        operation, outputs = call.operation, [id(x) for x in call.outputs]
        if is_graph(operation):
            inner = [id(x) for x in operation.inputs]
            inside = {a: linear[b] for a, b in zip(inner, ids, strict=True) if b in linear}
            apart = {a for a, b in zip(inner, ids, strict=True) if b in other}
            for name, layer, inputs in _affine_layers(operation, inside, apart):
                yield f"{operation.name}/{name}", layer, inputs
            for outside, x in zip(outputs, operation.outputs, strict=True):
                if id(x) in inside:
                    linear[outside] = inside[id(x)]
                elif id(x) in apart:
                    other.add(outside)
            continue
        if isinstance(operation, (*_AFFINE, *_NORMALIZED)) and ids[0] in linear:
            yield operation.name, operation, linear[ids[0]]
        passed = None if any(i in other for i in ids) else _passed(call, linear)
        if passed is None:
            other.update(outputs)
        else:
            linear[outputs[0]] = passed


def _passed(call: Any, linear: dict[int, np.ndarray]) -> np.ndarray | None:
    """What an operation makes of the unit vectors where it is linear in z, or counts as such."""
    operation = call.operation
    if getattr(operation, "weights", ()) or len(call.outputs) != 1:
        return None
    inputs = [linear.get(id(x)) for x in call.input_tensors]
    first, doubled = (_called(call, inputs, factor) for factor in (1.0, -2.0))
    if np.array_equal(-2.0 * first, doubled) and np.any(first):
        return first
    same_shape = len(inputs) == 1 and call.outputs[0].shape == call.input_tensors[0].shape
    return inputs[0] if same_shape else None


def _called(call: Any, inputs: list[np.ndarray | None], factor: float) -> np.ndarray:
    """An operation's output for multiples of some inputs, zeros in the place of the others."""
    count = len(next(x for x in inputs if x is not None))
    values = {
        id(x): ops.zeros((count, *x.shape[1:]), x.dtype)
        if value is None
        else ops.cast(factor * value, x.dtype)
        for x, value in zip(call.input_tensors, inputs, strict=True)
    }
    args, kwargs = call.arguments.fill_in(values)
    return np.asarray(ops.convert_to_numpy(call.operation(*args, **kwargs)), np.float64)


def _products(layer: layers.Layer, inputs: np.ndarray) -> np.ndarray:
    """What an affine layer makes of inputs but for its bias and activation, a row each."""
    if isinstance(layer, _NORMALIZED):
        layer = layer.layer
    bare = type(layer).from_config(
        {
            **layer.get_config(),
            "activation": "linear",
            "use_bias": False,
            "dtype": full_precision_dtype(),
        }
    )
    bare.build(inputs.shape)
    bare.kernel.assign(ops.convert_to_numpy(layer.kernel))
    outputs = ops.convert_to_numpy(bare(ops.cast(inputs, bare.compute_dtype)))
    return np.reshape(outputs, (len(inputs), -1)).astype(np.float64)


def _eigenvectors(weight: np.ndarray, count: int) -> PrincipalDirections:
    values, vectors = np.linalg.eigh(weight @ weight.T)
    values, vectors = np.maximum(values[::-1], 0.0), vectors.T[::-1]
    if not values.sum() > 0:
        raise ValueError("The layer's weights of z are all 0, or not finite: no direction.")
    largest = vectors[np.arange(len(vectors)), np.abs(vectors).argmax(axis=1)]
    vectors = vectors * np.sign(largest)[:, np.newaxis]
    return PrincipalDirections(
        vectors[:count].astype(np.float32), (values / values.sum())[:count].astype(np.float32)
    )

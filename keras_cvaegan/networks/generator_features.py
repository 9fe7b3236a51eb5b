"""Unconditional generators as networks of z alone, and the features of their layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import keras

from keras_cvaegan.layers import GridMeans
from keras_cvaegan.networks.common import check_positive_integer
from keras_cvaegan.networks.graphs import is_graph, replay
from keras_cvaegan.networks.inference_network import InferenceNetwork, OneClass
from keras_cvaegan.ops.keras_private import graph_calls


def unconditional_network(generator: keras.Model) -> keras.Model:
    """An unconditional generator as a network of z alone.

    Args:
        generator: an unconditional model of `keras_cvaegan.models`, whose `sampler` is taken, or
            any functional or built sequential `keras.Model` of one input (n, d), alone or as
            {"z"}, and one output. Next to "z" there may be "labels", of one class.

    Returns:
        A model of z (n, d) to images (n, height, width, channels), or to points (n, d), in
        inference mode. It shares the generator's weights.

    Raises:
        ValueError: for a conditional generator, one without a graph of layers, or one of other
            inputs or outputs.

    Example:

    >>> from keras_cvaegan.models import GAN
    >>> gan = GAN.from_preset("compact", image_shape=(16, 16, 3), latent_dim=5)
    >>> network = unconditional_network(gan)
    >>> network.input_shape, network.output_shape
    ((None, 5), (None, 16, 16, 3))
    """
    network = _sampling_network(generator)
    z, images, _ = _replayed(network, ())
    return InferenceNetwork(z, images, name=network.name)


def feature_layers(generator: keras.Model) -> tuple[str, ...]:
    """Names of the layers whose outputs `feature_network` can give, in order of computation.

    Those that are computed from z, once, to one float tensor of rank 2 to 4: (n, k), (n, steps,
    channels) or (n, height, width, channels). A nested model's layers count, as "outer/inner", in
    its place.

    Args:
        generator: see `unconditional_network`.

    Raises:
        ValueError: see `unconditional_network`.

    Example:

    >>> from keras import layers
    >>> generator = keras.Sequential([
    ...     keras.Input((4,)),
    ...     layers.Dense(8, name="first"),
    ...     keras.Sequential([layers.Dense(12, name="second")], name="head"),
    ...     layers.Reshape((2, 2, 3), name="images"),
    ... ])
    >>> feature_layers(generator)
    ('first', 'head/second', 'images')
    """
    network = _sampling_network(generator)
    return tuple(_names(network, {id(_latent_input(network))}))


def feature_network(generator: keras.Model, layer: str, grid: int = 1) -> keras.Model:
    """A generator that gives the features of one of its layers beside its images.

    Args:
        generator: see `unconditional_network`.
        layer: one of `feature_layers`.
        grid: see `GridMeans`; 1, the default, for means over all of space.

    Returns:
        A model of z (n, d) to {"images", "features"} from one forward pass, in inference mode:
        features are float32 (n, k). It shares the generator's weights.

    Raises:
        ValueError: for a layer that is none of them, a grid below 1, or a generator that
            `unconditional_network` does not take.

    Example:

    >>> from keras_cvaegan.models import GAN
    >>> gan = GAN.from_preset("compact", image_shape=(16, 16, 3), latent_dim=5)
    >>> network = feature_network(gan, "block_1_relu", grid=2)
    >>> {name: tuple(x.shape) for name, x in network(gan.sample_latents(6)).items()}
    {'images': (6, 16, 16, 3), 'features': (6, 256)}
    """
    network = layers_network(generator, [layer], grid)
    images, (features,) = network.output
    outputs = {"images": images, "features": features}
    return InferenceNetwork(network.input, outputs, name=network.name)


def layers_network(generator: keras.Model, layers: Sequence[str], grid: int = 1) -> keras.Model:
    """As `feature_network`, for several layers: z to (images, (features of each layer))."""
    network = _sampling_network(generator)
    check_positive_integer("grid", grid)
    known = feature_layers(generator)
    unknown = [layer for layer in layers if layer not in known]
    if unknown:
        raise ValueError(
            f"{network.name!r} has no layer {unknown[0]!r} with features. Allowed: "
            f"{', '.join(known)}."
        )
    z, images, found = _replayed(network, layers)
    taken = {operation.name for operation in keras.Function(z, images).operations}
    features = tuple(
        GridMeans(grid, name=_free_name(f"features_of_{layer.replace('/', '_')}", taken))(
            found[layer]
        )
        for layer in layers
    )
    return InferenceNetwork(z, (images, features), name=network.name)


def _sampling_network(generator: keras.Model) -> keras.Model:
    """The functional or sequential network that `generator` draws images with, checked."""
    network = getattr(generator, "sampler", generator)
    kind = type(generator).__name__
    if not is_graph(network):
        raise ValueError(
            "A generator must be an unconditional model of keras_cvaegan.models, or a functional "
            "or built sequential keras.Model, whose layers can be told apart. Received: "
            f"{kind}. Build it by keras.Model(inputs, outputs)."
        )
    inputs = {x.name.split(":")[0]: x for x in network.inputs}
    labels = inputs.get("labels") if set(inputs) == {"z", "labels"} else None
    if labels is not None and labels.shape[-1] != 1:
        raise ValueError(
            "A generator must be unconditional: give a model without classes, such as GAN, VAE or "
            f"WGAN. Received: {kind}, of {labels.shape[-1]} classes."
        )
    if labels is None and len(inputs) != 1:
        raise ValueError(
            f"A generator must have one input, z. Received: {kind} with {len(inputs)} inputs: "
            f"{', '.join(inputs)}."
        )
    z = _latent_input(network)
    if len(z.shape) != 2 or z.shape[1] is None or not _is_float(z):
        raise ValueError(
            "A generator must take latents z, floats of shape (n, d). Received: "
            f"{kind} of {z.dtype} inputs of shape {z.shape}."
        )
    shapes = [x.shape for x in network.outputs]
    if len(shapes) != 1 or len(shapes[0]) not in (2, 4):
        raise ValueError(
            "A generator must have one output, images (n, height, width, channels) or points "
            f"(n, d). Received: {kind} with outputs of shape {', '.join(map(str, shapes))}."
        )
    return network


def _latent_input(network: keras.Model) -> keras.KerasTensor:
    return next(x for x in network.inputs if len(network.inputs) == 1 or x.name == "z")


def _is_float(x: keras.KerasTensor) -> bool:
    return "float" in keras.backend.standardize_dtype(x.dtype)


def _replayed(
    network: keras.Model, layers: Sequence[str]
) -> tuple[keras.KerasTensor, keras.KerasTensor, dict[str, keras.KerasTensor]]:
    """A network's graph on a new z: z, images, and the outputs of some layers by name."""
    source = _latent_input(network)
    z = keras.Input(source.shape[1:], dtype=source.dtype, name=source.name)
    taken = {
        operation.name for operation in keras.Function(network.inputs, network.outputs).operations
    }
    inputs = [
        z if x is source else OneClass(dtype=x.dtype, name=_free_name("one_class", taken))(z)
        for x in network.inputs
    ]
    (images,), found = replay(network, inputs, layers)
    return z, images, found


def _names(network: keras.Model, of_z: set[int]) -> Iterator[str]:
    """Names of the layers with features; `of_z` are the ids of the inputs that depend on z."""
    nodes = list(graph_calls(network))
    calls = [node.operation.name for node in nodes]
    for node in nodes:
        depend = [id(x) in of_z for x in node.input_tensors]
        if not any(depend) or isinstance(node.operation, OneClass):
            continue
        of_z |= {id(x) for x in node.outputs}
        layer = node.operation
        if not isinstance(layer, keras.layers.Layer) or calls.count(layer.name) > 1:
            continue
        if is_graph(layer):
            inner = {id(x) for x, does in zip(layer.inputs, depend, strict=False) if does}
            yield from (f"{layer.name}/{name}" for name in _names(layer, inner))
        elif _has_features(node.outputs):
            yield layer.name


def _has_features(outputs: Sequence[keras.KerasTensor]) -> bool:
    shape = outputs[0].shape
    return (
        len(outputs) == 1
        and len(shape) in (2, 3, 4)
        and shape[0] is None
        and shape[-1] is not None
        and _is_float(outputs[0])
    )


def _free_name(name: str, taken: set[str]) -> str:
    """`name`, or with an underscore more while a layer has it; it is then taken."""
    while name in taken:
        name += "_"
    taken.add(name)
    return name

"""Starting a training from another one's weights: pretraining, then fine-tuning."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import keras
import numpy as np

from keras_cvaegan.models import GenerativeModel
from keras_cvaegan.networks.class_axes import ClassAxis, class_axes


@dataclasses.dataclass(frozen=True)
class Initialization:
    """What `initialize_from` took over; `str` of it is a line for the log.

    Args:
        networks: names of the networks that begin with the source's weights.
        fresh_networks: names of the networks that keep their own, since the source has no such
            network, or its kind of model makes it of other layers.
        variables: number of variables that were set.
        known_classes: names of the classes that both have, in the model's order.
        new_classes: names of the classes that only the model has.
        unused_classes: names of the classes that only the source has.
    """

    networks: tuple[str, ...]
    fresh_networks: tuple[str, ...]
    variables: int
    known_classes: tuple[str, ...]
    new_classes: tuple[str, ...]
    unused_classes: tuple[str, ...]

    def __str__(self) -> str:
        parts = [f"{self.variables} variables of {', '.join(self.networks)}"]
        if self.fresh_networks:
            parts.append(f"fresh: {', '.join(self.fresh_networks)}")
        classes = [f"{len(self.known_classes)} known"]
        if self.new_classes:
            classes.append(f"{len(self.new_classes)} new ({_some(self.new_classes)})")
        if self.unused_classes:
            classes.append(f"{len(self.unused_classes)} unused ({_some(self.unused_classes)})")
        return "; ".join([*parts, f"classes: {', '.join(classes)}"])


def initialize_from(model: GenerativeModel, source: GenerativeModel) -> Initialization:
    """Gives a model the weights of another one, its classes matched by name.

    Networks are matched by their name, so that a `CVAEGAN` may begin with encoder and generator of
    a `CVAE`. What belongs to a class (its row of an embedding or of labels that join a layer, its
    Gaussian, its column of logits) goes to the class of the same name, whatever its number. A new
    class begins with the mean over the source's classes plus its own fresh value. With the mean a
    network does with it what the source does with all classes in equal shares, which the layers
    behind know how to take; that of an unconditional source, whose one class is "any", is all that
    it has learned. (Without it, pictures of a `CVAE` that begins with a `VAE` are a third farther
    off at first, on petals.) The fresh values tell new classes apart: those that begin alike are
    learned late. (A `CVAEGAN`'s classifier knows two new classes in none of their pictures after 20
    steps, and with fresh values in 6 of 10.)

    The averaged generator goes along, and of the running means of features those of the same
    features: there a new class has none yet. Step, seed and optimizers stay: the training begins
    at its first step.

    Args:
        model: model to train; changed in place.
        source: trained model; of the same kind or another.

    Returns:
        What was taken over.

    Raises:
        ValueError: for a source that does not fit; the model is unchanged then.

    Example:

    >>> from keras_cvaegan.models import CVAE, CVAEGAN
    >>> sizes = {"image_shape": (16, 16, 3), "latent_dim": 4}
    >>> source = CVAE.from_preset(class_names=["daisy", "rose"], num_classes=2, **sizes)
    >>> model = CVAEGAN.from_preset(
    ...     class_names=["tulip", "rose"], num_classes=2, seed=1, **sizes
    ... )
    >>> print(initialize_from(model, source))
    54 variables of encoder, generator; fresh: discriminator, classifier; classes: 1 known,
    1 new (tulip), 1 unused (daisy)
    >>> z = model.sample_latents(3)
    >>> bool((model.decode(z, [1, 1, 1]) == source.decode(z, [1, 1, 1])).all())
    True
    """
    if not isinstance(source, GenerativeModel):
        raise ValueError(
            "The source of weights must be a model of keras_cvaegan.models.MODELS. "
            f"Received: {type(source).__name__}."
        )
    copies: dict[str, list[_Copy]] = {}
    for name, network in model.networks.items():
        if name in source.networks:
            found = _copies(name, network, source.networks[name], model, source)
            if found:
                copies[name] = found
            elif type(model) is type(source):
                raise _misfit(model, source, f"its {name!r} is made of other layers")
    networks = tuple(copies)
    if not networks:
        what = f"of {', '.join(source.networks)} there, none is a network of the same layers here"
        raise _misfit(model, source, what)
    if "generator" in networks and model.average_generator is not None:
        average = source.average_generator
        trained = source.generator if average is None else average
        name = "average_generator"
        copies[name] = _copies(name, model.average_generator, trained, model, source)
    if set(networks) == model.networks.keys() & source.networks.keys():
        copies |= _statistics(model, source)
    variables = [copy for found in copies.values() for copy in found]
    for copy in variables:
        if not copy.fits():
            shapes = tuple(copy.source.shape), tuple(copy.variable.shape)
            what = f"{copy.name} has the shape {shapes[0]} there and {shapes[1]} here"
            raise _misfit(model, source, what)
    numbers = {name: number for number, name in enumerate(source.class_names)}
    rows = [numbers.get(name) for name in model.class_names]
    for copy in variables:
        copy.variable.assign(keras.ops.cast(copy.value(rows), copy.variable.dtype))
    return Initialization(
        networks=networks,
        fresh_networks=tuple(name for name in model.networks if name not in networks),
        variables=len(variables),
        known_classes=tuple(name for name in model.class_names if name in numbers),
        new_classes=tuple(name for name in model.class_names if name not in numbers),
        unused_classes=tuple(name for name in numbers if name not in model.class_names),
    )


class _Copy(NamedTuple):
    """A variable and the one whose value it takes.

    Args:
        name: name in messages.
        variable: variable to set.
        source: variable of the source.
        axis: axis of the classes in the variable; None for nowhere, or the same classes.
        source_axis: axis of the classes in the source's.
        takes_mean: whether the mean over the source's classes is added to what a new class has.
    """

    name: str
    variable: keras.Variable
    source: keras.Variable
    axis: ClassAxis | None
    source_axis: ClassAxis | None
    takes_mean: bool = True

    def fits(self) -> bool:
        """Whether the shapes differ in the number of classes alone."""
        return _size(self.variable, self.axis) == _size(self.source, self.source_axis)

    def value(self, rows: Sequence[int | None]) -> np.ndarray:
        """What the variable is set to.

        Args:
            rows: number in the source of each class of the model; None for a new one.
        """
        trained = keras.ops.convert_to_numpy(self.source)
        if self.axis is None or self.source_axis is None:
            return trained
        trained = np.moveaxis(trained, self.source_axis.axis, 0)
        classes = trained[self.source_axis.positions]
        value = np.moveaxis(keras.ops.convert_to_numpy(self.variable), self.axis.axis, 0)
        value = value.astype(trained.dtype)
        others = np.delete(np.arange(len(value)), self.axis.positions)
        value[others] = np.delete(trained, self.source_axis.positions, axis=0)
        for position, row in zip(self.axis.positions, rows, strict=True):
            if row is not None:
                value[position] = classes[row]
            elif self.takes_mean:
                value[position] += classes.mean(axis=0, dtype=np.float64).astype(value.dtype)
        return np.moveaxis(value, 0, self.axis.axis)


def _size(variable: keras.Variable, classes: ClassAxis | None) -> tuple[int, ...]:
    """A variable's shape, the axis of its classes counted without them."""
    shape = list(variable.shape)
    if classes is not None:
        shape[classes.axis] -= len(classes.positions)
    return tuple(shape)


def _copies(
    name: str,
    part: keras.layers.Layer,
    trained: keras.layers.Layer,
    model: GenerativeModel,
    source: GenerativeModel,
) -> list[_Copy]:
    """What is to be copied from a network or layer of the source to the model's.

    Args:
        name: name in messages.
        part: network or layer of the model.
        trained: that of the source.

    Returns:
        A copy a variable; [] where the two are made of other layers.
    """
    pairs = _paired(part, trained)
    axes: dict[int, ClassAxis | None] = {}
    if pairs and model.class_names != source.class_names:
        for layer, classes in ((part, model.num_classes), (trained, source.num_classes)):
            found = class_axes(layer, classes)
            axes |= {id(v): axis for v, axis in zip(layer.weights, found, strict=True)}
    copies = []
    for layer, other in pairs:
        for variable, value in zip(layer.weights, other.weights, strict=True):
            ours, theirs = axes.get(id(variable)), axes.get(id(value))
            if ours is None or theirs is None:
                ours = theirs = None  # Of a single class more looks like a table of classes.
            path = "/".join(dict.fromkeys((name, layer.name, variable.name)))
            copies.append(_Copy(path, variable, value, ours, theirs))
    return copies


def _paired(
    part: keras.layers.Layer, trained: keras.layers.Layer
) -> list[tuple[keras.layers.Layer, keras.layers.Layer]]:
    """The layers with weights of two networks, by name; [] where they are of other kinds.

    Names that Keras made up differ between two copies of a network: then their order counts.
    """
    ours, theirs = (_layers(part), _layers(trained))
    named = {layer.name: layer for layer in theirs}
    if {layer.name for layer in ours} == named.keys():
        theirs = [named[layer.name] for layer in ours]
    kinds = [[(type(x), [v.name for v in x.weights]) for x in each] for each in (ours, theirs)]
    return list(zip(ours, theirs, strict=True)) if kinds[0] == kinds[1] else []


def _layers(part: keras.layers.Layer) -> list[keras.layers.Layer]:
    layers = part.layers if isinstance(part, keras.Model) else [part]
    return [layer for layer in layers if layer.weights]


def _statistics(model: GenerativeModel, source: GenerativeModel) -> dict[str, list[_Copy]]:
    """What is to be copied of layers that are in no network: running means of features."""
    ours, theirs = _own_layers(model), _own_layers(source)
    return {
        name: [
            copy._replace(takes_mean=False)
            for copy in _copies(name, ours[name], theirs[name], model, source)
        ]
        for name in ours
        if name in theirs
    }


def _own_layers(model: GenerativeModel) -> dict[str, keras.layers.Layer]:
    """A model's layers with weights that are in none of its networks, by attribute and name."""
    networks = {*model.network_names, "average_generator"}
    found = {}
    for attribute, value in vars(model).items():
        if attribute in networks or attribute.startswith("_"):
            continue
        for layer in value if isinstance(value, list | tuple) else [value]:
            if isinstance(layer, keras.layers.Layer) and layer.weights:
                found[f"{attribute}/{layer.name}"] = layer
    return found


def _misfit(model: GenerativeModel, source: GenerativeModel, what: str) -> ValueError:
    return ValueError(
        f"The weights of the source do not fit the model: {what}. The source is "
        f"{_described(source)}, the model {_described(model)}. Build the model with the image "
        "size, latent_dim and preset of the source, or start from another one."
    )


def _described(model: GenerativeModel) -> str:
    shape = "×".join(map(str, model.image_shape))
    kind = type(model).__name__
    return f"a {kind} of {shape} with latent_dim={model.latent_dim}, preset={model.preset}"


def _some(names: Sequence[str], most: int = 3) -> str:
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")

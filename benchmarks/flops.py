"""Counts the floating-point operations of a training step from the shapes of the layers.

Counted are the convolutions and fully connected layers, 2 for each multiplication with its
addition, as FLOP counters do. Normalization, activations, losses, noise and optimizers are not:
they belong to the time of a step, not to its matrix products.

A layer whose forward pass costs F costs F again for the gradient with respect to its weights, and
F again for that with respect to its inputs: each takes as many multiplications. With one forward
pass of Algorithm 1 (Bao et al. 2017) for all objectives, a step of `CVAEGAN` has these parts, for
batches x_r (real), x_f (reconstructed), x_p (generated from the prior):

    forward           E(x_r); G(z), G(z_p); D of x_r, x_f, x_p; C of x_r, and
                      as far as f_C of x_f, x_p                               E + 2 G + 3 D + 3 C
    L_D               weights of D on three batches, and inputs from layer to
                      layer within D, but not into the images                 3 (D_w + D_i)
    L_C               the same for C on x_r alone                             C_w + C_i
    L_G, L_GD, L_GC   from f_D and f_C (not from the logits) of x_f and x_p
                      through the inputs of D and C into the images;          2 D_f + 2 C_f
                      from there weights and inputs of G: for x_f as far as
                      z, for x_p only to where the first weights are;         G_w + G_z + G_w + G_i
                      from z the weights and inputs of E, not into the images E_w + E_i
    L_KL              joins the gradient of z_mean and z_log_var              0

Where D and C stand on a frozen trunk F, its forward pass of three batches and the gradient of two
with respect to the images come in place of D's and C's way to them, and the term of D's logits that
G minimizes has a way through D's inputs of its own: 3 F + 2 F_i + 2 D_i.

Counted are the networks as they are drawn, where a generator doubles a map and then convolves it;
`Flops.computed` says how many multiplications `UpsamplingConv2D` makes for the same result.

A gradient with respect to a layer's input is needed, and counted, only where something behind that
input is: a weight that this objective updates, or an input of the network that it goes on through.
"""

import dataclasses
import math
from collections.abc import Collection, Sequence

import keras

from benchmarks.graphs import Node, nodes, output_names, paddings
from keras_cvaegan.layers import (
    ConditionalBatchNormalization,
    ProjectionHead,
    SpectralNormalization,
    UpsamplingConv2D,
)
from keras_cvaegan.models import CVAEGAN


@dataclasses.dataclass(frozen=True)
class Flops:
    """Operations of something.

    Args:
        padded: operations with the multiplications by the zeros around padded maps, as counters
            count.
        real: operations without them.
        computed: operations that come of `padded` where a layer finds the same result with fewer.
    """

    padded: int = 0
    real: int = 0
    computed: int = 0

    def __add__(self, other: "Flops") -> "Flops":
        return Flops(
            self.padded + other.padded, self.real + other.real, self.computed + other.computed
        )

    def __mul__(self, times: int) -> "Flops":
        return Flops(self.padded * times, self.real * times, self.computed * times)


def of_layer(node: Node) -> Flops:
    """Returns the operations of a layer's forward pass on one example.

    Raises:
        ValueError: for a layer that multiplies by weights and is not known here.
    """
    if isinstance(node.layer, SpectralNormalization):
        # Its power iteration is once a batch, of any size.
        node = dataclasses.replace(node, layer=node.layer.layer)
    layer = node.layer
    depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
    if depthwise or isinstance(layer, keras.layers.Conv2D):
        channels = node.input_shapes[0][-1] * (
            layer.depth_multiplier if depthwise else layer.filters
        )
        taps = padded = computed = 1
        for axis, (before, _) in enumerate(paddings(node)):
            side, out = node.input_shapes[0][axis], node.output_shape[axis]
            kernel, stride = layer.kernel_size[axis], layer.strides[axis]
            folded = isinstance(layer, UpsamplingConv2D) and layer.folds(node.input_shapes[0])
            if isinstance(layer, UpsamplingConv2D):
                side = out  # Of the doubled map.
            padded *= kernel * out
            computed *= (kernel + 1) * node.input_shapes[0][axis] if folded else kernel * out
            firsts = [index * stride - before for index in range(out)]
            taps *= sum(min(first + kernel, side) - max(first, 0) for first in firsts)
        return Flops(2 * channels * padded, 2 * channels * taps, 2 * channels * computed)
    if isinstance(layer, keras.layers.Dense):
        return Flops(1, 1, 1) * (2 * node.input_shapes[0][-1] * layer.units)
    if isinstance(layer, ProjectionHead):
        (*places, features), (classes,) = node.input_shapes
        return Flops(1, 1, 1) * (2 * features * (math.prod(places) + classes))
    if isinstance(layer, ConditionalBatchNormalization):
        return Flops(1, 1, 1) * (2 * node.input_shapes[1][-1] * 2 * node.output_shape[-1])
    if any(len(weight.shape) > 1 for weight in layer.weights):
        raise ValueError(
            f"The operations of a {type(layer).__name__} are not known. Received: layer "
            f"{layer.name!r}. Add them to benchmarks/flops.py."
        )
    return Flops()


def forward(network: keras.Model, outputs: Collection[str] | None = None) -> Flops:
    """Returns the operations of a network's forward pass on one example.

    Args:
        network: functional model.
        outputs: names of the model's outputs that are used; all by default.
    """
    return sum((of_layer(node) for node in _leading_to(network, outputs)), Flops())


def backward(
    network: keras.Model,
    outputs: Collection[str] | None = None,
    *,
    weights: bool,
    inputs: Sequence[str] = (),
) -> Flops:
    """Returns the operations of a network's backward pass on one example.

    Args:
        network: functional model.
        outputs: names of the model's outputs that it starts from; all by default.
        weights: whether the gradients of the weights are wanted.
        inputs: names of the model's inputs whose gradients are wanted.
    """
    total = Flops()
    wanted = set(inputs)  # What has something behind it whose gradient is wanted.
    for node in _leading_to(network, outputs):
        behind = any(name in wanted for name in node.inputs)
        trained = weights and bool(node.layer.trainable_weights)
        if behind or trained:
            wanted.add(node.layer.name)
        if trained:
            total += of_layer(node)
        # Of (map, condition), the condition meets the weights; of a head's, both do.
        head = isinstance(node.layer, ProjectionHead)
        multiplied = node.inputs[:1] if head else node.inputs[-1:]
        if any(source in wanted for source in multiplied):
            total += of_layer(node)
    return total


def _leading_to(network: keras.Model, outputs: Collection[str] | None) -> list[Node]:
    """The layers that some of the outputs depend on, in order."""
    order, ends = nodes(network), output_names(network)
    reached = {ends[name] for name in (ends if outputs is None else outputs)}
    for node in reversed(order):
        if node.layer.name in reached:
            reached.update(node.inputs)
    return [node for node in order if node.layer.name in reached]


def of_step(model: CVAEGAN, batch_size: int) -> Flops:
    """Returns the operations of a training step: see the head of this file."""
    encoder, generator = model.encoder, model.generator
    discriminator, classifier = model.discriminator, model.classifier
    parts = [
        forward(encoder),
        forward(generator) * 2,
        backward(discriminator, ["logits"], weights=True) * 3,
        backward(classifier, ["logits"], weights=True),
        backward(generator, weights=True, inputs=["z"]),
        backward(generator, weights=True),
        backward(encoder, weights=True),
        forward(discriminator, ["logits", *model.discriminator_layers]) * 3,
        forward(classifier, ["logits", *model.classifier_layers]),
        forward(classifier, model.classifier_layers) * 2,
    ]
    images = {"weights": False, "inputs": ["images"]}
    if model.trunk is None:
        parts += [
            backward(discriminator, model.discriminator_layers, **images) * 2,
            backward(classifier, model.classifier_layers, **images) * 2,
        ]
    else:
        seen = {"weights": False, "inputs": list(model.trunk.output)}
        trunk = _features(model.trunk)
        parts += [
            backward(discriminator, ["logits"], **seen) * 2,
            backward(classifier, model.classifier_layers, **seen) * 2,
            forward(trunk) * 3,
            backward(trunk, **images) * 2,
        ]
    return sum(parts, Flops()) * batch_size


def _features(trunk: keras.Model) -> keras.Model:
    """The network within `pretrained.trunk`'s, which may enlarge images for it."""
    return next((layer for layer in trunk.layers if isinstance(layer, keras.Model)), trunk)

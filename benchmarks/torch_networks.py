"""Our networks as PyTorch modules: the same layers, widths, padding and weights.

A functional Keras network is rebuilt layer by layer, with maps in PyTorch's order (n, channels,
height, width). Where a map is flattened or made, the weights of the fully connected layer beside
it are put into that order, so that no transposition is left at run time.
"""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import torch
from torch import nn

from benchmarks.graphs import Node, nodes, output_names, paddings
from keras_cvaegan.layers import ConditionalBatchNormalization


class ConditionalNormalization(nn.Module):
    """(1 + W_γ h) ⊙ BN(x) + W_β h, as `keras_cvaegan.layers.ConditionalBatchNormalization`.

    Args:
        layer: Keras layer to follow.
        channels: number of channels of x.
        condition: number of dimensions of h.
    """

    def __init__(self, layer: ConditionalBatchNormalization, channels: int, condition: int) -> None:
        super().__init__()
        self.normalization = nn.BatchNorm2d(
            channels, eps=layer.epsilon, momentum=1 - layer.momentum, affine=False
        )
        self.scale_and_shift = nn.Linear(condition, 2 * channels)

    def forward(self, x: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        scale, shift = self.scale_and_shift(condition)[:, :, None, None].chunk(2, dim=1)
        return (1 + scale) * self.normalization(x) + shift


class Concatenation(nn.Module):
    """Joins channels or features."""

    def forward(self, *parts: torch.Tensor) -> torch.Tensor:
        return torch.cat(parts, dim=1)


class Mean(nn.Module):
    """The mean over height and width."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean(dim=(2, 3))


class Network(nn.Module):
    """The modules of a network, called one after the other.

    Args:
        network: functional Keras model of the layers that `CONVERTERS` knows.

    Raises:
        ValueError: for another layer, or a setting that is not known here.
    """

    def __init__(self, network: keras.Model) -> None:
        super().__init__()
        self.layers = nn.ModuleDict()
        self._plan: list[tuple[str, tuple[str, ...]]] = []
        self._outputs = output_names(network)
        self._linear: dict[str, nn.Linear] = {}
        # Where the features of each flat tensor stand in the Keras network's.
        self._order: dict[str, np.ndarray] = {}
        for node in nodes(network):
            name = node.layer.name
            if not node.inputs:
                if len(node.output_shape) == 1:
                    self._order[name] = np.arange(node.output_shape[0])
                continue
            kind = type(node.layer).__name__
            if kind not in CONVERTERS:
                raise ValueError(
                    f"No PyTorch module is known for the layer {name!r}. Received: {kind}. "
                    f"Allowed: {', '.join(CONVERTERS)}."
                )
            self.layers[name] = CONVERTERS[kind](self, node)
            self._plan.append((name, node.inputs))
        del self._linear, self._order

    def forward(self, **tensors: torch.Tensor) -> Any:
        """Takes the inputs and gives the outputs by the Keras network's names."""
        for name, sources in self._plan:
            tensors[name] = self.layers[name](*(tensors[source] for source in sources))
        if "" in self._outputs:
            return tensors[self._outputs[""]]
        return {name: tensors[source] for name, source in self._outputs.items()}

    def _keep_order(self, node: Node) -> None:
        if node.inputs[0] in self._order:
            self._order[node.layer.name] = self._order[node.inputs[0]]

    def _convolution(self, node: Node) -> nn.Module:
        layer = node.layer
        _only(layer, "dilation_rate", (1, 1))
        _only(layer, "groups", 1)
        pads = paddings(node)
        even = all(before == after for before, after in pads)
        convolution = nn.Conv2d(
            node.input_shapes[0][-1],
            layer.filters,
            layer.kernel_size,
            layer.strides,
            padding=tuple(before for before, _ in pads) if even else 0,
            bias=layer.use_bias,
        )
        kernel, *bias = layer.get_weights()
        _set(convolution.weight, kernel.transpose(3, 2, 0, 1))
        if bias:
            _set(convolution.bias, bias[0])
        return _chain(
            None if even else nn.ZeroPad2d(_left_right_top_bottom(pads)),
            convolution,
            _activation(layer.activation),
        )

    def _dense(self, node: Node) -> nn.Module:
        layer = node.layer
        linear = nn.Linear(node.input_shapes[0][-1], layer.units, bias=layer.use_bias)
        kernel, *bias = layer.get_weights()
        _set(linear.weight, kernel[self._order[node.inputs[0]]].T)
        if bias:
            _set(linear.bias, bias[0])
        self._linear[layer.name] = linear
        self._order[layer.name] = np.arange(layer.units)
        return _chain(linear, _activation(layer.activation))

    def _reshape(self, node: Node) -> nn.Module:
        linear = self._linear[node.inputs[0]]
        order = _channels_first(node.output_shape)
        for parameter in linear.parameters():
            _set(parameter, parameter.detach().numpy()[order])
        height, width, channels = node.output_shape
        return nn.Unflatten(1, (channels, height, width))

    def _flatten(self, node: Node) -> nn.Module:
        self._order[node.layer.name] = _channels_first(node.input_shapes[0])
        return nn.Flatten()

    def _concatenate(self, node: Node) -> nn.Module:
        if len(node.output_shape) == 1:
            firsts = np.cumsum([0, *(shape[0] for shape in node.input_shapes[:-1])])
            self._order[node.layer.name] = np.concatenate(
                [self._order[name] + first for name, first in zip(node.inputs, firsts, strict=True)]
            )
        return Concatenation()

    def _mean(self, node: Node) -> nn.Module:
        self._order[node.layer.name] = np.arange(node.output_shape[0])
        return Mean()

    def _normalization(self, node: Node) -> nn.Module:
        layer = node.layer
        _only(layer, "center", True)
        _only(layer, "scale", True)
        module = nn.BatchNorm2d(
            node.output_shape[-1], eps=layer.epsilon, momentum=1 - layer.momentum
        )
        scale, shift, mean, variance = layer.get_weights()
        _set(module.weight, scale)
        _set(module.bias, shift)
        _set(module.running_mean, mean)
        _set(module.running_var, variance)
        return module

    def _conditional_normalization(self, node: Node) -> nn.Module:
        channels, condition = node.output_shape[-1], node.input_shapes[1][-1]
        module = ConditionalNormalization(node.layer, channels, condition)
        kernel, bias = node.layer.scale_and_shift.get_weights()
        mean, variance = node.layer.normalization.get_weights()
        _set(module.scale_and_shift.weight, kernel[self._order[node.inputs[1]]].T)
        _set(module.scale_and_shift.bias, bias)
        _set(module.normalization.running_mean, mean)
        _set(module.normalization.running_var, variance)
        return module

    def _pooling(self, node: Node) -> nn.Module:
        pads = paddings(node)
        pad = None
        if any(before or after for before, after in pads):
            pad = nn.ConstantPad2d(_left_right_top_bottom(pads), -torch.inf)
        return _chain(pad, nn.MaxPool2d(node.layer.pool_size, node.layer.strides))

    def _upsampling(self, node: Node) -> nn.Module:
        _only(node.layer, "interpolation", "nearest")
        return nn.Upsample(scale_factor=node.layer.size, mode="nearest")

    def _upsampling_convolution(self, node: Node) -> nn.Module:
        return _chain(nn.Upsample(scale_factor=2, mode="nearest"), self._convolution(node))

    def _rectifier(self, node: Node) -> nn.Module:
        self._keep_order(node)
        slope = float(node.layer.negative_slope)
        return nn.LeakyReLU(slope, inplace=False) if slope else nn.ReLU()

    def _activation_layer(self, node: Node) -> nn.Module:
        self._keep_order(node)
        return _activation(node.layer.activation) or nn.Identity()


CONVERTERS: Mapping[str, Callable[[Network, Node], nn.Module]] = {
    "Activation": Network._activation_layer,
    "BatchNormalization": Network._normalization,
    "Concatenate": Network._concatenate,
    "ConditionalBatchNormalization": Network._conditional_normalization,
    "Conv2D": Network._convolution,
    "Dense": Network._dense,
    "Flatten": Network._flatten,
    "GlobalAveragePooling2D": Network._mean,
    "LeakyReLU": Network._rectifier,
    "MaxPooling2D": Network._pooling,
    "ReLU": Network._rectifier,
    "Reshape": Network._reshape,
    "UpSampling2D": Network._upsampling,
    "UpsamplingConv2D": Network._upsampling_convolution,
}


def _set(parameter: torch.Tensor, values: np.ndarray) -> None:
    with torch.no_grad():
        parameter.copy_(torch.from_numpy(np.array(values)))


def _chain(*modules: nn.Module | None) -> nn.Module:
    kept = [module for module in modules if module is not None]
    return kept[0] if len(kept) == 1 else nn.Sequential(*kept)


def _activation(function: Callable[[Any], Any]) -> nn.Module | None:
    known = {"linear": None, "relu": nn.ReLU, "tanh": nn.Tanh}
    name = getattr(function, "__name__", str(function))
    if name not in known:
        raise ValueError(f"Activation {name!r} is not known. Allowed: {', '.join(known)}.")
    return known[name] and known[name]()


def _only(layer: keras.layers.Layer, name: str, value: Any) -> None:
    if getattr(layer, name) != value:
        raise ValueError(
            f"Layer {layer.name!r} must have {name}={value!r}. Received: {getattr(layer, name)!r}."
        )


def _left_right_top_bottom(pads: list[tuple[int, int]]) -> tuple[int, int, int, int]:
    return (*pads[1], *pads[0])


def _channels_first(shape: tuple[int, ...]) -> np.ndarray:
    """Where what a flat (channels, height, width) holds stands in (height, width, channels)."""
    return np.arange(np.prod(shape)).reshape(shape).transpose(2, 0, 1).ravel()

"""A network as papers print it: a line for each layer with weights."""

import keras

from keras_cvaegan.layers import ProjectionHead, SpectralNormalization, UpsamplingConv2D
from keras_cvaegan.ops.keras_private import all_layers


def lines(network):
    """Returns text, output shape and parameters of each line, in the order of the network.

    The shape is that behind the line's last layer.
    """
    result = []
    for layer in network.layers:
        text = _text(layer)
        if text is None:
            continue
        shape, count = tuple(layer.output.shape[1:]), layer.count_params()
        if text.startswith(", "):
            before, _, counted = result.pop()
            text, count = before + text, counted + count
        result.append((text, shape, count))
    return result


def _text(layer):
    """What a layer adds: a line of its own, or ", …" to the one before; None for neither."""
    inner = layer.layer if isinstance(layer, SpectralNormalization) else layer
    match inner:
        case UpsamplingConv2D():
            return f"{inner.kernel_size[0]}×{inner.kernel_size[1]} conv, {inner.filters}, up 2"
        case keras.layers.Conv2D() | keras.layers.Conv2DTranspose():
            kernel = "×".join(map(str, inner.kernel_size))
            (stride,) = set(inner.strides)
            return f"{kernel} conv, {inner.filters}, stride {stride}"
        case keras.layers.Dense():
            return f"fc, {inner.units}"
        case ProjectionHead():
            return "fc, 1"
        case keras.layers.MaxPooling2D():
            return f"maxpool {inner.pool_size[0]}, stride {inner.strides[0]}"
        case keras.layers.GlobalAveragePooling2D():
            return "global average pooling"
        case keras.layers.BatchNormalization():
            return ", batchnorm"
        case keras.layers.ReLU():
            assert not inner.negative_slope
            return ", relu"
        case keras.layers.LeakyReLU():
            assert inner.negative_slope == 0.2
            return ", lrelu"
        case keras.layers.Activation() if inner.activation is keras.activations.tanh:
            return ", tanh"
    return None


def normalized_weights(network):
    """Returns ids of the weights under spectral normalization, and of all matrices and kernels."""
    wrappers = [x for x in all_layers(network) if isinstance(x, SpectralNormalization)]
    weights = [w for w in network.trainable_weights if len(w.shape) > 1]
    return {id(wrapper.layer.kernel) for wrapper in wrappers}, {id(w) for w in weights}

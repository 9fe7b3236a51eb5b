"""The low-pass against SciPy's convolution, its response to waves, and what it refuses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import convolve1d

from keras_cvaegan.layers import LowPass


@given(
    height=st.integers(3, 9),
    width=st.integers(3, 9),
    count=st.integers(0, 2),
    channels=st.integers(1, 3),
)
def test_against_scipy(height, width, count, channels):
    x = np.random.default_rng(0).normal(size=(count, height, width, channels)).astype("float32")
    expected = x
    for axis in (1, 2):
        kernel = np.array([-1, 4, 10, 4, -1]) / 16
        expected = convolve1d(expected, kernel, axis=axis, mode="mirror")
    np.testing.assert_allclose(np.array(LowPass()(x)), expected, atol=1e-6)


@pytest.mark.parametrize("axis", [1, 2])
@pytest.mark.parametrize(("cycles", "kept"), [(0, 1), (1 / 8, 0.979), (1 / 4, 0.75), (1 / 2, 0)])
def test_waves(axis, cycles, kept):
    shape = np.ones(4, int)
    shape[axis] = 16
    wave = np.cos(2 * np.pi * cycles * np.arange(16)).reshape(shape)
    x = np.broadcast_to(wave, (1, 16, 16, 2)).astype("float32")
    inner = (slice(None), slice(2, -2), slice(2, -2))
    np.testing.assert_allclose(np.array(LowPass()(x))[inner], kept * x[inner], atol=1e-3)


@pytest.mark.parametrize("shape", [(1, 2, 8, 3), (1, 8, 2, 3)])
def test_small_images(shape):
    with pytest.raises(ValueError, match=r"sides of at least 3 pixels\. Received: shape \(1,"):
        LowPass()(np.zeros(shape, "float32"))

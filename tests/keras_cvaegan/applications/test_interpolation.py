import numpy as np
import pytest

from keras_cvaegan.applications import interpolate


def test_a_line_of_equal_steps_with_both_ends():
    first, last = np.random.default_rng(0).standard_normal((2, 7)).astype(np.float32)
    line = interpolate(first, last, 5)
    assert line.dtype == np.float32
    np.testing.assert_array_equal(line[0], first)
    np.testing.assert_array_equal(line[-1], last)
    for number, alpha in enumerate([0, 0.25, 0.5, 0.75, 1]):
        np.testing.assert_allclose(line[number], (1 - alpha) * first + alpha * last, atol=1e-6)


def test_several_lines_at_once():
    first, last = np.random.default_rng(0).standard_normal((2, 3, 4))
    lines = interpolate(first, last, 2)
    assert lines.shape == (3, 2, 4)
    np.testing.assert_array_equal(lines[1], interpolate(first[1], last[1], 2))
    assert interpolate(first[:0], last[:0], 3).shape == (0, 3, 4)


@pytest.mark.parametrize(
    ("last", "steps", "message"),
    [
        ([1.0, 2.0], 3, r"of one shape.*Received: \(1,\) and \(2,\)"),
        ([1.0], 1, "steps must be an integer of at least 2. Received: 1"),
        ([1.0], 2.0, "Received: 2.0"),
    ],
)
def test_wrong_inputs(last, steps, message):
    with pytest.raises(ValueError, match=message):
        interpolate([0.0], last, steps)

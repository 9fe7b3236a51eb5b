"""Stateless random numbers, the same on every back end.

Every draw of the project is a function of (seed, step, stream) and of the global row (example)
index: a resumed run, a run on another back end, or one on two replicas draws what a single
uninterrupted run would have drawn, and a row does not depend on its neighbours. The random bits
are exactly equal; the last bits of a normal number follow the machine's `log` and `cos`, which
may round the rest of a vector unlike its bulk. Keras' own random functions take no traced seed
and differ between back ends, so the generator is written here: Threefry-2x32 with 20 rounds
(Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011), the generator that JAX
uses, in `keras.ops`.
"""

import math
from typing import Any

from keras import ops

ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
PARITY = 0x1BD11BDA


def _uint32(value: Any) -> Any:
    return ops.cast(value, "uint32")


def _rotate_left(x: Any, bits: int) -> Any:
    left = ops.left_shift(x, ops.full_like(x, bits))
    right = ops.right_shift(x, ops.full_like(x, 32 - bits))
    return ops.bitwise_or(left, right)


def threefry(key: tuple[Any, Any], counter: tuple[Any, Any]) -> tuple[Any, Any]:
    """Encrypts a counter of two 32-bit words with Threefry-2x32-20.

    Args:
        key: two `uint32` tensors, of shapes that broadcast with the counter's.
        counter: two `uint32` tensors.

    Returns:
        Two `uint32` tensors of independent uniform bits, of the broadcast shape.

    Example:

    >>> import numpy as np
    >>> zero = np.zeros((), "uint32")
    >>> [hex(int(word)) for word in threefry((zero, zero), (zero, zero))]
    ['0x6b200159', '0x99ba4efe']
    """
    key = (_uint32(key[0]), _uint32(key[1]))
    schedule = (
        *key,
        ops.bitwise_xor(
            ops.bitwise_xor(key[0], key[1]), ops.full_like(key[0], PARITY, dtype="uint32")
        ),
    )
    # Operators, not ops.add: that takes a column of n keys for a bias where the other operand has
    # n columns, and fails on empty tensors (Keras 3.15 on TensorFlow).
    x0 = _uint32(counter[0]) + schedule[0]
    x1 = _uint32(counter[1]) + schedule[1]
    for block in range(5):
        for bits in ROTATIONS[block % 2]:
            x0 = x0 + x1
            x1 = ops.bitwise_xor(_rotate_left(x1, bits), x0)
        x0 = x0 + schedule[(block + 1) % 3]
        x1 = x1 + schedule[(block + 2) % 3] + _uint32(block + 1)
    return x0, x1


def _unit_interval(bits: Any, dtype: str) -> Any:
    """The upper 23 bits as a number in (0, 1): never 0, so that its logarithm is finite."""
    upper = ops.right_shift(bits, ops.full_like(bits, 9))
    return (ops.cast(upper, dtype) + 0.5) * (2.0**-23)


def normal(
    rows: Any, columns: int, *, seed: Any, step: Any = 0, stream: int = 0, dtype: str = "float32"
) -> Any:
    """Draws standard normal numbers as a function of (seed, step, stream, row, column) alone.

    Two uniform numbers of one Threefry block give two normal ones by the transform of Box and
    Muller.

    Args:
        rows: integer tensor of shape (n,): the global index of each row.
        columns: numbers a row, at least 1.
        seed: integer, or integer tensor of shape (n,) with a seed for each row. Seeds, steps and
            rows count modulo 2³².
        step: integer or integer scalar tensor, such as the training step.
        stream: integer: what the draw is for; two streams are independent.
        dtype: data type of the result.

    Returns:
        Tensor of shape (n, columns).

    Example:

    >>> import numpy as np
    >>> z = normal(np.arange(4), 3, seed=0)
    >>> z.shape == (4, 3)
    True
    >>> np.allclose(z[2:], normal(np.arange(2, 4), 3, seed=0), atol=1e-6)
    True
    """
    precise = "float64" if dtype == "float64" else "float32"
    first, second = _pairs(rows, columns, seed, step, stream, precise)
    radius, angle = ops.sqrt(-2.0 * ops.log(first)), (2.0 * math.pi) * second
    values = ops.concatenate([radius * ops.cos(angle), radius * ops.sin(angle)], axis=1)
    return ops.cast(values[:, :columns], dtype)


def uniform(
    rows: Any, columns: int, *, seed: Any, step: Any = 0, stream: int = 0, dtype: str = "float32"
) -> Any:
    """Draws numbers from (0, 1) as a function of (seed, step, stream, row, column) alone.

    Args:
        rows, columns, seed, step, stream, dtype: see `normal`.

    Returns:
        Tensor of shape (n, columns).

    Example:

    >>> import numpy as np
    >>> x = np.array(uniform(np.arange(4), 3, seed=0))
    >>> x.shape, bool((x > 0).all()), bool((x < 1).all())
    ((4, 3), True, True)
    """
    precise = "float64" if dtype == "float64" else "float32"
    values = ops.concatenate(_pairs(rows, columns, seed, step, stream, precise), axis=1)
    return ops.cast(values[:, :columns], dtype)


def _pairs(
    rows: Any, columns: int, seed: Any, step: Any, stream: int, dtype: str
) -> tuple[Any, Any]:
    """Two uniform numbers for each row and each two of the columns."""
    key = threefry((_uint32(seed), ops.zeros((), "uint32")), (_uint32(step), _uint32(stream)))
    key = tuple(ops.reshape(word, (-1, 1)) for word in key)
    pairs = (columns + 1) // 2
    counter = (ops.expand_dims(_uint32(rows), 1), ops.expand_dims(_uint32(ops.arange(pairs)), 0))
    first, second = threefry(key, counter)
    return _unit_interval(first, dtype), _unit_interval(second, dtype)

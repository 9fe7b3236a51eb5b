"""Where full precision is kept whatever the dtype policy: losses, statistics, networks' outputs."""

from typing import Any

import keras
from keras import backend, ops


def full_precision_dtype() -> str:
    """The dtype of losses, statistics and networks' outputs: float32, or float64 under that policy.

    Example:

    >>> full_precision_dtype()
    'float32'
    """
    return "float64" if keras.config.dtype_policy().compute_dtype == "float64" else "float32"


def full_precision(x: Any) -> Any:
    """Casts half precision (and integers) to float32; float32 and float64 pass."""
    x = ops.convert_to_tensor(x)
    return x if backend.standardize_dtype(x.dtype) == "float64" else ops.cast(x, "float32")

"""The precision that losses are computed in."""

from typing import Any

from keras import backend, ops


def full_precision(x: Any) -> Any:
    """Casts half precision (and integers) to float32; float32 and float64 pass."""
    x = ops.convert_to_tensor(x)
    return x if backend.standardize_dtype(x.dtype) == "float64" else ops.cast(x, "float32")

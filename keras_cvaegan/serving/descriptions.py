"""What a server says about a model."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

_DTYPES = {"DT_FLOAT": "float32", "DT_DOUBLE": "float64", "DT_HALF": "float16"}


@dataclasses.dataclass(frozen=True)
class Tensor:
    """An input or output of a signature.

    Args:
        dtype: such as "int64"; "string" for texts and bytes.
        shape: sizes, None where any size will do.
    """

    dtype: str
    shape: tuple[int | None, ...] | None


@dataclasses.dataclass(frozen=True)
class Signature:
    """What a model can be asked for.

    Args:
        inputs: inputs by name.
        outputs: outputs by name.
    """

    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]


@dataclasses.dataclass(frozen=True)
class Description:
    """A served model.

    Args:
        class_names: class names by label.
        latent_dim: numbers in a latent.
        image_shape: `(height, width, channels)`; of points `(d,)`.
        step: training steps that the model has seen.
        versions: that the server has ready, in order.
    """

    class_names: tuple[str, ...]
    latent_dim: int
    image_shape: tuple[int, ...]
    step: int
    versions: tuple[int, ...]

    @property
    def num_classes(self) -> int:
        """How many classes the model has."""
        return len(self.class_names)


@dataclasses.dataclass(frozen=True)
class VersionStatus:
    """Whether a server has a version ready.

    Args:
        version: number of the version.
        state: START, LOADING, AVAILABLE, UNLOADING or END.
        message: why not, where something went wrong.
    """

    version: int
    state: str
    message: str


def signatures_from_json(metadata: Mapping[str, Any]) -> dict[str, Signature]:
    """Returns the signatures in the answer of the metadata API, by name.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: when it is no such answer.

    Example:

    >>> labels = {"dtype": "DT_INT64", "tensor_shape": {"dim": [{"size": "-1"}]}}
    >>> signature = {"generate": {"inputs": {"labels": labels}, "outputs": {}}}
    >>> metadata = {"metadata": {"signature_def": {"signature_def": signature}}}
    >>> signatures_from_json(metadata)["generate"].inputs["labels"]
    Tensor(dtype='int64', shape=(None,))
    """
    found = metadata["metadata"]["signature_def"]["signature_def"]
    return {
        name: Signature(_tensors(each.get("inputs", {})), _tensors(each.get("outputs", {})))
        for name, each in sorted(found.items())
        if not name.startswith("__")
    }


def _tensors(infos: Mapping[str, Any]) -> dict[str, Tensor]:
    return {name: _tensor(info) for name, info in sorted(infos.items())}


def _tensor(info: Mapping[str, Any]) -> Tensor:
    dtype = _DTYPES.get(info["dtype"], info["dtype"].removeprefix("DT_").lower())
    shape = info.get("tensor_shape", {})
    if shape.get("unknown_rank"):
        return Tensor(dtype, None)
    sizes = (int(dim["size"]) for dim in shape.get("dim", []))
    return Tensor(dtype, tuple(None if size < 0 else size for size in sizes))


def statuses_from_json(answer: Mapping[str, Any]) -> list[VersionStatus]:
    """Returns the versions in the answer of the model status API.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: when it is no such answer.
    """
    return [
        VersionStatus(
            int(each.get("version", 0)),
            each.get("state", "UNKNOWN"),
            each.get("status", {}).get("error_message", ""),
        )
        for each in answer["model_version_status"]
    ]


def to_array(values: Any, tensor: Tensor) -> np.ndarray:
    """Returns nested lists as the array that they are of.

    Raises:
        TypeError, ValueError: when they are of another type or shape.
    """
    dtype = object if tensor.dtype == "string" else np.dtype(tensor.dtype)
    array = np.array(values, dtype)
    rank = None if tensor.shape is None else len(tensor.shape)
    if rank is not None and array.ndim != rank:
        raise ValueError(f"{array.ndim} dimensions where {rank} are expected")
    return array

"""Checks of the arguments of `GenerateClient`."""

from __future__ import annotations

import math
import numbers
import operator
from urllib.parse import urlsplit

from keras_cvaegan.serving.grpc_transport import GrpcTransport
from keras_cvaegan.serving.rest import RestTransport

_FORMS = (
    "http://host:8501 or https://… for TensorFlow Serving's REST API, grpc://host:8500 or "
    "grpcs://… for gRPC"
)


def connect(
    url: str, model: str, version: int | str | None
) -> tuple[str, RestTransport | GrpcTransport]:
    """Returns the URL as messages may show it, and the transport that it stands for.

    Raises:
        ValueError: for a URL that is not of a form that is known.
        ImportError: when a package of the extra `[serving]` is missing.
    """
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"The url must be {_FORMS}. Received: {url!r}") from error
    is_grpc = parts.scheme in ("grpc", "grpcs")
    path = parts.path.rstrip("/")
    if (
        parts.scheme not in ("http", "https", "grpc", "grpcs")
        or not host
        or parts.query
        or parts.fragment
        or "/v1/models" in path
        or (is_grpc and (path or parts.username))
    ):
        raise ValueError(
            f"The url must be {_FORMS}, with nothing behind the port (the model's name goes into "
            f"model=). Received: {url!r}"
        )
    address = f"[{host}]" if ":" in host else host
    if is_grpc:
        target = f"{address}:{port or 8500}"
        transport = GrpcTransport(target, model, version, secure=parts.scheme == "grpcs")
        return f"{parts.scheme}://{target}", transport
    shown = f"{parts.scheme}://{address}{f':{port}' if port else ''}{path}"
    return shown, RestTransport(f"{parts.scheme}://{parts.netloc}{path}", model, version)


def check_model(model: str) -> str:
    """Returns a model's name, or raises a ValueError unless it is one."""
    if not isinstance(model, str) or not model:
        raise ValueError(f"model must be the model's name on the server. Received: {model!r}")
    return model


def check_version(version: int | str | None) -> int | str | None:
    """Returns a version's number or label, or raises a ValueError unless it is one."""
    if version is None or (isinstance(version, str) and version):
        return version
    try:
        number = -1 if isinstance(version, bool | str) else operator.index(version)
    except TypeError:
        number = -1
    if not 0 <= number < 2**63:
        raise ValueError(
            "version must be a version's number, its label, or None for the latest. "
            f"Received: {version!r}"
        )
    return number


def check_seconds(name: str, value: float) -> float:
    """Returns seconds as a float, or raises a ValueError unless they are above 0."""
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not is_number or not 0 < value < math.inf:
        raise ValueError(f"{name} must be a number of seconds above 0. Received: {value!r}")
    return float(value)


def check_count(name: str, value: int, least: int) -> int:
    """Returns a count as an int, or raises a ValueError unless it is an integer ≥ least."""
    try:
        count = -1 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        count = -1
    if count < least:
        raise ValueError(f"{name} must be an integer of at least {least}. Received: {value!r}")
    return count

"""TensorFlow Serving's gRPC API."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from keras_cvaegan.serving import errors
from keras_cvaegan.serving.descriptions import (
    Signature,
    VersionStatus,
    signatures_from_json,
    statuses_from_json,
)
from keras_cvaegan.serving.extra import import_extra

_OPTIONS = {
    # Batches of pictures are larger than gRPC's 4 MiB.
    "grpc.max_send_message_length": -1,
    "grpc.max_receive_message_length": -1,
    # Servers take more pings than one in five minutes for an attack.
    "grpc.keepalive_time_ms": 300_000,
    "grpc.keepalive_timeout_ms": 20_000,
    # A server that comes back is found within the retries.
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.min_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 2_000,
}
_KINDS = {
    "INVALID_ARGUMENT": errors.BadRequest,
    "FAILED_PRECONDITION": errors.BadRequest,
    "OUT_OF_RANGE": errors.BadRequest,
    "NOT_FOUND": errors.NotFound,
    "UNAVAILABLE": errors.Unavailable,
    "RESOURCE_EXHAUSTED": errors.Unavailable,
    "DEADLINE_EXCEEDED": errors.DeadlineExceeded,
}


class GrpcTransport:
    """Carries requests to the gRPC services of one model.

    Args:
        target: `host:port`.
        model: name of the model on the server.
        version: a number, a label, or None for the latest.
        secure: whether by TLS, with the system's certificates.

    Raises:
        ImportError: when grpcio or tensorflow-serving-api is not installed.
    """

    def __init__(self, target: str, model: str, version: int | str | None, secure: bool) -> None:
        self._grpc = grpc = import_extra("grpc")
        self._apis = SimpleNamespace(
            **{
                name: import_extra(f"tensorflow_serving.apis.{name}")
                for name in (
                    "get_model_metadata_pb2",
                    "get_model_status_pb2",
                    "model_service_pb2_grpc",
                    "predict_pb2",
                    "prediction_service_pb2_grpc",
                )
            }
        )
        self._model, self._version = model, version
        options = list(_OPTIONS.items())
        self._channel = (
            grpc.secure_channel(target, grpc.ssl_channel_credentials(), options)
            if secure
            else grpc.insecure_channel(target, options)
        )
        self._predictions = self._apis.prediction_service_pb2_grpc.PredictionServiceStub(
            self._channel
        )
        self._models = self._apis.model_service_pb2_grpc.ModelServiceStub(self._channel)

    def close(self) -> None:
        self._channel.close()

    def statuses(self, seconds: float) -> list[VersionStatus]:
        request = self._apis.get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = self._model
        answer = self._ask(self._models.GetModelStatus, request, seconds)
        return errors.read_as(lambda answer: statuses_from_json(_to_json(answer)), answer)

    def signatures(self, seconds: float) -> dict[str, Signature]:
        messages = self._apis.get_model_metadata_pb2
        request = self._specified(messages.GetModelMetadataRequest())
        request.metadata_field.append("signature_def")
        answer = self._ask(self._predictions.GetModelMetadata, request, seconds)

        def read(answer: Any) -> dict[str, Signature]:
            signatures = messages.SignatureDefMap()
            answer.metadata["signature_def"].Unpack(signatures)
            return signatures_from_json({"metadata": {"signature_def": _to_json(signatures)}})

        return errors.read_as(read, answer)

    def predict(
        self, signature: str, inputs: Mapping[str, np.ndarray], seconds: float
    ) -> dict[str, np.ndarray]:
        import tensorflow as tf

        request = self._specified(self._apis.predict_pb2.PredictRequest())
        request.model_spec.signature_name = signature
        for name, values in inputs.items():
            # Strings as a list: an array of them would lose zeros at the end.
            tensor = tf.make_tensor_proto(
                values.tolist() if values.dtype == object else values,
                tf.string if values.dtype == object else None,
                values.shape,
            )
            request.inputs[name].CopyFrom(tensor)
        answer = self._ask(self._predictions.Predict, request, seconds)
        return errors.read_as(
            lambda answer: {
                name: _texts(name, tf.make_ndarray(tensor))
                for name, tensor in answer.outputs.items()
            },
            answer,
        )

    def _specified(self, request: Any) -> Any:
        request.model_spec.name = self._model
        if isinstance(self._version, int):
            request.model_spec.version.value = self._version
        elif self._version is not None:
            request.model_spec.version_label = self._version
        return request

    def _ask(self, method: Callable[..., Any], request: Any, seconds: float) -> Any:
        try:
            return method(request, timeout=max(seconds, 0.001))
        except self._grpc.RpcError as error:
            code, details = error.code().name, errors.clean(error.details() or "")
            if code == "DEADLINE_EXCEEDED":
                details = ""
            elif code == "UNAVAILABLE":
                details = _unavailable(details)
            elif code not in _KINDS:
                details = f"gRPC status {code}: {details}"
            raise _KINDS.get(code, errors.ServingError)(details) from error


def _unavailable(details: str) -> str:
    """What the system said of the last address, or else the server."""
    found = re.search(r"remote host: (?:connect: )?(.*?)(?: \(\d+\))?$", details)
    return f"Cannot reach the server: {found[1]}." if found else f"{details.rstrip('.')}."


def _to_json(message: Any) -> dict[str, Any]:
    from google.protobuf import json_format

    return json_format.MessageToDict(message, preserving_proto_field_name=True)


def _texts(name: str, values: np.ndarray) -> np.ndarray:
    """Strings as texts, unless the name says that they are bytes, as in REST."""
    if values.dtype != object or name.endswith("_bytes"):
        return values
    texts = np.empty(values.shape, object)
    for index, value in np.ndenumerate(values):
        texts[index] = value.decode("utf-8")
    return texts

"""The REST side of the double of TensorFlow Serving."""

import base64
import contextlib
import functools
import http.server
import json
import re
import sys
import urllib.parse

import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from tensorflow_serving.apis import get_model_metadata_pb2, predict_pb2

from tests.helpers.served_models import Code, Refusal

HTTP_CODES = {
    Code.INVALID_ARGUMENT: 400,
    Code.FAILED_PRECONDITION: 400,
    Code.NOT_FOUND: 404,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.UNAVAILABLE: 503,
    Code.DEADLINE_EXCEEDED: 504,
}


class HttpServer(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, *args):
        self._open = set()
        super().__init__(*args)

    def process_request(self, request, address):
        self._open.add(request)
        super().process_request(request, address)

    def shutdown_request(self, request):
        self._open.discard(request)
        super().shutdown_request(request)

    def close_connections(self):
        for request in list(self._open):
            self.shutdown_request(request)

    def handle_error(self, request, address):
        if not isinstance(sys.exception(), OSError):  # Clients that hang up are no news.
            super().handle_error(request, address)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    PREDICT = re.compile(r"/v1/models/([^/:]+)(?:/versions/(\d+)|/labels/([^/:]+))?:predict", re.I)
    MODEL = re.compile(
        r"/v1/models/([^/:]+)(?:/versions/(\d+)|/labels/([^/:]+))?(?:/(metadata))?", re.I
    )

    def __init__(self, double, *args):
        self._double = double
        super().__init__(*args)

    def log_message(self, *_):
        pass

    def do_GET(self):
        found = self.MODEL.fullmatch(self.path)
        self._answer(found and functools.partial(self._about, found))

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        found = self.PREDICT.fullmatch(self.path)
        self._answer(found and functools.partial(self._predict, found, body))

    def _answer(self, compute):
        if compute is None and not self.path.lower().startswith("/v1/"):
            self._send(404, b"<html><body>Not Found</body></html>", "text/html")
            return
        try:
            if compute is None:
                message = f"Malformed request: {self.command} {self.path}"
                raise Refusal(Code.INVALID_ARGUMENT, message)
            answer = json.dumps(self._double.answer(self.path, compute), indent=4)
            self._send(200, answer.encode(), "application/json")
        except Refusal as refusal:
            self._send(HTTP_CODES[refusal.code], self._error(str(refusal)), "application/json")

    def _error(self, message):
        if self._double.escapes:
            escaped = message.encode().decode("latin-1").encode("unicode_escape")
            octal = re.sub(
                rb"\\x(..)", lambda found: b"\\%03o" % int(found[1], 16), escaped
            ).replace(b'"', b'\\"')
            return b'{ "error": "' + octal.replace(b"'", b"\\'") + b'" }'
        return json.dumps({"error": message}, indent=4).encode()

    def _send(self, status, content, kind):
        with contextlib.suppress(OSError):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    def _about(self, found):
        spec = _spec(found)
        if not found[4]:
            answer = self._double.models.status(spec)
            return json_format.MessageToDict(
                answer, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
            )
        answer = self._double.models.metadata(spec)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        answer.metadata["signature_def"].Unpack(signatures)
        as_dict = functools.partial(
            json_format.MessageToDict,
            preserving_proto_field_name=True,
            always_print_fields_with_no_presence=True,
        )
        return {
            "model_spec": as_dict(answer.model_spec),
            "metadata": {"signature_def": as_dict(signatures)},
        }

    def _predict(self, found, body):
        request = _read_json(body)
        version, _ = self._double.models.find(_spec(found))
        name = request.get("signature_name", "serving_default")
        message = f'Serving signature name: "{name}" not found in signature def'
        definition = version.signature(name, Code.INVALID_ARGUMENT, message)
        if ("instances" in request) == ("inputs" in request):
            message = "Missing 'inputs' or 'instances' key"
            raise Refusal(Code.INVALID_ARGUMENT, message)
        in_rows = "instances" in request
        values = _columns(request["instances"], definition) if in_rows else request["inputs"]
        if not isinstance(values, dict):
            values = dict.fromkeys(definition.inputs, values)
        for each in definition.inputs:
            if each not in values:
                message = f"Missing named input: {each} in 'inputs' object."
                raise Refusal(Code.INVALID_ARGUMENT, message)
        inputs = {n: _tensor(values[n], info.dtype) for n, info in definition.inputs.items()}
        outputs = {n: _to_json(n, v) for n, v in version.run(name, inputs).items()}
        if in_rows:
            columns = zip(*outputs.values(), strict=True)
            rows = [dict(zip(outputs, row, strict=True)) for row in columns]
            return {"predictions": [r if len(r) > 1 else next(iter(r.values())) for r in rows]}
        return {"outputs": outputs if len(outputs) > 1 else next(iter(outputs.values()))}


def _spec(found):
    spec = predict_pb2.PredictRequest().model_spec
    spec.name = urllib.parse.unquote(found[1])
    if found[2]:
        spec.version.value = int(found[2])
    elif found[3]:
        spec.version_label = urllib.parse.unquote(found[3])
    return spec


def _read_json(body):
    try:
        request = json.loads(body)
    except ValueError as error:
        raise Refusal(Code.INVALID_ARGUMENT, f"JSON Parse error: {error}") from error
    if not isinstance(request, dict):
        raise Refusal(Code.INVALID_ARGUMENT, f"JSON Value: {body!r} Is not object")
    return request


def _columns(instances, definition):
    if not isinstance(instances, list) or not instances:
        raise Refusal(Code.INVALID_ARGUMENT, "No values in 'instances' array")
    if not all(isinstance(row, dict) and set(row) != {"b64"} for row in instances):
        if len(definition.inputs) > 1:
            message = "instances is a plain list, but expecting list of objects as multiple input "
            raise Refusal(Code.INVALID_ARGUMENT, f"{message}tensors required as per tensorinfo_map")
        return dict.fromkeys(definition.inputs, instances)
    for number, row in enumerate(instances):
        if set(row) != set(definition.inputs):
            raise Refusal(
                Code.INVALID_ARGUMENT,
                f"Failed to process element: {number} of 'instances' list. JSON object: {row} keys "
                f"must be equal to: {','.join(sorted(definition.inputs))}",
            )
    return {name: [row[name] for row in instances] for name in definition.inputs}


def _tensor(values, dtype):
    dtype = tf.dtypes.as_dtype(dtype)

    def leaf(value):
        if isinstance(value, list):
            return [leaf(each) for each in value]
        if dtype == tf.string and isinstance(value, dict) and set(value) == {"b64"}:
            return base64.b64decode(value["b64"], validate=True)
        kinds = str if dtype == tf.string else int if dtype.is_integer else int | float
        if not isinstance(value, kinds) or isinstance(value, bool):
            raise ValueError(f"JSON Value: {value} is not of expected type: {dtype.name}")
        return value.encode() if isinstance(value, str) else value

    try:
        return np.array(leaf(values), dtype.as_numpy_dtype)
    except (ValueError, OverflowError) as error:
        raise Refusal(Code.INVALID_ARGUMENT, str(error)) from error


def _to_json(name, values):
    if values.dtype != object:
        return values.tolist()
    if name.endswith("_bytes"):
        return [{"b64": base64.b64encode(value).decode()} for value in values]
    return [value.decode() for value in values]

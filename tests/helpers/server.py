"""A double of TensorFlow Serving for tests: its documented APIs, in Python.

It is not TensorFlow Serving, and shows nothing about that server's speed or batching. It answers on
the official gRPC stubs and on the documented REST URLs, loads versions from a watched directory
into a TensorFlow session, and gives errors the codes and forms of TensorFlow Serving.
"""

import base64
import concurrent.futures
import contextlib
import functools
import http.server
import json
import re
import sys
import threading
import time
import urllib.parse
from pathlib import Path

import grpc
import keras
import numpy as np
import tensorflow as tf
from google.protobuf import json_format, text_format
from tensorflow.core.protobuf import config_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)
from tensorflow_serving.config import model_server_config_pb2

Code = grpc.StatusCode
CLASS_NAMES = ("rose", "lily", 'café "d\'or"')
HTTP_CODES = {
    Code.INVALID_ARGUMENT: 400,
    Code.FAILED_PRECONDITION: 400,
    Code.NOT_FOUND: 404,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.UNAVAILABLE: 503,
    Code.DEADLINE_EXCEEDED: 504,
}


class Refusal(Exception):
    """An error status."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Version:
    """A SavedModel in a session, as a server without Python holds it."""

    def __init__(self, path):
        graph = tf.Graph()
        options = tf.compat.v1.ConfigProto(intra_op_parallelism_threads=1)
        with graph.as_default():
            self._session = tf.compat.v1.Session(graph=graph, config=options)
            loaded = tf.compat.v1.saved_model.load(self._session, ["serve"], str(path))
        self.signatures = loaded.signature_def
        self._calls = {}
        self._lock = threading.Lock()

    def signature(self, name, code, message):
        if name not in self.signatures:
            raise Refusal(code, message)
        return self.signatures[name]

    def run(self, name, inputs):
        name = name or "serving_default"
        message = f'Serving signature key "{name}" not found.'
        definition = self.signature(name, Code.FAILED_PRECONDITION, message)
        self._check(definition, inputs)
        outputs = sorted(definition.outputs)
        with self._lock:
            if name not in self._calls:
                # Other than `Session.run`, this leaves the check of shapes to the graph.
                options = config_pb2.CallableOptions(
                    feed=[definition.inputs[each].name for each in sorted(definition.inputs)],
                    fetch=[definition.outputs[each].name for each in outputs],
                )
                self._calls[name] = self._session._make_callable_from_options(options)
        try:
            values = self._calls[name](*(inputs[each] for each in sorted(inputs)))
        except tf.errors.OpError as error:
            raise Refusal(Code.INVALID_ARGUMENT, error.message) from error
        return dict(zip(outputs, values, strict=True))

    @staticmethod
    def _check(definition, inputs):
        needed, given = set(definition.inputs), set(inputs)
        if needed != given:
            raise Refusal(
                Code.INVALID_ARGUMENT,
                f"input size does not match signature: {len(given)}!={len(needed)}. Sent extra: "
                f"{sorted(given - needed)}. Missing but required: {sorted(needed - given)}.",
            )
        for name, values in inputs.items():
            expected = tf.dtypes.as_dtype(definition.inputs[name].dtype)
            received = tf.dtypes.as_dtype(values.dtype)
            if expected != received:
                raise Refusal(
                    Code.INVALID_ARGUMENT,
                    f"Expects arg[0] to be {expected.name} but {received.name} is provided",
                )


class Models:
    """What is served: the versions of one model that its configuration asks for.

    Args:
        config: a `ModelConfig` message; its `base_path` is watched.
    """

    _loaded = staticmethod(functools.cache(Version))

    def __init__(self, config):
        self.config = config

    @classmethod
    def at(cls, base_path, name="keras_cvaegan"):
        return cls(model_server_config_pb2.ModelConfig(name=name, base_path=str(base_path)))

    @classmethod
    def from_text(cls, text, base_path):
        """Models of a `models.config`, whose versions lie elsewhere here."""
        config = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
        [model] = config.model_config_list.config
        model.base_path = str(base_path)
        return cls(model)

    def versions(self):
        """Paths by number, of those that are served."""
        paths = Path(self.config.base_path).iterdir()
        found = {int(path.name): path.resolve() for path in paths if path.name.isdecimal()}
        policy = self.config.model_version_policy
        kind = policy.WhichOneof("policy_choice")
        if kind == "all":
            return dict(sorted(found.items()))
        if kind == "specific":
            return {number: found[number] for number in policy.specific.versions if number in found}
        count = policy.latest.num_versions or 1
        return dict(sorted(found.items())[-count:])

    def find(self, spec):
        """The version that a `ModelSpec` asks for, with its number."""
        versions = self.versions() if spec.name == self.config.name else {}
        number = max(versions, default=None)
        what = f"Latest({spec.name})"
        if spec.WhichOneof("version_choice") == "version":
            number = spec.version.value
            what = f"Specific({spec.name}, {number})"
        elif spec.version_label:
            number = self.config.version_labels.get(spec.version_label)
            if number is None:
                message = f"Unrecognized servable version label: {spec.version_label}"
                raise Refusal(Code.INVALID_ARGUMENT, message)
        if number not in versions:
            raise Refusal(Code.NOT_FOUND, f"Servable not found for request: {what}")
        return self._loaded(versions[number]), number

    def status(self, spec):
        versions = self.versions() if spec.name == self.config.name else {}
        if spec.HasField("version"):
            versions = {n: path for n, path in versions.items() if n == spec.version.value}
        if not versions:
            message = f"Could not find any versions of model {spec.name}"
            raise Refusal(Code.NOT_FOUND, message)
        answer = get_model_status_pb2.GetModelStatusResponse()
        for number in versions:
            status = answer.model_version_status.add(version=number, state="AVAILABLE")
            status.status.error_code = 0
            status.status.error_message = ""
        return answer


class Double:
    """The servers, on ports of this machine; a context manager.

    Args:
        models: what they serve, or the directory of the versions.

    Attributes:
        delay: seconds before an answer.
        refusals: statuses for the next requests, first to last, in the place of answers.
        escapes: whether errors over REST are escaped as older servers do it.
        requests: signature, or URL, of each request so far.
    """

    def __init__(self, models):
        self.models = models if isinstance(models, Models) else Models.at(models)
        self.delay, self.refusals, self.escapes, self.requests = 0.0, [], False, []
        self._ports = {"grpc": 0, "rest": 0}
        self._grpc = self._rest = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def grpc_url(self):
        return f"grpc://localhost:{self._ports['grpc']}"

    @property
    def rest_url(self):
        return f"http://localhost:{self._ports['rest']}"

    def url(self, kind):
        return {"grpc": self.grpc_url, "rest": self.rest_url}[kind]

    def start(self):
        """Starts both servers, on the ports they had before."""
        self._grpc = grpc.server(
            concurrent.futures.ThreadPoolExecutor(8),
            options=[("grpc.max_receive_message_length", -1)],
        )
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
            _Predictions(self), self._grpc
        )
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(_Models(self), self._grpc)
        self._ports["grpc"] = self._grpc.add_insecure_port(f"localhost:{self._ports['grpc']}")
        self._grpc.start()
        handler = functools.partial(_Handler, self)
        self._rest = _HttpServer(("localhost", self._ports["rest"]), handler)
        self._ports["rest"] = self._rest.server_address[1]
        threading.Thread(target=self._rest.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self._grpc.stop(0).wait()
        self._rest.shutdown()
        self._rest.close_connections()
        self._rest.server_close()

    def answer(self, what, compute):
        """Computes an answer, unless it is the turn of a refusal."""
        self.requests.append(what)
        time.sleep(self.delay)
        with contextlib.suppress(IndexError):
            raise Refusal(self.refusals.pop(0), "The server is told to refuse this.")
        return compute()


class _Predictions(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self, double):
        self._double = double

    def Predict(self, request, context):
        def compute():
            version, number = self._double.models.find(request.model_spec)
            inputs = {name: tf.make_ndarray(tensor) for name, tensor in request.inputs.items()}
            outputs = version.run(request.model_spec.signature_name, inputs)
            answer = predict_pb2.PredictResponse()
            answer.model_spec.name = request.model_spec.name
            answer.model_spec.version.value = number
            for name, values in outputs.items():
                answer.outputs[name].CopyFrom(tf.make_tensor_proto(values))
            return answer

        return _or_abort(context, self._double, request.model_spec.signature_name, compute)

    def GetModelMetadata(self, request, context):
        def compute():
            return _metadata(self._double.models, request.model_spec)

        return _or_abort(context, self._double, "metadata", compute)


class _Models(model_service_pb2_grpc.ModelServiceServicer):
    def __init__(self, double):
        self._double = double

    def GetModelStatus(self, request, context):
        def compute():
            return self._double.models.status(request.model_spec)

        return _or_abort(context, self._double, "status", compute)


def _or_abort(context, double, what, compute):
    try:
        return double.answer(what, compute)
    except Refusal as refusal:
        return context.abort(refusal.code, str(refusal))


def _metadata(models, spec):
    version, number = models.find(spec)
    answer = get_model_metadata_pb2.GetModelMetadataResponse()
    answer.model_spec.name = spec.name
    answer.model_spec.version.value = number
    signatures = get_model_metadata_pb2.SignatureDefMap()
    for name, definition in version.signatures.items():
        signatures.signature_def[name].CopyFrom(definition)
    answer.metadata["signature_def"].Pack(signatures)
    return answer


class _HttpServer(http.server.ThreadingHTTPServer):
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


class _Handler(http.server.BaseHTTPRequestHandler):
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
        answer = _metadata(self._double.models, spec)
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


def tiny_model():
    """A model with random weights that give pictures which differ."""
    from keras_cvaegan.models import CVAEGAN

    keras.utils.set_random_seed(0)
    model = CVAEGAN.from_preset(
        "compact", image_shape=(16, 16, 3), num_classes=3, latent_dim=4, class_names=CLASS_NAMES
    )
    noise = np.random.default_rng(0)
    for variable in model.sampler.variables:
        variable.assign(variable + 0.05 * noise.standard_normal(variable.shape))
    return model


_EXPORTED = []


def exported(tmp_path_factory):
    """A tiny model, and the directory of its only version; both made once a process."""
    from keras_cvaegan.export import export_saved_model

    if not _EXPORTED:
        model, path = tiny_model(), tmp_path_factory.mktemp("served")
        export_saved_model(model, path)
        _EXPORTED[:] = model, path
    return _EXPORTED

"""A double of TensorFlow Serving for tests: its documented APIs, in Python.

It is not TensorFlow Serving, and shows nothing about that server's speed or batching. It answers on
the official gRPC stubs and on the documented REST URLs, loads versions from a watched directory
into a TensorFlow session, and gives errors the codes and forms of TensorFlow Serving.
"""

import concurrent.futures
import contextlib
import functools
import threading
import time

import grpc
import tensorflow as tf
from tensorflow_serving.apis import (
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from tests.helpers.rest_server import Handler, HttpServer
from tests.helpers.served_models import Models, Refusal


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
        handler = functools.partial(Handler, self)
        self._rest = HttpServer(("localhost", self._ports["rest"]), handler)
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
            return self._double.models.metadata(request.model_spec)

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

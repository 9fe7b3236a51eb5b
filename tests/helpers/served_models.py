"""What the double of TensorFlow Serving serves: versions of a model, in TensorFlow sessions."""

import functools
import threading
from pathlib import Path

import grpc
import tensorflow as tf
from google.protobuf import text_format
from tensorflow.core.protobuf import config_pb2
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2
from tensorflow_serving.config import model_server_config_pb2

Code = grpc.StatusCode


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

    def metadata(self, spec):
        version, number = self.find(spec)
        answer = get_model_metadata_pb2.GetModelMetadataResponse()
        answer.model_spec.name = spec.name
        answer.model_spec.version.value = number
        signatures = get_model_metadata_pb2.SignatureDefMap()
        for name, definition in version.signatures.items():
            signatures.signature_def[name].CopyFrom(definition)
        answer.metadata["signature_def"].Pack(signatures)
        return answer

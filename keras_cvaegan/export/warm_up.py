"""Requests that TensorFlow Serving replays when it loads a version, before it serves it."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import tensorflow as tf
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

from keras_cvaegan.export.signatures import Endpoint

Request = tuple[str, dict[str, tf.Tensor]]


def write_warm_up(path: Path, requests: Iterable[Request]) -> None:
    """Writes a `tf_serving_warmup_requests` file: TFRecords of PredictionLog messages.

    Args:
        path: path of the file.
        requests: signature and inputs of each request.
    """
    with tf.io.TFRecordWriter(str(path)) as writer:
        for request in requests:
            writer.write(prediction_log(*request))


def warm_up_requests(
    endpoints: Mapping[str, Endpoint], class_name: str, batch_sizes: Iterable[int] = (1, 4)
) -> Iterator[Request]:
    """Gives requests for each signature: the first class, z = 0, black pictures.

    Args:
        endpoints: endpoints of the signatures: `Signatures.endpoints()`.
        class_name: name of the first class.
        batch_sizes: rows a request.
    """
    texts = {
        "class_names": class_name,
        "image_bytes": tf.io.encode_png(tf.zeros((1, 1, 1), tf.uint8)),
    }
    for name, (_, specs) in endpoints.items():
        for count in batch_sizes:
            inputs = {}
            for spec in specs:
                value = texts.get(spec.name, tf.zeros((), spec.dtype))
                inputs[spec.name] = tf.fill([count, *spec.shape[1:]], value)
            yield name, inputs


def prediction_log(signature: str, inputs: dict[str, tf.Tensor]) -> bytes:
    """Returns the bytes of a `tensorflow.serving.PredictionLog` of one Predict request.

    The model's name is left empty: the file does not know under which it will be served.
    """
    log = _prediction_log_class()()
    request = log.predict_log.request
    request.model_spec.signature_name = signature
    for name, tensor in inputs.items():
        request.inputs.add(key=name, value=tf.make_tensor_proto(tensor).SerializeToString())
    return log.SerializeToString(deterministic=True)


@functools.cache
def _prediction_log_class() -> type[Message]:
    """The message, with the field numbers of TensorFlow Serving's `apis/*.proto`.

    tensorflow-serving-api has it whole, but who trains need not have that package. On the wire a
    tensor is a field of bytes, and a map a list of keys and values.
    """
    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="warm_up.proto", package="warm_up")

    def message(name: str, **fields: tuple[int, int | str]) -> None:
        added = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            label = kinds.LABEL_REPEATED if field == "inputs" else kinds.LABEL_OPTIONAL
            of_kind = {"type_name": kind} if isinstance(kind, str) else {"type": kind}
            added.field.add(name=field, number=number, label=label, **of_kind)

    message("ModelSpec", signature_name=(3, kinds.TYPE_STRING))
    message("Input", key=(1, kinds.TYPE_STRING), value=(2, kinds.TYPE_BYTES))
    message("PredictRequest", model_spec=(1, "ModelSpec"), inputs=(2, "Input"))
    message("PredictLog", request=(1, "PredictRequest"))
    message("PredictionLog", predict_log=(6, "PredictLog"))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("warm_up.PredictionLog"))

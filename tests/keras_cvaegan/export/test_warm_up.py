"""Warm-up requests: read by the official messages, and replayed."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

pytestmark = pytest.mark.slow


def logs(version):
    records = tf.data.TFRecordDataset(
        str(version / "assets.extra" / "tf_serving_warmup_requests")
    ).as_numpy_iterator()
    return [prediction_log_pb2.PredictionLog.FromString(record) for record in records]


def test_each_signature_is_warmed_up(version, signatures):
    found = {}
    for log in logs(version):
        assert log.WhichOneof("log_type") == "predict_log"
        request = log.predict_log.request
        assert request.model_spec.name == ""
        rows = {tensor.tensor_shape.dim[0].size for tensor in request.inputs.values()}
        found.setdefault(request.model_spec.signature_name, set()).update(rows)
    assert found == {name: {1, 4} for name in signatures}


def test_the_requests_are_right(version, call):
    for log in logs(version):
        request = log.predict_log.request
        inputs = {name: tf.make_ndarray(tensor) for name, tensor in request.inputs.items()}
        outputs = call(request.model_spec.signature_name, **inputs)
        for values in outputs.values():
            assert len(values) == len(next(iter(inputs.values())))
            assert values.dtype.kind not in "f" or np.isfinite(values).all()

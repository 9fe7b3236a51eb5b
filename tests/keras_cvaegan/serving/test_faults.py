"""The client when servers are slow, gone, busy, or something else."""

import socket
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from grpc import StatusCode
from tensorflow_serving.apis import predict_pb2

from keras_cvaegan.serving import (
    BadRequest,
    DeadlineExceeded,
    GenerateClient,
    NotFound,
    ServingError,
    Unavailable,
)
from tests.helpers.served_models import Models
from tests.helpers.server import Double
from tests.helpers.tiny_model import exported

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("serving")]


@pytest.fixture
def free_port():
    with socket.socket() as holder:
        holder.bind(("localhost", 0))
        return holder.getsockname()[1]


def test_a_slow_server(client, double):
    client.signatures()
    client.timeout, double.delay = 0.2, 1.0
    started = time.monotonic()
    with pytest.raises(DeadlineExceeded, match=r"No answer within 0\.2 s.*Asked .* generate"):
        client.generate([0])
    assert time.monotonic() - started < 0.9


def test_a_server_that_drips():
    def drip(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(40):
            connection.sendall(b"1\r\n \r\n")
            time.sleep(0.05)

    with serving(drip) as url, pytest.raises(DeadlineExceeded, match=r"within 0\.3 s"):
        started = time.monotonic()
        GenerateClient(url, timeout=0.3).describe()
    assert time.monotonic() - started < 1.5


def test_no_server(kind, free_port):
    scheme = {"rest": "http", "grpc": "grpc"}[kind]
    url = f"{scheme}://localhost:{free_port}"
    message = rf"Connection refused\. Tried 2 times\. \(Asked {url} for .*, model 'keras_cvaegan'"
    with GenerateClient(url, retries=1) as client, pytest.raises(Unavailable, match=message):
        client.generate([0])
    with pytest.raises(Unavailable, match="Cannot reach the server: Connection refused"):
        GenerateClient(url, retries=0).signatures()


def test_a_server_that_comes_back_within_the_retries(kind, model, tmp_path_factory):
    with Double(exported(tmp_path_factory)[1]) as double:
        client = GenerateClient(double.url(kind), timeout=30, retries=6)
        client.generate([0])
        double.stop()
        back = threading.Timer(0.5, double.start)
        back.start()
        np.testing.assert_array_equal(client.generate([2], 1), model.generate([2], [1]))
        back.join()
        client.close()


@pytest.mark.parametrize("code", [StatusCode.UNAVAILABLE, StatusCode.RESOURCE_EXHAUSTED])
def test_a_busy_server_is_asked_again(client, double, model, code):
    client.signatures()
    double.refusals = [code, code]
    np.testing.assert_array_equal(client.generate([1], 8), model.generate([1], [8]))
    assert double.refusals == []


def test_a_server_that_stays_busy(client, double):
    client.signatures()
    client.retries = 1
    double.refusals = [StatusCode.UNAVAILABLE] * 9
    with pytest.raises(Unavailable, match=r"told to refuse this\. Tried 2 times\."):
        client.generate([1])
    assert len(double.refusals) == 7


def test_retries_end_with_the_time(client, double):
    client.signatures()
    client.timeout, client.retries = 0.5, 100
    double.refusals = [StatusCode.UNAVAILABLE] * 100
    started = time.monotonic()
    with pytest.raises(Unavailable):
        client.generate([1])
    assert time.monotonic() - started < 0.6


@pytest.mark.parametrize("code", [StatusCode.DEADLINE_EXCEEDED, StatusCode.NOT_FOUND])
def test_nothing_else_is_tried_again(client, double, code):
    client.signatures()
    double.refusals = [code] * 5
    with pytest.raises((DeadlineExceeded, NotFound)):
        client.generate([1])
    assert len(double.refusals) == 4


def test_the_latest_version_and_one_by_number_or_label(kind, model, tmp_path, tmp_path_factory):
    _, path = exported(tmp_path_factory)
    (tmp_path / "1").symlink_to(path / "1")
    config = 'model_config_list { config { name: "keras_cvaegan" model_version_policy { all {} } '
    config += 'version_labels { key: "stable" value: 1 } } }'
    with Double(Models.from_text(config, tmp_path)) as double:
        client = GenerateClient(double.url(kind))
        assert client.describe().versions == (1,)
        (tmp_path / "2").symlink_to(path / "1")
        assert client.describe().versions == (1, 2)
        for version in (1, 2, "stable"):
            with GenerateClient(double.url(kind), version=version) as pinned:
                pinned.wait_until_ready(5)
                np.testing.assert_array_equal(pinned.generate([0], 1), model.generate([0], [1]))


def test_wait_until_ready(kind, tmp_path, tmp_path_factory):
    with Double(tmp_path) as double:
        client = GenerateClient(double.url(kind), version=1)
        with pytest.raises(DeadlineExceeded, match=r"Not ready within 0\.3 s.*Could not find"):
            client.wait_until_ready(0.3)
        ready = threading.Timer(
            0.3, lambda: (tmp_path / "1").symlink_to(exported(tmp_path_factory)[1] / "1")
        )
        ready.start()
        client.wait_until_ready(20)
        assert client.generate([0]).shape == (1, 16, 16, 3)


class serving:
    """A server of one connection after the other, by a function of the socket."""

    def __init__(self, answer):
        self._answer = answer

    def __enter__(self):
        self._socket = socket.create_server(("localhost", 0))
        threading.Thread(target=self._serve, daemon=True).start()
        return f"http://localhost:{self._socket.getsockname()[1]}"

    def __exit__(self, *_):
        self._socket.close()

    def _serve(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                try:
                    connection.recv(2**16)
                    self._answer(connection)
                except OSError:
                    continue


def answering(status, kind, content):
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(content)}\r\n"
    answer = f"{head}Connection: close\r\n\r\n".encode() + content
    return serving(lambda connection: connection.sendall(answer))


@pytest.mark.parametrize(
    ("status", "kind", "content", "message"),
    [
        ("200 OK", "application/json", b'{"metadata": {"sig', "not the JSON of TensorFlow Serving"),
        ("200 OK", "text/html", b"<html>Hi</html>", "HTTP 200 with text/html that is not the JSON"),
        ("404 Not Found", "text/html", b"<html>No</html>", "HTTP 404 with text/html .* 8501"),
        ("200 OK", "application/json", b'{"metadata": []}', "is not what was asked for"),
        ("302 Found", "text/html\r\nLocation: http://a/", b"", "sends on to 'http://a/'"),
        ("500 Oops", "application/json", b'{"error": "out of luck"}', "out of luck"),
    ],
)
def test_what_is_no_tensorflow_serving(status, kind, content, message):
    with answering(status, kind, content) as url, pytest.raises(ServingError, match=message) as e:
        GenerateClient(url).generate([0])
    assert type(e.value) is ServingError


def test_outputs_that_are_not_those_of_the_signature(double, monkeypatch):
    client = GenerateClient(double.rest_url)
    client.signatures()
    with answering("200 OK", "application/json", b'{"outputs": [[1, "a"]]}') as url:
        monkeypatch.setattr(client._transport, "_url", f"{url}/v1/models/keras_cvaegan")
        with pytest.raises(ServingError, match=r"not what was asked for .*'a'"):
            client.classify(np.zeros((1, 16, 16, 3), np.uint8))


def test_texts_that_are_none(double, monkeypatch):
    answer = predict_pb2.PredictResponse()
    answer.outputs["class_name"].CopyFrom(tf.make_tensor_proto([b"\xff"]))
    stub = SimpleNamespace(Predict=lambda request, timeout: answer)
    with GenerateClient(double.grpc_url) as client:
        monkeypatch.setattr(client._transport, "_predictions", stub)
        message = r"not what was asked for \(UnicodeDecodeError: .*class_name.*Asked grpc://"
        with pytest.raises(ServingError, match=message):
            client.predict("describe", {"labels": [0]})


def test_grpc_where_there_is_only_http(double):
    with (
        pytest.raises(Unavailable),
        GenerateClient(double.rest_url.replace("http", "grpc"), retries=0, timeout=5) as client,
    ):
        client.generate([0])


@pytest.mark.parametrize("status", ["502 Bad Gateway", "503 Service Unavailable"])
def test_a_proxy_without_its_server(status):
    with answering(status, "text/html", b"<html>") as url, pytest.raises(Unavailable, match=status):
        GenerateClient(url, retries=0).generate([0])


@pytest.mark.parametrize(
    "url",
    ["localhost:8501", "ftp://host", "http://", "grpc://host:8500/path", "http://host:x", None,
     "http://host:8501/v1/models/keras_cvaegan", "http://host?x=1"],
)  # fmt: skip
def test_urls_that_cannot_be(url):
    with pytest.raises(ValueError, match=r"The url must be http://host:8501 .* Received:"):
        GenerateClient(url)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": ""}, "model must be"),
        ({"version": -1}, "version must be"),
        ({"version": 1.5}, "version must be"),
        ({"timeout": 0}, "timeout must be"),
        ({"timeout": "10"}, "timeout must be"),
        ({"retries": -1}, "retries must be"),
        ({"batch_size": 0}, "batch_size must be"),
    ],
)
def test_options_that_cannot_be(options, message):
    with pytest.raises(ValueError, match=f"{message}.*Received: "):
        GenerateClient("http://localhost:1", **options)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda c: c.generate([0.5]), "labels must be integers"),
        (lambda c: c.generate([[0, 1]]), "labels must be integers"),
        (lambda c: c.generate(0), "labels must be integers"),
        (lambda c: c.generate(["rose", 1]), "not among integers"),
        (lambda c: c.generate_png(np.array(["rose", 1], object)), "not among integers"),
        (
            lambda c: c.generate(np.array([0, 2**63], np.uint64)),
            r"labels must be below 2⁶³\. Received: 9223372036854775808",
        ),
        (lambda c: c.decode([[0.0]], [2**64 - 1]), "labels must be below 2⁶³"),
        (lambda c: c.generate([0, 1], seed=[1]), "one integer, or 2 of them"),
        (lambda c: c.generate([0], seed=0.5), "one integer, or 1 of them"),
        (lambda c: c.decode([[0.0]], ["rose"]), "names are for generate"),
        (lambda c: c.decode([0.0], [0]), "z must have the shape"),
        (lambda c: c.decode([["a"]], [0]), "z must be numbers"),
        (lambda c: c.classify(np.zeros((1, 16, 16, 3))), "to_uint8 makes them"),
        (lambda c: c.classify(b"file"), "list of files"),
        (lambda c: c.classify(5), "an array, or a list of files as bytes. Received: int"),
        (lambda c: c.classify(None), "an array, or a list .* Received: NoneType"),
        (
            lambda c: c.encode(iter([b"file"]), [0]),
            "an array, or a list .* Received: list_iterator",
        ),
        (lambda c: c.predict("generate", {"labels": 3, "seed": [1]}), "labels must have rows.*: 3"),
        (lambda c: c.predict("generate", {"labels": [3], "seed": 1}), "seed must have rows.*: 1"),
        (lambda c: c.predict("x", {"names": "rose"}), "names must have rows.*: 'rose'"),
        (lambda c: c.classify([b"file", 1]), "Received: int among bytes"),
    ],
)
def test_arguments_that_cannot_be(client, double, call, message):
    with pytest.raises(ValueError, match=message):
        call(client)
    assert double.requests == []


def test_a_closed_client(client):
    client.close()
    with pytest.raises(ValueError, match="client is closed"):
        client.generate([0])


@pytest.mark.parametrize(
    ("url", "package"), [("http://localhost:1", "requests"), ("grpc://localhost:1", "grpc")]
)
def test_without_the_extra(monkeypatch, url, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"needs {package}.*'keras_cvaegan\[serving\]'"):
        GenerateClient(url)


def test_rest_does_without_tensorflow():
    code = (
        "import sys, keras_cvaegan.serving as s\n"
        "s.GenerateClient('http://localhost:1').close()\n"
        "assert not {'tensorflow', 'keras', 'grpc'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_passwords_are_not_shown():
    with pytest.raises(Unavailable) as error:
        GenerateClient("http://user:secret@localhost:1", retries=0).generate([0])
    assert "secret" not in str(error.value)
    assert "http://localhost:1" in str(error.value)


def test_errors_are_of_one_kind():
    for kind in (BadRequest, NotFound, Unavailable, DeadlineExceeded):
        assert issubclass(kind, ServingError)

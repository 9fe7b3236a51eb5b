"""The client against a double of TensorFlow Serving: what a model does, the same bytes."""

import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_cvaegan import pictures
from keras_cvaegan.serving import BadRequest, GenerateClient, NotFound
from tests.helpers.server import Double
from tests.helpers.tiny_model import CLASS_NAMES

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("serving")]

LABELS, SEEDS = [0, 2, 1, 2], [5, 6, 7, 2**31]


@pytest.fixture(scope="module")
def images(model):
    return model.generate(LABELS, seed=SEEDS)


def test_generate_gives_the_same_bytes(client, images):
    received = client.generate(LABELS, seed=SEEDS)
    assert received.dtype == np.uint8
    np.testing.assert_array_equal(received, images)
    assert images.std() > 1


def test_one_seed_stands_for_those_that_follow(client, model):
    expected = model.generate(LABELS, seed=[40, 41, 42, 43])
    np.testing.assert_array_equal(client.generate(np.array(LABELS, np.uint8), seed=40), expected)
    last = model.generate([0, 0], seed=np.array([2**32 - 1, 0]))
    for seed in (2**32 - 1, -1, np.uint32(2**32 - 1), np.array(2**64 - 1, np.uint64)):
        np.testing.assert_array_equal(client.generate([0, 0], seed=seed), last)


def test_generate_by_name(client, images):
    names = [CLASS_NAMES[label] for label in LABELS]
    for given in (names, tuple(names), np.array(names), np.array(names, object)):
        np.testing.assert_array_equal(client.generate(given, seed=SEEDS), images)


@pytest.mark.parametrize("labels", [LABELS, [CLASS_NAMES[label] for label in LABELS]])
def test_generate_png(client, images, labels):
    files = client.generate_png(labels, seed=SEEDS)
    assert all(isinstance(file, bytes) for file in files)
    np.testing.assert_array_equal([pictures.read_picture(file) for file in files], images)


def test_long_requests_are_split(double, url, model):
    with GenerateClient(url, timeout=30, batch_size=3) as client:
        client.signatures()
        double.requests.clear()
        received = client.generate([1] * 8, seed=3)
    assert len([r for r in double.requests if r != "metadata" and "metadata" not in r]) == 3
    np.testing.assert_array_equal(received, model.generate([1] * 8, seed=range(3, 11)))


def test_decode(client, model):
    z = model.sample_latents(4, seed=1)
    received = client.decode(z, LABELS)
    assert received.dtype == np.float32
    np.testing.assert_allclose(received, model.decode(z, LABELS), atol=1e-5)


@pytest.mark.parametrize("as_files", [False, True])
def test_encode_and_reconstruct_take_arrays_and_files(client, model, images, as_files):
    given = [pictures.encode_png(image) for image in images] if as_files else images
    encoded, expected = client.encode(given, LABELS), model.encode(images, LABELS)
    for ours, theirs in zip(expected, encoded, strict=True):
        assert theirs.dtype == np.float32
        np.testing.assert_allclose(theirs, ours, atol=1e-4)
    reconstructed = client.reconstruct(given, LABELS)
    np.testing.assert_allclose(reconstructed, model.reconstruct(images, LABELS), atol=1e-3)


def test_classify_takes_arrays_and_files(client, model, images):
    expected = model.classify(images)
    np.testing.assert_allclose(client.classify(images), expected, atol=1e-5)
    files = [pictures.encode_png(image) for image in images]
    np.testing.assert_allclose(client.classify(files), expected, atol=1e-5)


def test_files_may_be_jpeg_of_any_size(client):
    file = io.BytesIO()
    Image.new("RGB", (50, 31), "red").save(file, "JPEG")
    probabilities = client.classify([file.getvalue()])
    np.testing.assert_allclose(probabilities.sum(), 1, rtol=1e-5)


def test_describe(client, model):
    description = client.describe()
    assert description.class_names == CLASS_NAMES
    assert description.num_classes == 3
    assert description.latent_dim == model.latent_dim == 4
    assert description.image_shape == (16, 16, 3)
    assert (description.step, description.versions) == (0, (1,))


def test_signatures(client):
    signatures = client.signatures()
    assert {"generate", "generate_png", "encode_bytes", "describe"} < set(signatures)
    inputs, outputs = signatures["encode"].inputs, signatures["generate"].outputs
    assert (inputs["images"].dtype, inputs["images"].shape) == ("uint8", (None, 16, 16, 3))
    assert (inputs["labels"].dtype, inputs["labels"].shape) == ("int64", (None,))
    assert outputs["images"].shape[1:] == (16, 16, 3)
    assert not any(name.startswith("__") for name in signatures)


def test_predict_takes_any_signature(client, model):
    inputs = {"labels": np.array([1]), "seed": np.array([4])}
    received = client.predict("serving_default", inputs)
    np.testing.assert_array_equal(received["images"], model.generate([1], seed=[4]))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 3], "labels must be from 0 to 2. Received: 3 "),
        ([-1], "labels must be from 0 to 2. Received: -1 "),
        ([], "at least one row"),
        (["rose", "tulip"], "class_names must be among: rose, lily, café"),
    ],
)
def test_the_servers_refusals_are_passed_on_without_noise(client, labels, message):
    with pytest.raises(BadRequest) as error:
        client.generate(labels)
    text = str(error.value)
    assert message in text
    assert client.url in text
    assert "model 'keras_cvaegan'" in text
    assert "generate" in text
    for noise in ("assertion failed", "node", "Graph execution", "\\3", "\n"):
        assert noise not in text


def test_refusals_of_older_servers_are_read_too(double):
    double.escapes = True
    with (
        GenerateClient(double.rest_url) as client,
        pytest.raises(BadRequest, match="""café "d'or" Received: d'or "ü" """),
    ):
        client.generate(['d\'or "ü"'])


@pytest.mark.parametrize("given", [[b"no picture"], np.zeros((1, 8, 8, 3), np.uint8)])
def test_wrong_pictures(client, given):
    with pytest.raises(BadRequest, match=r"PNG or JPEG|\[1,8,8,3\]"):
        client.classify(given)


def test_a_refused_request_is_sent_once(client, double):
    client.signatures()
    double.requests.clear()
    with pytest.raises(BadRequest):
        client.decode(np.zeros((1, 4)), [9])
    assert len([r for r in double.requests if "metadata" not in r]) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "other"}, "Servable not found for request: Latest(other)"),
        ({"version": 7}, "Servable not found for request: Specific(keras_cvaegan, 7)"),
    ],
)
def test_wrong_model_and_version(url, options, message):
    with GenerateClient(url, **options) as client, pytest.raises(NotFound) as error:
        client.generate([0])
    assert message in str(error.value)
    assert str(next(iter(options.values()))) in str(error.value)


def test_a_label_that_no_version_has(url):
    with (
        GenerateClient(url, version="stable") as client,
        pytest.raises(BadRequest, match="Unrecognized servable version label: stable"),
    ):
        client.generate([0])


def test_a_model_of_points_without_an_encoder(kind, tmp_path):
    module = tf.Module()
    integers = tf.TensorSpec([None], tf.int64)

    @tf.function(input_signature=[integers, integers])
    def generate(labels, seed):
        return {"images": tf.cast(tf.stack([labels, seed], axis=1), tf.float32) / 8}

    tf.saved_model.save(module, str(tmp_path / "1"), signatures={"generate": generate})
    with Double(tmp_path) as double, GenerateClient(double.url(kind)) as client:
        points = client.generate([1, 2], seed=3)
        assert points.dtype == np.float32
        np.testing.assert_array_equal(points, [[0.125, 0.375], [0.25, 0.5]])
        with pytest.raises(BadRequest, match=r"has no 'encode': it has generate\. .*an encoder"):
            client.encode(points, [0, 0])
        with pytest.raises(BadRequest, match="has no 'classify_bytes'"):
            client.classify([b"file"])


def test_32_threads_share_a_client(client, model):
    def ask(number):
        return client.generate([number % 3, (number + 1) % 3], seed=number)

    with ThreadPoolExecutor(32) as threads:
        received = list(threads.map(ask, range(32)))
    for number, images in enumerate(received):
        labels, seeds = [number % 3, (number + 1) % 3], [number, number + 1]
        np.testing.assert_array_equal(images, model.generate(labels, seed=seeds))

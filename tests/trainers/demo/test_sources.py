"""Where the demo's pictures are from: a model in memory, or a server."""

import concurrent.futures
import re

import numpy as np
import pytest

from keras_cvaegan import pictures
from keras_cvaegan.models import CGAN, CVAE, GAN, MODELS
from keras_cvaegan.serving import GenerateClient
from tests.helpers.linear_source import Linear
from tests.helpers.server import Double
from tests.helpers.tiny_model import exported
from trainers.demo.sources import LocalSource, ServedSource
from trainers.demo.studio import Studio

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("serving")]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return exported(tmp_path_factory)[0]


@pytest.fixture(scope="module")
def local(model):
    return LocalSource(model, "a run")


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with Double(exported(tmp_path_factory)[1]) as double:
        yield ServedSource.from_url(double.grpc_url, "keras_cvaegan", 30.0)


def test_a_model_in_memory_draws_what_the_model_draws(model, local):
    seeds = [5, 2**32 - 1]
    z = local.sample_latents(seeds)
    np.testing.assert_allclose(z, model.sample_latents(2, seeds), atol=1e-6)
    weights = np.float32([[0.5, 0.5, 0], [0, 0, 1]])
    images = local.decode(z, weights)
    np.testing.assert_array_equal(images, pictures.to_uint8(model.decode(z, weights)))
    assert local.decode(z, weights) is images
    assert not images.flags.writeable
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        several = list(pool.map(lambda row: local.decode(z + row, weights), range(16)))
    for row, found in enumerate(several):
        np.testing.assert_array_equal(found, pictures.to_uint8(model.decode(z + row, weights)))


def test_a_served_model_draws_what_the_model_draws(local, served):
    assert (served.class_names, served.image_shape) == (local.class_names, local.image_shape)
    assert (served.latent_dim, served.step) == (local.latent_dim, local.step)
    assert served.can_encode and served.can_classify and not served.mixes_classes
    here, there = Studio(local), Studio(served)
    expected, found = here.samples([0, 2], 2, 9), there.samples([0, 2], 2, 9)
    for name, row in expected.items():
        # Another order of sums may round another way.
        assert np.abs(found[name].astype(int) - row).max() <= 1
    image = expected["rose"][:1]
    np.testing.assert_allclose(served.encode(image, [0]), local.encode(image, [0]), atol=1e-4)
    np.testing.assert_allclose(served.classify(image), local.classify(image), atol=1e-4)
    assert "no signature 'encode': serve a model with an encoder" in served.why_not("encode")


def test_a_server_that_is_gone_is_said_to_be(tmp_path_factory):
    with Double(exported(tmp_path_factory)[1]) as double:
        source = ServedSource(GenerateClient(double.rest_url, timeout=5, retries=0))
    studio = Studio(source)
    with pytest.raises(ValueError, match="Cannot reach the server"):
        studio.samples([0], 1, 0)
    with pytest.raises(ValueError, match="Cannot reach the server"):
        _ = studio.directions
    with pytest.raises(ValueError, match="Cannot reach the server"):
        ServedSource(GenerateClient(double.rest_url, timeout=5, retries=0))


def test_why_models_cannot():
    networks = {"image_shape": (16, 16, 3), "latent_dim": 3}
    without = LocalSource(CGAN.from_preset(**networks, num_classes=2), "a run")
    assert not without.can_encode
    assert without.why_not("encode").startswith("CGAN has no encoder. Models with one: ")
    for name, kind in MODELS.items():
        assert ("encoder" in kind.inference_names()) == (
            name in re.split(r"[ ,.]+", without.why_not("encode"))
        )
    encoder_alone = LocalSource(CVAE.from_preset(**networks, num_classes=2), "a run")
    assert encoder_alone.can_encode and not encoder_alone.can_classify
    assert not LocalSource(GAN.from_preset(**networks), "a run").has_classes
    with pytest.raises(ValueError, match=r"shows pictures.*shape \(2,\)"):
        Linear.__bases__[0].__init__(Linear(), "a", "b", ["c"], 2, (2,), 0)

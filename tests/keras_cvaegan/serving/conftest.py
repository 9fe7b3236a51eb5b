import pytest

from keras_cvaegan.serving import GenerateClient
from tests.helpers.server import Double
from tests.helpers.tiny_model import exported


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    return exported(tmp_path_factory)[0]


@pytest.fixture(scope="session")
def running(tmp_path_factory):
    with Double(exported(tmp_path_factory)[1]) as double:
        yield double


@pytest.fixture
def double(running):
    """The double, as new."""
    running.delay, running.refusals, running.escapes = 0.0, [], False
    running.requests.clear()
    return running


@pytest.fixture(params=["rest", "grpc"])
def kind(request):
    return request.param


@pytest.fixture
def url(double, kind):
    return double.url(kind)


@pytest.fixture
def client(url):
    with GenerateClient(url, timeout=30) as client:
        yield client

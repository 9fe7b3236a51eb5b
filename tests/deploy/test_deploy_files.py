"""The files of `deploy/`: what TensorFlow Serving, Compose and Kubernetes are told agrees."""

import re
import subprocess

import pytest
import yaml
from google.protobuf import text_format
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc import StatusCode
from tensorflow_serving.apis import get_model_status_pb2
from tensorflow_serving.config import model_server_config_pb2

from keras_cvaegan.serving import GenerateClient
from tests.helpers.running import ROOT
from tests.helpers.served_models import Models
from tests.helpers.server import Double
from tests.helpers.tiny_model import exported

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("serving")]

DEPLOY = ROOT / "deploy"
STATUS = "/v1/models/keras_cvaegan"
# Of TensorFlow Serving's main.cc.
FLAGS = {
    "model_config_file",
    "model_config_file_poll_wait_seconds",
    "enable_batching",
    "batching_parameters_file",
    "monitoring_config_file",
    "rest_api_timeout_in_ms",
}


def message_class(name, **fields):
    """A message of protos that tensorflow-serving-api leaves out, of (number, kind) by field."""
    kinds = FieldDescriptorProto
    file = FileDescriptorProto(name=f"{name}.proto", package="test", syntax="proto3")
    wrapper = file.message_type.add(name="Int64Value")
    wrapper.field.add(name="value", number=1, type=kinds.TYPE_INT64, label=1)
    prometheus = file.message_type.add(name="PrometheusConfig")
    prometheus.field.add(name="enable", number=1, type=kinds.TYPE_BOOL, label=1)
    prometheus.field.add(name="path", number=2, type=kinds.TYPE_STRING, label=1)
    message = file.message_type.add(name=name)
    for field, (number, kind) in fields.items():
        message.field.add(
            name=field, number=number, type=kinds.TYPE_MESSAGE, type_name=f".test.{kind}", label=1
        )
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName(f"test.{name}"))


BatchingParameters = message_class(
    "BatchingParameters",
    max_batch_size=(1, "Int64Value"),
    batch_timeout_micros=(2, "Int64Value"),
    max_enqueued_batches=(3, "Int64Value"),
    num_batch_threads=(4, "Int64Value"),
)
MonitoringConfig = message_class("MonitoringConfig", prometheus_config=(1, "PrometheusConfig"))


def parsed(name, message):
    return text_format.Parse((DEPLOY / name).read_text(), message)


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["serving"]


@pytest.fixture(scope="module")
def manifests():
    found = yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text())
    return {manifest["kind"]: manifest for manifest in found}


@pytest.fixture(scope="module")
def container(manifests):
    [container] = manifests["Deployment"]["spec"]["template"]["spec"]["containers"]
    return container


@pytest.fixture(scope="module")
def served():
    config = parsed("models.config", model_server_config_pb2.ModelServerConfig())
    [model] = config.model_config_list.config
    return model


def test_models_config(served):
    assert served.name == GenerateClient("http://localhost").model
    assert served.model_platform == "tensorflow"
    assert served.model_version_policy.latest.num_versions == 2


def test_batching(compose):
    parameters = parsed("batching.txt", BatchingParameters())
    assert parameters.max_batch_size.value >= GenerateClient("http://localhost").batch_size
    cpus = compose["deploy"]["resources"]["limits"]["cpus"]
    assert parameters.num_batch_threads.value == int(cpus)
    assert parameters.batch_timeout_micros.value > 0
    assert parameters.max_enqueued_batches.value > 0


def test_monitoring(manifests):
    monitoring = parsed("monitoring.txt", MonitoringConfig()).prometheus_config
    assert monitoring.enable
    notes = manifests["Deployment"]["spec"]["template"]["metadata"]["annotations"]
    assert monitoring.path == notes["prometheus.io/path"]
    assert monitoring.path in (DEPLOY / "README.md").read_text()


def test_both_start_the_server_alike(compose, container):
    assert compose["command"] == container["args"]
    flags = dict(flag.removeprefix("--").split("=", 1) for flag in compose["command"])
    assert set(flags) <= FLAGS
    for flag, value in flags.items():
        if flag.endswith("_file"):
            folder, name = value.rsplit("/", 1)
            assert folder == "/config"
            assert (DEPLOY / name).is_file()


def test_paths_agree_and_cannot_be_written(compose, container, served):
    bound = {volume["target"]: volume for volume in compose["volumes"]}
    mounted = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
    assert set(bound) == set(mounted) == {served.base_path, "/config"}
    assert all(volume["read_only"] for volume in bound.values())
    assert all(mount["readOnly"] for mount in mounted.values())
    assert (DEPLOY / bound["/config"]["source"]).resolve() == DEPLOY.resolve()


def test_volumes_that_are_mounted_are_there(manifests, container):
    volumes = manifests["Deployment"]["spec"]["template"]["spec"]["volumes"]
    assert {mount["name"] for mount in container["volumeMounts"]} == {v["name"] for v in volumes}


def test_ports_agree(compose, container, manifests):
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"grpc": 8500, "rest": 8501}
    assert {int(p.rsplit(":", 1)[1]) for p in compose["ports"]} == set(ports.values())
    assert all(port.startswith("127.0.0.1:") for port in compose["ports"])
    service = manifests["Service"]["spec"]
    assert {port["targetPort"]: port["port"] for port in service["ports"]} == ports
    notes = manifests["Deployment"]["spec"]["template"]["metadata"]["annotations"]
    assert int(notes["prometheus.io/port"]) == ports["rest"]


def test_labels_select_the_pods(manifests):
    deployment = manifests["Deployment"]["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    assert (
        deployment["selector"]["matchLabels"] == labels == manifests["Service"]["spec"]["selector"]
    )


def test_updates_leave_no_gap(manifests, container):
    update = manifests["Deployment"]["spec"]["strategy"]["rollingUpdate"]
    assert (update["maxUnavailable"], update["maxSurge"]) == (0, 1)
    assert set(container["resources"]) == {"requests", "limits"}


def test_probes_ask_for_the_model(container, tmp_path_factory):
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"] == {"path": STATUS, "port": "rest"}


def failed_to_load():
    """The status of a version whose files could not be reached."""
    answer = get_model_status_pb2.GetModelStatusResponse()
    version = answer.model_version_status.add(version=1, state="END")
    version.status.error_code = StatusCode.UNAVAILABLE.value[0]
    version.status.error_message = 'UNAVAILABLE: cannot read "state": AVAILABLE'
    return answer


def test_the_health_check_runs(compose, monkeypatch, tmp_path, tmp_path_factory):
    *command, script = compose["healthcheck"]["test"][1:]
    assert STATUS in script
    with Double(exported(tmp_path_factory)[1]) as double:
        port = double.rest_url.rpartition(":")[2]
        healthy = script.replace("/8501", f"/{port}")
        assert healthy != script
        assert subprocess.run([*command, healthy], check=False, timeout=20).returncode == 0
        monkeypatch.setattr(double.models, "status", lambda spec: failed_to_load())
        assert subprocess.run([*command, healthy], check=False, timeout=20).returncode != 0
    with Double(tmp_path) as double:
        port = double.rest_url.rpartition(":")[2]
        empty = script.replace("/8501", f"/{port}")
        assert subprocess.run([*command, empty], check=False, timeout=20).returncode != 0
    gone = subprocess.run([*command, empty], check=False, timeout=20, capture_output=True)
    assert gone.returncode != 0


def test_forward_and_back(tmp_path, tmp_path_factory):
    """`models.config` as it is, then with what the page puts in the place of `latest`."""
    for version in "12":
        (tmp_path / version).symlink_to(exported(tmp_path_factory)[1] / "1")
    config = (DEPLOY / "models.config").read_text()
    policy = re.search(r"model_version_policy \{.*\}\n", config)[0]
    page = (DEPLOY / "README.md").read_text()
    pinned, labelled = re.findall(r"```text\n(.*?)```", page, re.DOTALL)
    for text, versions in ((policy, (1, 2)), (pinned, (1,)), (labelled, (1, 2))):
        models = Models.from_text(config.replace(policy, text), tmp_path)
        with Double(models) as double:
            for kind in ("rest", "grpc"):
                with GenerateClient(double.url(kind)) as client:
                    assert client.describe().versions == versions
    with Double(models) as double, GenerateClient(double.rest_url, version="stable") as client:
        assert client.generate([0]).shape == (1, 16, 16, 3)

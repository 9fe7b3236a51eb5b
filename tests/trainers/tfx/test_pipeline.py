"""The pipeline's command line, where TFX is not installed; docs/tfx.md says how it is run."""

import json
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from trainers.tfx import building, pipeline, places

pytestmark = pytest.mark.xdist_group("tfx")


@pytest.fixture
def call(capsys):
    def call(*arguments):
        code = pipeline.COMMAND.call(pipeline.main, arguments)
        return (code, *capsys.readouterr())

    return call


@pytest.fixture
def without_tfx(monkeypatch):
    monkeypatch.setitem(sys.modules, "tfx", None)


def test_help_is_complete_and_needs_neither_tfx_nor_tensorflow(call):
    began = time.monotonic()
    code = "import sys, trainers.tfx.pipeline as p; p.COMMAND.call(p.main, ['--help']); "
    code += "sys.exit(bool({'tensorflow', 'tfx'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0
    assert time.monotonic() - began < 3
    _, output, _ = call("--help")
    for name in pipeline.COMMAND._values:
        if name != "traceback":
            assert f"--{name}=" in output or f"--[no]{name}\n" in output


def test_without_tfx_one_message_says_what_to_install_and_where(call, without_tfx, tmp_path):
    code, output, errors = call(f"--root={tmp_path}")
    assert (code, output, errors.count("\n")) == (1, "", 1)
    assert errors.startswith("error: TFX cannot be imported (")
    assert "glibc 2.39 or newer (Debian 13, Ubuntu 24.04)" in errors
    assert "pip install -e '.[tfx]'" in errors
    assert f"This is Python {sys.version.split()[0]}" in errors
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "--root is missing: the folder for all that the pipeline writes."),
        (["--root=r", "--compile=kubeflow"], "--image is missing: a container with TFX"),
        (["--root=r", "--model=gan", "--min_top1_accuracy=1"], "is for models with classes"),
        (["--root=r", "--set=beta=1"], "--set does not know 'beta'"),
        (["--root=r", "--min_top1_accuracy=2"], "--min_top1_accuracy=2"),
        (["--root=r", "--min_top1_accuracy=nan"], "min_top1_accuracy must be a number of at least"),
        (["--root=r", "--max_frechet_distance=nan"], "max_frechet_distance must be a number of at"),
        (["--root=gs://b/r"], "--root is a folder of this machine for a pipeline that runs here."),
        (["--root=r", "--serving_dir=gs://b"], "Received: 'gs://b'. Give a folder, or --compile="),
    ],
)
def test_wrong_flags_are_one_line(call, monkeypatch, flags, message, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(building, "import_tfx", SimpleNamespace)
    code, _, errors = call(*flags)
    assert (code, errors.count("\n")) == (1, 1)
    assert message in errors
    assert list(tmp_path.iterdir()) == []


def test_the_training_is_that_of_fit_with_the_same_flags():
    flags = ["--set=kl_weight=2", "--steps=50", "--learning_rate=generator=0.5", "--num_classes=3"]
    values = pipeline.COMMAND.parse(["--root=r", *flags, "--max_frechet_distance=4"])
    from trainers.command_line.training_config import training_config

    config = training_config(values)
    assert config.objective["kl_weight"] == 2
    assert (config.steps, config.learning_rates["generator"]) == (50, 0.5)
    assert places.thresholds(values) == {"max_frechet_distance": 4.0}
    # All of it is known to the module.
    from trainers.tfx import module

    told = config.to_json()
    custom_config = {name: told[name] for name in module.TRAINING_KEYS}
    asked, _ = module.parse({**custom_config, "num_classes": 3}, steps=50)
    assert (asked.image_size, asked.objective["kl_weight"]) == (32, 2)


def test_records_are_written_once(monkeypatch, tmp_path, capsys):
    from datasets import tfrecords

    calls = []

    def write(folder, records, **settings):
        calls.append(records)
        return real(folder, records, **settings)

    real = tfrecords.write
    monkeypatch.setattr(tfrecords, "write", write)
    monkeypatch.setattr(pipeline.flags, "dataset_options", few)
    values = pipeline.COMMAND.parse([f"--root={tmp_path}", "--shards=1"])
    folder, names = building.write_examples(values, 16)
    assert (len(names), folder.startswith(f"{tmp_path}/records/petals-16px-")) == (2, True)
    assert building.write_examples(values, 16) == (folder, names)
    assert building.write_examples(values, 8)[0] != folder
    assert [records.image_size for records in calls] == [16, 8]
    assert calls[0].splits == ("train", "test")


class MetadataStore:
    """Stands for ML Metadata, of two runs with their own verdict and a later, cached one."""

    def __init__(self, connection):
        self.root = connection

    def get_contexts_by_type(self, name):
        assert name == "pipeline_run"
        return [SimpleNamespace(id=number) for number in (11, 19, 12)]

    def get_artifacts_by_context(self, run):
        number = {11: 15, 12: 15, 19: 8}[run]
        pushed = SimpleNamespace(string_value=f"{self.root}/serving/{number}")
        return [
            SimpleNamespace(type="Model", uri="model"),
            SimpleNamespace(type="ModelEvaluation", uri=f"{self.root}/evaluation/{number}"),
            SimpleNamespace(type="PushedModel", custom_properties={"pushed_destination": pushed}),
        ]


@pytest.mark.parametrize("blessed", [True, False])
def test_the_verdict_is_that_of_this_run_where_the_cache_gave_it(
    blessed, tmp_path, monkeypatch, capsys
):
    package = SimpleNamespace(MetadataStore=MetadataStore)
    monkeypatch.setitem(sys.modules, "ml_metadata", SimpleNamespace(metadata_store=package))
    monkeypatch.setitem(sys.modules, "ml_metadata.metadata_store", package)
    for number, accuracy, good in ((8, 0.7, blessed), (15, 0.9, not blessed)):
        folder = tmp_path / "evaluation" / str(number)
        folder.mkdir(parents=True)
        (tmp_path / "serving" / str(number)).mkdir(parents=True)
        figures = {side: {"top1_accuracy": accuracy} for side in ("generated", "real")}
        results = {**figures, "blessed": good, "failures": [f"it is {accuracy}"]}
        (folder / "evaluation.json").write_text(json.dumps(results))
    info = SimpleNamespace(pipeline_root=str(tmp_path))
    building.report(SimpleNamespace(metadata_connection_config=tmp_path, pipeline_info=info))
    *_, figures, path, verdict = capsys.readouterr().out.splitlines()
    assert figures == "top1_accuracy      generated 0.7, real 0.7"
    assert path == f"Evaluation: {tmp_path}/evaluation/8/evaluation.json"
    assert verdict == (
        f"BLESSED. SavedModel: {tmp_path}/serving/8"
        if blessed
        else "NOT BLESSED, not pushed: it is 0.7"
    )


def few(values):
    return {"num_classes": 2, "count": 4}

"""trainers.cluster on a painter of dark and light pictures, and on a GAN of a few steps."""

import contextlib
import io
import json
import os
import signal
from types import SimpleNamespace
from unittest.mock import MagicMock

import keras
import numpy as np
import pytest

import keras_cvaegan
from keras_cvaegan.metrics import attribute_reader
from keras_cvaegan.models import ClusterGuidedGenerator
from keras_cvaegan.training import TrainingConfig, sample_grids
from keras_cvaegan.training.code_batches import CodeBatches
from tests.helpers.applied import call, read_grid
from tests.helpers.html_page import Page
from tests.helpers.painter import painter
from tests.helpers.running import variables
from tests.helpers.untrained import run_without_training
from trainers import cluster, generate
from trainers.clusters import clustered_codes, clustering, evaluation, report

pytestmark = pytest.mark.slow

SHORT = ("--codes=200", "--steps=6", "--log_every=2", "--batch_size=32", "--notensorboard")
PAINTER = ("--layer=light", *SHORT)
WRITTEN = {"clusters.json", "clusters.npz", "config.json", "features_and_codes.png", "means.png",
           "samples.png", "sefa.png", "ganspace.png", "report.html", "model.keras"}  # fmt: skip


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("generator") / "painter.keras"
    keras.utils.set_random_seed(0)
    painter().save(path)
    return path


@pytest.fixture
def conditional_run(tmp_path):
    run = tmp_path / "conditional"
    run.mkdir()
    (run / "config.json").write_text(json.dumps({"config": {"model": "cvae_gan"}}))
    return run


@pytest.fixture(scope="module")
def whole(file, tmp_path_factory):
    """A run to the end, exported, with a survey; and what it printed."""
    output = tmp_path_factory.mktemp("whole") / "out"
    printed = io.StringIO()
    flags = [*PAINTER, f"--generator={file}", f"--output={output}", "--survey", "--export"]
    with contextlib.redirect_stdout(printed):
        code = cluster.COMMAND.call(cluster.main, flags)
    assert code == 0, printed.getvalue()
    return SimpleNamespace(path=output, flags=flags, output=printed.getvalue())


def test_it_leaves_pictures_figures_and_a_page(whole):
    names = {path.name for path in whole.path.iterdir()}
    assert names >= WRITTEN | {"survey.png", "survey.json", "samples", "checkpoints", "export"}
    results = json.loads((whole.path / "clusters.json").read_text())
    first, second = results["clusters"]
    assert first["size"] + second["size"] == 200 and first["size"] >= second["size"]
    assert first["share"] == first["size"] / 200
    assert not (first["outliers"] or second["outliers"])
    assert first["mapped"] + second["mapped"] == results["overall"]["mapped"] == 200
    mean = np.average([first["in_cluster"], second["in_cluster"]],
                      weights=[first["mapped"], second["mapped"]])  # fmt: skip
    assert results["overall"]["in_cluster"] == pytest.approx(mean)
    assert results["layer"] == "light" and results["step"] == 6 and results["notes"] == []
    assert results["config"]["mapping_arguments"] == {"candidates": 16}
    assert "Clusters of the features of 'light', 200 codes: silhouette" in whole.output
    assert f"  cluster 0: {first['size']} codes" in whole.output
    assert "python -m trainers.generate --run_dir=" in whole.output
    page = Page((whole.path / "report.html").read_text())
    assert all(address.startswith(("data:image/png;base64,", "#")) for address in page.addresses)
    assert {"table", "svg", "img"} <= set(page.tags)
    for heading in ("Samples", "Mean pictures", "Directions of SeFa", "Layers", "Training"):
        assert heading in page.text
    assert f"{first['size']} codes" in page.text


def test_sheets_show_what_they_say(whole):
    guided = keras_cvaegan.load(whole.path)
    results = json.loads((whole.path / "clusters.json").read_text())
    rows = read_grid(whole.path / "samples.png", 4, 8)
    titles = results["pictures"]["samples.png"]["titles"]
    assert titles[:2] == ["cluster 0, mapped", "cluster 0, of random codes"]
    # Of held-out codes, the first of each cluster.
    z = guided.codes(200, seed=1)
    clusters = guided.clusters_of(z)
    for cluster_, row in enumerate((rows[1], rows[3])):
        np.testing.assert_array_equal(row, guided.paint(z[clusters == cluster_][:8])[0])
    mapped = guided.map_codes(clusters, seed=0)
    np.testing.assert_array_equal(rows[0], guided.paint(mapped[clusters == 0][:8])[0])
    # Means: one cluster is dark and the other light, learned and mapped.
    means = read_grid(whole.path / "means.png", 2, 2).mean(axis=(2, 3, 4))
    assert abs(means[0, 0] - means[1, 0]) > 100
    light = guided.paint(mapped[clusters == 1])[0].mean()
    assert means[1, 1] == pytest.approx(light, abs=1)
    z = guided.codes(200, seed=0)
    light = guided.paint(z[guided.clusters_of(z) == 0])[0].mean()
    assert means[0, 0] == pytest.approx(light, abs=1)
    # Directions: from one code, which is in the middle.
    walk = read_grid(whole.path / "sefa.png", 4, 7)
    middle = guided.paint(guided.codes(1, seed=1))[0][0]
    for row in walk:
        np.testing.assert_array_equal(row[3], middle)
    assert read_grid(whole.path / "ganspace.png", 1, 7).shape[:2] == (1, 7)


def test_the_survey_is_printed_and_kept(whole):
    layers = json.loads((whole.path / "survey.json").read_text())["layers"]
    names = [layer["layer"] for layer in layers]
    assert names[:1] == ["light"] or "light" in names
    # Of a constant there are no clusters.
    assert "same" not in names
    best = max(layers, key=lambda layer: layer["silhouette"])
    lines = [line for line in whole.output.splitlines() if line.startswith("| ")]
    assert lines[0].split()[1:4:2] == ["layer", "features"]
    assert f"{best['silhouette']:.3f}" in lines[1]
    assert read_grid(whole.path / "survey.png", len(layers), 2).shape[:2] == (len(layers), 2)


def test_the_output_is_a_run_for_other_programs(whole, tmp_path, capsys):
    guided = keras_cvaegan.load(whole.path)
    assert isinstance(guided, ClusterGuidedGenerator)
    assert int(guided.step) == 6
    flags = [f"--run_dir={whole.path}", "--labels=0,1", "--count=3", f"--output={tmp_path}"]
    code, _, errors = call(generate, capsys, *flags)
    assert code == 0, errors
    sheet = read_grid(tmp_path / "grid.png", 2, 3)
    expected = guided.generate([0] * 3 + [1] * 3, [0, 1, 2] * 2)
    np.testing.assert_array_equal(sheet.reshape(expected.shape), expected)
    described = json.loads((whole.path / "export/1/assets.extra/model.json").read_text())
    assert described["config"]["layer"] == "light" and described["class_names"] == ["0", "1"]


def test_a_complete_run_is_not_trained_again(whole, capsys, monkeypatch):
    monkeypatch.setattr(ClusterGuidedGenerator, "fit", None)
    monkeypatch.setattr(ClusterGuidedGenerator, "find_clusters", None)
    monkeypatch.setattr("trainers.clusters.surveys.layer_survey", None)
    (whole.path / "report.html").unlink()
    figures = json.loads((whole.path / "clusters.json").read_text())
    # Without --layer it stays with its own.
    flags = [flag for flag in whole.flags if not flag.startswith("--layer")]
    code, output, errors = call(cluster, capsys, *flags)
    assert code == 0, errors
    assert "This run is complete, at step 6" in output
    assert (whole.path / "report.html").is_file()
    again = json.loads((whole.path / "clusters.json").read_text())
    assert [again[name] for name in ("clusters", "overall", "survey")] == [
        figures[name] for name in ("clusters", "overall", "survey")
    ]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--seed=3"], "seed was 0 and is now 3"),
        (["--layer=mixed"], "layer was 'light' and is now 'mixed'"),
        (["--candidates=4"], "mapping_arguments.candidates was 16 and is now 4"),
    ],
)
def test_another_configuration_is_refused(whole, capsys, flags, message):
    before = (whole.path / "config.json").read_text()
    code, _, errors = call(cluster, capsys, *whole.flags[:-2], *flags)
    assert (code, errors.count("\n")) == (1, 1)
    assert message in errors and "choose another folder" in errors
    assert (whole.path / "config.json").read_text() == before


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not(
    whole, file, tmp_path, capsys, monkeypatch
):
    def stop(self, step, logs):
        os.kill(os.getpid(), signal.SIGINT)

    # What comes after the training is not asked here.
    monkeypatch.setattr(evaluation, "evaluate", MagicMock())
    for name in ("table", "summary", "write"):
        monkeypatch.setattr(report, name, MagicMock())
    flags = [*PAINTER, f"--generator={file}", f"--output={tmp_path / 'out'}", "--sample_every=2"]
    with monkeypatch.context() as patch:
        patch.setattr(sample_grids.SampleGrid, "act", stop)
        code, output, _ = call(cluster, capsys, *flags)
    assert code == 130
    assert "Stopped after step 2. To go on:\n  python -m trainers.cluster --layer=light" in output
    assert not (tmp_path / "out" / "model.keras").exists()
    # Codes and clusters are those that were kept.
    monkeypatch.setattr(ClusterGuidedGenerator, "find_clusters", None)
    code, output, errors = call(cluster, capsys, *flags)
    assert code == 0, errors
    assert "Going on from step 2." in output
    name = "checkpoints/step_00000006.weights.h5"
    expected, received = variables(whole.path / name), variables(tmp_path / "out" / name)
    # Keras numbers the names of objects of one process.
    assert len(expected) == len(received)
    for value, (name, again) in zip(expected.values(), received.items(), strict=True):
        np.testing.assert_array_equal(again, value, err_msg=name)
    both = [keras_cvaegan.load(path).weights for path in (whole.path, tmp_path / "out")]
    for value, again in zip(*both, strict=True):
        np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, (value, again)))
    lines = (tmp_path / "out" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [2, 4, 6]
    assert (tmp_path / "out" / "samples" / "step_000004.png").is_file()


def test_a_training_that_diverges_says_so(file, tmp_path, capsys, monkeypatch):
    def batch(self, index):
        return np.full((32, 4), np.nan, np.float32), np.zeros(32, np.int32)

    monkeypatch.setattr(CodeBatches, "__getitem__", batch)
    flags = [*PAINTER, "--mapping=vae", f"--generator={file}", f"--output={tmp_path / 'out'}"]
    code, _, errors = call(cluster, capsys, *flags)
    assert (code, errors.count("\n")) == (1, 1)
    assert "The training has diverged" in errors
    assert not list((tmp_path / "out").glob("checkpoints/*"))


def test_a_generator_is_trained_first(tiny, tmp_path, capsys, monkeypatch):
    sizes = []

    def train_reader(images, values, *, epochs, verbose):
        sizes.append((len(images), epochs))
        kinds = {name: each.shape[1] for name, each in values.items()}
        total = sum(kinds.values())
        return attribute_reader.AttributeReader((16, 16, 3), kinds, [0.0] * total, [1.0] * total)

    monkeypatch.setattr(attribute_reader, "train_reader", train_reader)
    run = tmp_path / "run"

    def train(config, data, run_dir, command):
        """A training of few pictures."""
        few = config.replace(dataset_options={**config.dataset_options, "count": 60})
        return run_without_training(few, data, run_dir, command=command)

    monkeypatch.setattr(clustering, "run", train)
    kept = [flag for flag in tiny if not flag.startswith("--batch_size")]
    flags = [*SHORT, "--codes=64", *kept, f"--run_dir={run}", "--train", "--model=gan",
             "--generator_steps=2", "--generator_batch_size=8", "--reader_epochs=3"]  # fmt: skip
    code, output, errors = call(cluster, capsys, *flags)
    assert code == 0, errors
    config = json.loads((run / "config.json").read_text())["config"]
    assert (config["model"], config["steps"], config["batch_size"]) == ("gan", 2, 8)
    assert (config["latent_dim"], config["dataset_options"]["num_classes"]) == (4, 2)
    assert sizes == [(60, 3)]
    assert (run / "attribute_reader.keras").is_file()
    results = json.loads((run / "clusters" / "clusters.json").read_text())
    assert set(results["survey"][0]["mutual_information"]) >= {"size", "rotation", "tint"}
    assert results["config"]["generator"]["model"] == "gan"
    assert f"Layer '{results['layer']}' is taken" in output
    assert "told by attributes" in output
    assert (run / "clusters" / "sefa.png").is_file()


def test_a_training_of_the_generator_that_stops_ends_the_program(tmp_path, capsys, monkeypatch):
    asked = []

    def stop(config, data, run_dir, command):
        asked.append((config, run_dir))
        return SimpleNamespace(complete=False)

    monkeypatch.setattr(clustering, "run", stop)
    flags = ["--train", f"--run_dir={tmp_path}", "--seed=3", "--steps=50", "--log_every=10"]
    code, output, _ = call(cluster, capsys, *flags)
    [(config, run_dir)] = asked
    assert (code, run_dir) == (130, str(tmp_path))
    # Steps and intervals are those of the mapping.
    assert config == TrainingConfig(
        model="vae_gan", seed=3, export=False, dataset_options=config.dataset_options
    )
    assert "To go on with the whole:\n  python -m trainers.cluster --train" in output


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "--run_dir is missing"),
        (["--run_dir=missing"], "Not a run directory: 'missing': there is no such folder"),
        (["--run_dir=a", "--generator=b"], "leave out --run_dir"),
        (["--generator=missing.keras"], "There is no such file"),
        (["--generator=."], "It is a folder: give --run_dir"),
        (["--generator={none}"], "is not a model that Keras can load"),
        (["--generator={file}", "--layer=relu"], "layer of the generator: light, "),
        (["--generator={file}", "--n_clusters=0"], "--n_clusters=0"),
        (["--generator={file}", "--n_clusters=300"], "n_clusters must be at most codes=200"),
        (["--generator={file}", "--mapping=gan", "--candidates=2"], "--candidates is of imle"),
        (["--generator={file}", "--steps=7"], "steps must be a multiple of log_every=2"),
        (["--generator={file}", "--model=gan"], "--model is of the generator's training"),
        (["--train", "--model=cvae"], "vae|gan|wgan|fm_gan|vae_gan"),
        (["--generator={points}"], "must give RGB pictures of one size"),
        (["--generator={file}", "--output={none}/out"], "Cannot write the run directory"),
        (["--run_dir={conditional}"], "Clusters are for models without classes: vae, gan, wgan"),
    ],
)
def test_errors_are_one_line_and_write_nothing(
    conditional_run, file, tmp_path, capsys, flags, message
):
    none, points = tmp_path / "none.keras", tmp_path / "points.keras"
    none.write_text("no model")
    if any("{points}" in flag for flag in flags):
        keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save(points)
    paths = {"file": file, "none": none, "points": points, "conditional": conditional_run}
    flags = [flag.format(**paths) for flag in flags]
    output = [f"--output={tmp_path / 'out'}"]
    code, _, errors = call(cluster, capsys, *SHORT, *output, *flags)
    assert (code, errors.count("\n")) == (1, 1), errors
    assert message in errors
    assert not (tmp_path / "out").exists()


def test_features_that_are_all_the_same_have_no_clusters(file, tmp_path, capsys):
    flags = [*SHORT, "--layer=same", f"--generator={file}", f"--output={tmp_path / 'out'}"]
    code, _, errors = call(cluster, capsys, *flags)
    assert (code, errors.count("\n")) == (1, 1)
    assert "2 clusters need at least as many different samples" in errors


def test_a_run_that_has_not_ended_has_no_generator(tmp_path, capsys):
    config = {"config": {"model": "gan"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    code, _, errors = call(cluster, capsys, f"--run_dir={tmp_path}")
    assert (code, errors.count("\n")) == (1, 1)
    assert "has no model.keras yet" in errors


def test_kept_clusters_of_something_else_are_found_anew(whole, tmp_path):
    path = whole.path / clustered_codes.FILE
    with np.load(path) as kept:
        about = str(kept["about"])
    found = clustered_codes.read_codes(path, about)
    assert found.z.shape == (200, 4) and found.labels.dtype == np.int32
    assert isinstance(found.clusters.silhouette, float)
    assert clustered_codes.read_codes(path, about + " ") is None
    assert clustered_codes.read_codes(tmp_path / "none.npz", about) is None
    (tmp_path / "broken.npz").write_bytes(path.read_bytes()[:300])
    assert clustered_codes.read_codes(tmp_path / "broken.npz", about) is None

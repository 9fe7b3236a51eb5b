"""The program that compares ways to sample clusters, on a generator that was not trained."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from keras_cvaegan.metrics import ClusterReader, attribute_reader, recognition
from keras_cvaegan.models import CVAE, VAE, ClusterGuidedGenerator
from tests.helpers.applied import call, leave_petals_run
from tests.helpers.untrained import judge_without_training
from trainers import cluster_study
from trainers.clusters import measures, study, study_steps, verdicts

FLAGS = ["--steps=3", "--batch_size=16", "--candidates=2", "--codes=150", "--samples=5"]
FLAGS += ["--held_out=20", "--frechet_samples=100", "--reader_epochs=1", "--seeds=2"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory, shared_cache):
    root = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_CVAEGAN_CACHE", str(shared_cache))
        for kind in (CVAE, VAE):
            leave_petals_run(root / kind.__name__, kind)
    return root


class Light(attribute_reader.AttributeReader):
    """Reads the pictures' mean as every attribute."""

    def read(self, images, batch_size=256):
        mean = np.asarray(images, np.float64).mean(axis=(1, 2, 3))
        return {name: np.stack([mean] * size, axis=1) for name, size in self.sizes.items()}


@pytest.fixture(autouse=True)
def trainings(monkeypatch):
    def train_reader(images, values, *, epochs, verbose):
        sizes = {name: each.shape[1] for name, each in values.items()}
        total = sum(sizes.values())
        return Light((16, 16, 3), sizes, [0.0] * total, [1.0] * total)

    monkeypatch.setattr(attribute_reader, "train_reader", train_reader)
    monkeypatch.setattr(recognition, "train_classifier", judge_without_training)


def test_tables_claims_and_a_file(runs, tmp_path, capsys):
    flags = [f"--run_dir={runs / 'VAE'}", f"--output={tmp_path / 'new'}", *FLAGS]
    code, output, errors = call(cluster_study, capsys, *flags, "--n_clusters=2,3")
    assert code == 0, errors
    results = json.loads((tmp_path / "new" / "cluster_study.json").read_text())
    assert set(results["summary"]["2"]) == set(study.TITLES)
    assert set(results["summary"]["3"]) == {"real", "untrained", "imle", "imle_raw"}
    real = results["summary"]["2"]["real"]
    assert real["cluster"]["by_seed"] == [1.0, 1.0]
    for name in study.MAPPINGS:
        figures = results["summary"]["2"][name]
        assert set(figures) == {
            "attribute",
            "cluster",
            "diversity",
            "coverage",
            "ceiling",
            "spread",
        }
        assert all(len(each["by_seed"]) == 2 for each in figures.values())
        assert 0 <= figures["attribute"]["mean"] <= 1
    alone = results["one_cluster"]
    assert alone["ratio"]["by_seed"][0] == pytest.approx(
        alone["imle"]["by_seed"][0] / alone["generator"]["by_seed"][0]
    )
    assert alone["imle"]["by_seed"] != alone["imle_raw"]["by_seed"]
    assert len(results["claims"]) == 3
    table = (tmp_path / "new" / "table.md").read_text()
    assert "3 clusters:" in table and results["claims"][0] in table
    assert f"Layer {results['layer']!r}" in output


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--n_clusters=1,2"], "--n_clusters takes numbers of at least 2. Received: 1."),
        (["--n_clusters=two"], "--n_clusters"),
        (["--layer=gone"], "--layer must be one of"),
        (["--attribute=scent"], "--attribute must be one of background_hue"),
        (["--run_dir=RUNS/CVAE"], "must be unconditional"),
        (["--run_dir=missing"], "missing"),
    ],
)
def test_errors_are_one_line(runs, tmp_path, capsys, flags, message):
    given = [f"--run_dir={runs / 'VAE'}", f"--output={tmp_path / 'new'}", *FLAGS]
    flags = [flag.replace("RUNS", str(runs)) for flag in flags]
    code, _, errors = call(cluster_study, capsys, *given, *flags)
    assert (code, errors.count("\n")) == (1, 1), errors
    assert message in errors


def test_the_layer_that_tells_most_and_has_no_outliers():
    def layer(name, outliers, **shares):
        return SimpleNamespace(name=name, outliers=[outliers], mutual_information=shares)

    survey = [layer("a", True, x=0.9, y=0.2), layer("b", False, x=0.3, y=0.5)]
    assert study_steps.chosen(survey, None, None) == ("b", "y", 0.5)
    assert study_steps.chosen(survey, None, "x") == ("b", "x", 0.3)
    assert study_steps.chosen(survey, "a", None) == ("a", "x", 0.9)
    assert study_steps.chosen(survey[:1], None, "y") == ("a", "y", 0.2)


def test_claims():
    def of(value):
        return {"mean": value, "std": 0.0, "by_seed": [value]}

    ways = {"real": 1.0, "imle": 0.9, "gan": 0.8, "vae": 0.7, "sefa": 0.95, "ganspace": 0.6}
    summary = {"2": {name: {"attribute": of(value)} for name, value in ways.items()}}
    alone = {"generator": of(8.0), "imle": of(9.0), "imle_raw": of(12.0), "ratio": of(1.125)}
    order, raw, loss = verdicts.verdicts(summary, alone)
    assert "refuted: SeFa 0.950, IMLE 0.900, GAN 0.800" in order
    assert "(IMLE, not calibrated): refuted: 8.000 becomes 12.000, +50.0%" in raw
    assert "(IMLE): refuted: 8.000 becomes 9.000, +12.5%" in loss
    summary["2"]["imle"]["attribute"] = of(0.99)
    alone = {"generator": of(8.0), "imle": of(8.8), "imle_raw": of(8.9)}
    assert all("confirmed" in line for line in verdicts.verdicts(summary, alone))


@pytest.fixture(scope="module")
def guided():
    model = VAE.from_preset(image_shape=(16, 16, 3), latent_dim=3)
    # The first number of z makes pictures light.
    found = ClusterGuidedGenerator(model, layer="images", hidden_units=(4,))
    found.find_clusters(300)
    return found


def read(images):
    return {"light": images.mean(axis=(1, 2, 3))}


def test_real_codes_are_of_their_clusters(guided):
    z, clusters = measures.real_codes(guided, 20, seed=3)
    np.testing.assert_array_equal(guided.clusters_of(z), clusters)
    assert np.bincount(clusters).tolist() == [20, 20]


def test_the_direction_that_serves_best_is_found_with_its_sign(guided):
    codes = guided.codes(400, seed=1)
    light = read(guided.paint(codes)[0])["light"]
    labels = (light > np.median(light)).astype(int)
    attribute = measures.Attribute("light", read, ClusterReader().fit(light, labels))
    way = np.linalg.lstsq(codes, light - light.mean(), rcond=None)[0]
    way /= np.linalg.norm(way)
    other = np.linalg.svd(way[None])[2][1]
    for directions in ([other, way], [-way, other]):
        found = measures.best_direction(guided, attribute, np.array(directions), 3.0, 40, seed=9)
        np.testing.assert_allclose(found, way)


def test_coverage_of_a_cluster_is_by_its_own_codes_alone(guided):
    held_out = measures.real_codes(guided, 100, seed=1)
    reference = measures.real_codes(guided, 100, seed=2)
    good = measures.coverage(held_out, reference, reference[0])
    assert good["coverage"] == pytest.approx(good["ceiling"], abs=1e-6)
    assert good["spread"] == pytest.approx(1, abs=0.3)
    middle = np.stack([held_out[0][held_out[1] == c].mean(axis=0) for c in held_out[1]])
    bad = measures.coverage(held_out, reference, middle)
    assert bad["spread"] < 1e-6 and bad["coverage"] < good["coverage"]


def test_help(capsys):
    code, output, _ = call(cluster_study, capsys, "--help")
    assert code == 0
    assert "--n_clusters=TEXT" in output

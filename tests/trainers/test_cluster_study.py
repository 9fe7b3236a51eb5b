"""The program that compares ways to sample clusters, on a generator that was not trained."""

import json

import numpy as np
import pytest

from keras_cvaegan.metrics import attribute_reader, recognition
from keras_cvaegan.models import CVAE, VAE
from keras_cvaegan.names import CODE_MAPPINGS
from tests.helpers.applied import call, leave_petals_run
from tests.helpers.untrained import judge_without_training
from trainers import cluster_study
from trainers.clusters.verdicts import TITLES

pytestmark = pytest.mark.slow

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
    assert set(results["summary"]["2"]) == set(TITLES)
    assert set(results["summary"]["3"]) == {"real", "untrained", "imle", "imle_raw"}
    real = results["summary"]["2"]["real"]
    assert real["cluster"]["by_seed"] == [1.0, 1.0]
    for name in CODE_MAPPINGS:
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

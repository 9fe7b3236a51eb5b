"""trainers.latent_map on untrained models."""

import json

import numpy as np
import pytest
from google.protobuf import text_format
from tensorboard.plugins import projector

import keras_cvaegan
from keras_cvaegan import applications, pictures
from tests.helpers.applied import call, untrained_runs
from trainers import latent_map
from trainers.applications import latent_map as room
from trainers.pictures.held_out import RunPictures
from trainers.reports import projector as projector_files

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def runs(shared_cache, tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    with untrained_runs(root, shared_cache, "cvae_gan", "lr_li_vae", "vae", "gan"):
        yield root


def codes(run_dir, split, rows=slice(None)):
    found = RunPictures(run_dir, split)
    rows = np.arange(len(found))[rows]
    taken = found.take(rows)
    model = keras_cvaegan.load(run_dir)
    return applications.picture_codes(model, taken.images, taken.labels), taken


@pytest.mark.parametrize(
    ("name", "symbol"), [("cvae_gan", "z"), ("lr_li_vae", "z_u"), ("vae", "z")]
)
def test_map_and_statistics(runs, tmp_path, capsys, name, symbol):
    flags = [f"--run_dir={runs / name}", f"--output={tmp_path}", "--columns=4"]
    code, output, errors = call(latent_map, capsys, *flags)
    assert code == 0, errors
    (z_mean, z_log_var), taken = codes(runs / name, "train")
    expected = applications.latent_statistics(z_mean, z_log_var)
    results = json.loads((tmp_path / "latent_map.json").read_text())
    assert (results["code"], results["pictures"]) == (symbol, 24)
    for key in ("mean", "variance", "variance_of_means", "kl_divergence"):
        found = results["dimensions"][key]
        np.testing.assert_allclose(found, getattr(expected, key), rtol=1e-4, atol=1e-5)
    assert results["dimensions"]["active"] == expected.active.tolist()
    active = int(expected.active.sum())
    assert (
        f"dimensions of {symbol}, whose means have a variance above 0.01: {active} of 3\n" in output
    )
    assert results["kl_divergence"] == pytest.approx(expected.kl_divergence.sum(), rel=1e-4)
    # Pictures are where the map has them.
    mapped = applications.latent_map(z_mean)
    np.testing.assert_allclose(results["shares_of_variance"], mapped.shares, rtol=1e-3)
    cells = applications.map_cells(mapped.points, 4)
    sheet = pictures.read_picture(tmp_path / "latent_map.png")
    assert sheet.shape == (18 * cells.shape[0] + 2, 18 * 4 + 2, 3)
    for row, column in np.ndindex(cells.shape):
        image = sheet[18 * row + 2 : 18 * row + 18, 18 * column + 2 : 18 * column + 18]
        if cells[row, column] < 0:
            assert (image == 255).all()
        else:
            np.testing.assert_array_equal(image, taken.images[cells[row, column]])
    assert f"latent_map.png shows {(cells >= 0).sum()} of 24 pictures of train" in output
    assert pictures.read_picture(tmp_path / "dimensions.png").std() > 0


def test_projector_files_are_read_back(runs, tmp_path, capsys):
    flags = [f"--run_dir={runs / 'cvae_gan'}", f"--output={tmp_path}", "--split=test"]
    code, output, errors = call(latent_map, capsys, *flags)
    assert code == 0, errors
    folder = tmp_path / "projector"
    assert f"tensorboard --logdir={folder}, then open http://localhost:6006/#projector" in output
    config = text_format.Parse(
        (folder / "projector_config.pbtxt").read_text(), projector.ProjectorConfig()
    )
    [embedding] = config.embeddings
    (z_mean, _), taken = codes(runs / "cvae_gan", "test")
    tensors = np.loadtxt(folder / embedding.tensor_path, delimiter="\t")
    np.testing.assert_allclose(tensors, z_mean, rtol=1e-4, atol=1e-5)
    lines = (folder / embedding.metadata_path).read_text().splitlines()
    assert lines[:2] == ["name\tclass", "test 0 (dark)\tdark"]
    assert [line.split("\t")[0] for line in lines[1:]] == taken.names
    sprite = pictures.read_picture(folder / embedding.sprite.image_path)
    assert list(embedding.sprite.single_image_dim) == [16, 16]
    assert sprite.shape == (64, 64, 3)
    tiles = sprite.reshape(4, 16, 4, 16, 3).swapaxes(1, 2).reshape(16, 16, 16, 3)
    np.testing.assert_array_equal(tiles[:12], taken.images)
    assert (tiles[12:] == 255).all()


def test_tensorboard_serves_them(runs, tmp_path, capsys):
    from tensorboard.plugins import base_plugin
    from tensorboard.plugins.projector.projector_plugin import ProjectorPlugin
    from werkzeug.test import Client

    flags = [f"--run_dir={runs / 'vae'}", f"--output={tmp_path}", "--max_images=5"]
    assert call(latent_map, capsys, *flags)[0] == 0

    class NoRuns:
        def list_runs(self, *_, **__):
            return []

    folder = str(tmp_path / "projector")
    plugin = ProjectorPlugin(base_plugin.TBContext(logdir=folder, data_provider=NoRuns()))
    apps = plugin.get_plugin_apps()

    def get(route, query):
        response = Client(apps[route]).get(f"{route}?{query}")
        assert response.status_code == 200
        return response

    assert get("/info", "run=.").json["embeddings"][0]["tensorName"] == "z"
    tensor = np.frombuffer(get("/tensor", "run=.&name=z").data, np.float32)
    assert tensor.shape == (5 * 3,)
    assert len(get("/metadata", "run=.&name=z").text.splitlines()) == 6
    assert get("/sprite_image", "run=.&name=z").data.startswith(b"\x89PNG")


def test_large_pictures_become_small_ones(runs, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(room, "THUMBNAIL", 8)
    monkeypatch.setattr(projector_files, "SPRITE_SIDE", 12)
    flags = [f"--run_dir={runs / 'vae'}", f"--output={tmp_path}", "--max_images=4", "--columns=1"]
    assert call(latent_map, capsys, *flags)[0] == 0
    assert pictures.read_picture(tmp_path / "latent_map.png").shape[1] == 12
    assert pictures.read_picture(tmp_path / "projector" / "sprite.png").shape == (12, 12, 3)
    assert "single_image_dim: 6" in (tmp_path / "projector" / "projector_config.pbtxt").read_text()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--run_dir=RUNS/gan"], "GAN has no encoder. Models with one: vae"),
        (["--split=all"], "--split"),
        (["--max_images=1"], "--max_images=1"),
        (["--run_dir=missing"], "There is no model at 'missing"),
        (["--run_dir="], "--run_dir is missing"),
    ],
)
def test_errors_are_one_line_and_write_nothing(runs, tmp_path, capsys, flags, message):
    flags = [flag.replace("RUNS", str(runs)) for flag in flags]
    given = [f"--run_dir={runs / 'cvae_gan'}", f"--output={tmp_path / 'new'}"]
    code, _, errors = call(latent_map, capsys, *given, *flags)
    assert (code, errors.count("\n")) == (1, 1)
    assert message in errors
    assert not (tmp_path / "new").exists()

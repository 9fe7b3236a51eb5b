"""trainers.walk on untrained models."""

import json

import numpy as np
import pytest

import keras_cvaegan
from keras_cvaegan import applications, pictures
from tests.helpers.applied import call, read_grid, untrained_runs
from tests.helpers.untrained import CLASSES
from trainers import walk

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def runs(shared_cache, tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    with untrained_runs(root, shared_cache, "lr_li_vae", "cvae_gan", "gan"):
        yield root


def test_a_model_of_two_codes(runs, tmp_path, capsys):
    flags = [f"--run_dir={runs / 'lr_li_vae'}", f"--output={tmp_path}", "--labels=light,0"]
    code, output, errors = call(walk, capsys, *flags, "--steps=4", "--seed=5")
    assert code == 0, errors
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"relevant.png", "irrelevant.png", "dimensions.png", "walk.json"}
    model = keras_cvaegan.load(runs / "lr_li_vae")
    for part in ("relevant", "irrelevant"):
        expected = applications.latent_walk(model, [1, 0], part=part, steps=4, seed=5).images
        found = read_grid(tmp_path / f"{part}.png", 2, 4)
        np.testing.assert_array_equal(found, pictures.to_uint8(expected))
        assert f"{part}.png, rows from top to bottom: light; dark\n" in output
    results = json.loads((tmp_path / "walk.json").read_text())
    assert results["rows"]["relevant.png"] == ["light", "dark"]
    # Those along which pictures change most, first.
    changes = applications.dimension_changes(model, [1, 0], part="irrelevant")
    np.testing.assert_allclose(results["changes"], changes, rtol=1e-5)
    order = np.argsort(-changes).tolist()
    assert results["rows"]["dimensions.png"] == [f"z_u[{number}]" for number in order]
    assert f"z_u[{order[0]}] {changes[order[0]]:.3f}, z_u[{order[1]}]" in output
    expected = applications.dimension_walk(
        model, 1, order, part="irrelevant", steps=4, seed=5
    ).images
    found = read_grid(tmp_path / "dimensions.png", 3, 4)
    np.testing.assert_array_equal(found, pictures.to_uint8(expected))


def test_a_model_of_one_code(runs, tmp_path, capsys):
    flags = [f"--run_dir={runs / 'cvae_gan'}", "--dimensions=2,0", "--reach=1", "--steps=3"]
    code, output, errors = call(walk, capsys, *flags, f"--output={tmp_path / 'new'}")
    assert code == 0, errors
    model = keras_cvaegan.load(runs / "cvae_gan")
    expected = applications.latent_walk(model, [0, 1, 2], steps=3).images
    found = read_grid(tmp_path / "new" / "z.png", 3, 3)
    np.testing.assert_array_equal(found, pictures.to_uint8(expected))
    expected = applications.dimension_walk(model, 0, [2, 0], reach=1, steps=3).images
    found = read_grid(tmp_path / "new" / "dimensions.png", 2, 3)
    np.testing.assert_array_equal(found, pictures.to_uint8(expected))
    assert "dimensions.png of dark, rows from top to bottom: z[2]; z[0]\n" in output
    assert "Measuring" not in output
    results = json.loads((tmp_path / "new" / "walk.json").read_text())
    assert results["changes"] is None
    assert results["rows"] == {"z.png": sorted(CLASSES), "dimensions.png": ["z[2]", "z[0]"]}


def test_a_model_without_classes(runs, tmp_path, capsys):
    flags = [f"--run_dir={runs / 'gan'}", "--steps=2", f"--output={tmp_path}"]
    code, output, errors = call(walk, capsys, *flags)
    assert code == 0, errors
    assert "z.png, rows from top to bottom: any\n" in output
    assert read_grid(tmp_path / "z.png", 1, 2).shape[:2] == (1, 2)
    assert read_grid(tmp_path / "dimensions.png", 3, 2).shape[:2] == (3, 2)


def test_at_most_some_classes_are_shown_by_default(runs, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(walk, "MAX_CLASSES", 2)
    flags = [f"--run_dir={runs / 'cvae_gan'}", "--dimensions=0", f"--output={tmp_path}"]
    assert call(walk, capsys, *flags)[0] == 0
    assert read_grid(tmp_path / "z.png", 2, 9).shape[:2] == (2, 9)
    assert call(walk, capsys, *flags, "--labels=0,1,2")[0] == 0
    assert read_grid(tmp_path / "z.png", 3, 9).shape[:2] == (3, 9)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--dimensions=3"], "--dimensions takes numbers from 0 to 2. Received: '3'"),
        (["--dimensions=1,"], "Received: ''"),
        (["--labels=3"], "--labels takes numbers from 0 to 2, or names: dark, light, middle"),
        (["--steps=1"], "--steps=1"),
        (["--reach=0"], "--reach=0"),
        (["--run_dir=missing"], "There is no model at 'missing"),
        (["--run_dir="], "--run_dir is missing"),
    ],
)
def test_errors_are_one_line_and_write_nothing(runs, tmp_path, capsys, flags, message):
    flags = [f"--run_dir={runs / 'cvae_gan'}", f"--output={tmp_path / 'new'}", *flags]
    code, _, errors = call(walk, capsys, *flags)
    assert (code, errors.count("\n")) == (1, 1)
    assert message in errors
    assert not (tmp_path / "new").exists()

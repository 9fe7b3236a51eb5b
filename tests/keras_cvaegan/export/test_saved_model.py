"""The SavedModel: the same bytes without Keras, rows on their own, clear refusals."""

import errno
import io
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_cvaegan.export import export_saved_model, saved_model, write_saved_model
from keras_cvaegan.models import CVAEGAN, GAN

pytestmark = pytest.mark.slow

LABELS = np.array([0, 2, 1, 2], np.int64)
SEEDS = np.array([5, 6, 7, 8], np.int64)

# Ends in the midst of writing: when the variables are written, before the file is renamed.
KILLED_WHILE_IT_WRITES = """
import os, pathlib, signal, sys
import keras_cvaegan
from keras_cvaegan.export import export_saved_model, saved_model
saved_model.write_warm_up = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
folder = pathlib.Path(sys.argv[1])
export_saved_model(keras_cvaegan.load(folder / "model.keras"), folder / "export")
"""

WITHOUT_KERAS = """
import sys
sys.modules["keras"] = None  # Importing Keras is an error from here on.
import numpy as np
import tensorflow as tf
signatures = tf.saved_model.load(sys.argv[1]).signatures
labels, seed = tf.constant([0, 2, 1, 2], tf.int64), tf.constant([5, 6, 7, 8], tf.int64)
np.save(sys.argv[2], signatures["serving_default"](labels=labels, seed=seed)["images"].numpy())
"""


def test_a_process_without_keras_gives_the_same_bytes(model, version, tmp_path):
    script, output = tmp_path / "script.py", tmp_path / "images.npy"
    script.write_text(WITHOUT_KERAS)
    subprocess.run([sys.executable, str(script), str(version), str(output)], check=True)
    images = np.load(output)
    assert images.std() > 1
    np.testing.assert_array_equal(images, model.generate(LABELS, seed=SEEDS))


def test_signatures(signatures):
    of_all = {"serving_default", "generate", "generate_by_name", "generate_png", "decode"}
    of_encoder, of_classifier = {"encode", "encode_bytes", "reconstruct"}, {"classify"}
    of_classifier |= {"classify_bytes"}
    assert set(signatures) == of_all | of_encoder | of_classifier | {"describe"}
    for function in signatures.values():
        for spec in function.structured_input_signature[1].values():
            assert spec.shape[0] is None


def test_a_model_with_neither_encoder_nor_classes(tmp_path):
    model = GAN.from_preset("compact", image_shape=(16, 16, 3))
    signatures = tf.saved_model.load(str(export_saved_model(model, tmp_path))).signatures
    of_generator = {"serving_default", "generate", "generate_by_name", "generate_png", "decode"}
    assert set(signatures) == of_generator | {"describe"}
    seed = np.int64([3])
    images = signatures["generate"](labels=tf.constant([0], tf.int64), seed=tf.constant(seed))
    np.testing.assert_array_equal(images["images"], model.generate([0], seed=seed))


def test_a_generator_goes_without_the_other_networks_and_their_trunk(tmp_path):
    model = CVAEGAN.from_preset("photo", image_shape=(32, 32, 3), num_classes=2)
    whole, alone = (
        export_saved_model(model, tmp_path, networks=networks) for networks in (None, ["generator"])
    )
    bytes_of_trunk = 4 * model.trunk.count_params()
    assert _size(whole) - _size(alone) > bytes_of_trunk
    signatures = tf.saved_model.load(str(alone)).signatures
    assert not {"encode", "reconstruct", "classify", "classify_bytes"} & set(signatures)
    images = signatures["generate"](
        labels=tf.constant([1, 0], tf.int64), seed=tf.constant([5, 6], tf.int64)
    )
    np.testing.assert_array_equal(images["images"], model.generate([1, 0], seed=[5, 6]))
    classify = tf.saved_model.load(str(whole)).signatures["classify"]
    found = classify(images=images["images"])["probabilities"]
    np.testing.assert_allclose(found, model.classify(images["images"].numpy()), atol=1e-5)


@pytest.mark.parametrize("networks", [[], ["classifier"], ["generator", "critic"]])
def test_networks_that_cannot_be_exported(model, tmp_path, networks):
    with pytest.raises(ValueError, match="networks must be the generator, and more of generator, "):
        export_saved_model(model, tmp_path, networks=networks)
    assert not list(tmp_path.iterdir())


def _size(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_a_row_does_not_depend_on_its_neighbours(call):
    together = call("generate", labels=LABELS, seed=SEEDS)["images"]
    for row in range(4):
        alone = call("generate", labels=LABELS[row : row + 1], seed=SEEDS[row : row + 1])
        np.testing.assert_array_equal(alone["images"][0], together[row])


def test_each_signature_agrees_with_the_model(model, call):
    images = model.generate(LABELS, seed=SEEDS)
    names = [model.class_names[label] for label in LABELS]
    by_name = call("generate_by_name", class_names=names, seed=SEEDS)
    np.testing.assert_array_equal(by_name["images"], images)
    pngs = call("generate_png", labels=LABELS, seed=SEEDS)["image_bytes"]
    decoded = [np.asarray(Image.open(io.BytesIO(png))) for png in pngs]
    np.testing.assert_array_equal(decoded, images)
    z = model.sample_latents(4, seed=1)
    np.testing.assert_allclose(
        call("decode", z=z, labels=LABELS)["images"], model.decode(z, LABELS), atol=1e-5
    )
    encoded = call("encode", images=images, labels=LABELS)
    for ours, theirs in zip(
        model.encode(images, LABELS), (encoded["z_mean"], encoded["z_log_var"]), strict=True
    ):
        np.testing.assert_allclose(theirs, ours, atol=1e-5)
    of_bytes = call("encode_bytes", image_bytes=pngs, labels=LABELS)
    np.testing.assert_allclose(of_bytes["z_mean"], encoded["z_mean"], atol=1e-5)
    np.testing.assert_allclose(
        call("reconstruct", images=images, labels=LABELS)["images"],
        model.reconstruct(images, LABELS),
        atol=1e-4,
    )
    probabilities = call("classify", images=images)["probabilities"]
    np.testing.assert_allclose(probabilities, model.classify(images), atol=1e-5)
    of_bytes = call("classify_bytes", image_bytes=pngs)["probabilities"]
    np.testing.assert_allclose(of_bytes, probabilities, atol=1e-5)


def test_description(version, call):
    values = json.loads((version / "assets.extra" / "model.json").read_text())
    assert values["class_names"] == ["rose", "lily", "daisy"]
    assert (values["model"], values["step"], values["run"]) == ("CVAEGAN", 0, "a")
    described = call("describe", labels=np.int64([2, 0]))
    assert described["class_name"].tolist() == [b"daisy", b"rose"]
    assert described["num_classes"].tolist() == [3, 3]
    assert described["latent_dim"].tolist() == [16, 16]
    assert described["image_shape"].tolist() == [[16, 16, 3]] * 2
    assert described["step"].tolist() == [0, 0]


def test_versions_count_up_and_nothing_half_written_stays(model, tmp_path, monkeypatch):
    (tmp_path / "7").mkdir()
    assert export_saved_model(model, tmp_path).name == "8"

    def fail(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr("keras_cvaegan.export.saved_model._write", fail)
    with pytest.raises(OSError, match=r"Cannot write a SavedModel.*No space left"):
        export_saved_model(model, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["7", "8"]


def test_a_number_that_another_export_took_meanwhile_is_passed_over(
    model, version, tmp_path, monkeypatch
):
    next_version = saved_model._next_version
    taken = []

    def next_version_while_another_ends(directory):
        found = next_version(directory)
        if not taken:
            taken.append(shutil.copytree(version, found))
        return found

    monkeypatch.setattr(saved_model, "_next_version", next_version_while_another_ends)
    assert export_saved_model(model, tmp_path).name == "2"
    assert taken == [tmp_path / "1"]


def test_an_export_leaves_alone_what_another_is_writing(model, tmp_path, monkeypatch):
    write = saved_model._write

    def write_while_another_exports(*arguments):
        monkeypatch.setattr(saved_model, "_write", write)
        assert export_saved_model(model, tmp_path).name == "1"
        write(*arguments)

    monkeypatch.setattr(saved_model, "_write", write_while_another_exports)
    assert export_saved_model(model, tmp_path).name == "2"


def test_the_model_that_is_to_be_replaced_stays_where_the_other_cannot_take_its_place(
    model, version, tmp_path, monkeypatch
):
    path = tmp_path / "serving"
    shutil.copytree(version, path)
    rename = Path.rename

    def fail(self, target):
        if self.name == "model":
            raise OSError(errno.EIO, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(OSError, match=r"Cannot write a SavedModel.*Input/output error"):
        write_saved_model(model, path)
    assert [found.name for found in tmp_path.iterdir()] == ["serving"]
    assert tf.saved_model.contains_saved_model(str(path))


def test_a_saved_model_at_a_path_of_its_own(model, tmp_path):
    for _ in range(2):  # The second takes the place of the first.
        write_saved_model(model, tmp_path / "serving")
        assert tf.saved_model.contains_saved_model(str(tmp_path / "serving"))
        assert [path.name for path in tmp_path.iterdir()] == ["serving"]


def test_an_export_that_is_killed_leaves_no_version_and_the_next_one_cleans_up(model, tmp_path):
    export_saved_model(model, tmp_path / "export")
    before = (tmp_path / "export" / "1" / "saved_model.pb").read_bytes()
    model.save(tmp_path / "model.keras")
    (tmp_path / "script.py").write_text(KILLED_WHILE_IT_WRITES)
    command = [sys.executable, str(tmp_path / "script.py"), str(tmp_path)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    names = [path.name for path in (tmp_path / "export").iterdir() if path.is_dir()]
    assert len(names) == 2  # What was half written is there, under a name that servers pass over.
    assert [name for name in names if name.isdecimal()] == ["1"]
    assert (tmp_path / "export" / "1" / "saved_model.pb").read_bytes() == before
    assert export_saved_model(model, tmp_path / "export").name == "2"
    assert sorted(path.name for path in (tmp_path / "export").iterdir()) == ["1", "2"]


def test_a_directory_that_cannot_be_made(model, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="Cannot write a SavedModel in"):
        export_saved_model(model, tmp_path / "file" / "export")

"""The SavedModel: the same bytes without Keras, rows on their own, clear refusals."""

import io
import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_cvaegan.export import export_saved_model
from keras_cvaegan.models import CVAEGAN

LABELS = np.array([0, 2, 1, 2], np.int64)
SEEDS = np.array([5, 6, 7, 8], np.int64)

WITHOUT_KERAS = """
import sys
sys.modules["keras"] = None  # Importing Keras is an error from here on.
import numpy as np
import tensorflow as tf
signatures = tf.saved_model.load(sys.argv[1]).signatures
labels, seed = tf.constant([0, 2, 1, 2], tf.int64), tf.constant([5, 6, 7, 8], tf.int64)
np.save(sys.argv[2], signatures["serving_default"](labels=labels, seed=seed)["images"].numpy())
"""


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    names = ["rose", "lily", "daisy"]
    model = CVAEGAN.from_preset(
        "compact", image_shape=(16, 16, 3), num_classes=3, class_names=names
    )
    rng = np.random.default_rng(0)
    for variable in model.average_generator.variables:
        variable.assign(variable + 0.05 * rng.standard_normal(variable.shape))
    return model


@pytest.fixture(scope="module")
def version(model, tmp_path_factory):
    return export_saved_model(model, tmp_path_factory.mktemp("export"), extra_config={"run": "a"})


@pytest.fixture(scope="module")
def signatures(version):
    return tf.saved_model.load(str(version)).signatures


def call(signatures, name, **inputs):
    outputs = signatures[name](**{k: tf.constant(v) for k, v in inputs.items()})
    return {k: v.numpy() for k, v in outputs.items()}


def test_a_process_without_keras_gives_the_same_bytes(model, version, tmp_path):
    script, output = tmp_path / "script.py", tmp_path / "images.npy"
    script.write_text(WITHOUT_KERAS)
    subprocess.run([sys.executable, str(script), str(version), str(output)], check=True)
    images = np.load(output)
    assert images.std() > 1
    np.testing.assert_array_equal(images, model.generate(LABELS, seed=SEEDS))


def test_signatures(signatures):
    expected = {"serving_default", "generate", "generate_png", "decode"}
    assert set(signatures) == expected | {"encode", "reconstruct", "classify"}


def test_a_row_does_not_depend_on_its_neighbours(signatures):
    together = call(signatures, "generate", labels=LABELS, seed=SEEDS)["images"]
    for row in range(4):
        alone = call(
            signatures, "generate", labels=LABELS[row : row + 1], seed=SEEDS[row : row + 1]
        )
        np.testing.assert_array_equal(alone["images"][0], together[row])


def test_each_signature_agrees_with_the_model(model, signatures):
    images = model.generate(LABELS, seed=SEEDS)
    pngs = call(signatures, "generate_png", labels=LABELS, seed=SEEDS)["png"]
    decoded = [np.asarray(Image.open(io.BytesIO(png))) for png in pngs]
    np.testing.assert_array_equal(decoded, images)
    z = model.sample_latents(4, seed=1)
    np.testing.assert_allclose(
        call(signatures, "decode", z=z, labels=LABELS)["images"], model.decode(z, LABELS), atol=1e-5
    )
    encoded = call(signatures, "encode", images=images, labels=LABELS)
    for ours, theirs in zip(
        model.encode(images, LABELS), (encoded["z_mean"], encoded["z_log_var"]), strict=True
    ):
        np.testing.assert_allclose(theirs, ours, atol=1e-5)
    np.testing.assert_allclose(
        call(signatures, "reconstruct", images=images, labels=LABELS)["images"],
        model.reconstruct(images, LABELS),
        atol=1e-4,
    )
    np.testing.assert_allclose(
        call(signatures, "classify", images=images)["probabilities"],
        model.classify(images),
        atol=1e-5,
    )


@pytest.mark.parametrize(
    ("labels", "seeds", "message"),
    [
        ([3], [0], "labels must be from 0 to 2"),
        ([-1], [0], "labels must be from 0 to 2"),
        ([0, 1], [0], "one label is needed for each row"),
    ],
)
def test_wrong_labels_are_refused(signatures, labels, seeds, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        call(signatures, "generate", labels=np.int64(labels), seed=np.int64(seeds))


def test_description(version):
    values = json.loads((version / "assets.extra" / "model.json").read_text())
    assert values["class_names"] == ["rose", "lily", "daisy"]
    assert (values["model"], values["step"], values["run"]) == ("CVAEGAN", 0, "a")


def test_versions_count_up_and_nothing_half_written_stays(model, tmp_path, monkeypatch):
    (tmp_path / "7").mkdir()
    assert export_saved_model(model, tmp_path).name == "8"

    def fail(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr("keras_cvaegan.export.saved_model._write", fail)
    with pytest.raises(OSError, match="No space left"):
        export_saved_model(model, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["7", "8"]


def test_a_directory_that_cannot_be_made(model, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="Cannot write a SavedModel in"):
        export_saved_model(model, tmp_path / "file" / "export")

"""The module file of TFX's Trainer, through a stand-in of its arguments holding real Examples."""

import ast
import io
import json
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import keras_cvaegan
from keras_cvaegan import pictures
from tests.helpers import tfx_examples as examples
from trainers.tfx import module

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("tfx")]

CONFIG = {"num_classes": examples.CLASSES, "image_size": examples.SIZE}


def parse(**changes):
    """The training and the Examples of a custom_config."""
    return module.parse({**CONFIG, **changes})


def examples_of(**changes):
    return parse(**changes)[1]


def read(patterns, accessor=None, **changes):
    """All Examples of some files."""
    found = module.batches(patterns, examples_of(**changes), 3, accessor)
    images, labels = zip(*found.as_numpy_iterator(), strict=True)
    return np.concatenate(images), np.concatenate(labels)


def signatures(trained):
    return tf.saved_model.load(trained.args.serving_model_dir).signatures


def test_served_signatures_give_images(trained):
    served = signatures(trained)
    names = {"serving_default", "generate", "generate_png", "decode", "encode", "reconstruct"}
    assert names | {"classify"} <= set(served)
    labels, seed = tf.constant([0, 1, 1], tf.int64), tf.constant([3, 3, 4], tf.int64)
    images = served["serving_default"](labels=labels, seed=seed)["images"].numpy()
    assert (images.shape, images.dtype) == ((3, 16, 16, 3), np.uint8)
    assert len(np.unique(images, axis=0)) == 3
    (files,) = served["generate_png"](labels=labels, seed=seed).values()
    decoded = [pictures.read_picture(one) for one in files.numpy()]
    np.testing.assert_array_equal(np.stack(decoded), images)


def test_the_served_model_is_the_trained_one(trained):
    model = keras_cvaegan.load(Path(trained.args.model_run_dir) / "model.keras")
    assert model.class_names == tuple(trained.args.custom_config["class_names"])
    assert int(model.step) == 4
    labels, seed = np.array([0, 1, 1]), np.array([3, 3, 4])
    served = signatures(trained)["generate"](labels=tf.constant(labels), seed=tf.constant(seed))
    difference = served["images"].numpy().astype(int) - model.generate(labels, seed)
    assert np.abs(difference).max() <= 1
    beside = Path(trained.args.serving_model_dir) / "assets.extra" / "model.json"
    told = json.loads(beside.read_text())["config"]
    own = {**trained.args.custom_config, "model": "cvae_gan", "seed": 0, "steps": 4}
    del own["ai_platform_training_args"]
    # Of what has many parts, the others are the model's and the preset's.
    for name in ("learning_rates", "objective"):
        given = own.pop(name)
        assert {each: told[name][each] for each in given} == given
    assert {name: told[name] for name in own} == own
    assert "ai_platform_training_args" not in told


def test_hyper_parameters_arrive(trained):
    model = keras_cvaegan.load(Path(trained.args.model_run_dir) / "model.keras")
    assert (model.latent_dim, model.kl_weight, model.image_shape) == (4, 0.5, (16, 16, 3))
    rates = {name: float(each.learning_rate) for name, each in model._optimizers.items()}
    assert rates == pytest.approx(
        {"encoder": 5e-4, "generator": 1e-3, "discriminator": 2e-4, "classifier": 2e-4}
    )


def test_the_model_run_holds_what_tells_of_it(trained):
    run = Path(trained.args.model_run_dir)
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [2, 4]
    assert list(run.glob("events.out.tfevents.*"))
    assert (run / "samples" / "latest.png").is_file()
    validation = json.loads((run / "validation.json").read_text())
    assert set(validation) > {"kl_divergence", "pixel_matching"}
    assert all(np.isfinite(value) for value in validation.values())
    assert "step 4/4" in trained.output
    assert "eval Examples at step 4: " in trained.output
    assert sorted(path.name for path in trained.root.iterdir()) == ["model", "model_run"]
    assert [path.name for path in (trained.root / "model").iterdir()] == ["Format-Serving"]


def test_training_batches_are_full_shuffled_endless_and_seeded(petals):
    train, _, _ = petals

    def first(seed, count=4):
        dataset = module.training_batches(train, examples_of(seed=seed), 32)
        assert dataset.element_spec[0].shape == (32, 16, 16, 3)
        return list(dataset.take(count).as_numpy_iterator())

    batches = first(0)
    assert [images.shape for images, _ in batches] == [(32, 16, 16, 3)] * 4
    assert batches[0][0].dtype == np.uint8
    for (images, labels), (again, same) in zip(batches, first(0), strict=True):
        np.testing.assert_array_equal(images, again)
        np.testing.assert_array_equal(labels, same)
    assert (first(1, 1)[0][0] != batches[0][0]).any()
    rows = np.concatenate([images for images, _ in batches])
    assert len(np.unique(rows[:40], axis=0)) == 40
    assert (rows[:40] != rows[40:80]).any()
    images, _ = read(train)
    assert (rows[:40] != images).any()
    np.testing.assert_array_equal(np.unique(rows[:40], axis=0), np.unique(images, axis=0))


def test_the_data_accessor_reads_the_same(petals, tfx_bsl):
    train, _, _ = petals
    accessor = examples.DataAccessor()
    with_accessor, labels = read(train, accessor)
    order = np.lexsort(with_accessor.reshape(len(labels), -1).T)
    plain, plain_labels = read(train)
    plain_order = np.lexsort(plain.reshape(len(labels), -1).T)
    np.testing.assert_array_equal(with_accessor[order], plain[plain_order])
    np.testing.assert_array_equal(labels[order], plain_labels[plain_order])
    options = accessor.options[-1]
    assert (options.num_epochs, options.shuffle) == (1, False)
    images, _ = next(iter(module.training_batches(train, examples_of(), 64, accessor)))
    assert images.shape == (64, 16, 16, 3)
    options = accessor.options[-1]
    assert (options.num_epochs, options.shuffle, options.shuffle_seed) == (1, True, 0)


def test_pictures_of_any_size_and_format(tmp_path):
    random = np.random.default_rng(0)
    # Away from black and white, where Pillow clips between its two passes.
    small = random.integers(90, 160, (6, 8, 3), np.uint8)
    smooth = np.array(Image.fromarray(small).resize((50, 30), Image.Resampling.BICUBIC))
    sharp = random.integers(90, 160, (40, 50, 3), np.uint8)
    exact = random.integers(0, 256, (16, 40, 3), np.uint8)
    jpeg = tf.io.encode_jpeg(smooth, quality=100).numpy()
    patterns = examples.write_file(
        tmp_path / "a.tfrecord",
        examples.example(image__encoded=pictures.encode_png(smooth)),
        examples.example(image__encoded=jpeg),
        examples.example(image__encoded=pictures.encode_png(small)),
        examples.example(image__encoded=pictures.encode_png(sharp)),
        examples.example(image__encoded=pictures.encode_png(exact)),
    )
    images, _ = read(patterns)
    originals = (smooth, pictures.read_picture(jpeg), small, sharp)
    for image, original in zip(images[:4], originals, strict=True):
        expected = pictures.resize_picture(original, 16).astype(int)
        assert np.abs(image - expected).max() <= 2
    np.testing.assert_array_equal(images[4], exact[:, 12:28])


@pytest.mark.parametrize(("kind", "options"), [("GIF", {}), ("BMP", {}), ("WEBP", {"lossless": 1})])
def test_pictures_of_rarer_formats(tmp_path, kind, options):
    small = np.random.default_rng(0).integers(90, 160, (6, 8, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(small).resize((50, 30), Image.Resampling.BICUBIC).save(file, kind, **options)
    file = file.getvalue()
    example = examples.example(image__encoded=file)
    images, _ = read(examples.write_file(tmp_path / "a.tfrecord", example))
    expected = pictures.resize_picture(pictures.read_picture(file), 16).astype(int)
    assert np.abs(images[0] - expected).max() <= 2


def test_raw_pictures(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (16, 20, 3), np.uint8)
    raw = {"image/encoded": picture.tobytes(), "image/class/label": 1}
    shape = {"image/height": 16, "image/width": 20}
    patterns = examples.write_file(tmp_path / "a.tfrecord", {**raw, **shape})
    images, labels = read(patterns, image_format="raw")
    np.testing.assert_array_equal(images[0], picture[:, 2:18])
    assert labels.tolist() == [1]
    patterns = examples.write_file(tmp_path / "b.tfrecord", {**raw, **shape, "image/width": 21})
    with pytest.raises(ValueError, match=r"height × width × 3 bytes.* \[960\] \[16\] \[21\]"):
        module.check_examples(patterns, examples_of(image_format="raw"))


def test_features_of_other_names_and_mixed_compression(tmp_path):
    one, two = examples.example(1, 10), examples.example(0, 20)
    for name, given in (("a.tfrecord", one), ("b.tfrecord.gz", two)):
        renamed = {"picture": given["image/encoded"], "kind": given["image/class/label"]}
        examples.write_file(tmp_path / name, renamed)
    images, labels = read([f"{tmp_path}/*"], image_key="picture", label_key="kind")
    assert (images[:, 0, 0, 0].tolist(), labels.tolist()) == ([10, 20], [1, 0])


def test_an_unconditional_model_needs_no_labels(tmp_path):
    patterns = examples.write_file(
        tmp_path / "a.tfrecord", {"image/encoded": examples.example()["image/encoded"]}
    )
    _, asked = module.parse({"model": "gan", "image_size": 16})
    ((images, labels),) = module.batches(patterns, asked).as_numpy_iterator()
    assert (images.shape, labels.tolist()) == ((1, 16, 16, 3), [0])
    assert asked.classes == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kl_weight": 1}, r"does not know 'kl_weight'\. Allowed: class_names, num_"),
        ({"model": "dcgan"}, "model must be one of vae, .*Received: 'dcgan'"),
        ({"preset": "huge"}, "preset must be one of compact, paper, photo. Received: 'huge'"),
        ({"image_size": 0}, "image_size must be an integer of at least 1. Received: 0"),
        ({"batch_size": 8.5}, "batch_size must be an integer of at least 1. Received: 8.5"),
        ({"seed": -1}, "seed must be an integer of at least 0. Received: -1"),
        ({"num_classes": None}, "needs class_names, a list .*or num_classes. Received: neither"),
        ({"class_names": ["a"]}, "1 class_names and num_classes=2"),
        ({"class_names": "ab"}, "class_names must be a list of names"),
        ({"objective": {"beta": 1}}, "does not know 'beta' for the model 'cvae_gan'. Allowed: "),
        ({"objective": [1]}, "objective must be a dictionary"),
        (
            {"learning_rates": {"critic": 1}},
            "does not know 'critic'. Allowed: encoder, gen",
        ),
        ({"learning_rates": "fast"}, "learning_rates must be numbers of at least 0"),
        ({"learning_rates": -1}, "learning_rates must be numbers of at least 0"),
        ({"beta_1": 1}, r"beta_1 must be in \[0, 1\)"),
        ({"dtype_policy": "float64"}, "dtype_policy must be one of float32, "),
        ({"horizontal_flip": 1}, "horizontal_flip must be True or False. Received: 1"),
        ({"image_format": "tiff"}, "image_format must be one of encoded, raw"),
        ({"label_key": "image/encoded"}, "label_key must be another than image_key"),
    ],
)
def test_a_wrong_custom_config_is_one_message(changes, message):
    with pytest.raises(ValueError, match="custom_config.*" + message):
        parse(**changes)


@pytest.mark.parametrize(
    ("given", "changes", "message"),
    [
        (examples.example(label=2), {}, r"image/class/label must be from 0 to 1\..*\[2\]"),
        (examples.example(label=-1), {}, r"image/class/label must be from 0 to 1\..*\[-1\]"),
        ({"image/class/label": 0}, {}, "image/encoded .*could not be found. Name yours with ima"),
        ({"image/encoded": b""}, {}, "image/class/label .*could not be found. Name yours with im"),
        (examples.example(), {"image_format": "raw"}, "image/height .*could not be found"),
        (examples.example(image__class__label=0.5), {}, "image/class/label.*Data types don't mat"),
        (examples.example(image__encoded=b"no picture"), {}, "Unknown image file format"),
        (examples.example(image__encoded=b""), {}, "Input is empty"),
    ],
)
def test_unusable_examples_are_one_message(tmp_path, petals, given, changes, message):
    """Before the training in the first batch; likewise in a later one."""
    patterns = examples.write_file(tmp_path / "a.tfrecord", given)
    args = examples.FnArgs(patterns, petals[1], str(tmp_path / "s"), str(tmp_path / "r"))
    args.custom_config = {**CONFIG, **changes}
    with pytest.raises(ValueError, match=r"The Examples cannot be used: .*" + message) as raised:
        module.run_fn(args)
    assert "Iterator::" not in str(raised.value)
    assert "node" not in str(raised.value)
    assert not (tmp_path / "s").exists()


def test_a_wrong_label_after_the_first_batches_ends_the_training_likewise(tmp_path, petals):
    fine, wrong = examples.example(), examples.example(label=5)
    patterns = examples.write_file(tmp_path / "a.tfrecord", *[fine] * 300, wrong)
    module.check_examples(patterns, examples_of())
    with (
        pytest.raises(ValueError, match=r"image/class/label must be from 0 to 1.*\[5\]"),
        module.unusable_examples_as_value_errors(),
    ):
        list(module.batches(patterns, examples_of()))


def test_damaged_and_empty_files(tmp_path):
    empty = examples.write_file(tmp_path / "empty.tfrecord")
    with pytest.raises(ValueError, match=r"There are no Examples in .*empty\.tfrecord\."):
        module.check_examples(empty, examples_of())
    with pytest.raises(ValueError, match=r"No file matches .*/none-\*\."):
        module.check_examples([f"{tmp_path}/none-*"], examples_of())
    (tmp_path / "damaged.tfrecord").write_bytes(b"no records, but more than twelve bytes")
    with pytest.raises(ValueError, match="The Examples cannot be used: corrupted record"):
        module.check_examples([f"{tmp_path}/damaged.tfrecord"], examples_of())


def test_an_accessor_whose_data_lack_a_feature(tfx_bsl):
    class Other:
        def tf_dataset_factory(self, file_pattern, options, schema):
            return tf.data.Dataset.from_tensors({"image": [["bytes"]]})

    with pytest.raises(ValueError, match=r"no feature 'image/encoded', but image\. Name yours"):
        module.check_examples(["a"], examples_of(), Other())


def test_steps_between_lines_divide_all():
    assert module.parse(CONFIG, steps=100)[0].log_every == 25
    assert module.parse(CONFIG, steps=26)[0].log_every == 13
    assert module.parse({**CONFIG, "log_every": 4}, steps=8)[0].log_every == 4
    with pytest.raises(ValueError, match=r"custom_config: steps must be a multiple of log_every=4"):
        module.parse({**CONFIG, "log_every": 4}, steps=10)


def test_a_configuration_of_any_mapping_can_be_written():
    rates = types.MappingProxyType({"encoder": 0.1})
    config, _ = parse(learning_rates=rates)
    told = json.loads(json.dumps(config.to_json()))
    assert told["learning_rates"] == dict(config.learning_rates) | {"encoder": 0.1}


def test_the_file_can_be_taken_alone():
    tree = ast.parse(Path(module.__file__).read_text())
    found = {}
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module] if isinstance(node, ast.ImportFrom) else []
        found |= {name.partition(".")[0]: node.col_offset for name in names}
    found = {name: found[name] for name in set(found) - set(sys.stdlib_module_names)}
    at_once = {name for name, column in found.items() if column == 0}
    assert set(found) == at_once == {"keras_cvaegan", "tensorflow"}

"""What a model begins with, compared by what it does with classes of the same name."""

import subprocess
import sys

import keras
import numpy as np
import pytest

import keras_cvaegan
from keras_cvaegan import networks
from keras_cvaegan.models import CGAN, CVAE, CVAEGAN, GAN, MODELS, VAE
from keras_cvaegan.training import initialize_from
from tests.helpers.checks import dtype_policy
from tests.helpers.running import ROOT, on_jax

pytestmark = pytest.mark.slow

SHAPE = (16, 16, 3)
CLASSES = ("daisy", "rose", "tulip", "lily")
CONDITIONAL = [name for name, model in MODELS.items() if model.conditional]

every_model = pytest.mark.parametrize("name", MODELS)
every_conditional_model = pytest.mark.parametrize("name", CONDITIONAL)


def build(cls, class_names=CLASSES, **arguments):
    cls = MODELS.get(cls, cls)
    sizes = {"image_shape": SHAPE, "latent_dim": 4, **arguments}
    given = {"mean_center_decay": 0.9} if "mean_center_decay" in cls.hyperparameters() else {}
    return cls.from_preset(num_classes=len(class_names), class_names=class_names, **given, **sizes)


def trained(cls, class_names=CLASSES, **arguments):
    """A model all of whose variables are as after a training: none has its initial value."""
    model = build(cls, class_names, **arguments)
    random = np.random.default_rng(5)
    for variable in model.weights:
        if variable is model.step:
            variable.assign(7)
            continue
        value = random.normal(0, np.prod(variable.shape[:-1]) ** -0.5, variable.shape)
        positive = "variance" in variable.path and "log" not in variable.path
        positive = positive or variable.name == "weights_of_classes"
        variable.assign(1 + value**2 if positive else value)
    return model


def without_fresh_values(model):
    """The model with zeros for weights: what a new class then has is the mean alone."""
    for variable in model.weights:
        variable.assign(np.zeros(variable.shape))
    return model


def values(model):
    return {index: np.array(v) for index, v in enumerate(model.weights)}


def pictures(count=8):
    return np.random.default_rng(1).uniform(-1, 1, (count, *SHAPE)).astype("float32")


def assert_close(received, expected):
    np.testing.assert_allclose(received, expected, rtol=1e-4, atol=2e-5)


def networks_called(model, weights):
    """What every network gives for class weights, by name."""
    images, random = pictures(len(weights)), np.random.default_rng(2)
    found = {}
    for name, network in [*model.networks.items(), ("average", model.average_generator)]:
        inputs = network.input if isinstance(network.input, dict) else {"": network.input}
        given = {
            key: images
            if x.shape[1:] == SHAPE
            else weights
            if key == "labels"
            else random.normal(size=(len(weights), *x.shape[1:])).astype("float32")
            for key, x in inputs.items()
        }
        outputs = network(given if isinstance(network.input, dict) else given[""])
        outputs = outputs if isinstance(outputs, dict) else {"": outputs}
        found |= {f"{name}/{key}": np.array(x) for key, x in outputs.items()}
    return found


@every_model
def test_a_step_is_that_of_the_source_when_classes_have_other_numbers(name):
    """Losses see every network, every Gaussian, every centre and every label."""
    source = trained(name)
    order = [2, 0, 3, 1]
    names = [CLASSES[i] for i in order]
    # Noise is a function of seed and step.
    source.step.assign(0)
    model = build(name, names)
    labels = np.array([0, 1, 2, 3, 3, 2, 1, 0])
    for each in (model, source):
        each.compile(run_eagerly=True)
    found = initialize_from(model, source)
    numbers = np.argsort(order)[labels]
    expected = source.train_on_batch(pictures(), labels, return_dict=True)
    received = model.train_on_batch(pictures(), numbers, return_dict=True)
    assert received.keys() == set(model.measures)
    for measure, value in expected.items():
        assert received[measure] == pytest.approx(value, rel=1e-4, abs=1e-5), measure
    assert_close(
        model.generate(np.arange(4) % model.num_classes, seed=3).astype("float32") / 127.5,
        source.generate(np.array(order) % source.num_classes, seed=3).astype("float32") / 127.5,
    )
    assert found.fresh_networks == found.new_classes == found.unused_classes == ()
    assert found.networks == model.network_names
    assert found.variables == len(model.weights) - 1  # The step.


@every_conditional_model
def test_known_classes_go_on_and_a_new_one_begins_with_all_of_the_source(name):
    source = trained(name)
    names = ("lily", "orchid", "daisy")
    model = without_fresh_values(build(name, names, seed=4))
    found = initialize_from(model, source)
    assert (found.known_classes, found.new_classes) == (("lily", "daisy"), ("orchid",))
    assert found.unused_classes == ("rose", "tulip")
    expected = networks_called(source, np.array([[0, 0, 0, 1], [0.25] * 4, [1, 0, 0, 0]], "f"))
    received = networks_called(model, np.eye(3, dtype="float32"))
    assert received.keys() == expected.keys()
    for key, wanted in expected.items():
        if key == "discriminator/logits" and name == "lr_li_vae_gan":
            continue  # The norm that its embedding is divided by is that of all classes.
        if key in ("classifier/logits", "latent_classifier/logits"):
            wanted = np.stack([wanted[:, 3], wanted.mean(axis=1), wanted[:, 0]], axis=1)
        if key == "mixture/":
            received[key], wanted = received[key][:, [0, 2]], wanted[:, [3, 0]]
        assert_close(received[key], wanted)
    z = model.sample_latents(3)
    weights = np.array([[0, 0, 0, 1], [0.25] * 4, [1, 0, 0, 0]], "float32")
    assert_close(model.decode(z, [0, 1, 2]), source.decode(z, weights))


def test_running_means_of_a_new_class_are_none_yet():
    source = trained(CVAEGAN)
    model = build(CVAEGAN, ("lily", "orchid", "daisy"))
    initialize_from(model, source)
    for ours, theirs in zip(
        [*model.real_centers, *model.generated_centers],
        [*source.real_centers, *source.generated_centers],
        strict=True,
    ):
        for table in ("sums", "weights_of_classes"):
            received, expected = (np.array(getattr(each, table)) for each in (ours, theirs))
            np.testing.assert_array_equal(received[[0, 2]], expected[[3, 0]])
            assert (received[1] == 0).all()
    for ours, theirs in zip(model.real_means, source.real_means, strict=True):
        np.testing.assert_array_equal(ours.sums, theirs.sums)


@pytest.mark.parametrize("names", [("oak", "elm"), ("oak", "elm", "ash", "fir", "yew")])
def test_classes_that_are_all_new_begin_with_the_mean(names):
    source, model = trained(CVAEGAN), without_fresh_values(build(CVAEGAN, names))
    found = initialize_from(model, source)
    assert (found.known_classes, found.unused_classes) == ((), CLASSES)
    z = np.repeat(model.sample_latents(1), len(names), axis=0)
    expected = source.decode(z[:1], np.full((1, 4), 0.25, "float32"))
    assert_close(model.decode(z, np.arange(len(names))), np.repeat(expected, len(names), axis=0))
    probabilities = np.array(model.classify(pictures()))
    assert_close(probabilities, np.full_like(probabilities, 1 / len(names)))


@pytest.mark.parametrize(("cls", "other"), [(CVAE, VAE), (VAE, CVAE)])
def test_of_all_pictures_to_classes_and_back(cls, other):
    source, model = trained(other), without_fresh_values(build(cls))
    found = initialize_from(model, source)
    assert found.networks == ("encoder", "generator")
    z, images = model.sample_latents(4), pictures(4)
    labels = np.arange(4) % model.num_classes
    uniform = np.full((4, source.num_classes), 1 / source.num_classes, "float32")
    assert_close(model.decode(z, labels), source.decode(z, uniform))
    codes = model.encode(images, labels), source.encode(images, uniform)
    for ours, theirs in zip(*codes, strict=True):
        assert_close(ours, theirs)


def test_new_classes_differ_by_their_fresh_values():
    source, model = trained(CVAE), build(CVAE, ("oak", "rose", "elm"))
    fresh = np.array(model.generator.get_layer("class_embedding").kernel)
    initialize_from(model, source)
    received, expected = (
        np.array(each.generator.get_layer("class_embedding").kernel) for each in (model, source)
    )
    assert_close(received[[0, 2]], expected.mean(axis=0) + fresh[[0, 2]])
    np.testing.assert_array_equal(received[1], expected[1])


def test_step_seed_and_optimizers_stay():
    source = trained(CVAE)
    source.compile(run_eagerly=True)
    source.train_on_batch(pictures(), np.arange(8) % 4)
    model = build(CVAE, seed=3)
    model.compile(run_eagerly=True)
    before = [np.array(v) for v in model.optimizer.variables]
    initialize_from(model, source)
    assert (int(model.step), model.seed) == (0, 3)
    for old, variable in zip(before, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(variable, old)
    model.train_on_batch(pictures(), np.arange(8) % 4)
    assert int(model.step) == 1


def test_networks_that_another_kind_of_model_has():
    source, model = trained(CVAE), build(CVAEGAN, seed=1)
    before = [np.array(v) for v in model.classifier.weights]
    found = initialize_from(model, source)
    assert found.networks == ("encoder", "generator")
    assert found.fresh_networks == ("discriminator", "classifier")
    assert str(found) == (
        f"{found.variables} variables of encoder, generator; fresh: discriminator, classifier; "
        "classes: 4 known"
    )
    for name in ("encoder", "generator", "average_generator"):
        for ours, theirs in zip(
            getattr(model, name).weights, getattr(source, name).weights, strict=True
        ):
            np.testing.assert_array_equal(ours, theirs)
    for old, variable in zip(before, model.classifier.weights, strict=True):
        np.testing.assert_array_equal(variable, old)


def test_a_network_that_another_kind_of_model_makes_of_other_layers_stays_fresh():
    source, model = trained(GAN), build(CGAN)
    found = initialize_from(model, source)
    assert (found.networks, found.fresh_networks) == (("generator",), ("discriminator",))
    back = initialize_from(build(GAN), trained(CGAN))
    assert back.networks == ("generator",)


@pytest.mark.parametrize(("ours", "theirs"), [(None, 0.9), (0.9, None)])
def test_the_average_of_the_generator(ours, theirs):
    source = trained(CVAE, average_decay=theirs)
    model = build(CVAE, CLASSES[::-1], average_decay=ours)
    initialize_from(model, source)
    z = model.sample_latents(4)
    expected = source.generator({"z": z, "labels": np.eye(4, dtype="float32")})
    assert_close(model.generator({"z": z, "labels": np.eye(4, dtype="float32")[::-1]}), expected)
    if ours:
        assert_close(model.decode(z, [3, 2, 1, 0]), source.decode(z, [0, 1, 2, 3]))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            lambda: trained("cvae_gan", latent_dim=6),
            r"encoder/z_log_var/kernel has the shape \(256, 6\) there and \(256, 4\) here.* "
            "of 16×16×3 with latent_dim=6, preset=compact, the model a CVAEGAN of .*latent_dim=4",
        ),
        (
            lambda: trained("cvae_gan", image_shape=(20, 20, 3)),
            r"encoder/hidden/kernel has the shape .* of 20×20×3 .* Build the model with the image",
        ),
        (
            lambda: trained("cvae_gan", image_shape=(32, 32, 3)),
            "its 'encoder' is made of other layers.* a CVAEGAN of 32×32×3",
        ),
        (
            lambda: trained("lr_li_vae_gan", latent_dim=2),
            "of relevant_encoder, .* there, none is a network of the same layers here",
        ),
        (
            lambda: keras.Sequential(),
            r"must be a model of keras_cvaegan.models.MODELS\. Received: Sequential",
        ),
    ],
)
def test_a_source_that_does_not_fit_is_a_clear_error_and_changes_nothing(source, message):
    model = build("cvae_gan", CLASSES[:3])
    before = values(model)
    with pytest.raises(ValueError, match=message):
        initialize_from(model, source())
    for index, old in before.items():
        np.testing.assert_array_equal(old, model.weights[index])


@pytest.mark.parametrize("names", [CLASSES, ("rose", "oak")])
def test_networks_of_names_that_keras_made_up(names):
    def points(class_names):
        labels = keras.Input((len(class_names),), name="labels")
        z = keras.Input((2,), name="z")
        x = keras.layers.Concatenate()([labels, z])
        x = keras.layers.Dense(2)(keras.layers.Dense(8, activation="tanh")(x))
        generator = keras.Model({"z": z, "labels": labels}, x)
        discriminator = networks.conditional_discriminator(
            networks.mlp_discriminator(), num_classes=len(class_names)
        )
        return CGAN(generator, discriminator, class_names=class_names)

    source, model = points(CLASSES), points(names)
    assert source.generator.layers[-1].name != model.generator.layers[-1].name
    initialize_from(model, source)
    z = model.sample_latents(1)
    label = names.index("rose")
    np.testing.assert_array_equal(model.decode(z, [label]), source.decode(z, [1]))


def test_a_source_from_a_file(tmp_path):
    source = trained("lr_li_vae_gan", latent_dim=(3, 2))
    source.compile()
    source.save(tmp_path / "model.keras")
    model = build("lr_li_vae_gan", CLASSES[::-1], latent_dim=(3, 2))
    initialize_from(model, keras_cvaegan.load(tmp_path))
    np.testing.assert_array_equal(
        model.generate([3, 2, 1, 0], seed=1), source.generate([0, 1, 2, 3], seed=1)
    )
    assert_close(model.classify(pictures()), source.classify(pictures())[:, ::-1])


@pytest.mark.parametrize("policy", ["mixed_float16", "bfloat16"])
def test_variables_keep_their_precision(policy):
    source = trained(CVAE)
    with dtype_policy(policy):
        model = without_fresh_values(build(CVAE, ("rose", "oak")))
        before = [v.dtype for v in model.weights]
        initialize_from(model, source)
        assert [v.dtype for v in model.weights] == before
        back = without_fresh_values(build(CVAE, ("oak", "rose")))
        initialize_from(back, model)
    for each, label in ((model, 0), (back, 1)):
        embedding = each.generator.get_layer("class_embedding").kernel
        expected = np.array(source.generator.get_layer("class_embedding").kernel)
        received = np.array(keras.ops.cast(embedding, "float32"))
        np.testing.assert_allclose(received[label], expected[1], rtol=1e-2)
        np.testing.assert_allclose(received[1 - label], expected.mean(axis=0), rtol=2e-2, atol=2e-3)


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="this is JAX")
def test_on_jax():
    chosen = "running_means or another_kind_of_model_has or keras_made_up"
    done = subprocess.run(
        [*(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"), "-k", chosen, __file__],
        env=on_jax(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout[-4000:]

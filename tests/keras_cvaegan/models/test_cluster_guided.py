"""ClusterGuidedGenerator: any generator, any mapping, saved, exported, resumed."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_cvaegan
from keras_cvaegan.export import export_saved_model
from keras_cvaegan.models import CVAE, GAN, IMLE, ClusterGuidedGenerator
from keras_cvaegan.networks.mlp import mlp_generator
from keras_cvaegan.training.checkpoints import restore_checkpoint, save_checkpoint
from keras_cvaegan.training.code_batches import CodeBatches
from tests.helpers.running import on_jax

pytestmark = pytest.mark.slow


def painter(dimensions=4, side=8):
    """A user's generator: the sign of z₁ · z₂ decides whether the picture is dark or light.

    Codes of either cluster have the same moments: no shift and no scale tells them apart.
    """
    z = keras.Input((dimensions,), name="noise")
    pick = [keras.layers.Dense(1, use_bias=False, name=f"z_{i}") for i in range(2)]
    product = keras.layers.Multiply(name="product")([layer(z) for layer in pick])
    light = keras.layers.Activation("tanh", name="light")(keras.layers.Rescaling(6.0)(product))
    x = keras.layers.Dense(side * side * 3, activation="tanh", use_bias=False, name="rest")(z)
    x = keras.layers.Rescaling(0.2)(x)
    x = keras.layers.Add(name="mixed")([x, keras.layers.Rescaling(0.6)(light)])
    x = keras.layers.Reshape((side, side, 3), name="images")(x)
    model = keras.Model(z, x, name="painter")
    for i, layer in enumerate(pick):
        layer.set_weights([np.eye(dimensions, dtype="float32")[:, i : i + 1]])
    return model


@pytest.fixture
def guided():
    keras.utils.set_random_seed(0)
    return ClusterGuidedGenerator(painter(), layer="light", n_clusters=2, hidden_units=(32, 32))


def light(images):
    return images.reshape(len(images), -1).mean(axis=1)


@pytest.mark.parametrize(
    ("mapping", "least", "arguments"),
    [("imle", 0.9, {"candidates": 1}), ("gan", 0.75, {}), ("vae", 0.75, {"kl_weight": 0.05})],
)
def test_each_mapping_learns_to_sample_a_cluster(mapping, least, arguments):
    keras.utils.set_random_seed(0)
    model = ClusterGuidedGenerator(
        painter(dimensions=2),
        layer="light",
        mapping=mapping,
        mapping_arguments=arguments,
        hidden_units=(64, 64),
    )
    clusters = model.find_clusters(2000)
    z = model.codes(2000)
    np.testing.assert_array_equal(model.clusters_of(z), clusters.labels)
    wanted = np.arange(400) % 2

    def share(codes):
        return np.mean(model.clusters_of(codes) == wanted)

    model.calibrate()
    assert share(model.map_codes(wanted, seed=5)) < 0.6
    model.compile({name: keras.optimizers.Adam(4e-3) for name in model.mapping.network_names})
    model.fit(batch_size=100, epochs=60, verbose=0, calibrate=False)
    assert share(model.mapping.generate(wanted, seed=5)) > least
    model.calibrate()
    assert share(model.map_codes(wanted, seed=5)) > least - 0.05
    # What is asked for is seen.
    lights = [light(model.generate(np.full(100, label), seed=7)).mean() for label in range(2)]
    means = [light(model.paint(z[clusters.labels == label])[0]).mean() for label in range(2)]
    np.testing.assert_allclose(lights, means, atol=25)
    # Codes of a cluster have the moments that they should have, and pictures are those of codes.
    for label in range(2):
        mapped = model.map_codes(np.full(4000, label), seed=8)
        own = z[clusters.labels == label]
        np.testing.assert_allclose(mapped.mean(axis=0), own.mean(axis=0), atol=0.08)
        np.testing.assert_allclose(mapped.std(axis=0), own.std(axis=0), atol=0.08)
    codes = model.map_codes(wanted, seed=5)
    np.testing.assert_array_equal(model.paint(codes)[0], model.generate(wanted, seed=5))


def test_the_generator_stays_as_it_is(guided):
    before = [np.array(v) for v in guided.generator.weights]
    guided.find_clusters(200)
    guided.compile()
    guided.fit(batch_size=20, verbose=0)
    for old, now in zip(before, guided.generator.weights, strict=True):
        np.testing.assert_array_equal(old, now)


def test_saved_and_loaded_it_samples_the_same_and_trains_on(guided, tmp_path):
    guided.find_clusters(100)
    guided.compile()
    guided.fit(batch_size=20, verbose=0)
    guided.save(tmp_path / "model.keras")
    again = keras_cvaegan.load(tmp_path / "model.keras")
    assert isinstance(again, ClusterGuidedGenerator)
    untouched = keras_cvaegan.load(tmp_path / "model.keras")
    untouched.fit(batch_size=5000, verbose=0)  # It knows its clusters, and draws codes of them.
    assert int(untouched.step) == 7
    assert int(again.step) == 5
    np.testing.assert_array_equal(again.generate([0, 1], seed=3), guided.generate([0, 1], seed=3))
    z = guided.codes(50, seed=9)
    np.testing.assert_array_equal(again.clusters_of(z), guided.clusters_of(z))
    batch = z, guided.clusters_of(z)
    for model in (guided, again):
        model.fit(*batch, batch_size=50, verbose=0)
    for ours, theirs in zip(guided.mapping.weights, again.mapping.weights, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_a_run_that_stopped_goes_on_as_if_it_had_not(tmp_path):
    def build():
        keras.utils.set_random_seed(0)
        model = ClusterGuidedGenerator(painter(), layer="light", hidden_units=(16,), seed=4)
        model.compile()
        return model

    def batches(model, steps, start):
        clusters = model.find_clusters(60)
        about = {"batch_size": 16, "seed": 4}
        return CodeBatches(model.codes(60, 4), clusters.labels, steps=steps, start=start, **about)

    whole, first, second = build(), build(), build()
    whole.fit(batches(whole, 9, 0), shuffle=False, verbose=0)
    first.fit(batches(first, 5, 0), shuffle=False, verbose=0)
    checkpoint = save_checkpoint(first.mapping, tmp_path)
    assert restore_checkpoint(second.mapping, checkpoint) == 5
    second.fit(batches(second, 4, 5), shuffle=False, verbose=0)
    for expected, received in zip(whole.mapping.weights, second.mapping.weights, strict=True):
        np.testing.assert_array_equal(expected, received)


def test_it_is_exported_as_any_conditional_model(guided, tmp_path):
    guided.find_clusters(300)
    guided.compile()
    guided.fit(batch_size=50, epochs=3, verbose=0)
    same_noise = guided.generate([0, 1], seed=[5, 5])
    assert (same_noise[0] != same_noise[1]).any()
    version = export_saved_model(guided, tmp_path)
    signatures = tf.saved_model.load(str(version)).signatures
    labels, seeds = np.array([0, 1, 1]), np.array([5, 5, 6])
    served = signatures["generate"](labels=tf.constant(labels), seed=tf.constant(seeds))["images"]
    np.testing.assert_array_equal(served, guided.generate(labels, seed=seeds))
    with pytest.raises(tf.errors.InvalidArgumentError, match="from 0 to 1"):
        signatures["generate"](labels=tf.constant([2], "int64"), seed=tf.constant([0], "int64"))


def test_our_own_models_are_generators_too():
    gan = GAN.from_preset("compact", image_shape=(16, 16, 3), latent_dim=5)
    model = ClusterGuidedGenerator(gan, layer="block_1_relu", n_clusters=3, grid=2)
    assert model.latent_dim == 5 and model.num_classes == 3
    z = model.codes(4)
    np.testing.assert_allclose(
        model.paint(z)[0].astype(int), gan._to_pixels(gan.decode(z, [0] * 4)).astype(int), atol=1
    )
    model.find_clusters(50)
    assert model.clusters_of(z).shape == (4,)
    assert model.clusters_of(z[:0]).shape == (0,)
    assert model.generate([], seed=0).shape == (0, 16, 16, 3)


def test_clusters_have_names(guided):
    model = ClusterGuidedGenerator(painter(), layer="light", class_names=["dark", "light"])
    assert model.class_names == ("dark", "light")
    assert guided.class_names == ("0", "1")


def test_one_cluster_is_all_codes():
    model = ClusterGuidedGenerator(painter(), layer="light", n_clusters=1, hidden_units=(8,))
    assert model.find_clusters(30).sizes.tolist() == [30]
    model.compile()
    model.fit(batch_size=10, verbose=0)
    assert model.generate([0, 0]).shape == (2, 8, 8, 3)


def test_a_mapping_of_ones_own():
    own = IMLE(mlp_generator((4,), num_classes=2, latent_dim=7))
    model = ClusterGuidedGenerator(painter(), layer="light", mapping=own)
    assert model.mapping is own and model.latent_dim == 7
    other = IMLE(mlp_generator((3,), num_classes=2))
    with pytest.raises(ValueError, match=r"points \(4,\) of 2 classes. Received: a IMLE of \(3,\)"):
        ClusterGuidedGenerator(painter(), layer="light", mapping=other)


def test_wrong_arguments_say_what_is_allowed(guided):
    with pytest.raises(ValueError, match=r"no layer 'gone'.*Allowed: .*light"):
        ClusterGuidedGenerator(painter(), layer="gone")
    with pytest.raises(ValueError, match=r"mapping.*imle.*gan.*vae"):
        ClusterGuidedGenerator(painter(), layer="light", mapping="flow")
    with pytest.raises(ValueError, match="n_clusters"):
        ClusterGuidedGenerator(painter(), layer="light", n_clusters=0)
    with pytest.raises(ValueError, match="unconditional"):
        ClusterGuidedGenerator(
            CVAE.from_preset("compact", image_shape=(16, 16, 3), num_classes=2), layer="light"
        )
    with pytest.raises(ValueError, match="call find_clusters first"):
        guided.fit()
    with pytest.raises(ValueError, match="call find_clusters first"):
        guided.clusters_of(np.zeros((1, 4)))
    with pytest.raises(ValueError, match="labels must be from 0 to 1"):
        guided.generate([2])
    with pytest.raises(ValueError, match="mapping_arguments are of the constructor of 'imle'"):
        ClusterGuidedGenerator(painter(), layer="light", mapping_arguments={"depth": 3})
    with pytest.raises(ValueError, match="mapping"):
        ClusterGuidedGenerator(painter(), layer="light", mapping=None)
    with pytest.raises(ValueError, match="has no encoder"):
        guided.encode(np.zeros((1, 8, 8, 3), "uint8"), [0])


@pytest.mark.parametrize(
    ("codes", "clusters", "message"),
    [
        (np.zeros((6, 3), "float32"), np.zeros(6, int), r"shape \(n, 4\).* \(6, 3\)"),
        (np.zeros((0, 4), "float32"), np.zeros(0, int), "at least one"),
        (np.zeros((6, 4), int), np.zeros(6, int), "Codes must be floats"),
        (np.zeros((6, 4), "float32"), np.zeros((6, 1), int), r"int64 of shape \(6, 1\)"),
        (np.zeros((6, 4), "float32"), np.eye(2)[[0] * 6], "Clusters must be integers from 0 to 1"),
        (np.zeros((6, 4), "float32"), np.full(6, 2), "Received: 2 to 2"),
        (np.zeros((6, 4), "float32"), np.zeros(5, int), "one for each of 6 codes"),
    ],
)
def test_wrong_codes_are_refused_before_anything_is_trained(guided, codes, clusters, message):
    guided.find_clusters(50)
    guided.compile()
    for call in (guided.fit, guided.calibrate, guided.evaluate):
        with pytest.raises(ValueError, match=message):
            call(codes, clusters)
    assert guided.generate([0]).shape == (1, 8, 8, 3)


def test_codes_without_clusters_get_those_of_their_pictures(guided):
    guided.find_clusters(200)
    guided.calibrate(guided.codes(300, seed=2))
    scale = np.array(guided.moments.scale)
    guided.calibrate(guided.codes(300, seed=2), guided.clusters_of(guided.codes(300, seed=2)))
    np.testing.assert_array_equal(scale, guided.moments.scale)
    assert (scale != 1).all()


def test_what_is_said_of_networks_that_are_there_is_refused():
    def own():
        return IMLE(mlp_generator((4,), num_classes=2, latent_dim=4), class_names=["a", "b"])

    model = ClusterGuidedGenerator(painter(), layer="light", mapping=own())
    assert model.class_names == ("a", "b")
    with pytest.raises(ValueError, match="has its own class_names"):
        ClusterGuidedGenerator(painter(), layer="light", mapping=own(), class_names=["c", "d"])
    with pytest.raises(ValueError, match="of a mapping that is built"):
        ClusterGuidedGenerator(painter(), layer="light", mapping=own(), hidden_units=(8,))


ON_JAX = """
import sys
import keras, numpy as np
import keras_cvaegan

assert keras.backend.backend() == "jax"
folder = sys.argv[1]
model = keras_cvaegan.load(f"{folder}/model.keras")
images, clusters = model.generate([0, 1, 1], seed=3), model.clusters_of(model.codes(40, seed=9))
model.fit(model.codes(40, seed=9), clusters, batch_size=20, shuffle=False, verbose=0)
weights = {f"w{i}": np.array(w) for i, w in enumerate(model.mapping.weights)}
np.savez(f"{folder}/jax.npz", images=images, clusters=clusters, **weights)
"""


def test_what_tensorflow_saved_goes_on_alike_under_jax(guided, tmp_path):
    guided.find_clusters(100)
    guided.compile({"generator": keras.optimizers.SGD(1e-2)})
    guided.fit(batch_size=20, verbose=0)
    guided.save(tmp_path / "model.keras")
    subprocess.run(
        [sys.executable, "-c", ON_JAX, str(tmp_path)],
        env=on_jax(),
        check=True,
        timeout=600,
    )
    found = np.load(tmp_path / "jax.npz")
    images = guided.generate([0, 1, 1], seed=3)
    np.testing.assert_allclose(found["images"].astype(int), images.astype(int), atol=1)
    z = guided.codes(40, seed=9)
    np.testing.assert_array_equal(found["clusters"], guided.clusters_of(z))
    guided.fit(z, found["clusters"], batch_size=20, shuffle=False, verbose=0)
    for i, weight in enumerate(guided.mapping.weights):
        np.testing.assert_allclose(found[f"w{i}"], weight, atol=1e-5)

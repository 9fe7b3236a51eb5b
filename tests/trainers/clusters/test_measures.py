"""Measures of pictures that were asked for by cluster, on a generator that was not trained."""

import numpy as np
import pytest

from keras_cvaegan.metrics import ClusterReader
from keras_cvaegan.models import VAE, ClusterGuidedGenerator
from trainers.clusters import measures

pytestmark = pytest.mark.slow


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

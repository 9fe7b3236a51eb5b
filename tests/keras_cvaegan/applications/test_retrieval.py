"""Retrieval, by a model whose codes are known: the first colours of a picture."""

import json

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from keras_cvaegan.applications import LatentIndex, retrieval
from keras_cvaegan.models import CVAE, CVAEGAN, GAN, VAE

COUNT, BATCH = 30, 7


@pytest.fixture
def model(cvae_gan, monkeypatch):
    """Encodes a picture as its first four numbers, and takes its class from the fifth."""

    def encode(images, labels):
        assert len(labels) == len(images)
        z = images.reshape(-1, 768)[:, :4].astype(np.float32) / 10
        return z, np.zeros_like(z)

    def classify(images):
        return np.eye(3)[images.reshape(-1, 768)[:, 4] % 3]

    monkeypatch.setattr(cvae_gan, "encode", encode)
    monkeypatch.setattr(cvae_gan, "classify", classify)
    return cvae_gan


def draw(count, seed):
    images = np.random.default_rng(seed).integers(0, 256, (count, 16, 16, 3), dtype=np.uint8)
    flat = images.reshape(count, -1)
    return images, flat[:, :4] / 10, flat[:, 4].astype(int) % 3


def in_batches(images, labels, names=None):
    for start in range(0, len(images), BATCH):
        rows = slice(start, start + BATCH)
        called = [f"picture {n}" for n in range(len(images))] if names is None else names
        yield images[rows], None if labels is None else labels[rows], called[rows]


@pytest.fixture
def index(model):
    images, _, labels = draw(COUNT, 0)
    return LatentIndex.build(model, in_batches(images, labels), {"of": "noise"})


def brute_force(queries, k, other_classes_only):
    """The same by all distances at once."""
    _, z, labels = draw(COUNT, 0)
    distances = cdist(queries[1], z)
    if other_classes_only:
        distances[queries[2][:, np.newaxis] == labels] = np.inf
    order = np.argsort(distances, axis=1)[:, :k]
    return np.take_along_axis(distances, order, axis=1), order


def test_an_index_keeps_codes_labels_and_names(index):
    _, z, labels = draw(COUNT, 0)
    assert len(index) == COUNT
    np.testing.assert_allclose(index.z, z, rtol=1e-6)
    np.testing.assert_array_equal(index.labels, labels)
    assert index.names == tuple(f"picture {n}" for n in range(COUNT))
    assert sorted(set(labels)) == [0, 1, 2]


@pytest.mark.parametrize("other_classes_only", [False, True])
@pytest.mark.parametrize("given", [False, True])
def test_found_are_the_nearest(index, other_classes_only, given):
    queries = draw(9, 1)
    labels = queries[2] if given else None
    found = index.query(queries[0], labels, k=4, other_classes_only=other_classes_only)
    distances, indices = brute_force(queries, 4, other_classes_only)
    np.testing.assert_array_equal(found.indices, indices)
    np.testing.assert_allclose(found.distances, distances, rtol=1e-4)
    same = index.labels[found.indices] == queries[2][:, np.newaxis]
    assert same.any() != other_classes_only


def test_labels_given_decide_what_other_classes_are(index):
    images = draw(5, 1)[0]
    for label in range(3):
        found = index.query(images, [label] * 5, k=3, other_classes_only=True)
        assert not (index.labels[found.indices] == label).any()


def test_a_picture_of_the_index_finds_itself(index):
    images = draw(COUNT, 0)[0]
    found = index.query(images, k=1)
    np.testing.assert_array_equal(found.indices[:, 0], np.arange(COUNT))
    np.testing.assert_allclose(found.distances, 0, atol=1e-3)


def test_no_query(index):
    for other in (False, True):
        found = index.query(draw(1, 1)[0][:0], k=2, other_classes_only=other)
        assert found.indices.shape == found.distances.shape == (0, 2)


def test_labels_that_are_not_known_are_guessed(model):
    images, _, labels = draw(COUNT, 0)
    index = LatentIndex.build(model, in_batches(images, None))
    np.testing.assert_array_equal(index.labels, labels)


def test_save_and_load(index, model, tmp_path):
    path = tmp_path / "index.npz"
    index.names = ("Blüte\ud800 1.png", *index.names[1:])  # As of a path that is no UTF-8.
    index.save(path)
    assert [file.name for file in tmp_path.iterdir()] == ["index.npz"]
    again = LatentIndex.load(path, model)
    np.testing.assert_array_equal(again.z, index.z)
    np.testing.assert_array_equal(again.labels, index.labels)
    assert (again.names, again.about) == (index.names, {"of": "noise"})
    queries = draw(3, 1)[0]
    np.testing.assert_array_equal(again.query(queries).indices, index.query(queries).indices)
    with np.load(path, allow_pickle=False) as arrays:
        assert all(arrays[name].dtype != object for name in arrays)


def test_an_index_of_another_model_is_refused(index, tmp_path):
    path = tmp_path / "index.npz"
    index.save(path)
    changed = CVAEGAN.from_config(index.model.get_config())
    for network in ("encoder", "classifier"):
        getattr(changed, network).set_weights(getattr(index.model, network).get_weights())
    assert len(LatentIndex.load(path, changed)) == COUNT
    biases = changed.encoder.weights[-1]
    biases.assign(np.array(biases) + 0.01)
    with pytest.raises(ValueError, match=r"built with another model, a CVAEGAN \(\w{16}\)\. Rec"):
        LatentIndex.load(path, changed)
    vae = VAE.from_preset("compact", image_shape=(16, 16, 3), latent_dim=4)
    with pytest.raises(ValueError, match=r"Received: a VAE \(\w{16}\)\. Build it anew"):
        LatentIndex.load(path, vae)


@pytest.mark.parametrize("damage", ["cut", "text", "other", "no kept"])
def test_damaged_files(index, tmp_path, damage):
    path = tmp_path / "index.npz"
    index.save(path)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-200])
    elif damage == "text":
        path.write_text("an index")
    else:
        np.savez(path, **({"z": index.z} if damage == "other" else {"kept": np.array("[]")}))
    with pytest.raises(ValueError, match=r"index.npz' is not an index, or damaged: "):
        LatentIndex.load(path, index.model)


def test_a_file_of_another_form_and_none(index, tmp_path, monkeypatch):
    path = tmp_path / "index.npz"
    with pytest.raises(ValueError, match=r"There is no index at '.*index.npz'\. Build it first"):
        LatentIndex.load(path, index.model)
    monkeypatch.setattr(retrieval, "VERSION", 7)
    index.save(path)
    monkeypatch.setattr(retrieval, "VERSION", 1)
    with pytest.raises(ValueError, match="has the form 7; this version reads 1"):
        LatentIndex.load(path, index.model)


def test_names_cost_what_they_have(index, tmp_path):
    index.names = ("x" * 10_000, *index.names[1:])
    index.save(tmp_path / "index.npz")
    assert (tmp_path / "index.npz").stat().st_size < 20_000


def test_models_without_classes(images):
    vae = VAE.from_preset("compact", image_shape=(16, 16, 3), latent_dim=4)
    index = LatentIndex.build(vae, [(images, None, list("abcde"))])
    np.testing.assert_array_equal(index.labels, [-1] * 5)
    assert index.query(images[:2], k=2).indices[:, 0].tolist() == [0, 1]
    message = "Received: 1 pictures of unknown class in the pictures to search by"
    with pytest.raises(ValueError, match=message):
        index.query(images[:1], other_classes_only=True)
    with pytest.raises(ValueError, match="Received: 5 pictures of unknown class in the index"):
        index.query(images[:1], [0], other_classes_only=True)
    # Data have classes where the model has none.
    index = LatentIndex.build(vae, [(images, [0, 1, 0, 1, 1], list("abcde"))])
    found = index.query(images, [0, 1, 0, 1, 1], k=2, other_classes_only=True)
    assert set(found.indices[0]) <= {1, 3, 4}


def test_too_many_neighbours(index):
    images, _, labels = draw(4, 1)
    with pytest.raises(ValueError, match=r"k must be at most the number of pictures in the index,"
                       r" 30\. Received: 31"):  # fmt: skip
        index.query(images, k=31)
    others = min(np.sum(index.labels != label) for label in labels)
    with pytest.raises(ValueError, match=f"pictures of other classes in the index, {others}"):
        index.query(images, k=30, other_classes_only=True)
    with pytest.raises(ValueError, match="k must be an integer of at least 1"):
        index.query(images, k=0)


def test_wrong_inputs(index, images):
    with pytest.raises(ValueError, match=r"labels must be integers of the shape \(5,\)"):
        index.query(images, [0, 1], other_classes_only=True)
    with pytest.raises(ValueError, match=r"at least one picture\. Received: none"):
        LatentIndex.build(index.model, [])
    with pytest.raises(ValueError, match="labels of the shape \\(2,\\), 1 names"):
        LatentIndex(index.model, np.zeros((2, 4)), [0, 1], ["a"])
    with pytest.raises(ValueError, match=r"z of the shape \(n, d\)\. Received: \(0, 4\)"):
        LatentIndex(index.model, np.zeros((0, 4)), [], [])
    gan = GAN.from_preset("compact", image_shape=(16, 16, 3))
    with pytest.raises(ValueError, match="GAN has no encoder"):
        LatentIndex.build(gan, [])
    cvae = CVAE.from_preset("compact", image_shape=(16, 16, 3), num_classes=3)
    with pytest.raises(ValueError, match="CVAE reconstructs under a label, and has no classifier"):
        LatentIndex.build(cvae, [(images, None, list("abcde"))])


def test_what_is_kept_is_json(index, tmp_path):
    index.save(tmp_path / "index.npz")
    with np.load(tmp_path / "index.npz") as arrays:
        kept = json.loads(str(arrays["kept"]))
    assert kept["about"] == {"of": "noise"}
    assert kept["model"]["kind"] == "CVAEGAN"

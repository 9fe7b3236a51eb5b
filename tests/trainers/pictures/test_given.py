"""Pictures from files and from the data of a run."""

import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from keras_cvaegan import pictures
from tests.helpers.applied import untrained_runs
from tests.helpers.untrained import CLASSES, COUNTS
from trainers.applications.encoding import source_of_labels
from trainers.pictures import given
from trainers.pictures.held_out import HeldOut

MODEL = SimpleNamespace(image_shape=(16, 16, 3))


@pytest.fixture(scope="module")
def root(shared_cache, tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    with untrained_runs(root, shared_cache, "vae"):
        yield root


@pytest.fixture
def held_out(root):
    return HeldOut(root / "vae")


@pytest.fixture
def folder(tmp_path):
    """Pictures 1, 2 and 10, of these values, the last in a folder within; and a text."""
    (tmp_path / "more").mkdir()
    for name in ("2.png", "1.png", "more/10.png"):
        value = int(name.removesuffix(".png").split("/")[-1])
        pictures.write_png(tmp_path / name, np.full((20, 30, 3), value, np.uint8))
    (tmp_path / "notes.txt").write_text("none")
    return tmp_path


def values(found):
    return found.images[:, 0, 0, 0].tolist()


def test_a_folder_in_natural_order(folder):
    found = given.read_pictures([str(folder)], "pictures", MODEL)
    assert found.images.shape == (3, 16, 16, 3)
    assert found.images.dtype == np.uint8
    assert values(found) == [1, 2, 10]
    assert [name.removeprefix(f"{folder}/") for name in found.names] == [
        "1.png",
        "2.png",
        "more/10.png",
    ]
    assert found.labels is None


def test_files_in_the_order_given(folder):
    texts = [f"{folder}/2.png, {folder}/more", f"{folder}/1.png"]
    assert values(given.read_pictures(texts, "pictures", MODEL)) == [2, 10, 1]


def test_a_file_with_a_comma_in_its_name(folder):
    shutil.copy(folder / "2.png", folder / "1,2.png")
    found = given.read_pictures([f"{folder}/1,2.png"], "pictures", MODEL)
    assert values(found) == [2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("FOLDER/3.png", "--faces takes files or folders.*There is no file or folder '.*3.png'"),
        ("FOLDER/1.png,", "There is no file or folder ''"),
        ("", "There is no file or folder ''"),
        ("FOLDER/empty", r"--faces: the folder '.*empty' has no pictures \(.jpg .jpeg .png"),
        ("FOLDER/notes.txt", "Cannot read '.*notes.txt': not a picture, or damaged"),
        ("FOLDER/damaged", "Cannot read '.*damaged/half.png'"),
    ],
)
def test_what_cannot_be_read(folder, text, message):
    (folder / "empty").mkdir()
    (folder / "damaged").mkdir()
    whole = (folder / "1.png").read_bytes()
    (folder / "damaged" / "half.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=message):
        given.read_pictures([text.replace("FOLDER", str(folder))], "faces", MODEL)


def test_too_many_pictures(folder):
    assert len(given.read_pictures([str(folder)], "faces", MODEL, 3)) == 3
    with pytest.raises(ValueError, match=r"--faces takes at most 2 pictures\. Received: 3"):
        given.read_pictures([str(folder)], "faces", MODEL, 2)


def test_no_pictures_given():
    with pytest.raises(ValueError, match="--faces is missing: files or folders"):
        given.read_pictures([], "faces", MODEL)


@pytest.mark.parametrize("shape", [(2,), (16, 16, 1), (16, 8, 3)])
def test_models_of_other_pictures(folder, shape):
    with pytest.raises(ValueError, match="a model of square ones in colour"):
        given.read_pictures([str(folder)], "faces", SimpleNamespace(image_shape=shape))


def test_labels_of_pictures():
    names = ("daisy", "rose")
    assert given.labels_of_pictures(None, 3, names) is None
    np.testing.assert_array_equal(given.labels_of_pictures("rose", 3, names), [1, 1, 1])
    found = given.labels_of_pictures("rose, 0,1,rose", 4, names)
    np.testing.assert_array_equal(found, [1, 0, 1, 1])
    with pytest.raises(ValueError, match=r"one for each of the 3\. Received: 2"):
        given.labels_of_pictures("0,1", 3, names)
    with pytest.raises(ValueError, match="--labels takes numbers from 0 to 1, or names: daisy"):
        given.labels_of_pictures("0,2,1", 3, names)


def test_held_out_pictures_are_those_of_the_split(root, held_out):
    assert held_out.class_names == tuple(sorted(CLASSES))
    assert held_out.labels.tolist() == sorted([0, 1, 2] * COUNTS["test"])
    found = held_out.take(np.array([5, 0]))
    assert found.names == ["test 5 (light)", "test 0 (dark)"]
    np.testing.assert_array_equal(found.labels, [1, 0])
    for image, path in zip(found.images, ("light/001.png", "dark/000.png"), strict=True):
        expected = pictures.read_picture(root / "pictures" / "test" / path)
        np.testing.assert_array_equal(image, expected)


def test_held_out_pictures_by_lot(held_out):
    first = held_out.draw(5, seed=0)
    assert len(first) == len(set(first.names)) == 5
    assert held_out.draw(3, seed=0).names == first.names[:3]
    assert held_out.draw(5, seed=1).names != first.names
    assert len(held_out.draw(100, seed=0)) == 3 * COUNTS["test"]


def test_held_out_pictures_of_classes_in_turn(held_out):
    found = held_out.draw_in_turn([2, 0], 5, seed=0)
    np.testing.assert_array_equal(found.labels, [2, 0, 2, 0, 2])
    assert len(set(found.names)) == 5
    assert held_out.draw_in_turn([2, 0], 3, seed=0).names == found.names[:3]
    assert any(held_out.draw_in_turn([2, 0], 5, seed=n).names != found.names for n in range(1, 4))
    with pytest.raises(ValueError, match="Of 'light' there are 4 pictures held out, too few for 5"):
        held_out.draw_in_turn([1], 5, seed=0)


def test_held_out_pictures_of_all_classes_in_turn(held_out):
    found = held_out.draw_in_turn(None, 5, seed=0)
    classes = found.labels[:3].tolist()
    assert sorted(classes) == [0, 1, 2]
    np.testing.assert_array_equal(found.labels[3:], classes[:2])
    assert held_out.draw_in_turn(classes, 5, seed=0).names == found.names
    orders = {tuple(held_out.draw_in_turn(None, 3, seed).labels) for seed in range(8)}
    assert len(orders) > 1


def test_where_labels_come_from():
    having = {"cvae": ["encoder", "generator"], "cvae_gan": ["encoder", "generator", "classifier"]}
    cvae, cvae_gan = (
        SimpleNamespace(conditional=True, inference_names=lambda names=names: names)
        for names in having.values()
    )
    vae = SimpleNamespace(conditional=False, inference_names=lambda: having["cvae"])
    given = [source_of_labels(model, True) for model in (cvae, cvae_gan, vae)]
    assert given == ["given", "given", "not needed"]
    assert source_of_labels(cvae_gan, False) == "guessed by its classifier"
    assert source_of_labels(vae, False) == "not needed"
    with pytest.raises(ValueError, match="has no classifier that could guess it: give labels"):
        source_of_labels(cvae, False)


def test_not_a_run(tmp_path):
    with pytest.raises(ValueError, match="Not a run directory"):
        HeldOut(tmp_path)

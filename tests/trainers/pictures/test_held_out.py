"""Pictures of a run's data by their rows."""

from types import SimpleNamespace

import numpy as np
import pytest

from keras_cvaegan import pictures
from tests.helpers.applied import untrained_runs
from tests.helpers.untrained import CLASSES, COUNTS
from trainers.pictures.held_out import HeldOut, RunPictures


@pytest.fixture(scope="module")
def root(shared_cache, tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    with untrained_runs(root, shared_cache, "vae"):
        yield root


@pytest.mark.parametrize("split", list(COUNTS))
def test_pictures_of_a_split(root, split):
    found = RunPictures(root / "vae", split)
    assert len(found) == 3 * COUNTS[split]
    rows = np.array([len(found) - 1, 0])
    taken = found.take(rows)
    last = COUNTS[split] - 1
    assert taken.names == [f"{split} {len(found) - 1} (middle)", f"{split} 0 (dark)"]
    np.testing.assert_array_equal(taken.labels, [2, 0])
    for image, path in zip(taken.images, (f"middle/{last:03d}.png", "dark/000.png"), strict=True):
        expected = pictures.read_picture(root / "pictures" / split / path)
        np.testing.assert_array_equal(image, expected)
        assert (found.images[rows[0]] == taken.images[0]).all()


def test_held_out_pictures_are_those_of_the_test_split(root):
    rows = np.array([5, 0, 7])
    ours, theirs = RunPictures(root / "vae", "test").take(rows), HeldOut(root / "vae").take(rows)
    np.testing.assert_array_equal(ours.images, theirs.images)
    assert list(ours.names) == list(theirs.names)


def test_models_of_other_data(root):
    found, names = RunPictures(root / "vae", "test"), tuple(sorted(CLASSES))
    own = {"conditional": True, "class_names": names, "num_classes": 3, "image_shape": (16, 16, 3)}
    found.check_model(SimpleNamespace(**own))
    with pytest.raises(ValueError, match="have the data changed since the training"):
        found.check_model(SimpleNamespace(**{**own, "class_names": ("a", "b", "c")}))
    with pytest.raises(ValueError, match=r"shape \(16, 16, 3\), those of the model \(8, 8, 3\)"):
        found.check_model(SimpleNamespace(**{**own, "image_shape": (8, 8, 3)}))


def test_batches_are_the_rows_in_order(root):
    found = RunPictures(root / "vae", "train")
    rows = np.array([3, 1, 20, 8, 9])
    batches = list(found.batches(rows, size=2))
    assert [len(images) for images, _, _ in batches] == [2, 2, 1]
    whole = found.take(rows)
    images, labels, names = zip(*batches, strict=True)
    np.testing.assert_array_equal(np.concatenate(images), whole.images)
    np.testing.assert_array_equal(np.concatenate(labels), whole.labels)
    assert [name for of_batch in names for name in of_batch] == whole.names

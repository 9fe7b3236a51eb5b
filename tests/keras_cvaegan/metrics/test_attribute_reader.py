"""The reader of attributes, on squares whose brightness and place are known."""

import keras
import numpy as np
import pytest

from keras_cvaegan.metrics.attribute_reader import AttributeReader, train_reader

pytestmark = pytest.mark.slow


def squares(count, seed):
    """Dark pictures with a square of some brightness, left, right, above or below."""
    rng = np.random.default_rng(seed)
    light, side = rng.uniform(100, 255, count), rng.integers(0, 4, count)
    images = rng.integers(0, 20, (count, 16, 16, 3), dtype=np.uint8)
    for image, value, at in zip(images, light, side, strict=True):
        row, column = [(6, 12), (0, 6), (6, 0), (12, 6)][at]
        image[row : row + 4, column : column + 4] = value
    angle = np.pi / 2 * side
    # Not in alphabetical order, and in units far from 1; the last is the same of all.
    where = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return images, {"where": where, "light": 1e3 * light, "all": np.full(count, 7.0)}


@pytest.fixture(scope="module")
def trained():
    return train_reader(*squares(300, seed=0), epochs=8, batch_size=32)


def test_it_learns_to_read(trained):
    images, values = squares(100, seed=1)
    errors = trained.errors(images, values)
    assert errors["where"] < 0.05
    assert errors["light"] < 0.25 * np.abs(values["light"] - values["light"].mean()).mean()
    read = trained.read(images)
    assert list(read) == ["where", "light", "all"]
    assert errors["light"] == pytest.approx(np.abs(read["light"][:, 0] - values["light"]).mean())
    angles = np.angle(read["where"] @ [1, 1j] / (values["where"] @ [1, 1j]))
    assert errors["where"] == pytest.approx(np.abs(angles).mean() / (2 * np.pi))


def test_it_is_saved_with_its_units(trained, tmp_path):
    trained.save(tmp_path / "reader.keras")
    loaded = keras.saving.load_model(tmp_path / "reader.keras", compile=False)
    assert isinstance(loaded, AttributeReader)
    images = squares(5, seed=2)[0]
    expected = trained.read(images)
    assert list(loaded.read(images)) == list(expected)
    for name, each in loaded.read(images).items():
        np.testing.assert_allclose(each, expected[name], rtol=1e-5)
    floats = loaded.read(images.astype(np.float32) / 127.5 - 1, batch_size=2)
    np.testing.assert_allclose(floats["light"], expected["light"], rtol=1e-4)


def test_it_learns_standardized_values(trained):
    values = squares(300, seed=0)[1]
    learnt = trained.standardized(values)
    assert learnt.shape == (300, 4)
    np.testing.assert_allclose(learnt.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(learnt.std(axis=0), [1, 1, 1, 0], atol=1e-5)


def test_what_cannot_be_read_is_said(trained):
    images, values = squares(4, seed=0)
    with pytest.raises(ValueError, match=r"takes images of the shape \(n, 16, 16, 3\)"):
        trained.read(images[:, :8])
    with pytest.raises(ValueError, match="needs 2 numbers of 'where'"):
        trained.errors(images, {"light": values["light"]})
    with pytest.raises(ValueError, match="needs 1 numbers of 'light'"):
        trained.errors(images, {**values, "light": np.zeros((4, 2))})
    with pytest.raises(ValueError, match="each of 3 pictures"):
        trained.errors(images[:3], values)
    with pytest.raises(ValueError, match=r"one attribute are needed\. Received: 4 pictures with 0"):
        train_reader(images, {})
    with pytest.raises(ValueError, match="Finite values of 'light'"):
        train_reader(images, {"light": np.full(4, np.nan)})
    with pytest.raises(ValueError, match="side of 16"):
        train_reader(np.zeros((4, 9, 9, 3), np.uint8), {"light": values["light"]})

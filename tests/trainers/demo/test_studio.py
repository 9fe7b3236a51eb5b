"""The page's program without the page: its sources, what its tabs draw, and its messages."""

import base64
import concurrent.futures
import io
import re

import numpy as np
import pytest
from PIL import Image

from tests.helpers.linear_source import Linear
from trainers.demo import figures
from trainers.demo.studio import MAX_CLASSES_IN_A_ROW, Studio
from trainers.pictures.generated import picture_seeds

pytestmark = pytest.mark.slow


@pytest.fixture
def source():
    return Linear()


@pytest.fixture
def studio(source):
    return Studio(source)


def png(path, size=(8, 8), color=(10, 200, 30)):
    Image.new("RGB", size, color).save(path)
    return str(path)


def images_of(text):
    files = re.findall(r'src="data:image/png;base64,([^"]+)"', text)
    return [np.array(Image.open(io.BytesIO(base64.b64decode(file)))) for file in files]


# Pictures as HTML


def test_pictures_are_enlarged_pixel_by_pixel():
    image = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    larger = figures.enlarge(image)
    assert larger.shape == (256, 384, 3)
    np.testing.assert_array_equal(larger[::128, ::128], image)
    np.testing.assert_array_equal(larger[127::128, 127::128], image)
    grey = figures.enlarge(image[..., :1])
    np.testing.assert_array_equal(grey[::128, ::128], image[..., [0, 0, 0]])
    assert figures.enlarge(np.zeros((300, 300, 3), np.uint8)).shape == (300, 300, 3)


def test_rows_and_tables_show_every_picture_with_its_name():
    red, blue = (np.full((1, 1, 3), color, np.uint8) for color in ((255, 0, 0), (0, 0, 255)))
    row = figures.row({"red": red, "blue": blue}, chosen="blue")
    assert [tuple(image[0, 0]) for image in images_of(row)] == [(255, 0, 0), (0, 0, 255)]
    assert row.count("class=chosen") == 1
    assert row.index("<figcaption>red<") < row.index("class=chosen") < row.index("caption>blue<")
    table = figures.table({"a": np.stack([red, blue]), "b": np.stack([blue, red])}, ["−1", "+1"])
    assert [tuple(image[0, 0]) for image in images_of(table)] == [
        (255, 0, 0),
        (0, 0, 255),
        (0, 0, 255),
        (255, 0, 0),
    ]
    assert 'alt="b, +1"' in table
    grid = figures.grid({"a": np.stack([red, blue]), "b": np.stack([blue, red])})
    assert grid.shape == (2 * 256 + 3 * 16, 2 * 256 + 3 * 16, 3)


def test_names_are_texts_whatever_they_hold():
    name = '<b>${1+1} {{x}} "q" @children'
    for text in (figures.single(np.zeros((1, 1, 3), np.uint8), name, name), figures.nothing(name)):
        assert not re.search(r"<b>|\$|\{|\}|@|\"q", text)
    assert "x_<wbr>y<" in figures.row({"x_y": np.zeros((1, 1, 3), np.uint8)})


# What the tabs draw


def test_samples_have_a_row_a_class_and_a_latent_a_column(source, studio):
    rows = studio.samples([2, 0], 3, 5)
    assert list(rows) == ["oak", "rose"]
    z = source.sample_latents(picture_seeds(5, 3))
    np.testing.assert_array_equal(rows["rose"], source.decode(z, np.eye(3)[[0, 0, 0]]))
    np.testing.assert_array_equal(rows["oak"], source.decode(z, np.eye(3)[[2, 2, 2]]))
    np.testing.assert_array_equal(studio.picture(studio.latent(5), 2), rows["oak"][0])
    assert (studio.samples([0], 3, 6)["rose"] != rows["rose"]).any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], 3, 5), "No class is chosen"),
        (([0], 0, 5), "from 1 to 16. Received: 0"),
        (([0], 17, 5), "Received: 17"),
        (([0], None, 5), "Received: None"),
        (([0], 3, None), "whole number from 0 to 4294967295. Received: None"),
        (([0], 3, -1), "Received: -1"),
        (([0], 3, 2**32), "Received: 4294967296"),
        (([0], 3, float("nan")), "Received: nan"),
        (([0, 1, 2] * 3, 16, 5), "9 classes with 16 pictures each are 144 pictures"),
    ],
)
def test_samples_that_cannot_be(studio, arguments, message):
    with pytest.raises(ValueError, match=message):
        studio.samples(*arguments)


def test_a_latent_under_all_classes(source, studio):
    z = studio.latent(3)
    named = studio.under_all_classes(z)
    assert list(named) == ["rose", "lily", "oak"]
    assert [int(image[0, 0, 0]) - int(named["rose"][0, 0, 0]) for image in named.values()] == [
        0,
        30,
        60,
    ]
    assert list(studio.under_all_classes(z, except_label=1)) == ["rose", "oak"]
    many = Studio(Linear([str(number) for number in range(100)]))
    assert len(many.under_all_classes(z)) == MAX_CLASSES_IN_A_ROW
    with pytest.raises(ValueError, match="No class is chosen"):
        studio.picture(z, None)


def test_sliders_move_along_the_directions(source, studio):
    # Of a diagonal map the directions are the axes; the first changes pictures most.
    assert np.abs(studio.directions.vectors).argmax(axis=1).tolist() == [0, 1, 2, 3]
    start = studio.coordinates(3)
    np.testing.assert_array_equal(studio.moved(3, start), studio.latent(3))
    assert all(abs(place) <= 3 and place == round(place, 1) for place in start)
    moved = studio.moved(3, [start[0] + 1, *start[1:]]) - studio.latent(3)
    np.testing.assert_allclose(moved, studio.directions.vectors[0], atol=1e-6)
    walks = studio.walks(3, 1)
    assert list(walks) == [f"Direction {number}" for number in (1, 2, 3, 4)]
    z = studio.moved(3, [*start[:2], 2.0, start[3]])
    np.testing.assert_array_equal(walks["Direction 3"][5], studio.picture(z, 1))


def test_directions_are_found_once_and_no_more_than_asked_for(source, monkeypatch):
    calls, decode = [], source.decode
    monkeypatch.setattr(source, "decode", lambda *inputs: calls.append(1) or decode(*inputs))
    studio = Studio(source, directions=2)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: studio.directions, range(4)))
    assert all(each is found[0] for each in found)
    assert found[0].vectors.shape == (2, 4)
    once = len(calls)
    assert studio.directions is found[0]
    assert len(calls) == once


@pytest.mark.parametrize("alpha", [0.0, 0.3, 0.5, 1.0])
@pytest.mark.parametrize("mixes", [True, False])
def test_morphs_follow_the_equation(source, studio, alpha, mixes, monkeypatch):
    monkeypatch.setattr(Linear, "mixes_classes", mixes)
    first, second = studio.sample_endpoint(1, 0), studio.sample_endpoint(2, 2)
    z = alpha * studio.latent(1) + (1 - alpha) * studio.latent(2)
    share = alpha if mixes else float(alpha >= 0.5)
    expected = source.decode(z[np.newaxis], np.array([[share, 0, 1 - share]]))
    np.testing.assert_array_equal(studio.morph(first, second, [alpha]), expected)
    assert ("likewise" in studio.morph_note(first, second)) == mixes
    assert ("switches at α = ½" in studio.morph_note(first, second)) == (not mixes)


def test_a_strip_goes_from_end_to_end(studio):
    first, second = studio.sample_endpoint(1, 0), studio.sample_endpoint(2, 2)
    strip = studio.morph_strip(first, second)
    assert next(iter(strip)) == "α = 1"
    np.testing.assert_array_equal(strip["α = 1"], first.image)
    np.testing.assert_array_equal(strip["α = 0"], second.image)
    assert "within one class" in studio.morph_note(first, first)


def test_a_picture_is_recognised_or_its_class_is_chosen(studio, tmp_path):
    path = png(tmp_path / "a.png", color=(130, 0, 0))
    seen = studio.encode_picture(path, None)
    assert seen.origin == "lily (recognised, 70% sure)"
    assert list(seen.others) == ["rose", "oak"]
    np.testing.assert_array_equal(seen.image, np.full((2, 4, 3), (130, 0, 0)))
    # 130 under the class that adds 30 is z = 0.
    assert (seen.reconstruction == 130).all()
    assert (seen.others["rose"] == 100).all()
    chosen = studio.encode_picture(path, 2)
    assert chosen.origin == "oak"
    assert list(chosen.others) == ["rose", "lily"]
    end = studio.picture_endpoint(path, 1)
    np.testing.assert_allclose(end.z, 0)
    np.testing.assert_array_equal(end.image, seen.reconstruction)


def test_pictures_that_cannot_be(studio, tmp_path, monkeypatch):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n broken")
    with pytest.raises(
        ValueError, match=r"Cannot read 'broken.png': .* Upload a PNG, JPEG"
    ) as info:
        studio.encode_picture(str(broken), None)
    assert str(tmp_path) not in str(info.value)
    with pytest.raises(ValueError, match="There is no picture yet"):
        studio.encode_picture(None, None)
    monkeypatch.setattr(Linear, "can_classify", False)
    with pytest.raises(ValueError, match="Choose the picture's: Linear cannot classify"):
        studio.encode_picture(png(tmp_path / "a.png"), None)


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_keep_their_middle_and_their_orientation(channels, tmp_path):
    # Upright 40 wide and 20 high, black but for a white left half; stored lying on its side.
    upright = np.zeros((20, 40, 3), np.uint8)
    upright[:, :20] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "turned.png"
    Image.fromarray(np.rot90(upright)).save(path, exif=exif)
    read = Studio(Linear(channels=channels)).read(str(path))
    assert read.shape == (2, 4, channels)
    assert (read[:, 0] > 250).all()
    assert (read[:, -1] < 5).all()
    square = Studio(Linear(channels=channels)).read(png(tmp_path / "square.png", (9, 9)))
    assert square.shape == (2, 4, channels)


def test_a_model_without_classes(tmp_path):
    studio = Studio(Linear(["any"]))
    assert not studio.source.has_classes
    assert list(studio.samples([], 3, 5)) == ["Samples"]
    np.testing.assert_array_equal(
        studio.picture(studio.latent(5), None), studio.samples([], 3, 5)["Samples"][0]
    )
    seen = studio.encode_picture(png(tmp_path / "a.png"), None)
    assert (seen.origin, seen.others) == ("", {})

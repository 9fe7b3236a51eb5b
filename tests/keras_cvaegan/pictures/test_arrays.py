import io
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from keras_cvaegan import pictures

RED, WHITE, BLACK = (255, 0, 0), (255, 255, 255), (0, 0, 0)


def encoded(image, file_format="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def noise(height=20, width=30, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def smooth(height, width):
    y, x = np.mgrid[0:height, 0:width]
    picture = np.stack([255 * x / width, 255 * y / height, 128 + 0 * x], axis=-1)
    return picture.astype(np.uint8)


def test_png_is_read_exactly(tmp_path):
    picture = noise()
    pictures.write_png(tmp_path / "a.png", picture)
    for source in (tmp_path / "a.png", str(tmp_path / "a.png"), pictures.encode_png(picture)):
        read = pictures.read_picture(source)
        assert read.dtype == np.uint8 and read.flags.writeable
        np.testing.assert_array_equal(read, picture)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "BMP", "GIF", "WEBP"])
def test_formats(file_format):
    picture = smooth(40, 60)
    read = pictures.read_picture(encoded(Image.fromarray(picture), file_format))
    assert read.shape == picture.shape
    assert np.abs(read.astype(int) - picture).mean() < 12


def test_grey_and_one_bit():
    grey = Image.fromarray(noise()[..., 0])
    expected = np.asarray(grey)[..., None].repeat(3, axis=2)
    np.testing.assert_array_equal(pictures.read_picture(encoded(grey)), expected)
    bits = Image.new("1", (3, 2), 1)
    np.testing.assert_array_equal(pictures.read_picture(encoded(bits)), np.full((2, 3, 3), 255))


def test_16_bits_keep_the_upper_8():
    values = np.array([[0, 255, 256, 32768, 65535]], np.uint16)
    read = pictures.read_picture(encoded(Image.fromarray(values)))
    np.testing.assert_array_equal(read[0, :, 1], [0, 0, 1, 128, 255])


def test_cmyk():
    image = Image.new("RGB", (16, 16), RED).convert("CMYK")
    read = pictures.read_picture(encoded(image, "JPEG"))
    np.testing.assert_allclose(read[8, 8].astype(int), RED, atol=6)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_lies_on_white(mode):
    image = Image.new("RGBA", (3, 1), (0, 0, 0, 0))
    image.putpixel((1, 0), (0, 0, 0, 255))
    image.putpixel((2, 0), (0, 0, 0, 128))
    read = pictures.read_picture(encoded(image.convert(mode)))
    np.testing.assert_array_equal(read[0], [WHITE, BLACK, (127, 127, 127)])


def test_palette_with_transparency():
    image = Image.new("P", (2, 1))
    image.putpalette([*RED, *BLACK])
    image.putpixel((1, 0), 1)
    for file_format in ("PNG", "GIF"):
        read = pictures.read_picture(encoded(image, file_format, transparency=1))
        np.testing.assert_array_equal(read[0], [RED, WHITE])
    read = pictures.read_picture(encoded(image, transparency=bytes([0, 255])))
    np.testing.assert_array_equal(read[0], [WHITE, BLACK])


def test_colour_key_of_rgb_and_grey():
    image = Image.new("RGB", (2, 1), RED)
    image.putpixel((1, 0), BLACK)
    read = pictures.read_picture(encoded(image, transparency=RED))
    np.testing.assert_array_equal(read[0], [WHITE, BLACK])
    read = pictures.read_picture(encoded(Image.new("L", (1, 1), 7), transparency=7))
    np.testing.assert_array_equal(read[0, 0], WHITE)


@pytest.mark.parametrize("file_format", ["GIF", "WEBP"])
def test_animations_give_their_first_frame(file_format):
    first, second = (Image.new("RGB", (8, 8), colour) for colour in (RED, BLACK))
    data = encoded(first, file_format, save_all=True, append_images=[second])
    np.testing.assert_allclose(pictures.read_picture(data)[4, 4].astype(int), RED, atol=6)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("image_size", [None, 4])
def test_orientation(orientation, image_size):
    upright = np.zeros((16, 16, 3), np.uint8)
    upright[:8, :8] = RED
    turned = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.swapaxes(0, 1),
        6: np.rot90(upright),
        7: upright[::-1, ::-1].swapaxes(0, 1),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    for file_format in ("PNG", "JPEG"):
        data = encoded(Image.fromarray(np.ascontiguousarray(turned)), file_format, exif=exif)
        read = pictures.read_picture(data, image_size)
        assert read[0, 0, 0] > 200
        assert max(read[0, -1, 0], read[-1, 0, 0], read[-1, -1, 0]) < 60


def test_orientation_turns_the_sides():
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(Image.fromarray(noise(20, 30)), "JPEG", exif=exif)
    assert pictures.read_picture(data).shape == (30, 20, 3)


def test_the_centred_square_is_taken():
    wide = np.zeros((10, 30, 3), np.uint8)
    wide[:, 10:20] = 255
    np.testing.assert_array_equal(pictures.read_picture(pictures.encode_png(wide), 10), 255)
    np.testing.assert_array_equal(pictures.resize_picture(wide.swapaxes(0, 1), 10), 255)


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 20), st.integers(0, 255))
def test_any_size_gives_the_size_asked_for(height, width, image_size, value):
    picture = np.full((height, width, 3), value, np.uint8)
    resized = pictures.resize_picture(picture, image_size)
    np.testing.assert_array_equal(resized, np.full((image_size, image_size, 3), value))


def test_resizing_is_anti_aliased():
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    resized = pictures.resize_picture(stripes, 8)
    assert np.abs(resized[:, 1:-1].astype(int) - 128).max() < 10


def test_large_jpegs_are_resized_as_small_ones_are():
    picture = smooth(600, 800)
    data = encoded(Image.fromarray(picture), "JPEG", quality=95)
    difference = pictures.read_picture(data, 32).astype(int) - pictures.resize_picture(picture, 32)
    assert np.abs(difference).max() <= 4


def test_box():
    picture = noise(20, 30)
    data = pictures.encode_png(picture)
    read = pictures.read_picture(data, box=(5, 2, 15, 12))
    np.testing.assert_array_equal(read, picture[2:12, 5:15])
    read = pictures.read_picture(data, box=(-5, -5, 4.2, 100))
    np.testing.assert_array_equal(read, picture[:, :4])
    assert pictures.read_picture(data, 8, (5, 2, 15, 12)).shape == (8, 8, 3)


@pytest.mark.parametrize("box", [(30, 0, 40, 10), (5, 5, 5, 9), (9, 5, 3, 9)])
def test_a_box_outside_the_picture(box):
    message = r"must overlap the picture. Received: \(.*\) for a picture of 30×20 pixels"
    with pytest.raises(ValueError, match=message):
        pictures.read_picture(pictures.encode_png(noise()), box=box)


@pytest.mark.parametrize("image_size", [0, -3])
def test_wrong_size(image_size):
    with pytest.raises(ValueError, match=r"image_size must be 1 or more. Received: "):
        pictures.read_picture(pictures.encode_png(noise()), image_size)
    with pytest.raises(ValueError, match=r"image_size must be 1 or more. Received: "):
        pictures.resize_picture(noise(), image_size)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "BMP", "GIF", "WEBP"])
@pytest.mark.parametrize("image_size", [None, 4])
def test_truncated(tmp_path, file_format, image_size):
    data = encoded(Image.fromarray(noise(50, 50)), file_format)
    for length in (len(data) // 2, 20, 5):
        path = tmp_path / "cut.png"
        path.write_bytes(data[:length])
        with pytest.raises(pictures.PictureError, match=r"Cannot read '.*cut.png': .+\.") as error:
            pictures.read_picture(path, image_size)
        assert error.value.reason


def test_not_a_picture(tmp_path):
    (tmp_path / "a.png").write_text("words")
    (tmp_path / "empty.png").write_text("")
    for name in ("a.png", "empty.png"):
        with pytest.raises(ValueError, match=rf"Cannot read '.*{name}': not a picture, or damaged"):
            pictures.read_picture(tmp_path / name)
    with pytest.raises(ValueError, match="Cannot read a picture of 5 bytes: not a picture"):
        pictures.read_picture(b"words")


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(ValueError, match=r"Cannot read '.*none.png': No such file or directory"):
        pictures.read_picture(tmp_path / "none.png")
    with pytest.raises(ValueError, match="Is a directory"):
        pictures.read_picture(tmp_path)


def test_damaged_png_header():
    data = bytearray(pictures.encode_png(noise()))
    data[16:24] = struct.pack(">II", 2**31 - 1, 2**31 - 1)
    with pytest.raises(pictures.PictureError):
        pictures.read_picture(bytes(data))


@settings(deadline=None)
@given(st.binary(max_size=60), st.integers(0, 500), st.sampled_from(["PNG", "JPEG", "GIF", "BMP"]))
def test_damaged_pictures_are_read_or_refused_with_one_error(noise_bytes, at, file_format):
    data = bytearray(encoded(Image.fromarray(noise(12, 12)), file_format))
    data[at : at + len(noise_bytes)] = noise_bytes
    try:
        read = pictures.read_picture(bytes(data), 8)
    except pictures.PictureError:
        return
    assert read.shape == (8, 8, 3)


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4, 4, 3)),
    ],
)
def test_wrong_arrays(tmp_path, wrong):
    for function in (
        lambda: pictures.encode_png(wrong),
        lambda: pictures.write_png(tmp_path / "a.png", wrong),
        lambda: pictures.resize_picture(wrong, 4),
    ):
        with pytest.raises(ValueError, match=r"must be uint8 .* Received: \w+ of the shape \("):
            function()
    assert not list(tmp_path.iterdir())


def test_writing_replaces(tmp_path):
    for seed in (0, 1):
        pictures.write_png(tmp_path / "a.png", noise(seed=seed))
    np.testing.assert_array_equal(pictures.read_picture(tmp_path / "a.png"), noise(seed=1))
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_unwritable(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"Cannot write the picture .*none.a.png"):
        pictures.write_png(tmp_path / "none" / "a.png", noise())
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match="Cannot write the picture"):
        pictures.write_png(tmp_path / "file" / "a.png", noise())


def test_full_disk_leaves_the_old_picture(tmp_path, monkeypatch):
    pictures.write_png(tmp_path / "a.png", noise())

    def full(path, data):
        path.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left on device"):
        pictures.write_png(tmp_path / "a.png", noise(seed=1))
    np.testing.assert_array_equal(pictures.read_picture(tmp_path / "a.png"), noise())
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_grid():
    images = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.ones((4, 6, 3), np.uint8)
    sheet = pictures.grid(images, columns=3, padding=1)
    assert sheet.shape == (11, 22, 3)
    for number in range(5):
        top, left = 1 + 5 * (number // 3), 1 + 7 * (number % 3)
        np.testing.assert_array_equal(sheet[top : top + 4, left : left + 6], number)
    assert (sheet[6:, 15:] == 255).all() and (sheet[0] == 255).all()
    assert pictures.grid(images, padding=0).shape == (8, 18, 3)


def test_grid_of_rows():
    rows = [np.zeros((2, 4, 4, 3), np.uint8), np.ones((3, 4, 4, 3), np.uint8)]
    sheet = pictures.grid(rows, padding=0)
    assert sheet.shape == (8, 12, 3)
    assert (sheet[:4, 8:] == 255).all() and (sheet[4:] == 1).all()


@pytest.mark.parametrize(
    ("images", "options"),
    [
        (np.zeros((0, 4, 4, 3), np.uint8), {}),
        ([], {}),
        (np.zeros((2, 4, 4, 3)), {}),
        (np.zeros((4, 4, 3), np.uint8), {}),
        ([np.zeros((2, 4, 4, 3), np.uint8), np.zeros((2, 5, 4, 3), np.uint8)], {}),
        ([np.zeros((2, 4, 4, 3), np.uint8)], {"columns": 1}),
        (np.zeros((2, 4, 4, 3), np.uint8), {"columns": -1}),
        (np.zeros((2, 4, 4, 3), np.uint8), {"padding": -1}),
    ],
)
def test_wrong_grids(images, options):
    with pytest.raises(ValueError, match="A grid takes uint8 pictures"):
        pictures.grid(images, **options)


@settings(deadline=None)
@given(arrays.arrays(np.uint8, arrays.array_shapes(min_dims=1, max_dims=4, max_side=4)))
def test_uint8_and_float_agree(images):
    floats = pictures.from_uint8(images)
    assert floats.dtype == np.float32
    assert (np.abs(floats) <= 1).all()
    np.testing.assert_array_equal(pictures.to_uint8(floats), images)


def test_to_uint8_clips():
    values = np.array([-2.0, -1.0, 0.0, 1.0, 3.0])
    np.testing.assert_array_equal(pictures.to_uint8(values), [0, 0, 128, 255, 255])


@pytest.mark.parametrize(("count", "milliseconds"), [(0, []), (2, [100])])
def test_animations_have_frames_with_durations(tmp_path, count, milliseconds):
    frames = np.zeros((count, 4, 4, 3), np.uint8)
    with pytest.raises(ValueError, match=rf"{count} frames and {len(milliseconds)} durations"):
        pictures.write_gif(tmp_path / "a.gif", frames, milliseconds)
    assert list(tmp_path.iterdir()) == []

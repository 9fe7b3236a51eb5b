"""Reading, writing and arranging pictures: the one place where files become arrays."""

import io
import math
import os
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageOps

from keras_cvaegan.files import replacing

Box = tuple[float, float, float, float]


class PictureError(ValueError):
    """A picture that cannot be read.

    Args:
        name: name of the picture in the message.
        reason: why it cannot be read.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"Cannot read {name}: {reason}.")
        self.reason = reason


def read_picture(
    source: str | os.PathLike | bytes, image_size: int | None = None, box: Box | None = None
) -> np.ndarray:
    """Reads a picture of any format and mode that Pillow knows as RGB.

    The orientation tag is applied, transparent parts lie on white, 16-bit pictures keep their
    upper 8 bits, and an animation gives its first frame.

    Args:
        source: a path, or the bytes of a picture file.
        image_size: height and width of the result, in pixels: the largest centred square is
            resized to it as by `resize_picture`. By default the picture keeps its size.
        box: `(left, top, right, bottom)` in pixels of the upright picture, to which it is cropped
            first; the parts of it outside the picture are ignored.

    Returns:
        `uint8 (height, width, 3)`.

    Raises:
        PictureError: a ValueError, when the picture cannot be read.
        ValueError: when `box` lies outside the picture, or `image_size` is below 1.

    Example:

    >>> read_picture(encode_png(np.zeros((20, 30, 3), np.uint8)), image_size=8).shape
    (8, 8, 3)
    """
    try:
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
            if image_size is not None and box is None:
                # JPEG only: decodes at the smallest 1/2, 1/4 or 1/8 that leaves enough to resize.
                image.draft(None, (2 * image_size, 2 * image_size))
            image.load()
            picture = _to_rgb(ImageOps.exif_transpose(image))
    # Pillow's decoders raise almost anything on damaged files: OSError, SyntaxError, struct.error…
    except Exception as error:
        name = repr(str(source))
        if isinstance(source, bytes):
            name = f"a picture of {len(source)} bytes"
        raise PictureError(name, _reason(error)) from error
    if box is not None:
        picture = picture.crop(_inside(box, picture.size))
    if image_size is not None:
        picture = _square(picture, image_size)
    return np.array(picture)


def _reason(error: Exception) -> str:
    if isinstance(error, Image.UnidentifiedImageError):
        return "not a picture, or damaged"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        upper = np.clip(np.asarray(image), 0, 65535) // 256
        image = Image.fromarray(upper.astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")


def _inside(box: Box, size: tuple[int, int]) -> tuple[int, int, int, int]:
    left, top, right, bottom = (round(edge) for edge in box)
    width, height = size
    inside = (max(left, 0), max(top, 0), min(right, width), min(bottom, height))
    if inside[0] >= inside[2] or inside[1] >= inside[3]:
        raise ValueError(
            f"A crop box (left, top, right, bottom) must overlap the picture. Received: {box} for "
            f"a picture of {width}×{height} pixels."
        )
    return inside


def _square(picture: Image.Image, image_size: int) -> Image.Image:
    if image_size < 1:
        raise ValueError(f"image_size must be 1 or more. Received: {image_size}.")
    width, height = picture.size
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    return picture.resize(
        (image_size, image_size), Image.Resampling.LANCZOS, (left, top, left + side, top + side)
    )


def resize_picture(picture: np.ndarray, image_size: int) -> np.ndarray:
    """Resizes the largest centred square of a picture, with anti-aliasing (Lanczos).

    Args:
        picture: `uint8 (height, width, 3)`.
        image_size: height and width of the result, in pixels.

    Returns:
        `uint8 (image_size, image_size, 3)`.

    Raises:
        ValueError: when `picture` has another shape or type, or `image_size` is below 1.
    """
    return np.array(_square(_from_array(picture), image_size))


def _from_array(picture: np.ndarray) -> Image.Image:
    picture = np.asarray(picture)
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or not picture.size:
        raise ValueError(
            "A picture must be uint8 of the shape (height, width, 3). "
            f"Received: {picture.dtype} of the shape {picture.shape}."
        )
    return Image.fromarray(picture)


def encode_png(picture: np.ndarray) -> bytes:
    """Returns the bytes of a PNG file.

    Args:
        picture: `uint8 (height, width, 3)`.

    Raises:
        ValueError: when `picture` has another shape or type.
    """
    buffer = io.BytesIO()
    _from_array(picture).save(buffer, "PNG")
    return buffer.getvalue()


def write_png(path: str | os.PathLike, picture: np.ndarray) -> None:
    """Writes a PNG file; whoever looks sees the old file or the whole new one.

    Args:
        path: path of the file, in a folder that exists.
        picture: `uint8 (height, width, 3)`.

    Raises:
        ValueError: when `picture` has another shape or type.
        OSError: when the file cannot be written.
    """
    data = encode_png(picture)
    try:
        # Folders of thousands of pictures would wait for the disk at each.
        with replacing(path, durable=False) as partial:
            partial.write_bytes(data)
    except OSError as error:
        message = f"Cannot write the picture ({error.strerror or error})"
        raise type(error)(error.errno, message, str(path)) from error


def grid(
    images: np.ndarray | Sequence[np.ndarray], columns: int | None = None, padding: int = 2
) -> np.ndarray:
    """Arranges pictures of one size on a white sheet.

    Args:
        images: `uint8 (n, height, width, 3)`, or a sequence of such arrays, one for each row.
        columns: pictures in a row. By default as many as make the sheet nearly square, or as the
            longest row has.
        padding: pixels between pictures and around them.

    Returns:
        `uint8 (sheet_height, sheet_width, 3)`.

    Raises:
        ValueError: when there is no picture, or a row is longer than `columns`.

    Example:

    >>> grid(np.zeros((6, 32, 32, 3), np.uint8), columns=3).shape
    (70, 104, 3)
    """
    if isinstance(images, np.ndarray):
        columns = columns or math.ceil(math.sqrt(len(images)))
        rows = [images[start : start + columns] for start in range(0, len(images), max(columns, 1))]
    else:
        rows = [np.asarray(row) for row in images]
        columns = columns or max((len(row) for row in rows), default=0)
    shapes = {row.shape[1:] for row in rows}
    if (
        columns < 1
        or padding < 0
        or len(shapes) != 1
        or any(row.dtype != np.uint8 or row.ndim != 4 or len(row) > columns for row in rows)
    ):
        raise ValueError(
            "A grid takes uint8 pictures (n, height, width, 3) of one size, at least one, rows of "
            "at most `columns`, and a padding of 0 or more. Received: rows of "
            f"{[(str(row.dtype), row.shape) for row in rows]}, columns={columns}, "
            f"padding={padding}."
        )
    height, width, channels = shapes.pop()
    sheet = np.full(
        (
            len(rows) * (height + padding) + padding,
            columns * (width + padding) + padding,
            channels,
        ),
        255,
        np.uint8,
    )
    for y, row in enumerate(rows):
        for x, image in enumerate(row):
            top, left = padding + y * (height + padding), padding + x * (width + padding)
            sheet[top : top + height, left : left + width] = image
    return sheet


def to_uint8(images: np.ndarray) -> np.ndarray:
    """Returns images of [-1, 1], of any shape, as `uint8` of [0, 255]; the rest is clipped."""
    return np.clip(np.rint((np.asarray(images, np.float32) + 1) * 127.5), 0, 255).astype(np.uint8)


def from_uint8(images: np.ndarray) -> np.ndarray:
    """Returns `uint8` images, of any shape, as `float32` of [-1, 1]: `x / 127.5 - 1`."""
    return np.asarray(images, np.float32) / np.float32(127.5) - np.float32(1)

"""PNG and JPEG bytes as pictures of the training size, within a TensorFlow graph."""

from collections.abc import Sequence

import tensorflow as tf

MAX_PIXELS = 2**26
_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"


def decode_pictures(encoded: tf.Tensor, image_shape: Sequence[int]) -> tf.Tensor:
    """Decodes picture files, as pictures are read for training.

    The largest centred part of the right proportions is resized, with anti-aliasing (Lanczos).
    Other than `pictures.read_picture`, TensorFlow does not know orientation tags, and drops
    transparency.

    Args:
        encoded: string tensor (n,), each a PNG or JPEG file of at most `MAX_PIXELS` pixels.
        image_shape: `(height, width, channels)` of the results; 1 or 3 channels.

    Returns:
        uint8 tensor (n, height, width, channels).

    Raises:
        tf.errors.InvalidArgumentError: for bytes that are no such file, when the graph runs.

    Example:

    >>> files = tf.io.encode_png(tf.zeros((20, 30, 3), tf.uint8))[tf.newaxis]
    >>> decode_pictures(files, (8, 8, 3)).shape
    TensorShape([1, 8, 8, 3])
    """
    return tf.map_fn(
        lambda file: _decode(file, tuple(image_shape)), encoded, fn_output_signature=tf.uint8
    )


def _decode(file: tf.Tensor, image_shape: tuple[int, int, int]) -> tf.Tensor:
    height, width, channels = image_shape
    with tf.control_dependencies(_checks(file)):
        picture = tf.io.decode_image(tf.identity(file), channels, expand_animations=False)
    picture = _crop(picture, height, width)
    resized = tf.image.resize(picture, (height, width), "lanczos3", antialias=True)
    pixels = tf.cast(tf.clip_by_value(tf.round(resized), 0.0, 255.0), tf.uint8)
    return tf.ensure_shape(pixels, image_shape)


def _checks(file: tf.Tensor) -> list[tf.Operation]:
    """Refuses what is no PNG or JPEG, and a small file that would unfold into a huge picture."""
    is_png = tf.equal(tf.strings.substr(file, 0, len(_PNG)), _PNG)
    is_jpeg = tf.equal(tf.strings.substr(file, 0, len(_JPEG)), _JPEG)
    check = tf.debugging.Assert(
        (is_png & (tf.strings.length(file) > 24)) | is_jpeg,
        [
            "image_bytes must be whole PNG or JPEG files. Received bytes that begin otherwise, "
            "of the length:",
            tf.strings.length(file),
        ],
    )
    with tf.control_dependencies([check]):
        size = tf.cond(is_png, lambda: _png_size(file), lambda: _jpeg_size(file))
    pixels = tf.reduce_prod(tf.cast(size, tf.int64))
    return [
        tf.debugging.Assert(
            (pixels > 0) & (pixels <= MAX_PIXELS) & tf.reduce_all(size > 0),
            [f"image_bytes must hold pictures of 1 to {MAX_PIXELS} pixels. Received "
             "(height, width):", size],
        )
    ]  # fmt: skip


def _png_size(file: tf.Tensor) -> tf.Tensor:
    """Height and width as a PNG's header has them."""
    header = tf.strings.substr(file, 16, 8)
    return tf.io.decode_raw(header, tf.int32, little_endian=False)[::-1]


def _jpeg_size(file: tf.Tensor) -> tf.Tensor:
    return tf.io.extract_jpeg_shape(file)[:2]


def _crop(picture: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """The largest centred part of the proportions height : width."""
    shape = tf.shape(picture)
    scale = tf.minimum(shape[0] / height, shape[1] / width)
    size = [
        tf.clip_by_value(tf.cast(tf.round(scale * side), tf.int32), 1, shape[axis])
        for axis, side in enumerate((height, width))
    ]
    top, left = (shape[0] - size[0]) // 2, (shape[1] - size[1]) // 2
    return picture[top : top + size[0], left : left + size[1]]

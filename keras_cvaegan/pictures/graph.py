"""Picture files as arrays of the training size within a TensorFlow graph: see also `pictures`."""

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
    return tf.map_fn(lambda file: _decode(file, image_shape), encoded, fn_output_signature=tf.uint8)


def _decode(file: tf.Tensor, image_shape: Sequence[int]) -> tf.Tensor:
    *size, channels = image_shape
    with tf.control_dependencies(_checks(file)):
        return resize(decode_file(tf.identity(file), channels), size)


def decode_file(file: tf.Tensor, channels: int = 3) -> tf.Tensor:
    """Decodes a picture file as Pillow does: uint8 (height, width, channels).

    Args:
        file: bytes of a JPEG, PNG, GIF (the first frame counts), BMP or WebP file, a scalar.
        channels: 1 or 3.
    """
    return tf.cond(
        tf.io.is_jpeg(file),
        # decode_image takes a faster way, which is further from Pillow's.
        lambda: tf.io.decode_jpeg(file, channels, dct_method="INTEGER_ACCURATE"),
        lambda: tf.io.decode_image(file, channels, expand_animations=False),
    )


def resize(picture: tf.Tensor, size: Sequence[int]) -> tf.Tensor:
    """Resizes the largest centred part of the right proportions, with anti-aliasing (Lanczos).

    As `keras_cvaegan.pictures.resize_picture` does, up to rounding; a picture that has the size is
    left as it is.

    Args:
        picture: uint8 (height, width, channels).
        size: height and width of the result, in pixels.

    Returns:
        uint8 (*size, channels).

    Example:

    >>> resize(tf.zeros((20, 30, 3), tf.uint8), (8, 8)).shape
    TensorShape([8, 8, 3])
    """
    picture = tf.ensure_shape(picture, [None, None, picture.shape[-1]])
    shape, target = tf.shape(picture)[:2], tf.constant(size, tf.int32)
    scale = tf.reduce_max(tf.cast(target / shape, tf.float32))
    part = tf.cast(tf.round(tf.cast(target, tf.float32) / scale), tf.int32)
    corner = (shape - part) // 2

    def cropped() -> tf.Tensor:
        begin = tf.concat([corner, [0]], axis=0)
        return tf.slice(picture, begin, [*size, picture.shape[-1]])

    def resized() -> tf.Tensor:
        # As Pillow does, the filter reaches beyond the part where the picture goes on, which
        # tf.image.resize of the part would not.
        result = tf.raw_ops.ScaleAndTranslate(
            images=tf.cast(picture, tf.float32)[tf.newaxis],
            size=target,
            scale=tf.fill([2], scale),
            translation=-tf.cast(corner, tf.float32) * scale,
            kernel_type="lanczos3",
            antialias=True,
        )[0]
        return tf.cast(tf.clip_by_value(tf.round(result), 0.0, 255.0), tf.uint8)

    same = tf.reduce_all(tf.equal(part, target))
    return tf.ensure_shape(tf.cond(same, cropped, resized), [*size, picture.shape[-1]])


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
